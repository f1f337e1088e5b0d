package measure

import (
	"math"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// TestAccuracy: what has no value is NaN.
func TestAccuracy(t *testing.T) {
	e := Embedding{Dim: 1, Z: []float32{1, 2, 3, 4}, Labels: []int32{0, 1, 2, 0}, Classes: 3, Predicted: []int32{0, 1, 1, 0}}
	if got := e.Accuracy(); got != 0.75 {
		t.Errorf("got %v, want 0.75", got)
	}
	embedtest.CheckEqual(t, "correct", e.Correct(), []bool{true, true, false, true})
	for name, predicted := range map[string][]int32{"none": nil, "too few": {0, 1}} {
		e.Predicted = predicted
		if got := e.Accuracy(); !math.IsNaN(got) {
			t.Errorf("%s predicted: got %v, want NaN", name, got)
		}
	}
	if got := (Embedding{}).Accuracy(); !math.IsNaN(got) {
		t.Errorf("no points: got %v, want NaN", got)
	}
}

func TestOnSphere(t *testing.T) {
	tiny, huge := float32(math.SmallestNonzeroFloat32), float32(math.MaxFloat32)
	e := Embedding{Dim: 2, Z: []float32{3, 4, 0, 0, -0.5, 0, 0, tiny, huge, -huge}, Labels: []int32{0, 1, 1, 0, 0}, Predicted: []int32{0, 0, 1, 0, 1}, Classes: 2}
	before := e
	before.Z = slices.Clone(e.Z)
	half := float32(math.Sqrt(0.5))
	want := e
	want.Z = []float32{0.6, 0.8, 0, 0, -1, 0, 0, 1, half, -half}
	embedtest.CheckEqual(t, "on the sphere", e.OnSphere(), want)
	embedtest.CheckEqual(t, "what was", e, before)
}
