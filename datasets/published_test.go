package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// toyFiles are the four files of a small dataset in the form of MNIST.
var toyFiles = map[string][]byte{
	idxTrainImages: idx(noise(3*784), 3, 28, 28),
	idxTrainLabels: idx([]byte{7, 0, 9}, 3),
	idxTestImages:  idx(noise(5 * 784)[3*784:], 2, 28, 28),
	idxTestLabels:  idx([]byte{1, 2}, 2),
}

// noise returns n bytes that don't compress.
func noise(n int) []byte {
	var b []byte
	for block := sha256.Sum256(nil); len(b) < n; block = sha256.Sum256(block[:]) {
		b = append(b, block[:]...)
	}
	return b[:n]
}

// toy is the publication of toyFiles.
func toy(mirrors ...string) *publication {
	digests := map[string]string{}
	for name, content := range toyFiles {
		digests[name] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return idxPublication("toy", []string{"toy", "TOY/raw", here}, mnistClasses, digests, mirrors...)
}

func gzipped(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(content)
	w.Close()
	return b.Bytes()
}

func write(t *testing.T, content []byte, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeToy puts the toy dataset below root, gzipped or not.
func writeToy(t *testing.T, root string, zip bool) {
	t.Helper()
	for name, content := range toyFiles {
		if zip {
			write(t, gzipped(content), root, "toy", name+".gz")
		} else {
			write(t, content, root, "toy", name)
		}
	}
}

func checkToy(t *testing.T, train, test *Dataset) {
	t.Helper()
	if train.Name != "toy" || !bytes.Equal(train.Images, toyFiles[idxTrainImages][16:]) || !slices.Equal(train.Labels, []int32{7, 0, 9}) {
		t.Errorf("the training set is not the one in the files: %q, labels %v", train.Name, train.Labels)
	}
	if !bytes.Equal(test.Images, toyFiles[idxTestImages][16:]) || !slices.Equal(test.Labels, []int32{1, 2}) {
		t.Errorf("the test set is not the one in the files: labels %v", test.Labels)
	}
	for _, d := range []*Dataset{train, test} {
		if err := d.Validate(); err != nil || d.Height != 28 || d.Width != 28 || d.Channels != 1 || d.Classes() != 10 || d.Checksum != d.ComputeChecksum() {
			t.Errorf("%dx%dx%d, %d classes, checksum %s, %v", d.Height, d.Width, d.Channels, d.Classes(), d.Checksum, err)
		}
	}
}

func TestDataFolder(t *testing.T) {
	for _, zip := range []bool{false, true} {
		root := t.TempDir()
		writeToy(t, root, zip)
		train, test, err := toy().load(t.Context(), root, "", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		checkToy(t, train, test)
		if !train.Canonical || !test.Canonical {
			t.Error("the published content is not called canonical")
		}
	}

	// A file that a browser has unpacked without renaming it.
	root := t.TempDir()
	writeToy(t, root, true)
	write(t, toyFiles[idxTestLabels], root, "toy", idxTestLabels+".gz")
	train, test, err := toy().load(t.Context(), root, "", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	checkToy(t, train, test)

	// Other content of the right form.
	write(t, gzipped(idx([]byte{1, 3}, 2)), root, "toy", idxTestLabels+".gz")
	train, test, err = toy().load(t.Context(), root, "", io.Discard)
	if err != nil || train.Canonical || test.Canonical || test.Labels[1] != 3 {
		t.Errorf("other content: canonical %t, %t, %v", train.Canonical, test.Canonical, err)
	}
}

func TestDataFolderErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		file string
		zip  []byte
		want string
	}{
		{"truncated", idxTrainImages, gzipped(idx(noise(3*784-1), 3, 28, 28)), "train-images-idx3-ubyte.gz: pixels at offset 16: got the end of the file after 2351 bytes; allowed: 2352 bytes"},
		{"truncated gzip", idxTrainImages, gzipped(toyFiles[idxTrainImages])[:1500], "train-images-idx3-ubyte.gz: pixels at offset 16: got the end of the file"},
		{"damaged gzip", idxTestLabels, append(gzipped(toyFiles[idxTestLabels])[:25], make([]byte, 20)...), "t10k-labels-idx1-ubyte.gz: "},
		{"oversized", idxTestLabels, gzipped(idx([]byte{1, 2, 3}, 2)), "t10k-labels-idx1-ubyte.gz: end of file at offset 10: got more bytes"},
		{"wrong size", idxTestImages, gzipped(idx(noise(2*27*28), 2, 27, 28)), "t10k-images-idx3-ubyte.gz: height x width at offset 8: got 27 x 28; allowed: 28 x 28"},
		{"mislabelled", idxTestLabels, gzipped(idx([]byte{1, 10}, 2)), "t10k-labels-idx1-ubyte.gz: label 1 at offset 9: got 10; allowed: 0 to 9"},
		{"mismatched", idxTrainLabels, gzipped(idx([]byte{1, 2}, 2)), "train-labels-idx1-ubyte.gz: number of labels at offset 4: got 2; allowed: 3, the number of images in"},
		{"swapped", idxTestLabels, gzipped(toyFiles[idxTestImages]), "t10k-labels-idx1-ubyte.gz: magic number at offset 0: got 0x00000803 (IDX images); allowed: 0x00000801 (IDX labels)"},
		{"HTML", idxTestLabels, []byte("<html>"), "t10k-labels-idx1-ubyte.gz: magic number at offset 0: got 0x3c68746d"},
		{"empty", idxTestLabels, nil, "t10k-labels-idx1-ubyte.gz: magic number at offset 0: got the end of the file after 0 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			writeToy(t, root, true)
			write(t, test.zip, root, "toy", test.file+".gz")
			_, _, err := toy().load(t.Context(), root, "", io.Discard)
			if err == nil || !strings.Contains(err.Error(), filepath.Join(root, "toy", test.want)) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	t.Run("incomplete", func(t *testing.T) {
		root := t.TempDir()
		writeToy(t, root, true)
		os.Remove(filepath.Join(root, "toy", idxTestLabels+".gz"))
		_, _, err := toy().load(t.Context(), root, t.TempDir(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "incomplete: t10k-labels-idx1-ubyte missing") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		root := filepath.Join(t.TempDir(), "absent")
		_, _, err := toy().load(t.Context(), root, t.TempDir(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("EMBEDSPACE_DATA is %q; allowed: a folder", root)) {
			t.Errorf("got %v", err)
		}
	})
}

// The files are found where other programs and people put them, and that is said.
func TestDataFolderPlaces(t *testing.T) {
	for _, place := range []struct{ folder, separator, suffix string }{
		{"toy", "-", ""},
		{"toy", ".", ""},    // Kaggle
		{"toy", ".", ".gz"}, // the same, packed
		{filepath.Join("TOY", "raw"), "-", ""},
		{"", "-", ".gz"},
		{"", ".", ""},
	} {
		root := t.TempDir()
		for name, content := range toyFiles {
			if place.suffix == ".gz" {
				content = gzipped(content)
			}
			write(t, content, root, place.folder, strings.Replace(name, "-idx", place.separator+"idx", 1)+place.suffix)
		}
		var progress bytes.Buffer
		train, test, err := toy().load(t.Context(), root, "", &progress)
		if err != nil {
			t.Fatalf("%+v: %v", place, err)
		}
		checkToy(t, train, test)
		if !train.Canonical {
			t.Errorf("%+v: the published content is not called canonical", place)
		}
		want := ""
		if place.folder != "toy" {
			want = fmt.Sprintf("toy: found in %s\n", filepath.Join(root, place.folder))
		}
		if progress.String() != want {
			t.Errorf("%+v: progress %q, want %q", place, progress.String(), want)
		}
	}
}

// Files right in the data folder may be those of another dataset.
func TestDataFolderOfAnother(t *testing.T) {
	defer func(before []*publication) { publications = before }(publications)
	publications = append(slices.Clone(publications), toy())
	root := t.TempDir()
	writeToy(t, root, false)
	other := idxPublication("other", []string{"toy"}, mnistClasses, map[string]string{idxTrainImages: "00"})
	_, _, err := other.load(t.Context(), root, "", io.Discard)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(root, "toy", idxTestImages)+": the "+idxTestImages+" of toy; allowed: that of other") {
		t.Errorf("got %v", err)
	}
}

const toyRecords = 20

// cifarPublication is CIFAR-10 with batches of toyRecords and these digests.
func cifarPublication(batches map[string][]byte) *publication {
	p := *publications[slices.IndexFunc(publications, func(p *publication) bool { return p.name == "cifar-10" })]
	p.decode = decodeCIFAR(cifar10, func(string) int { return toyRecords })
	p.digests = map[string]string{}
	for name, batch := range batches {
		p.digests[name] = fmt.Sprintf("%x", sha1.Sum(batch))
	}
	return &p
}

// cifarBatches are six batches whose images are black. In batch b, the first
// record has label b and one green pixel.
func cifarBatches() map[string][]byte {
	batches := map[string][]byte{}
	for b, name := range cifarPublication(nil).files() {
		batch := make([]byte, toyRecords*cifarBytes)
		batch[0] = byte(b)
		batch[1+1024] = 99
		batches[name] = batch
	}
	return batches
}

func tarGzipped(t *testing.T, folder string, files map[string][]byte, order []string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	archive := tar.NewWriter(zip)
	for _, name := range order {
		if err := archive.WriteHeader(&tar.Header{Name: folder + name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		archive.Write(files[name])
	}
	archive.Close()
	zip.Close()
	return b.Bytes()
}

func TestCIFAR10(t *testing.T) {
	batches := cifarBatches()
	p := cifarPublication(batches)
	check := func(t *testing.T, root string, canonical bool) {
		t.Helper()
		train, test, err := p.load(t.Context(), root, "", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if train.Len() != 5*toyRecords || test.Len() != toyRecords || train.Canonical != canonical || train.Validate() != nil || test.Validate() != nil {
			t.Errorf("%d and %d images, canonical %t, %v, %v", train.Len(), test.Len(), train.Canonical, train.Validate(), test.Validate())
		}
		for b := range 5 {
			if label, first := train.Labels[b*toyRecords], train.At(b * toyRecords)[:4]; label != int32(b) || !bytes.Equal(first, []byte{0, 99, 0, 0}) {
				t.Errorf("training batch %d begins with label %d and pixels %v", b+1, label, first)
			}
		}
		if test.Labels[0] != 5 {
			t.Errorf("the test batch begins with label %d, want 5", test.Labels[0])
		}
	}
	t.Run("folder", func(t *testing.T) {
		root := t.TempDir()
		for name, batch := range batches {
			write(t, batch, root, "cifar-10-batches-bin", name)
		}
		check(t, root, true)
		write(t, batches["data_batch_2.bin"][:19*cifarBytes], root, "cifar-10-batches-bin", "data_batch_2.bin")
		_, _, err := p.load(t.Context(), root, "", io.Discard)
		if err == nil || !strings.Contains(err.Error(), "data_batch_2.bin: records at offset 0: got the end of the file after 58387 bytes; allowed: 61460 bytes") {
			t.Errorf("a batch cut between two records: %v", err)
		}
	})
	t.Run("archive", func(t *testing.T) {
		// The published archive has its members in another order and some more.
		root := t.TempDir()
		batches["batches.meta.txt"] = []byte("airplane\n")
		order := []string{"data_batch_4.bin", "batches.meta.txt", "test_batch.bin", "data_batch_1.bin", "data_batch_3.bin", "data_batch_2.bin", "data_batch_5.bin"}
		write(t, tarGzipped(t, "cifar-10-batches-bin/", batches, order), root, "cifar-10-binary.tar.gz")
		check(t, root, true)
		if err := p.verify(filepath.Join(root, "cifar-10-binary.tar.gz")); err != nil {
			t.Error(err)
		}

		batches["data_batch_5.bin"][2000] ^= 1
		write(t, tarGzipped(t, "./", batches, order), root, "cifar-10-binary.tar.gz")
		check(t, root, false)
		if err := p.verify(filepath.Join(root, "cifar-10-binary.tar.gz")); err == nil || !strings.Contains(err.Error(), "checksum of the uncompressed data_batch_5.bin") {
			t.Errorf("a changed member: %v", err)
		}

		short := tarGzipped(t, "", batches, order[:3])
		write(t, short, root, "cifar-10-binary.tar.gz")
		if _, _, err := p.load(t.Context(), root, "", io.Discard); err == nil || !strings.Contains(err.Error(), "data_batch_1.bin missing") {
			t.Errorf("an archive without a batch: %v", err)
		}
		if err := p.verify(filepath.Join(root, "cifar-10-binary.tar.gz")); err == nil || !strings.Contains(err.Error(), "data_batch_1.bin, data_batch_2.bin") {
			t.Errorf("an archive without a batch: %v", err)
		}
		write(t, short[:len(short)-40], root, "cifar-10-binary.tar.gz")
		if _, _, err := p.load(t.Context(), root, "", io.Discard); err == nil || !strings.Contains(err.Error(), "cifar-10-binary.tar.gz") {
			t.Errorf("a cut archive: %v", err)
		}
	})
}

// The Python version of CIFAR-10 is not the binary one, and no reason to download that.
func TestCIFAR10Python(t *testing.T) {
	for _, name := range []string{"cifar-10-batches-py/data_batch_1", "cifar-10-python.tar.gz"} {
		root := t.TempDir()
		write(t, []byte("\x80\x02}q"), root, filepath.FromSlash(name))
		_, _, err := cifarPublication(nil).load(t.Context(), root, t.TempDir(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "is the Python version of cifar-10; allowed: the binary version, cifar-10-binary.tar.gz or a folder cifar-10-batches-bin with data_batch_1.bin") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A record of CIFAR-100 begins with the coarse and the fine label.
func TestCIFAR100(t *testing.T) {
	const record = 2 + 3072
	records := make([]byte, 10_000*record)
	copy(records[record:], []byte{19, 99, 7})
	records[record+2+1024] = 8
	for name, want := range map[string]struct {
		label           int32
		tooLarge, error string
	}{
		"cifar-100":        {99, "\x00\x64", "label 0 at offset 1: got 100; allowed: 0 to 99"},
		"cifar-100-coarse": {19, "\x14\x00", "label 0 at offset 0: got 20; allowed: 0 to 19"},
	} {
		p := publications[slices.IndexFunc(publications, func(p *publication) bool { return p.name == name })]
		test, err := p.decode("test.bin", bytes.NewReader(records))
		if err != nil {
			t.Fatal(err)
		}
		if len(test.labels) != 10_000 || test.labels[0] != 0 || test.labels[1] != want.label || !bytes.Equal(test.images[3072:][:4], []byte{7, 8, 0, 0}) || int32(len(p.classNames)) != want.label+1 {
			t.Errorf("%s: labels %v, pixels %v, %d classes", name, test.labels[:2], test.images[3072:][:4], len(p.classNames))
		}
		for file, test := range map[string]struct {
			content []byte
			want    string
		}{
			"test.bin":  {slices.Concat([]byte(want.tooLarge), records[2:]), want.error},
			"train.bin": {records[:record], "records at offset 0: got the end of the file after 3074 bytes; allowed: 153700000 bytes"},
		} {
			if _, err := p.decode(file, bytes.NewReader(test.content)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %s: got %v, want %q", name, file, err, test.want)
			}
		}
	}
}

func TestLoadNames(t *testing.T) {
	if got, want := Names(), []string{"mnist", "fashion-mnist", "cifar-10", "cifar-100", "cifar-100-coarse", "mnist-sample", "fashion-mnist-sample"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
	for _, name := range []string{"", "MNIST", "cifar-10-sample"} {
		if _, _, err := Load(context.Background(), name, nil); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), fmt.Sprintf("unknown dataset %q; ", name)+"allowed: mnist, fashion-mnist, cifar-10, cifar-100, cifar-100-coarse, mnist-sample, fashion-mnist-sample") {
			t.Errorf("Load(%q): %v", name, err)
		}
	}
}

// What Load finds in EMBEDSPACE_DATA and the user's cache, through the
// exported function.
func TestLoadEnvironment(t *testing.T) {
	data, home := t.TempDir(), t.TempDir()
	for name, content := range toyFiles {
		write(t, content, data, "fashion-mnist", name)
	}
	t.Setenv("EMBEDSPACE_DATA", data)
	t.Setenv("XDG_CACHE_HOME", home)
	train, test, err := Load(t.Context(), "fashion-mnist", nil)
	if err != nil {
		t.Fatal(err)
	}
	if train.Canonical || train.Name != "fashion-mnist" || train.Len() != 3 || test.Len() != 2 || train.ClassNames[9] != "Ankle boot" {
		t.Errorf("%q, canonical %t, %d and %d images, %q", train.Name, train.Canonical, train.Len(), test.Len(), train.ClassNames)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Load(canceled, "mnist", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// Test images that are training images, too, are counted; all of them are refused.
func TestLoadSameImages(t *testing.T) {
	dir := t.TempDir()
	write(t, idx([]byte{1, 2, 3}, 3, 1, 1), dir, "train-images-idx3-ubyte")
	write(t, idx([]byte{0, 1, 0}, 3), dir, "train-labels-idx1-ubyte")
	write(t, idx([]byte{0, 1}, 2), dir, "t10k-labels-idx1-ubyte")
	for _, test := range []struct {
		images         []byte
		progress, want string
	}{
		{[]byte{4, 5}, "", ""},
		{[]byte{4, 2}, "1 of 2 test images are training images, too\n", ""},
		{[]byte{3, 3}, "", "each of the 2 test images is a training image, too"},
	} {
		write(t, idx(test.images, 2, 1, 1), dir, "t10k-images-idx3-ubyte")
		var progress bytes.Buffer
		_, _, err := Load(t.Context(), "idx:"+dir, &progress)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.images, err, test.want)
		}
		if !strings.HasSuffix(progress.String(), test.progress) || test.progress == "" && strings.Contains(progress.String(), "too") {
			t.Errorf("%v: progress %q", test.images, progress.String())
		}
	}
}

// The published files, where the machine has them. Each image of a sample is one
// of theirs with its label, from the same part, and no image occurs twice.
func TestPublished(t *testing.T) {
	for _, p := range publications {
		t.Run(p.name, func(t *testing.T) {
			train, test, err := p.load(t.Context(), realData(t, p.folders[0]), "", io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			want := [2]int{60000, 10000}
			if p.channels == 3 {
				want[0] = 50000
			}
			if got := [2]int{train.Len(), test.Len()}; got != want {
				t.Errorf("%v images, want %v", got, want)
			}
			if !train.Canonical {
				t.Skip("these files are not the published ones")
			}
			if p.sample == "" {
				return
			}
			sampleTrain, sampleTest, err := p.loadSample()
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []struct{ full, sample *Dataset }{{train, sampleTrain}, {test, sampleTest}} {
				published := map[string]int{}
				for i := range part.full.Len() {
					published[labelled(part.full, i)]++
				}
				for i := range part.sample.Len() {
					key := labelled(part.sample, i)
					if published[key]--; published[key] < 0 {
						t.Fatalf("image %d with label %d is not in the published set, or too often in the sample", i, part.sample.Labels[i])
					}
				}
			}
		})
	}
}

// labelled identifies an image and its label.
func labelled(d *Dataset, i int) string { return string(append(d.At(i), byte(d.Labels[i]))) }
