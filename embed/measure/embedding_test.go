package measure

import (
	"math"
	"testing"
)

// TestAccuracy: what has no value is NaN.
func TestAccuracy(t *testing.T) {
	e := Embedding{Dim: 1, Z: []float32{1, 2, 3, 4}, Labels: []int32{0, 1, 2, 0}, Classes: 3, Predicted: []int32{0, 1, 1, 0}}
	if got := e.Accuracy(); got != 0.75 {
		t.Errorf("got %v, want 0.75", got)
	}
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
