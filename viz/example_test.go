package viz_test

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/embedspace/embedspace/viz"
)

// embedding returns points that lie along the directions of three classes, as
// those of a network trained with the softmax loss do.
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

// A picture of one embedded space, in one line.
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
	// Output: 900 pixels wide
}

// A grid of panels with one legend and a title above all.
func ExampleFigure() {
	raw, projected := embedding(), embedding()
	raw.Title, raw.Note = "Raw", ""
	projected.Title, projected.Note = "On the unit circle", ""
	for i := 0; i < len(projected.Points); i += 2 {
		z := projected.Points[i : i+2]
		norm := float32(math.Hypot(float64(z[0]), float64(z[1])))
		z[0], z[1] = z[0]/norm, z[1]/norm
	}
	f := viz.Figure{Title: "Softmax", Panels: []viz.Scatter{raw, projected}, Columns: 2}

	var svg bytes.Buffer
	if err := f.WriteSVG(&svg); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Count(svg.Bytes(), []byte("<image")), "panels,", bytes.Contains(svg.Bytes(), []byte(">fish</text>")))
	// Output: 2 panels, true
}

// Bad input is an error that names the value.
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
