package viz

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
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

// TestLegendRoom: no line reaches into the legend, as a picture and as a panel, and no tick is
// above the lines.
func TestLegendRoom(t *testing.T) {
	rising := Line{X: make([]float64, 61)}
	for k := range rising.X {
		rising.X[k] = math.Pow(10, -3+float64(k)/20)
		rising.Values = append(rising.Values, math.Pow(rising.X[k], 0.1))
	}
	flat := Line{Values: []float64{0.5, 0.5}}
	for _, line := range []Line{rising, flat} {
		for lines := 1; lines <= insideLines; lines++ {
			for _, c := range []Curves{{X: "x"}, {X: "x", Log: true}, {X: "x", LogX: true}} {
				for i := range lines {
					line.Name = strings.Repeat("name ", i+1)
					c.Lines = append(c.Lines, line)
				}
				p, err := c.plot(10, 8)
				if err != nil {
					t.Fatal(err)
				}
				p.place(vg.Rectangle{Max: vg.Point{X: curvesWidth, Y: curvesHeight}})
				lay := newLayout(t, NewFigure(c))
				for name, p := range map[string]*plottedCurves{"picture": &p, "panel": lay.cells[0].drawing.(*plottedCurves)} {
					data := p.plot.DataCanvas(draw.Canvas{Rectangle: p.area})
					legend := p.plot.Legend.Rectangle(draw.Canvas{Rectangle: p.area})
					highest := slices.Max(line.Values)
					if top := data.Y(p.plot.Y.Norm(highest)); top > legend.Min.Y-2 {
						t.Errorf("%s of %d lines, Log %t: they reach to %g, the legend to %g", name, lines, c.Log, top, legend.Min.Y)
					}
					for _, tick := range p.plot.Y.Tick.Marker.Ticks(p.plot.Y.Min, p.plot.Y.Max) {
						if tick.Value > highest*(1+1e-9) {
							t.Errorf("%s of %d lines: a tick at %g, above %g", name, lines, tick.Value, highest)
						}
					}
				}
			}
		}
	}
}

// TestLogTicks: the powers of ten have labels, and over a short range also 2 and 5 times.
func TestLogTicks(t *testing.T) {
	for want, ends := range map[string][2]float64{
		"0.001 0.01 0.1 1": {0.001, 1}, "0.5": {0.3, 0.8}, "2 5 10 20": {2, 30}, "100 1000": {90, 4000}, "1e+06": {999999, 1e6},
	} {
		var labels []string
		for _, tick := range logTicks(ends[0], ends[1]) {
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
			if tick.Value < 0.99*ends[0] || tick.Value > 1.01*ends[1] {
				t.Errorf("from %g to %g: a tick at %g", ends[0], ends[1], tick.Value)
			}
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("from %g to %g: %q, want %q", ends[0], ends[1], got, want)
		}
	}
}

// TestManyCurves: the legend of many lines is beside the picture, which gets wider, and higher
// where it has to; places on a logarithmic scale are where they are.
func TestManyCurves(t *testing.T) {
	size := func(lines int) image.Point {
		c := Curves{LogX: true}
		for i := range lines {
			c.Lines = append(c.Lines, Line{Name: strings.Repeat("name", 3), Values: []float64{0, 0.5, 1}, X: []float64{0.001, 0.1, float64(i + 1)}})
		}
		encoded, err := c.png()
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		return img.Bounds().Size()
	}
	few, many, more := size(insideLines), size(insideLines+1), size(40)
	if many.X <= few.X || many.Y != few.Y {
		t.Errorf("a legend inside takes %v, one beside it %v", few, many)
	}
	if more.X != many.X || more.Y <= many.Y {
		t.Errorf("a legend of 6 lines takes %v, one of 40 %v", many, more)
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
		"places":     {Curves{Lines: []Line{{Name: "a", Values: []float64{1}, X: []float64{1, 2}}}}, path, ErrLength},
		"NaN place":  {Curves{Lines: []Line{{Name: "a", Values: []float64{1}, X: []float64{math.NaN()}}}}, path, ErrNotFinite},
		"log x of 0": {Curves{LogX: true, Lines: []Line{{Name: "a", Values: []float64{1}, X: []float64{0}}}}, path, ErrNotFinite},
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

// TestLongNames: in a figure, a legend leaves room for its lines.
func TestLongNames(t *testing.T) {
	var c Curves
	for range insideLines + 1 {
		c.Lines = append(c.Lines, Line{Name: strings.Repeat("long ", 5000), Values: []float64{0, 1}})
	}
	drawing, err := c.Plot(Place{Area: vg.Rectangle{Max: vg.Point{X: 200, Y: 200}}, TextSize: 8})
	if err != nil {
		t.Fatal(err)
	}
	if box := drawing.(*plottedCurves).beside.Rectangle(draw.Canvas{}); box.Max.X-box.Min.X > 140 {
		t.Errorf("the legend takes %v of 200", box.Max.X-box.Min.X)
	}
}
