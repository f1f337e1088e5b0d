package embed

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestAnimation(t *testing.T) {
	result := mustFitSmall(t, small(), Options{Trace: 5})
	animation, err := result.Animation()
	if err != nil {
		t.Fatal(err)
	}
	if len(animation.Frames) != 4 || animation.Fixed {
		t.Fatalf("%d frames, fixed: %v", len(animation.Frames), animation.Fixed)
	}
	trace := result.Trace
	for f, frame := range animation.Frames {
		embedtest.CheckEqual(t, "points", frame.Points, trace.Points[10*f:10*f+10])
		embedtest.CheckEqual(t, "vectors", frame.ClassVectors, trace.ClassVectors[f*len(result.ClassVectors):(f+1)*len(result.ClassVectors)])
		for k, i := range trace.Indices {
			if frame.Labels[k] != result.Test.Labels[i] {
				t.Errorf("frame %d has label %d of image %d, want %d", f, frame.Labels[k], i, result.Test.Labels[i])
			}
		}
		right := 0.
		for k := range trace.Indices {
			if trace.Predicted[5*f+k] == frame.Labels[k] {
				right++
			}
		}
		embedtest.CheckEqual(t, "loss", animation.Lines[0].Values[f], float64(trace.Losses[f]))
		embedtest.CheckEqual(t, "accuracy", animation.Lines[1].Values[f], 100*right/5)
	}
	embedtest.CheckEqual(t, "first note", animation.Frames[0].Note, "patterns, epoch 0.33 of 2")
	if err := animation.Save(filepath.Join(t.TempDir(), "small.gif")); err != nil {
		t.Error(err)
	}

	bounded := small()
	bounded.Activation = "sigmoid"
	animation, err = mustFitSmall(t, bounded, Options{Trace: 5}).Animation()
	if err != nil || !animation.Fixed {
		t.Errorf("behind a sigmoid: error %v, want fixed axes", err)
	}
	if _, err := mustFitSmall(t, small(), Options{}).Animation(); !errors.Is(err, ErrNoTrace) {
		t.Errorf("without a trace: error %v, want ErrNoTrace", err)
	}
}
