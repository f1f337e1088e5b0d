package viz_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/embedspace/embedspace/viz"
)

// embedding returns points along the directions of three classes, like those of a network
// trained with the softmax loss.
func embedding() viz.Scatter {
	rng := rand.New(rand.NewPCG(1, 1))
	s := viz.Scatter{
		Title:      "Softmax",
		Note:       "test accuracy 98.4 %",
		Dim:        2,
		ClassNames: []string{"cat", "dog", "fish"},
	}
	for class := range s.ClassNames {
		sin, cos := math.Sincos(2 * math.Pi * float64(class) / 3)
		s.ClassVectors = append(s.ClassVectors, float32(cos), float32(sin))
		for range 500 {
			r := math.Abs(20 + 8*rng.NormFloat64())
			s.Points = append(s.Points,
				float32(r*(cos+0.1*rng.NormFloat64())), float32(r*(sin+0.1*rng.NormFloat64())))
			s.Labels = append(s.Labels, int32(class))
		}
	}
	return s
}

// One line draws an embedded space.
func Example() {
	dir, err := os.MkdirTemp("", "viz")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "softmax.png")

	if err := viz.NewFigure(embedding()).Save(path); err != nil {
		log.Fatal(err)
	}

	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(picture.Width, "pixels wide")
	// Output: 902 pixels wide
}

// A grid of panels has one legend, and a title above all of them.
func ExampleFigure() {
	raw := embedding()
	raw.Title, raw.Note = "Raw", ""
	projected := raw.Projected()
	projected.Title = "On the unit circle"
	f := viz.Figure{Title: "Softmax", Panels: []viz.Panel{raw, projected}, Columns: 2}

	var svg bytes.Buffer
	if err := f.WriteSVG(&svg); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Count(svg.Bytes(), []byte("<image")), "panels,", bytes.Contains(svg.Bytes(), []byte(">fish</text>")))
	// Output: 2 panels, true
}

// The error of invalid input names the value.
func ExampleScatter() {
	s := embedding()
	s.Labels[7] = 3
	err := viz.NewFigure(s).WritePNG(io.Discard)
	fmt.Println(err)
	fmt.Println(errors.Is(err, viz.ErrLabel))
	// Output:
	// viz: panel 0 "Softmax": label 3 of point 7, of 3 classes: label out of range
	// true
}

// An overview: labelled rows and columns, and a panel that says why it is empty.
func ExampleFigure_labels() {
	softmax := embedding()
	softmax.Title, softmax.Note = "", ""
	f := viz.Figure{
		Panels: []viz.Panel{
			softmax, softmax.Projected(),
			viz.Scatter{Missing: "failed: NaN in epoch 2"}, viz.Scatter{Missing: "not trained yet"},
		},
		Columns:      2,
		RowLabels:    []string{"Softmax", "ArcFace"},
		ColumnLabels: []string{"raw", "on the unit circle"},
	}

	var svg bytes.Buffer
	if err := f.WriteSVG(&svg); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Contains(svg.Bytes(), []byte(">failed: NaN in epoch 2</text>")))

	f.RowLabels = f.RowLabels[:1]
	fmt.Println(f.WriteSVG(io.Discard))
	// Output:
	// true
	// viz: 1 row labels for a grid of 2 rows and 2 columns: lengths do not match
}

// The regions show a decision rule: here, the class is that of the class vector with the
// largest inner product.
func ExampleScatter_regions() {
	s := embedding()
	calls := 0
	s.Regions = func(points []float32) ([]int32, error) {
		calls++
		classes := make([]int32, len(points)/2)
		for i := range classes {
			best := math.Inf(-1)
			for class := range s.ClassNames {
				w := s.ClassVectors[2*class:]
				if product := float64(points[2*i]*w[0] + points[2*i+1]*w[1]); product > best {
					best, classes[i] = product, int32(class)
				}
			}
		}
		return classes, nil
	}
	if err := viz.NewFigure(s).WritePNG(io.Discard); err != nil {
		log.Fatal(err)
	}
	fmt.Println("calls of the rule:", calls)
	// Output: calls of the rule: 1
}

// Only the directions are left: each point is divided by its norm.
func ExampleScatter_Projected() {
	s := viz.Scatter{Dim: 2, Points: []float32{3, 4, 0, -2, 0, 0}, Labels: []int32{0, 1, 1}, ClassNames: []string{"a", "b"}}
	fmt.Println(s.Projected().Points)
	// Output: [0.6 0.8 0 -1 0 0]
}

// Images beside each other, one with what speaks for its class drawn over it.
func ExampleGallery() {
	digit := image.NewGray(image.Rect(0, 0, 28, 28))
	attribution := make([]float64, 28*28)
	for row := 4; row < 24; row++ { // a vertical stroke, of which the upper half speaks for the class
		digit.SetGray(14, row, color.Gray{Y: 255})
		attribution[28*row+14] = float64(14 - row)
	}
	g := viz.Gallery{
		Title: "Why 1?",
		Unit:  "score of 1",
		Tiles: []viz.Tile{{Title: "the image", Image: digit}, {Title: "for 1", Image: digit, Attribution: attribution}},
	}

	var picture bytes.Buffer
	if err := g.WritePNG(&picture); err != nil {
		log.Fatal(err)
	}
	g.Tiles[1].Attribution = attribution[1:]
	fmt.Println(g.WritePNG(io.Discard))
	// Output:
	// viz: tile 1 "for 1": 783 attributions of an image of 28 x 28 pixels: lengths do not match
}
