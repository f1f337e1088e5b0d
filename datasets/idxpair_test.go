package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idxTable encodes an IDX file of integers in two dimensions.
func idxTable(rows ...[]int32) []byte {
	file := []byte{0, 0, 12, 2}
	file = binary.BigEndian.AppendUint32(file, uint32(len(rows)))
	file = binary.BigEndian.AppendUint32(file, uint32(len(rows[0])))
	for _, row := range rows {
		for _, value := range row {
			file = binary.BigEndian.AppendUint32(file, uint32(value))
		}
	}
	return file
}

// writeIDX puts three training and two test images with these labels below dir.
func writeIDX(t *testing.T, dir, prefix, test string, trainLabels, testLabels []byte) {
	t.Helper()
	write(t, idx([]byte{0, 1, 10, 11, 20, 21}, 3, 1, 2), dir, prefix+"train-images-idx3-ubyte")
	write(t, idx(trainLabels, 3), dir, prefix+"train-labels-idx1-ubyte")
	write(t, gzipped(idx([]byte{30, 31, 40, 41}, 2, 1, 2)), dir, prefix+test+"-images-idx3-ubyte.gz")
	write(t, gzipped(idx(testLabels, 2)), dir, prefix+test+"-labels-idx1-ubyte.gz")
}

// The classes are the labels that there are, which need not begin with 0.
func TestLoadIDX(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	writeIDX(t, dir, "", "t10k", []byte{26, 1, 3}, []byte{3, 12})
	write(t, []byte("x"), dir, "README.md")
	write(t, []byte("not read: there is one that is not gzipped"), dir, "train-images-idx3-ubyte.gz")
	var progress bytes.Buffer
	train, test, err := Load(t.Context(), "idx:"+dir, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.ClassNames, []string{"1", "3", "12", "26"}) || !slices.Equal(train.Labels, []int32{3, 0, 1}) || !slices.Equal(test.Labels, []int32{1, 2}) || !slices.Equal(test.ClassNames, train.ClassNames) {
		t.Errorf("classes %q, labels %v and %v", train.ClassNames, train.Labels, test.Labels)
	}
	if train.Name != "letters" || train.Validate() != nil || test.Validate() != nil || train.Canonical || test.Checksum != test.ComputeChecksum() || !bytes.Equal(test.At(1), []byte{40, 41}) {
		t.Errorf("%q, %v, %v, image %v", train.Name, train.Validate(), test.Validate(), test.At(1))
	}
	if want := "letters: 3 images to train and 2 to test, 4 classes (labels 1 to 26)\n"; progress.String() != want {
		t.Errorf("progress %q, want %q", progress.String(), want)
	}
}

// Of several datasets in a folder, as EMNIST has them, one is named.
func TestLoadIDXOfSeveral(t *testing.T) {
	dir := t.TempDir()
	writeIDX(t, dir, "emnist-letters-", "test", []byte{1, 2, 3}, []byte{1, 2})
	writeIDX(t, dir, "emnist-mnist-", "test", []byte{7, 8, 9}, []byte{8, 9})
	train, _, err := Load(t.Context(), "idx:"+filepath.Join(dir, "emnist-mnist"), nil)
	if err != nil || train.Name != "emnist-mnist" || !slices.Equal(train.ClassNames, []string{"7", "8", "9"}) {
		t.Errorf("%v, %v", train, err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "emnist")} {
		_, _, err := Load(t.Context(), "idx:"+path, nil)
		if err == nil || !strings.Contains(err.Error(), path+" names none of the datasets in "+dir+"; allowed: "+dir+"/ and one of emnist-letters, emnist-mnist") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// QMNIST's labels are a table, whose first column is the class.
func TestLoadQMNIST(t *testing.T) {
	dir := t.TempDir()
	writeIDX(t, dir, "qmnist-", "test", []byte{0, 0, 0}, []byte{0, 0})
	os.Remove(filepath.Join(dir, "qmnist-train-labels-idx1-ubyte"))
	write(t, gzipped(idxTable([]int32{5, 100}, []int32{7, 200}, []int32{9, 300})), dir, "qmnist-train-labels-idx2-int.gz")
	train, _, err := Load(t.Context(), "idx:"+dir, nil)
	if err != nil || !slices.Equal(train.ClassNames, []string{"0", "5", "7", "9"}) || !slices.Equal(train.Labels, []int32{1, 2, 3}) {
		t.Fatalf("%v, %v", train, err)
	}
	for want, file := range map[string][]byte{
		"magic number at offset 0: got 0x00000801 (IDX labels); allowed: 0x00000c02 (IDX table)": idx([]byte{5, 7, 9}, 3),
		"number of columns at offset 8: got 65; allowed: 1 to 64":                                idxTable(make([]int32, 65)),
		"labels at offset 12: got the end of the file after 20 bytes; allowed: 24 bytes":         idxTable([]int32{5, 100}, []int32{7, 200}, []int32{9, 300})[:32],
	} {
		write(t, file, dir, "qmnist-train-labels-idx2-int.gz")
		if _, _, err := Load(t.Context(), "idx:"+dir, nil); err == nil || !strings.Contains(err.Error(), "qmnist-train-labels-idx2-int.gz: "+want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestLoadIDXErrors(t *testing.T) {
	dir := t.TempDir()
	check := func(path, want string) {
		t.Helper()
		if _, _, err := Load(t.Context(), "idx:"+path, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	check(dir, dir+" holds no IDX files; allowed: files with names like train-images-idx3-ubyte")
	if _, _, err := Load(t.Context(), "idx:"+filepath.Join(dir, "absent", "x"), nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "allowed: idx:PATH") {
		t.Errorf("an absent folder: %v", err)
	}
	writeIDX(t, dir, "k-", "t10k", []byte{1, 2, 3}, []byte{1, 2})
	os.Remove(filepath.Join(dir, "k-t10k-labels-idx1-ubyte.gz"))
	check(dir, "k in "+dir+" is incomplete; allowed: images and labels, of train and of test or t10k")
	write(t, idx([]byte{1}, 1), dir, "k-t10k-labels-idx1-ubyte")
	check(dir, "k-t10k-labels-idx1-ubyte: number of labels at offset 4: got 1; allowed: 2, the number of images in ")
	write(t, idx([]byte{1, 2}, 2), dir, "k-t10k-labels-idx1-ubyte")
	write(t, idx([]byte{1, 2}, 2, 1, 1), dir, "k-t10k-images-idx3-ubyte")
	check(dir, "k-t10k-images-idx3-ubyte: height x width at offset 8: got 1 x 1; allowed: 1 x 2, as the training images")
}
