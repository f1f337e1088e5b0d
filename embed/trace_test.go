package embed

import (
	"errors"
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
	if len(trace.Indices) != 5 || len(trace.Points) != 2*5*2 || len(trace.Predicted) != 2*5 || len(byEpoch[0].Predicted) != 5 {
		t.Errorf("%d indices, %d coordinates, %d classes, %d after the first epoch", len(trace.Indices), len(trace.Points), len(trace.Predicted), len(byEpoch[0].Predicted))
	}
	embedtest.CheckEqual(t, "result with a trace", outcome(t, result), outcome(t, mustFitSmall(t, small(), Options{})))
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
			whole, err := loadTrace(opts.Out)
			if err != nil {
				t.Fatal(err)
			}
			for _, cut := range []explorer.Trace{
				{Indices: whole.Indices, Points: whole.Points[:2], Predicted: whole.Predicted, ClassVectors: whole.ClassVectors},
				{Indices: whole.Indices, Points: whole.Points, Predicted: whole.Predicted, ClassVectors: whole.ClassVectors[:2]},
			} {
				if err := saveTrace(opts.Out, &cut, 2); err != nil {
					t.Fatal(err)
				}
				if _, err := fitSmall(t.Context(), small(), opts); !errors.Is(err, ErrOtherRun) {
					t.Errorf("a trace of %d points: error %v, want ErrOtherRun", len(cut.Points)/2, err)
				}
			}
			if err := saveTrace(opts.Out, whole, 2); err != nil {
				t.Fatal(err)
			}
		}
		embedtest.CheckEqual(t, "resumed trace", mustFitSmall(t, small(), opts).Trace, want)
	}
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
