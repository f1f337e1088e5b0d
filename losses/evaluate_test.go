package losses_test

import (
	"math"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

type (
	// arrays holds the inputs of a loss by name, as []float64, [][]float64 or [][][]float64.
	arrays map[string]any
	// nodes holds the inputs of a loss by name, as nodes of a graph, and the "labels".
	nodes map[string]*graph.Node
	// lossFn builds the losses of its inputs; their mean is what is minimized.
	lossFn func(in nodes) *graph.Node
)

// A platform is where a loss is tested: a backend and a float type, with the tolerance for
// the elements of a tensor, relative to the largest of them.
type platform struct {
	backend   compute.Backend
	dtype     dtypes.DType
	tolerance float64
}

func newPlatform(backend compute.Backend, dtype dtypes.DType) platform {
	if dtype == dtypes.Float32 {
		return platform{backend, dtype, 1e-5}
	}
	return platform{backend, dtype, 1e-8}
}

// onPureGo runs a test on pure Go, which compiles fast, in float64.
func onPureGo(t *testing.T, test func(t *testing.T, p platform)) {
	t.Helper()
	test(t, newPlatform(embedtest.Open(t, "go"), dtypes.Float64))
}

// onBackends runs a test on every backend, in one float type.
func onBackends(t *testing.T, dtype dtypes.DType, test func(t *testing.T, p platform)) {
	t.Helper()
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) { test(t, newPlatform(backend, dtype)) })
}

// onPlatforms runs a test on every backend, in float64 and float32.
func onPlatforms(t *testing.T, test func(t *testing.T, p platform)) {
	t.Helper()
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
			t.Run(dtype.String(), func(t *testing.T) { test(t, newPlatform(backend, dtype)) })
		}
	})
}

// lossGraph returns the graph function of a loss. It takes the named inputs and the labels, and
// returns the losses and the gradients of their mean with respect to each input.
func (p platform) lossGraph(loss lossFn, names []string) func(args []*graph.Node) []*graph.Node {
	return func(args []*graph.Node) []*graph.Node {
		in := nodes{"labels": args[len(names)]}
		inputs := make([]*graph.Node, len(names))
		for i, name := range names {
			inputs[i] = graph.ConvertDType(args[i], p.dtype)
			in[name] = inputs[i]
		}
		values := loss(in)
		return append([]*graph.Node{values}, graph.Gradient(graph.ReduceAllMean(values), inputs...)...)
	}
}

// newExec returns the executor of the loss graph.
func (p platform) newExec(tb testing.TB, loss lossFn, names []string) *graph.Exec {
	tb.Helper()
	exec, err := graph.NewExec(p.backend, p.lossGraph(loss, names))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(exec.Finalize)
	return exec
}

// evaluator returns a function that computes the losses, and the gradients of their mean with
// respect to the named inputs, row by row.
func (p platform) evaluator(t *testing.T, loss lossFn, names ...string) func(in arrays, labels []int32) ([]float64, map[string][]float64) {
	t.Helper()
	return evaluatorOf(t, p.newExec(t, loss, names), names)
}

func evaluatorOf(t *testing.T, exec *graph.Exec, names []string) func(in arrays, labels []int32) ([]float64, map[string][]float64) {
	return func(in arrays, labels []int32) ([]float64, map[string][]float64) {
		t.Helper()
		var args []any
		for _, name := range names {
			args = append(args, in[name])
		}
		outputs, err := exec.Call(append(args, labels)...)
		if err != nil {
			t.Fatal(err)
		}
		gradients := map[string][]float64{}
		for i, name := range names {
			gradients[name] = float64s(outputs[i+1])
		}
		return float64s(outputs[0]), gradients
	}
}

// float64s returns the elements of a float tensor.
func float64s(tensor *tensors.Tensor) (values []float64) {
	tensor.MustConstFlatData(func(flat any) {
		switch flat := flat.(type) {
		case []float64:
			values = slices.Clone(flat)
		case []float32:
			for _, x := range flat {
				values = append(values, float64(x))
			}
		}
	})
	return values
}

// elements returns pointers to the elements of an input, row by row.
func elements(input any) (pointers []*float64) {
	switch input := input.(type) {
	case [][][]float64:
		for _, rows := range input {
			pointers = append(pointers, elements(rows)...)
		}
	case [][]float64:
		for _, row := range input {
			pointers = append(pointers, elements(row)...)
		}
	case []float64:
		for i := range input {
			pointers = append(pointers, &input[i])
		}
	}
	return pointers
}

// checkClose fails unless max|got-want| <= tolerance max|want|.
func checkClose(t *testing.T, name string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, want %d", name, len(got), len(want))
	}
	largest := 0.0
	for _, x := range want {
		largest = max(largest, math.Abs(x))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*largest) {
			t.Errorf("%s, element %d: got %.12g, want %.12g (tolerance %g of %.3g)",
				name, i, got[i], want[i], tolerance, largest)
		}
	}
}

// checkFinite fails if there is a NaN or an infinity.
func checkFinite(t *testing.T, name string, values []float64) {
	t.Helper()
	for i, x := range values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Errorf("%s, element %d: %v", name, i, x)
		}
	}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, x := range values {
		sum += x
	}
	return sum / float64(len(values))
}
