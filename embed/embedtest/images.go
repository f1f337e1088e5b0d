package embedtest

import (
	"errors"
	"fmt"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/embedspace/embedspace/datasets"
)

// Patterns returns n images of size x size pixels in three classes, each of which lights
// another part of the image, under noise. The same seed gives the same images.
func Patterns(n, size, channels int, seed uint64) *datasets.Dataset {
	random := rand.New(rand.NewPCG(seed, 0))
	d := &datasets.Dataset{
		Name: "patterns", Height: size, Width: size, Channels: channels,
		Images: make([]byte, n*size*size*channels), Labels: make([]int32, n),
		ClassNames: []string{"top", "left", "corner"},
	}
	for i := range d.Labels {
		class := i % 3
		d.Labels[i] = int32(class)
		image := d.At(i)
		for p := range image {
			row, column := p/channels/size, p/channels%size
			lit := [3]bool{row < size/2, column < size/2, row >= size/2 && column >= size/2}[class]
			image[p] = byte(random.IntN(100))
			if lit {
				image[p] += 150
			}
		}
	}
	d.Checksum = d.ComputeChecksum()
	return d
}

// SmallData returns 24 training and 30 test images of 4 x 4 pixels.
func SmallData() (train, test *datasets.Dataset) {
	return Patterns(24, 4, 1, 1), Patterns(30, 4, 1, 2)
}

// WriteFolder writes the images as PNG files into class folders of a folder, which it makes.
func WriteFolder(t testing.TB, folder string, d *datasets.Dataset) {
	t.Helper()
	for i, label := range d.Labels {
		class := filepath.Join(folder, d.ClassNames[label])
		if err := os.MkdirAll(class, 0o777); err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(filepath.Join(class, fmt.Sprint(i, ".png")))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(file, d.Image(i)), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
