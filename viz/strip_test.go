package viz

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestStrip(t *testing.T) {
	s := Scatter{
		Dim: 1, Points: []float32{-4, 3, 6}, Labels: []int32{0, 1, 2}, ClassNames: []string{"first", "second", "third"},
	}
	lay := newLayout(t, NewFigure(s))
	p := lay.panel(0)
	at := dots(lay.image(1), 3)
	scale := float64(at[2].X-at[0].X) / 10
	if want := float64(at[0].X) + 7*scale; scale < 40 || math.Abs(float64(at[1].X)-want) > 1.5 {
		t.Errorf("points at %v: 7 and 10 units apart", at)
	}
	top := float64(lay.height-p.area.Max.Y) * 2
	for i, q := range at {
		if row := (float64(q.Y) - top) / float64(2*p.side/3); int(row) != i || row-float64(i) < 0.1 || row-float64(i) > 0.9 {
			t.Errorf("the point of class %d is in row %.2f", i, row)
		}
	}
	texts, _ := renderSVG(t, NewFigure(s))
	last := -math.MaxFloat64
	for _, text := range texts {
		if strings.Contains(text.Font, "bold") {
			if text.Y <= last { // SVG counts downwards
				t.Errorf("label %q is not below the one before", text.Body)
			}
			last = text.Y
			face := bold(text.size())
			end := vg.Length(text.X) + face.Width(text.Body)
			if first := vg.Length(at[0].X) / 2; end > first {
				t.Errorf("label %q ends at %g, behind the first point at %g", text.Body, end, first)
			}
		}
	}
	if last == -math.MaxFloat64 {
		t.Error("no labels")
	}
}

func TestStripRaysAndTargets(t *testing.T) {
	s := Scatter{
		Dim: 1, Points: []float32{-4, 3, 6, 6, 6}, Labels: []int32{0, 1, 1, 1, 1}, ClassNames: classNames(2),
		ClassVectors: []float32{-0.01, 70}, Targets: []float32{2, -2},
	}
	lay := newLayout(t, NewFigure(s))
	img := lay.image(1)
	sp := lay.panel(0).space
	for _, test := range []struct {
		x     float64
		class float64
		want  color.RGBA
	}{
		{-1, 0, darker(Color(0))},
		{1, 1, darker(Color(1))},
		{2, 0, black},
		{-2, 1, black},
		{1, 0, white},
		{-1, 1, white},
	} {
		got := pixel(lay, img, 0, point{test.x, sp.row(test.class, 2)})
		if !closeTo(got.R, test.want.R) || !closeTo(got.G, test.want.G) || !closeTo(got.B, test.want.B) {
			t.Errorf("%v at %g in row %g, want %v", got, test.x, test.class, test.want)
		}
	}
}

// TestStripOfAFilm: drawing a frame in 1-D does not change when the others are shown.
func TestStripOfAFilm(t *testing.T) {
	a := growing(blobs(60, 3, 1, 1))
	a.Fixed = true
	a.Frames[2].Points = slices.Clone(a.Frames[1].Points)
	f, err := a.film()
	if err != nil {
		t.Fatal(err)
	}
	want := f.times()
	f.image(2, 0.1)
	if got := f.times(); !slices.Equal(got, want) {
		t.Errorf("after drawing, the times are %v, want %v", got, want)
	}
}
