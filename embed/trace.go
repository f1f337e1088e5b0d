package embed

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz/explorer"
)

// newTrace returns the trace of count of n test images, or all, before the first epoch.
func newTrace(count, n int) *explorer.Trace { return &explorer.Trace{Indices: draw(count, n)} }

// draw returns count of the indices 0 to n-1, or all, in ascending order: at random, but always
// the same. Evenly spaced ones would miss classes that take turns.
func draw(count, n int) []int32 {
	indices := make([]int32, 0, min(count, n))
	for _, i := range rand.New(rand.NewPCG(1, 0)).Perm(n)[:min(count, n)] {
		indices = append(indices, int32(i))
	}
	slices.Sort(indices)
	return indices
}

// extendTrace adds the embedding of the test images after an epoch, and saves the trace in
// the training's folder. The checkpoint comes later: it never knows more epochs.
func (t *training) extendTrace(test measure.Embedding) error {
	if t.trace == nil {
		return nil
	}
	vectors, err := t.net.classVectors()
	if err != nil {
		return err
	}
	t.trace.ClassVectors = append(t.trace.ClassVectors, vectors...)
	for _, i := range t.trace.Indices {
		t.trace.Points = append(t.trace.Points, test.Z[int(i)*test.Dim:(int(i)+1)*test.Dim]...)
		t.trace.Predicted = append(t.trace.Predicted, test.Predicted[i])
	}
	if t.opts.Out == "" {
		return nil
	}
	return saveTrace(Folder(t.opts.Out), t.trace, t.cfg.Dim)
}

// resumeTrace reads the epochs of the trace that the checkpoint knows.
func (t *training) resumeTrace(folder string) error {
	if t.trace == nil || t.state.Epoch == 0 {
		return nil
	}
	saved, err := loadTrace(folder)
	if err != nil {
		return err
	}
	n, vectors := t.state.Epoch*len(t.trace.Indices), t.state.Epoch*t.train.Classes()
	if saved == nil || !slices.Equal(saved.Indices, t.trace.Indices) || len(saved.Predicted) < n ||
		len(saved.Points) < n*t.cfg.Dim || len(saved.ClassVectors) < vectors*t.cfg.Dim {
		return fmt.Errorf("embed: %w: %s has no trace of %d test images from the first epoch on; allowed: that with which the training began",
			ErrOtherRun, folder, len(t.trace.Indices))
	}
	saved.Points, saved.Predicted = saved.Points[:n*t.cfg.Dim], saved.Predicted[:n]
	saved.ClassVectors = saved.ClassVectors[:vectors*t.cfg.Dim]
	t.trace = saved
	return nil
}

// saveTrace writes a trace into a folder; without one, it removes that of a training before.
func saveTrace(folder string, trace *explorer.Trace, dim int) error {
	path := filepath.Join(folder, traceFile)
	if trace == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return store.WriteNpz(path, store.Arrays{
		"indices":       store.Vector(trace.Indices),
		"points":        store.Matrix(trace.Points, dim),
		"predicted":     store.Vector(trace.Predicted),
		"class_vectors": store.Matrix(trace.ClassVectors, dim),
	}, zip.Store)
}

// loadTrace reads the trace of a folder; nil, if it has none.
func loadTrace(folder string) (*explorer.Trace, error) {
	arrays, err := store.ReadNpz(filepath.Join(folder, traceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	trace := &explorer.Trace{}
	if err = errors.Join(err,
		store.Read(arrays, "indices", &trace.Indices), store.Read(arrays, "points", &trace.Points),
		store.Read(arrays, "predicted", &trace.Predicted), store.Read(arrays, "class_vectors", &trace.ClassVectors),
	); err != nil {
		return nil, fmt.Errorf("embed: %s in %s: %w", traceFile, folder, err)
	}
	return trace, nil
}
