package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// idx encodes an IDX file of unsigned bytes.
func idx(content []byte, dims ...int) []byte {
	file := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		file = binary.BigEndian.AppendUint32(file, uint32(d))
	}
	return append(file, content...)
}

func TestDecodeIDXImages(t *testing.T) {
	file := []byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60}
	pixels, height, width, err := DecodeIDXImages(bytes.NewReader(file))
	if err != nil || height != 1 || width != 3 || !bytes.Equal(pixels, []byte{10, 20, 30, 40, 50, 60}) {
		t.Errorf("got %v, %d, %d, %v", pixels, height, width, err)
	}
}

func TestDecodeIDXLabels(t *testing.T) {
	labels, err := DecodeIDXLabels(bytes.NewReader([]byte{0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255}))
	if err != nil || !slices.Equal(labels, []int32{7, 0, 255}) {
		t.Errorf("got %v, %v", labels, err)
	}
}

// cifarBytes are those of a record of CIFAR-10.
const cifarBytes = 3073

func TestDecodeCIFAR10(t *testing.T) {
	file := append(cifarRecordOf(3, 1, 2, 3), cifarRecordOf(9, 200, 100, 50)...)
	file[1+31] = 77                     // red, first row, last column
	file[cifarBytes+1+1024+32*31] = 101 // green, last row, first column
	pixels, labels, err := DecodeCIFAR10(bytes.NewReader(file))
	if err != nil || !slices.Equal(labels, []int32{3, 9}) || len(pixels) != 2*32*32*3 {
		t.Fatalf("labels %v, %d bytes of pixels, %v", labels, len(pixels), err)
	}
	at := func(i, y, x int) []byte { return pixels[((i*32+y)*32+x)*3:][:3] }
	for _, test := range []struct {
		i, y, x int
		want    []byte
	}{
		{0, 0, 0, []byte{1, 2, 3}},
		{0, 0, 31, []byte{77, 2, 3}},
		{1, 31, 0, []byte{200, 101, 50}},
		{1, 31, 31, []byte{200, 100, 50}},
	} {
		if got := at(test.i, test.y, test.x); !bytes.Equal(got, test.want) {
			t.Errorf("image %d, row %d, column %d: %v, want %v", test.i, test.y, test.x, got, test.want)
		}
	}
}

// cifarRecordOf is a record with an image of one colour.
func cifarRecordOf(label, red, green, blue byte) []byte {
	return slices.Concat([]byte{label}, bytes.Repeat([]byte{red}, 1024), bytes.Repeat([]byte{green}, 1024), bytes.Repeat([]byte{blue}, 1024))
}

func TestDecodeErrors(t *testing.T) {
	images := func(b []byte) error { _, _, _, err := DecodeIDXImages(bytes.NewReader(b)); return err }
	labels := func(b []byte) error { _, err := DecodeIDXLabels(bytes.NewReader(b)); return err }
	cifar := func(b []byte) error { _, _, err := DecodeCIFAR10(bytes.NewReader(b)); return err }
	badLabel := append(cifarRecordOf(1, 0, 0, 0), cifarRecordOf(10, 0, 0, 0)...)
	for _, test := range []struct {
		name   string
		decode func([]byte) error
		file   []byte
		want   FormatError
	}{
		{"empty", images, nil, FormatError{Field: "magic number", Got: "the end of the file after 0 bytes", Allowed: "4 bytes"}},
		{"labels for images", images, idx(make([]byte, 5), 5), FormatError{Field: "magic number", Got: "0x00000801 (IDX labels)", Allowed: "0x00000803 (IDX images)"}},
		{"images for labels", labels, idx(make([]byte, 4), 1, 2, 2), FormatError{Field: "magic number", Got: "0x00000803 (IDX images)", Allowed: "0x00000801 (IDX labels)"}},
		{"cut header", images, idx(nil, 1, 2, 2)[:10], FormatError{Offset: 8, Field: "image height", Got: "the end of the file after 2 bytes", Allowed: "4 bytes"}},
		{"no images", images, idx(nil, 0, 2, 2), FormatError{Offset: 4, Field: "number of images", Got: "0", Allowed: "1 or more"}},
		{"no width", images, idx(nil, 1, 2, 0), FormatError{Offset: 12, Field: "image width", Got: "0", Allowed: "1 or more"}},
		{"huge image", images, idx(nil, 1, 2, 1<<31), FormatError{Offset: 8, Field: "height x width", Got: "2 x 2147483648", Allowed: "1 to 8192 pixels each"}},
		{"cut pixels", images, idx(make([]byte, 7), 2, 2, 2), FormatError{Offset: 16, Field: "pixels", Got: "the end of the file after 7 bytes", Allowed: "8 bytes"}},
		{"too many pixels", images, idx(make([]byte, 9), 2, 2, 2), FormatError{Offset: 24, Field: "end of file", Got: "more bytes", Allowed: "24 bytes in all"}},
		{"cut labels", labels, idx(make([]byte, 2), 3), FormatError{Offset: 8, Field: "labels", Got: "the end of the file after 2 bytes", Allowed: "3 bytes"}},
		{"too many labels", labels, idx(make([]byte, 4), 3), FormatError{Offset: 11, Field: "end of file", Got: "more bytes", Allowed: "11 bytes in all"}},
		{"empty CIFAR-10", cifar, nil, FormatError{Field: "record 0", Got: "the end of the file after 0 bytes", Allowed: "3073 bytes"}},
		{"cut record", cifar, badLabel[:3100], FormatError{Offset: 3073, Field: "record 1", Got: "the end of the file after 27 bytes", Allowed: "3073 bytes"}},
		{"CIFAR-10 label", cifar, badLabel, FormatError{Offset: 3073, Field: "label 1", Got: "10", Allowed: "0 to 9"}},
	} {
		got, ok := errors.AsType[*FormatError](test.decode(test.file))
		if !ok || *got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, &test.want)
		}
	}
	message := (&FormatError{File: "a/b.gz", Offset: 8, Field: "labels", Got: "1 byte", Allowed: "2 bytes"}).Error()
	if want := "datasets: a/b.gz: labels at offset 8: got 1 byte; allowed: 2 bytes"; message != want {
		t.Errorf("message %q, want %q", message, want)
	}
}

// A header that promises 2^58 bytes must not make the decoder allocate them.
func TestDecodeBoundedAllocation(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _, err := DecodeIDXImages(bytes.NewReader(idx(make([]byte, 100), 1<<32-1, 8192, 8192)))
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "after 100 bytes") {
		t.Errorf("got %v", err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("%d bytes allocated for a file of 116 bytes", allocated)
	}
}

func FuzzDecodeIDXImages(f *testing.F) {
	f.Add(idx([]byte{1, 2, 3, 4, 5, 6}, 1, 2, 3))
	f.Add(idx([]byte{1, 2, 3, 4, 5, 6}, 1<<32-1, 8192, 8192))
	f.Add(idx([]byte{1, 2, 3, 4, 5}, 1, 2, 3))
	f.Add(idx([]byte{1, 2, 3}, 3))
	f.Fuzz(func(t *testing.T, file []byte) {
		pixels, height, width, err := DecodeIDXImages(bytes.NewReader(file))
		if err != nil {
			if _, ok := errors.AsType[*FormatError](err); !ok || pixels != nil {
				t.Fatalf("error %T %v, %d bytes of pixels", err, err, len(pixels))
			}
			return
		}
		if again := idx(pixels, len(pixels)/(height*width), height, width); !bytes.Equal(again, file) {
			t.Fatal("encoding what was decoded gives another file")
		}
	})
}

func FuzzDecodeIDXLabels(f *testing.F) {
	f.Add(idx([]byte{1, 2, 3}, 3))
	f.Add(idx([]byte{1, 2}, 1<<32-1))
	f.Add(idx([]byte{1, 2, 3, 4, 5, 6}, 1, 2, 3))
	f.Fuzz(func(t *testing.T, file []byte) {
		labels, err := DecodeIDXLabels(bytes.NewReader(file))
		if err != nil {
			if _, ok := errors.AsType[*FormatError](err); !ok || labels != nil {
				t.Fatalf("error %T %v, %d labels", err, err, len(labels))
			}
			return
		}
		var content []byte
		for _, label := range labels {
			content = append(content, byte(label))
		}
		if again := idx(content, len(labels)); !bytes.Equal(again, file) {
			t.Fatal("encoding what was decoded gives another file")
		}
	})
}

func FuzzDecodeCIFAR10(f *testing.F) {
	f.Add(cifarRecordOf(3, 1, 2, 3))
	f.Add(append(cifarRecordOf(0, 9, 8, 7), cifarRecordOf(9, 6, 5, 4)...))
	f.Add(cifarRecordOf(10, 1, 2, 3))
	f.Add(cifarRecordOf(1, 1, 2, 3)[:100])
	f.Fuzz(func(t *testing.T, file []byte) {
		pixels, labels, err := DecodeCIFAR10(bytes.NewReader(file))
		if err != nil {
			if _, ok := errors.AsType[*FormatError](err); !ok || pixels != nil || labels != nil {
				t.Fatalf("error %T %v, %d bytes of pixels, %d labels", err, err, len(pixels), len(labels))
			}
			return
		}
		var again []byte
		for i, label := range labels {
			again = append(again, byte(label))
			for channel := range 3 {
				for p := range 1024 {
					again = append(again, pixels[(i*1024+p)*3+channel])
				}
			}
		}
		if !bytes.Equal(again, file) {
			t.Fatal("encoding what was decoded gives another file")
		}
	})
}
