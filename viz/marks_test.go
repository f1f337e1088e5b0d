package viz

import (
	"image/color"
	"math"
	"reflect"
	"testing"
)

func TestRays(t *testing.T) {
	s := Scatter{
		Dim: 2, Points: []float32{10, 0, 0, 10, -10, 0, 0, -10}, Labels: []int32{0, 1, 0, 1}, ClassNames: classNames(2),
		ClassVectors: []float32{0.001, 0.001, 3, -4},
	}
	f := NewFigure(s)
	lay := newLayout(t, f)
	img := lay.image(1)
	at := func(p point) color.RGBA {
		q := lay.panel(0).view()(p)
		return color.RGBAModel.Convert(img.At(int(q.X*dpi/72), int((lay.height-q.Y)*dpi/72))).(color.RGBA)
	}
	r := math.Sqrt(0.5)
	for _, test := range []struct {
		p    point
		want color.RGBA
	}{
		{point{3 * r, 3 * r}, darker(Color(0))},
		{point{9.8 * r, 9.8 * r}, darker(Color(0))},
		{point{12.5 * r, 12.5 * r}, white},
		{point{3, -4}, darker(Color(1))},
		{point{-3, 4}, white},
	} {
		if got := at(test.p); !closeTo(got.R, test.want.R) || !closeTo(got.G, test.want.G) || !closeTo(got.B, test.want.B) {
			t.Errorf("colour %v at %v, want %v", got, test.p, test.want)
		}
	}
	for i := range s.ClassVectors {
		s.ClassVectors[i] *= 1024
	}
	if !reflect.DeepEqual(img, newLayout(t, f).image(1)) {
		t.Error("the norm of the class vectors changes the picture")
	}
}

func TestTargets(t *testing.T) {
	s := blobs(100, 2, 2, 1)
	s.Targets = []float32{1, 1, 3, -2}
	f := NewFigure(s)
	lay := newLayout(t, f)
	img := lay.image(1)
	for i := range 2 {
		q := lay.panel(0).view()(point{float64(s.Targets[2*i]), float64(s.Targets[2*i+1])})
		x, y := int(q.X*dpi/72), int((lay.height-q.Y)*dpi/72)
		if got := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); got != black {
			t.Errorf("target %d is %v", i, got)
		}
	}
}
