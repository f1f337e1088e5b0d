package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/vg"
)

// paper are the layers of the paper's network for MNIST.
var paper = []Layer{
	{"image", []int{28, 28, 1}, 0},
	{"Conv(32) - Pool", []int{13, 13, 32}, 320},
	{"FC(256)", []int{256}, 295168},
	{"FC(2)", []int{2}, 514},
}

// TestNetwork: a layer is where its column is, and as tall as its output.
func TestNetwork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network.png")
	if err := (&Network{Layers: paper}).Save(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if want := int(2 * (2*margin + 4*layerWidth)); picture.Bounds().Dx() != want {
		t.Errorf("the picture is %d pixels wide, want %d", picture.Bounds().Dx(), want)
	}
	// heights[i] is by how many rows of pixels the front of layer i reaches.
	var heights []int
	for i := range paper {
		rows := 0
		for y := range picture.Bounds().Dy() {
			for x := int(2 * (margin + vg.Length(i)*layerWidth)); x < int(2*(margin+vg.Length(i+1)*layerWidth)); x++ {
				if picture.At(x, y) == color.Color(blockFront) {
					rows++
					break
				}
			}
		}
		heights = append(heights, rows)
	}
	if got, want := float64(heights[0])/float64(heights[1]), 28./13; got < 0.95*want || got > 1.05*want {
		t.Errorf("blocks of 28 and 13 rows are %d and %d pixels tall, want a ratio of %.2f", heights[0], heights[1], want)
	}
	if heights[2] <= heights[0] {
		t.Errorf("a vector of 256 is %d rows tall, a block of 28 rows %d, want the vector taller", heights[2], heights[0])
	}
}

// TestNetworkErrors: what can't be drawn leaves no file.
func TestNetworkErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		network Network
		file    string
		want    error
	}{
		{"no layers", Network{}, "n.png", ErrEmpty},
		{"two sizes", Network{Layers: []Layer{{"fc", []int{3, 4}, 0}}}, "n.png", ErrLength},
		{"size 0", Network{Layers: []Layer{{"fc", []int{0}, 0}}}, "n.png", ErrLength},
		{"empty image", Network{Layers: paper, Image: image.NewGray(image.Rectangle{})}, "n.png", ErrEmpty},
		{"extension", Network{Layers: paper}, "n.svg", ErrExtension},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), test.file)
			if err := test.network.Save(path); !errors.Is(err, test.want) {
				t.Errorf("got error %v, want %v", err, test.want)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("a file was written")
			}
		})
	}
	if err := (&Network{Layers: paper}).Show(); !errors.Is(err, ErrNotebook) {
		t.Errorf("Show outside of a notebook: got error %v, want %v", err, ErrNotebook)
	}
}
