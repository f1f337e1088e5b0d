package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// all returns the pixels of a dataset, image by image.
func all(t *testing.T, d *Dataset) []byte {
	t.Helper()
	pixels, err := d.AppendPixels(nil, sequence(0, d.Len())...)
	if err != nil {
		t.Fatal(err)
	}
	return pixels
}

// Images that are read from files are those in memory, in all parts, whatever is kept.
func TestImageFiles(t *testing.T) {
	gray := writePets(t, 2, 3)
	coloured := writePets(t, 2, 3)
	write(t, pngOf(t, uniform(2, 3, color.NRGBA{R: 200, G: 1, B: 7, A: 255})), coloured, "newt", "red.png")
	write(t, []byte("no image"), coloured, "cat", "0.txt")
	for name, dir := range map[string]string{"gray": gray, "coloured": coloured} {
		for _, cache := range []int{0, 100, 1000} {
			t.Run(fmt.Sprint(name, " ", cache), func(t *testing.T) {
				opts := FolderOptions{Skip: true}
				inMemory, err := LoadFolder(dir, opts)
				if err != nil {
					t.Fatal(err)
				}
				LimitMemory(t, 200, cache)
				inFiles, err := LoadFolder(dir, opts)
				if err != nil {
					t.Fatal(err)
				}
				if inMemory.Images == nil || inFiles.Images != nil || len(inFiles.files.cache) > cache {
					t.Fatalf("%d and %d bytes in memory, %d kept", len(inMemory.Images), len(inFiles.Images), len(inFiles.files.cache))
				}
				parts := func(d *Dataset) []*Dataset {
					subset, err1 := d.Subset(7, 1)
					first, rest, err2 := d.Split(5, 2)
					train, test, err3 := d.HoldOut(0.3, 3)
					selected, err4 := d.Select(2, 0)
					if err := errors.Join(err1, err2, err3, err4); err != nil {
						t.Fatal(err)
					}
					again, err := selected.Subset(3, 4)
					if err != nil {
						t.Fatal(err)
					}
					return []*Dataset{d, subset, first, rest, train, test, selected, again}
				}
				checksums := map[string]bool{}
				for k, got := range parts(inFiles) {
					want := parts(inMemory)[k]
					if !bytes.Equal(all(t, got), all(t, want)) || !slices.Equal(got.Labels, want.Labels) || got.Channels != want.Channels || got.Validate() != nil || got.Name != want.Name {
						t.Errorf("%s: other images than in memory, %v", got.Name, got.Validate())
					}
					for i := range got.Len() {
						if !bytes.Equal(got.At(i), want.At(i)) || got.digest(i) != want.digest(i) {
							t.Errorf("%s: image %d is %v, want %v", got.Name, i, got.At(i), want.At(i))
						}
					}
					if got.Checksum != got.ComputeChecksum() || checksums[got.Checksum] {
						t.Errorf("%s: checksum %s", got.Name, got.Checksum)
					}
					checksums[got.Checksum] = true
				}
				after, err := inFiles.AppendPixels([]byte{1, 2}, 3, 3, 0)
				if want := slices.Concat([]byte{1, 2}, inMemory.At(3), inMemory.At(3), inMemory.At(0)); err != nil || !bytes.Equal(after, want) {
					t.Errorf("appended: %v, %v; want %v", after, err, want)
				}
				if none, err := inFiles.AppendPixels(nil); len(none) != 0 || err != nil {
					t.Errorf("no images: %v, %v", none, err)
				}
			})
		}
	}
}

// A file that is no more what it was is an error, of At a panic.
func TestImageFilesChanged(t *testing.T) {
	dir := writePets(t, 2, 3)
	LimitMemory(t, 60, 30) // gray was not known when they were kept: one image of 18 bytes
	d, err := LoadFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	changed := func(i int, want string) {
		t.Helper()
		if _, err := d.AppendPixels(nil, 0, i); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("image %d: got %v, want %q", i, err, want)
		}
		defer func() {
			if err, _ := recover().(error); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("image %d: At panics with %v, want %q", i, err, want)
			}
		}()
		d.At(i)
	}
	write(t, pngOf(t, uniform(2, 3, color.Gray{Y: 200})), dir, "cat", "1.png")
	changed(1, filepath.Join("cat", "1.png")+" has changed since it was listed")
	os.Remove(filepath.Join(dir, "cat", "2.png"))
	changed(2, filepath.Join("cat", "2.png")+": no such file")
	os.Remove(filepath.Join(dir, "cat", "0.png"))
	if got := d.At(0); !slices.Equal(got, make([]byte, 6)) {
		t.Errorf("the image that is kept is %v", got)
	}
	d.Labels = d.Labels[1:]
	if err := d.Validate(); err == nil || !strings.Contains(err.Error(), "16 labels; allowed: 17") {
		t.Errorf("a label less: %v", err)
	}
}
