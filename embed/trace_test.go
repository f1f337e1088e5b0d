package embed

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/viz/explorer"
)

func TestTrace(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	var byEpoch []explorer.Trace
	result := mustFitSmall(t, small(), Options{Out: folder, Trace: 5, OnEpoch: func(r *Result) error {
		byEpoch = append(byEpoch, *r.Trace)
		for k, i := range r.Trace.Indices {
			last := r.Trace.Points[len(r.Trace.Points)-10+2*k:][:2]
			if !slices.Equal(last, r.Test.Z[2*i:2*i+2]) {
				t.Errorf("the trace has image %d at %v, want %v", i, last, r.Test.Z[2*i:2*i+2])
			}
		}
		if vectors := r.Trace.ClassVectors[len(r.Trace.ClassVectors)-len(r.ClassVectors):]; !slices.Equal(vectors, r.ClassVectors) {
			t.Errorf("the trace has the class vectors %v, want %v", vectors, r.ClassVectors)
		}
		return nil
	}})
	trace := result.Trace
	embedtest.CheckEqual(t, "times", trace.Epochs, []float32{1. / 3, 2. / 3, 1, 2})
	embedtest.CheckEqual(t, "losses after epochs", trace.Losses[2:], []float32{float32(result.History[0].Loss), float32(result.History[1].Loss)})
	if len(trace.Losses) != 4 || len(trace.Indices) != 5 || len(trace.Points) != 4*5*2 || len(trace.Predicted) != 4*5 || len(byEpoch[0].Predicted) != 3*5 {
		t.Errorf("%d losses, %d indices, %d coordinates, %d classes, %d after the first epoch",
			len(trace.Losses), len(trace.Indices), len(trace.Points), len(trace.Predicted), len(byEpoch[0].Predicted))
	}
	loaded, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "loaded trace", loaded.Trace, trace)

	if result := mustFitSmall(t, small(), Options{Out: folder}); result.Trace != nil {
		t.Error("there is a trace that nobody wanted")
	}
	if _, err := os.Stat(filepath.Join(folder, traceFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the trace of the training before is still there: %v", err)
	}
}

// TestTraceChangesNothing: the training is the same with a trace, bit for bit.
func TestTraceChangesNothing(t *testing.T) {
	for _, technique := range Techniques() {
		t.Run(technique.ID, func(t *testing.T) {
			cfg := small()
			cfg.Technique = technique.ID
			with := mustFitSmall(t, cfg, Options{Trace: 3})
			if len(with.Trace.Epochs) != 4 {
				t.Errorf("times %v", with.Trace.Epochs)
			}
			embedtest.CheckEqual(t, "result", outcome(t, with), outcome(t, mustFitSmall(t, cfg, Options{})))
		})
	}
}

func TestIsTraced(t *testing.T) {
	var traced []int
	for step := range 100 {
		if isTraced(step) {
			traced = append(traced, step)
		}
	}
	embedtest.CheckEqual(t, "steps", traced, []int{1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91})
	embedtest.CheckEqual(t, "times in the first epoch", traceTimes(8, 0.5), []float32{0.125, 0.25, 0.375, 0.5})
	embedtest.CheckEqual(t, "times after it", traceTimes(4, 2.5), []float32{0.25, 0.5, 0.75, 1, 2})
	embedtest.CheckEqual(t, "at the start", traceTimes(4, 0), []float32{})
}

func TestTraceResumes(t *testing.T) {
	want := mustFitSmall(t, small(), Options{Trace: 4}).Trace
	for _, stop := range []int{1, 3, 5} {
		opts := Options{Out: filepath.Join(t.TempDir(), "run"), Resume: true, Trace: 4}
		if _, err := fitSmall(&embedtest.Countdown{Context: t.Context(), Steps: stop}, small(), opts); err == nil {
			t.Fatal("not interrupted")
		}
		if stop == 5 {
			other := opts
			other.Trace = 3
			_, err := fitSmall(t.Context(), small(), other)
			if !errors.Is(err, ErrOtherRun) {
				t.Errorf("another trace: error %v, want ErrOtherRun", err)
			}
			_, state, err := loadCheckpoint(opts.Out)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := loadTrace(opts.Out, state, 3)
			if err != nil {
				t.Fatal(err)
			}
			for name, damage := range map[string]struct {
				change func(trace *explorer.Trace, state *trainingState)
				want   error
			}{
				"points":      {func(trace *explorer.Trace, _ *trainingState) { trace.Points = trace.Points[:2] }, explorer.ErrTrace},
				"vectors":     {func(trace *explorer.Trace, _ *trainingState) { trace.ClassVectors = trace.ClassVectors[:2] }, explorer.ErrTrace},
				"time":        {func(trace *explorer.Trace, _ *trainingState) { trace.Epochs[1] = 0.5 }, ErrOtherRun},
				"order":       {func(trace *explorer.Trace, _ *trainingState) { trace.Epochs[1] = 0.1 }, explorer.ErrTrace},
				"index":       {func(trace *explorer.Trace, _ *trainingState) { trace.Indices[3] = 999 }, explorer.ErrTrace},
				"other index": {func(trace *explorer.Trace, _ *trainingState) { trace.Indices[0]++ }, ErrOtherRun},
				"class":       {func(trace *explorer.Trace, _ *trainingState) { trace.Predicted[0] = 3 }, explorer.ErrTrace},
				"NaN":         {func(trace *explorer.Trace, _ *trainingState) { trace.Losses[0] = float32(math.NaN()) }, explorer.ErrTrace},
				"seed":        {func(_ *explorer.Trace, state *trainingState) { state.Config.Seed = 9 }, ErrOtherRun},
				"data":        {func(_ *explorer.Trace, state *trainingState) { state.Data.TestChecksum = "x" }, ErrOtherRun},
			} {
				damaged, of := *whole, state
				damaged.Epochs, damaged.Losses = slices.Clone(whole.Epochs), slices.Clone(whole.Losses)
				damaged.Indices, damaged.Predicted = slices.Clone(whole.Indices), slices.Clone(whole.Predicted)
				damage.change(&damaged, &of)
				if err := saveTrace(opts.Out, &damaged, of); err != nil {
					t.Fatal(err)
				}
				if _, err := fitSmall(t.Context(), small(), opts); !errors.Is(err, damage.want) {
					t.Errorf("%s: error %v, want %v", name, err, damage.want)
				}
			}
			if err := os.WriteFile(filepath.Join(opts.Out, traceFile), []byte("no zip"), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := fitSmall(t.Context(), small(), opts); err == nil {
				t.Error("a file that is no archive: no error")
			}
			if err := saveTrace(opts.Out, whole, state); err != nil {
				t.Fatal(err)
			}
		}
		embedtest.CheckEqual(t, "resumed trace", mustFitSmall(t, small(), opts).Trace, want)
	}
}

// TestTraceResumesBeforeEvaluation: a checkpoint of a whole epoch that was not evaluated has no trace
// of its end.
func TestTraceResumesBeforeEvaluation(t *testing.T) {
	train, test := embedtest.SmallData()
	opts := quiet(Options{Out: filepath.Join(t.TempDir(), "run"), Resume: true, Trace: 4})
	interrupted, err := newTraining(small(), train, test, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(interrupted.runEpoch(t.Context()), interrupted.saveCheckpoint()); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "resumed trace", mustFitSmall(t, small(), opts).Trace, mustFitSmall(t, small(), Options{Trace: 4}).Trace)
}

func TestTraceRefuses(t *testing.T) {
	_, err := fitSmall(t.Context(), small(), Options{Trace: -1})
	embedtest.WantError(t, err, "trace is -1", "0 (none) or more")
}

func TestDraw(t *testing.T) {
	embedtest.CheckEqual(t, "all", draw(9, 3), []int32{0, 1, 2})
	drawn := draw(2_000, 5_000)
	if len(drawn) != 2_000 || !slices.IsSorted(drawn) || !slices.Equal(drawn, draw(2_000, 5_000)) {
		t.Errorf("%d indices, sorted: %v", len(drawn), slices.IsSorted(drawn))
	}
	classes := map[int32]bool{} // that take turns
	for _, i := range drawn {
		classes[i%10] = true
	}
	if len(classes) != 10 {
		t.Errorf("indices of %d of 10 classes", len(classes))
	}
}
