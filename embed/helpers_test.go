package embed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// small is a Config that trains in no time: 2 epochs of 3 steps on 4 x 4 pixels, on
// pure Go, which compiles faster.
func small() Config {
	return Config{Padding: "same", Batch: 8, Epochs: 2, Train: 24, Backend: "go"}
}

// smallOn is small on another backend.
func smallOn(backend compute.Backend) Config {
	cfg := small()
	cfg.Backend = backends.Name(backend)
	return cfg
}

// quiet shows no progress.
func quiet(opts Options) Options {
	opts.Progress = io.Discard
	return opts
}

// fitSmall fits smallData.
func fitSmall(ctx context.Context, cfg Config, opts Options) (*Result, error) {
	train, test := embedtest.SmallData()
	return Fit(ctx, cfg, train, test, quiet(opts))
}

func mustFitSmall(t *testing.T, cfg Config, opts Options) *Result {
	t.Helper()
	result, err := fitSmall(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// register adds a technique for the time of a test.
func register(t *testing.T, technique Technique) {
	t.Helper()
	before := registry.techniques
	registry.techniques = append(slices.Clone(before), technique.clone())
	t.Cleanup(func() { registry.techniques = before })
}

// values returns the variables of a network by path, as digests.
func values(t *testing.T, n *network) map[string]string {
	t.Helper()
	all := map[string]string{}
	for variable := range n.store.IterVariables() {
		value, err := variable.Value()
		if err != nil {
			t.Fatal(err)
		}
		all[variable.Path()] = content(t, value)
	}
	return all
}

// content returns the shape of a tensor and a digest of its bytes.
func content(t *testing.T, tensor *tensors.Tensor) string {
	t.Helper()
	var digest [sha256.Size]byte
	if err := tensor.ConstBytes(func(data []byte) { digest = sha256.Sum256(data) }); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %x", tensor.Shape(), digest[:8])
}

// flat returns the elements of float32 tensors.
func flat(all []*tensors.Tensor) (values [][]float32) {
	for _, tensor := range all {
		values = append(values, tensors.MustCopyFlatData[float32](tensor))
	}
	return values
}
