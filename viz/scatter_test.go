package viz

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestProjected(t *testing.T) {
	s := Scatter{
		Dim: 2, Points: []float32{3, 4, 0, 0, -1e-30, 0, 0, 3e38}, Labels: []int32{0, 0, 1, 1}, ClassNames: classNames(2),
		ClassVectors: []float32{0, -2, 8, 6}, Regions: halves,
	}
	q := s.Projected()
	if want := []float32{0.6, 0.8, 0, 0, -1, 0, 0, 1}; !slices.Equal(q.Points, want) {
		t.Errorf("points %v, want %v", q.Points, want)
	}
	if want := []float32{0, -1, 0.8, 0.6}; !slices.Equal(q.ClassVectors, want) {
		t.Errorf("class vectors %v, want %v", q.ClassVectors, want)
	}
	if q.Targets != nil || !q.Sphere || q.Regions == nil || !slices.Equal(q.Labels, s.Labels) {
		t.Errorf("projected to %+v", q)
	}
	if s.Points[0] != 3 || s.ClassVectors[1] != -2 || s.Sphere {
		t.Errorf("the scatter became %+v", s)
	}
	s.Targets = []float32{0, 10, -5, 0}
	if q = s.Projected(); !slices.Equal(q.Targets, []float32{0, 1, -1, 0}) {
		t.Errorf("targets %v", q.Targets)
	}
	if again := q.Projected(); !slices.Equal(again.Points, q.Points) {
		t.Errorf("projected twice: %v", again.Points)
	}
	renderSVG(t, NewFigure(q))
}

// Projected passes invalid input on: drawing reports it, with its values.
func TestProjectedBadInput(t *testing.T) {
	nan := float32(math.NaN())
	for says, s := range map[string]Scatter{
		"Dim = 0":              {Points: []float32{1, 2}, Labels: []int32{0}, ClassNames: classNames(1)},
		"Dim = -1":             {Dim: -1, Points: []float32{1, 2}, Labels: []int32{0}, ClassNames: classNames(1)},
		"3 coordinates":        {Dim: 2, Points: []float32{1, 2, 3}, Labels: []int32{0}, ClassNames: classNames(1)},
		"points[0] = [NaN 2]":  {Dim: 2, Points: []float32{nan, 2}, Labels: []int32{0}, ClassNames: classNames(1)},
		"no points":            {Dim: 2, ClassNames: classNames(1)},
		"0 coordinates of tar": {Dim: 2, Points: []float32{1, 2}, Labels: []int32{0}, ClassNames: classNames(1), Targets: []float32{}},
	} {
		if _, err := NewFigure(s.Projected()).layout(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one saying %q", err, says)
		}
	}
}
