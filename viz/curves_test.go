package viz

import (
	"bytes"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// falling is a line that halves at each step.
func falling(name string, first float64) Line {
	values := make([]float64, 8)
	for i := range values {
		values[i] = first * math.Pow(0.5, float64(i))
	}
	return Line{Name: name, Values: values}
}

// TestCurves: on a logarithmic scale, what halves at each step is straight, and is drawn in
// the colour of its line.
func TestCurves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "curves.png")
	c := Curves{Title: "A collapse", X: "epoch", Y: "distance", Log: true, Lines: []Line{falling("within", 1), falling("between", 3)}}
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.png()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, again) {
		t.Error("the same curves give other bytes")
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Lines {
		heights := map[int]float64{} // of the line's pixels, by column
		counts := map[int]float64{}
		legend := img.Bounds().Max.X * 3 / 4 // the columns from here on have the legend, too
		for x := range legend {
			for y := range img.Bounds().Max.Y {
				if img.At(x, y) == Color(i) {
					heights[x] += float64(y)
					counts[x]++
				}
			}
		}
		first, last := legend, 0
		for x := range heights {
			heights[x] /= counts[x]
			first, last = min(first, x), max(last, x)
		}
		if last-first < 300 {
			t.Fatalf("line %d is drawn from column %d to %d", i, first, last)
		}
		for x, y := range heights {
			straight := heights[first] + (heights[last]-heights[first])*float64(x-first)/float64(last-first)
			if math.Abs(y-straight) > 5 {
				t.Fatalf("line %d at column %d is at %g, on a straight line %g", i, x, y, straight)
			}
		}
	}
}

func TestCurvesRefuse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "curves.png")
	for name, test := range map[string]struct {
		curves Curves
		path   string
		want   error
	}{
		"no lines":   {Curves{}, path, ErrEmpty},
		"no values":  {Curves{Lines: []Line{{Name: "a"}}}, path, ErrEmpty},
		"NaN":        {Curves{Lines: []Line{{Name: "a", Values: []float64{1, math.NaN()}}}}, path, ErrNotFinite},
		"log of 0":   {Curves{Log: true, Lines: []Line{{Name: "a", Values: []float64{1, 0}}}}, path, ErrNotFinite},
		"extension":  {Curves{Lines: []Line{falling("a", 1)}}, path + ".svg", ErrExtension},
		"no folder":  {Curves{Lines: []Line{falling("a", 1)}}, filepath.Join(filepath.Dir(path), "missing", "c.png"), os.ErrNotExist},
		"one value":  {Curves{Lines: []Line{{Name: "a", Values: []float64{1}}}}, path, nil},
		"all values": {Curves{Lines: []Line{{Name: "a", Values: []float64{2, 2, 2}}}}, path, nil},
	} {
		if err := test.curves.Save(test.path); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
	}
	if err := (&Curves{Lines: []Line{falling("a", 1)}}).Show(); !errors.Is(err, ErrNotebook) {
		t.Errorf("Show: error %v", err)
	}
}
