package embed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/datasets"
)

// testBackends lists the backends of the tests: the one that GOMLX_BACKEND names,
// else all of this machine but CUDA. With EMBEDSPACE_REQUIRE_XLA=1, XLA must be
// among them.
func testBackends(tb testing.TB) []string {
	tb.Helper()
	names := slices.DeleteFunc(BackendNames(), func(name string) bool { return name == "xla:cuda" })
	if chosen := os.Getenv(compute.ConfigEnvVar); chosen != "" {
		names = []string{chosen}
	}
	isXLA := func(name string) bool { return strings.HasPrefix(name, "xla") }
	if os.Getenv("EMBEDSPACE_REQUIRE_XLA") == "1" && !slices.ContainsFunc(names, isXLA) {
		tb.Fatalf("EMBEDSPACE_REQUIRE_XLA=1, but the backends are %q", names)
	}
	return names
}

// onBackends runs a test on each backend of the tests, which is then also the one
// that the empty name opens.
func onBackends(t *testing.T, test func(t *testing.T, backend compute.Backend)) {
	for _, name := range testBackends(t) {
		t.Run(name, func(t *testing.T) {
			t.Setenv(compute.ConfigEnvVar, name)
			backend, err := OpenBackend(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			test(t, backend)
		})
	}
}

// patterns returns n images of size x size pixels in three classes, each of which
// lights another part of the image, under noise. The same seed gives the same
// images.
func patterns(n, size, channels int, seed uint64) *datasets.Dataset {
	random := rand.New(rand.NewPCG(seed, 0))
	d := &datasets.Dataset{
		Name: "patterns", Height: size, Width: size, Channels: channels,
		Images: make([]byte, n*size*size*channels), Labels: make([]int32, n),
		ClassNames: []string{"top", "left", "corner"},
	}
	for i := range d.Labels {
		class := i % 3
		d.Labels[i] = int32(class)
		image := d.At(i)
		for p := range image {
			row, column := p/channels/size, p/channels%size
			lit := [3]bool{row < size/2, column < size/2, row >= size/2 && column >= size/2}[class]
			image[p] = byte(random.IntN(100))
			if lit {
				image[p] += 150
			}
		}
	}
	d.Checksum = d.ComputeChecksum()
	return d
}

// small is a Config that trains in no time: 2 epochs of 3 steps on 4 x 4 pixels, on
// pure Go, which compiles faster.
func small() Config {
	return Config{Padding: "same", Batch: 8, Epochs: 2, Train: 24, Backend: "go"}
}

// smallOn is small on another backend.
func smallOn(backend compute.Backend) Config {
	cfg := small()
	cfg.Backend = backendName(backend)
	return cfg
}

// smallData is the data for small.
func smallData() (train, test *datasets.Dataset) {
	return patterns(24, 4, 1, 1), patterns(30, 4, 1, 2)
}

// quiet shows no progress.
func quiet(opts Options) Options {
	opts.Progress = io.Discard
	return opts
}

// fitSmall fits smallData.
func fitSmall(ctx context.Context, cfg Config, opts Options) (*Result, error) {
	train, test := smallData()
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
	before := techniques
	techniques = append(slices.Clone(techniques), technique)
	t.Cleanup(func() { techniques = before })
}

// wantError fails unless err has all these words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error is %q, want it to have %q", err, word)
		}
	}
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

// checkEqual fails unless got is want.
func checkEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
