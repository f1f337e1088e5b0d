package embed

import (
	"math"
	"testing"
)

// Two classes of two points each, made by hand.
var byHand = Embedding{
	Dim:    2,
	Z:      []float32{0, 0, 2, 0, 4, 3, 4, 5},
	Labels: []int32{0, 0, 2, 2},
}

func TestMeans(t *testing.T) {
	checkEqual(t, "means", byHand.Means(3), [][]float64{{1, 0}, {0, 0}, {4, 4}})
}

func TestDistanceRatio(t *testing.T) {
	if got, want := byHand.DistanceRatio(3), 1./5; math.Abs(got-want) > 1e-12 { // means (1,0), (4,4): 5 apart
		t.Errorf("got %g, want %g", got, want)
	}
	if one := (Embedding{Dim: 1, Z: []float32{1, 2}, Labels: []int32{0, 0}}).DistanceRatio(2); !math.IsNaN(one) {
		t.Errorf("one class: got %g, want NaN", one)
	}
}

func TestAngularSpread(t *testing.T) {
	e := Embedding{Dim: 2, Z: []float32{1, 0, 0, 7, -2, 0, -3, 0}, Labels: []int32{0, 0, 1, 1}}
	if got, want := e.AngularSpread(2), math.Pi/8; math.Abs(got-want) > 1e-7 { // 45, 45, 0 and 0 degrees
		t.Errorf("got %g, want %g", got, want)
	}
	origin := Embedding{Dim: 2, Z: []float32{0, 0, 1, 0}, Labels: []int32{0, 0}}
	if got := origin.AngularSpread(1); got != 0 {
		t.Errorf("a point at the origin has no angle: got %g, want 0", got)
	}
}
