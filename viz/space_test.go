package viz

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestOutliers(t *testing.T) {
	s := blobs(1000, 3, 2, 1)
	inner := spaceOf(t, s)
	texts, _ := renderSVG(t, NewFigure(s))
	if slices.ContainsFunc(texts, func(x svgText) bool { return strings.Contains(x.Body, "outside") }) {
		t.Error("points outside without outliers")
	}
	s.Points[0], s.Points[11], s.Points[100] = 1e30, -5000, 300
	texts, _ = renderSVG(t, NewFigure(s))
	if !slices.Contains(bodies(texts), "3 points outside") {
		t.Errorf("no count of outliers in %q", bodies(texts))
	}
	if half := spaceOf(t, s).half; half > 1.05*inner.half {
		t.Errorf("outliers widen the space from %g to %g", inner.half, half)
	}
	s.Points[0], s.Points[100] = 0, 0
	if texts, _ = renderSVG(t, NewFigure(s)); !slices.Contains(bodies(texts), "1 point outside") {
		t.Errorf("no count of one outlier in %q", bodies(texts))
	}

	solid := blobs(1000, 3, 3, 1)
	solid.Points[0], solid.Points[3], solid.Points[6] = 1e30, 1e30, -1e30
	texts, _ = renderSVG(t, NewFigure(solid))
	outside := texts[slices.Index(bodies(texts), "3 points outside")]
	for _, text := range texts {
		if text != outside && math.Abs(text.Y-outside.Y) < float64(outside.size()) && text.X > outside.X-30 {
			t.Errorf("%q is upon %q", outside.Body, text.Body)
		}
	}
}

func TestRareClassIsShown(t *testing.T) {
	s := blobs(10_000, 1, 2, 1)
	s.ClassNames = classNames(2)
	for i := range 10 {
		s.Labels[i] = 1
		s.Points[2*i], s.Points[2*i+1] = 500, float32(i)
	}
	f := NewFigure(s)
	lay := newLayout(t, f)
	if lay.panel(0).outside != 0 {
		t.Errorf("%d points outside", lay.panel(0).outside)
	}
}

func TestOriginAndTargetsAreShown(t *testing.T) {
	s := Scatter{Dim: 2, Points: []float32{50, 50, 51, 52}, Labels: []int32{0, 1}, ClassNames: classNames(2)}
	if spaceOf(t, s).contains(point{}) {
		t.Error("the origin is shown without need")
	}
	s.ClassVectors = []float32{1, 0, 0, 1}
	if !spaceOf(t, s).contains(point{}) {
		t.Error("no origin with class vectors")
	}
	s.Targets = []float32{-90, 0, 0, 0}
	if !spaceOf(t, s).contains(point{-90, 0}) {
		t.Error("no target")
	}
}

// TestFewPointsIn3D: each of six points is an outlier in one of the coordinates, and all are drawn.
func TestFewPointsIn3D(t *testing.T) {
	s := Scatter{Dim: 3, ClassNames: []string{"a"}, Labels: make([]int32, 6), ClassVectors: []float32{1, 0, 0},
		Points: []float32{10, .01, .02, -10, .02, -.01, .01, 10, .02, -.02, -10, .01, .02, -.01, 10, .01, .02, -10}}
	f, err := s.Frame()
	if err != nil {
		t.Fatal(err)
	}
	if !(f.Half >= 10) {
		t.Errorf("the frame is %v", f)
	}
}
