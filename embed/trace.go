package embed

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz/explorer"
)

// newTrace returns the trace of count of n test images, or all, before the first step.
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

// isTraced tells whether a step of the first epoch, from 1 on, is one of the powers of √2.
func isTraced(step int) bool {
	for power := 1.; ; power *= math.Sqrt2 {
		if next := int(math.Round(power)); next >= step {
			return next == step
		}
	}
}

// traceTimes returns the times of a trace, in epochs, up to a time.
func traceTimes(steps int, until float32) (times []float32) {
	for step := 1; step < steps; step++ {
		if isTraced(step) {
			times = append(times, float32(step)/float32(steps))
		}
	}
	for epoch := float32(1); epoch <= until; epoch++ {
		times = append(times, epoch)
	}
	for len(times) > 0 && times[len(times)-1] > until {
		times = times[:len(times)-1]
	}
	return times
}

// done returns how many epochs are complete.
func (t *training) done() float32 {
	return float32(t.state.Epoch) + float32(t.state.Step)/float32(t.stepsPerEpoch())
}

// traceStep adds what the embedding is after a step to the trace, if one is wanted. It
// changes nothing of the training: the class means that decide are those of the batches.
func (t *training) traceStep() error {
	if t.trace == nil {
		return nil
	}
	if err := t.net.setPresent(t.reference.Labels); err != nil { // before the rule is compiled
		return err
	}
	images := make([]int, len(t.trace.Indices))
	for k, i := range t.trace.Indices {
		images[k] = int(i)
	}
	z, err := t.net.embedSome(t.test, images)
	if err != nil {
		return err
	}
	predicted, err := t.net.classify(z)
	if err != nil {
		return err
	}
	return t.extendTrace(z, predicted, t.state.Loss/float64(t.state.Step))
}

// traceEpoch adds what the test embedding is after an epoch to the trace, if one is wanted.
func (t *training) traceEpoch(test measure.Embedding, loss float64) error {
	if t.trace == nil {
		return nil
	}
	var z []float32
	var predicted []int32
	for _, i := range t.trace.Indices {
		z = append(z, test.Z[int(i)*test.Dim:(int(i)+1)*test.Dim]...)
		predicted = append(predicted, test.Predicted[i])
	}
	return t.extendTrace(z, predicted, loss)
}

// extendTrace adds a time to the trace.
func (t *training) extendTrace(z []float32, predicted []int32, loss float64) error {
	vectors, err := t.net.classVectors()
	if err != nil {
		return err
	}
	t.trace.Epochs = append(t.trace.Epochs, t.done())
	t.trace.Losses = append(t.trace.Losses, float32(loss))
	t.trace.Points = append(t.trace.Points, z...)
	t.trace.Predicted = append(t.trace.Predicted, predicted...)
	t.trace.ClassVectors = append(t.trace.ClassVectors, vectors...)
	return nil
}

// resumeTrace reads what the checkpoint knows of the trace.
func (t *training) resumeTrace() error {
	if t.trace == nil {
		return nil
	}
	times := traceTimes(t.stepsPerEpoch(), t.done())
	if t.state.Step == t.stepsPerEpoch() { // trained, but not yet evaluated
		times = times[:len(times)-1]
	}
	if len(times) == 0 {
		return nil
	}
	folder := Folder(t.opts.Out)
	saved, err := loadTrace(folder, t.state, t.train.Classes())
	if err != nil {
		return err
	}
	n := len(times)
	if saved == nil || !slices.Equal(saved.Indices, t.trace.Indices) || len(saved.Epochs) < n || !slices.Equal(saved.Epochs[:n], times) {
		return fmt.Errorf("embed: %w: %s has no trace of %d test images from the first step on; allowed: that with which the training began",
			ErrOtherRun, folder, len(t.trace.Indices))
	}
	k, dim := len(saved.Indices), t.cfg.Dim
	saved.Epochs, saved.Losses = saved.Epochs[:n], saved.Losses[:n]
	saved.Points, saved.Predicted = saved.Points[:n*k*dim], saved.Predicted[:n*k]
	saved.ClassVectors = saved.ClassVectors[:n*t.train.Classes()*dim]
	t.trace = saved
	return nil
}

// saveTrace writes the trace of a training into a folder; without one, it removes that of a
// training before.
func saveTrace(folder string, trace *explorer.Trace, state trainingState) error {
	path := filepath.Join(folder, traceFile)
	if trace == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	dim := state.Config.Dim
	arrays := store.Arrays{
		"epochs":        store.Vector(trace.Epochs),
		"losses":        store.Vector(trace.Losses),
		"indices":       store.Vector(trace.Indices),
		"points":        store.Matrix(trace.Points, dim),
		"predicted":     store.Vector(trace.Predicted),
		"class_vectors": store.Matrix(trace.ClassVectors, dim),
	}
	var err error
	if arrays[stateKey], err = store.Object(trainingState{Config: state.Config, Data: state.Data}); err != nil {
		return err
	}
	return store.WriteNpz(path, arrays, zip.Store)
}

// loadTrace reads the trace of a training of so many classes from a folder; nil, if it has
// none. Errors: a file that can't be read; ErrOtherRun, for that of another training;
// explorer.ErrTrace.
func loadTrace(folder string, run trainingState, classes int) (*explorer.Trace, error) {
	arrays, err := store.ReadNpz(filepath.Join(folder, traceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	trace := &explorer.Trace{}
	var saved trainingState
	err = errors.Join(err,
		store.Read(arrays, "epochs", &trace.Epochs), store.Read(arrays, "losses", &trace.Losses), store.Read(arrays, "indices", &trace.Indices),
		store.Read(arrays, "points", &trace.Points), store.Read(arrays, "predicted", &trace.Predicted),
		store.Read(arrays, "class_vectors", &trace.ClassVectors), store.ReadObject(arrays, stateKey, &saved),
	)
	if err == nil {
		err = sameRun(saved, run)
	}
	if err == nil {
		err = trace.Validate(run.Data.TestImages, run.Config.Dim, classes)
	}
	if err != nil {
		return nil, fmt.Errorf("embed: %s in %s: %w", traceFile, folder, err)
	}
	return trace, nil
}
