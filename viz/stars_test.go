package viz

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// starred returns points of two classes with a star far from them.
func starred() Scatter {
	s := blobs(100, 2, 2, 0.5)
	s.Stars = []Star{{Name: "new", Point: []float32{30, -20}}}
	return s
}

// A star is inside of the picture, wherever it is, and black in its middle; its name stands
// beside it.
func TestStars(t *testing.T) {
	for _, at := range [][]float32{{30, -20}, {0, 0}, {-50, 3}} {
		s := starred()
		s.Stars[0].Point = at
		lay := newLayout(t, NewFigure(s))
		p := point{float64(at[0]), float64(at[1])}
		if !lay.panel(0).space.contains(p) {
			t.Errorf("the star at %v is outside", at)
		}
		if got := pixel(lay, lay.image(1), 0, p); got != black {
			t.Errorf("the star at %v is %v", at, got)
		}
		texts, _ := renderSVG(t, NewFigure(s))
		if !slices.Contains(bodies(texts), "new") {
			t.Errorf("the star at %v has no name", at)
		}
	}
}

// The name of a star takes the place of the label of its class.
func TestStarOfAClass(t *testing.T) {
	s := starred()
	s.Stars[0].Name = "1"
	texts, _ := renderSVG(t, NewFigure(s))
	labels := 0
	for _, text := range texts {
		if text.Body == "1" && strings.Contains(text.Font, "bold") {
			labels++
		}
	}
	if labels != 1 {
		t.Errorf("class 1 has %d labels, want that of the star alone", labels)
	}
}

// Stars are drawn in all dimensions, and follow the points to the sphere.
func TestStarsInAllDimensions(t *testing.T) {
	for _, dim := range []int{1, 2, 3, 7} {
		s := blobs(60, 3, dim, 0.5)
		s.Stars = []Star{{"star", slices.Clone(s.Points[:dim])}}
		for _, panel := range []Scatter{s, s.Projected()} {
			lay := newLayout(t, NewFigure(panel))
			stars := lay.panel(0).content.stars
			if len(stars) != 1 {
				t.Fatalf("%d-D: %d stars", dim, len(stars))
			}
			if got := pixel(lay, lay.image(1), 0, stars[0]); got != black {
				t.Errorf("%d-D, on the sphere %v: the star is %v", dim, panel.Sphere, got)
			}
		}
		if n := norm(s.Projected().Stars[0].Point); dim > 1 && math.Abs(n-1) > 1e-6 {
			t.Errorf("%d-D: a star on the sphere has the norm %v", dim, n)
		}
		if !slices.Equal(s.Stars[0].Point, s.Points[:dim]) {
			t.Errorf("%d-D: Projected has changed the star", dim)
		}
	}
}

func TestStarErrors(t *testing.T) {
	for says, test := range map[string]struct {
		star   Star
		sphere bool
		want   error
	}{
		`star 0 "S" has 3 coordinates, not 2`: {Star{"S", []float32{1, 2, 3}}, false, ErrLength},
		`star 0 "" has 0 coordinates`:         {Star{}, false, ErrLength},
		"1 of 1 stars have a NaN or Inf":      {Star{"S", []float32{1, float32(math.Inf(1))}}, false, ErrNotFinite},
		"stars are not on the unit sphere":    {Star{"S", []float32{1, 1}}, true, ErrSphere},
	} {
		s := starred()
		if test.sphere {
			s = s.Projected()
		}
		s.Stars = []Star{test.star}
		err := NewFigure(s).WritePNG(io.Discard)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one saying %q", err, says)
		}
	}
}
