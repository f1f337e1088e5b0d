package embed

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// onDevices returns the backend of the tests that can have several devices.
func onDevices(t *testing.T) string {
	t.Helper()
	names := embedtest.Backends(t)
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, backends.XLACPU) })
	if i < 0 {
		t.Skipf("none of the backends %q can have several devices: that takes %s", names, backends.XLACPU)
	}
	return names[i]
}

// firstSteps trains on the first 4 batches, and returns by name what the devices must agree
// on after the first step, when nothing but one sum of rounded numbers lies between them,
// and after the last.
func firstSteps(t *testing.T, cfg Config, train, test *datasets.Dataset) (first, last map[string][]float32) {
	t.Helper()
	training, err := newTraining(cfg, train, test, quiet(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	net, order := training.net, training.order()
	first, last = map[string][]float32{}, map[string][]float32{}
	for step, now := range []map[string][]float32{first, last, last, last} {
		var images []byte
		var labels []int32
		for _, example := range order[step*cfg.Batch : (step+1)*cfg.Batch] {
			images = append(images, train.At(example)...)
			labels = append(labels, train.Labels[example])
		}
		result, err := net.train(images, labels, 0.001, float64(step)/4)
		if err != nil {
			t.Fatal(err)
		}
		now[fmt.Sprintf("loss of step %d", step+1)] = []float32{float32(result.loss)}
		for name, value := range result.monitors {
			now[fmt.Sprintf("%s of step %d", name, step+1)] = []float32{float32(value)}
		}
		if step > 0 {
			continue
		}
		// Adam's moments tell the gradients; its steps don't tell how long these are.
		for variable := range net.store.IterVariables() {
			path := variable.Path()
			// Losses of distances don't change when all points move: this gradient is
			// nothing but rounding.
			if net.technique.Balanced && strings.Contains(path, "embedding/dense/biases") {
				continue
			}
			if strings.HasSuffix(path, "_moment") || strings.HasSuffix(path, centersName) {
				value, err := variable.Value()
				if err != nil {
					t.Fatal(err)
				}
				first[path] = tensors.MustCopyFlatData[float32](value)
			}
		}
	}
	e, err := net.embedAll(test)
	if err != nil {
		t.Fatal(err)
	}
	last["embedding"] = e.Z
	if last["class vectors"], err = net.classVectors(); err != nil {
		t.Fatal(err)
	}
	return first, last
}

// checkAgree fails unless the numbers of each name differ by at most a share of the largest.
func checkAgree(t *testing.T, got, want map[string][]float32, share float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("there are %d arrays, want %d", len(got), len(want))
	}
	for name, numbers := range want {
		if len(got[name]) != len(numbers) {
			t.Errorf("%s has %d numbers, want %d", name, len(got[name]), len(numbers))
			continue
		}
		largest, difference := 0., 0.
		for i, x := range numbers {
			largest = max(largest, math.Abs(float64(x)))
			difference = max(difference, math.Abs(float64(got[name][i]-x)))
		}
		if !(difference <= share*largest) {
			t.Errorf("%s differs by %g, want at most %g of %g", name, difference, share, largest)
		}
	}
}

// TestDevices: several devices compute what one computes, for all techniques, and for the
// paper's network with both paddings.
func TestDevices(t *testing.T) {
	backend := onDevices(t)
	train, test, err := datasets.Load(t.Context(), "mnist-sample", nil)
	if err != nil {
		t.Fatal(err)
	}
	if train, err = train.Subset(256, 1); err != nil {
		t.Fatal(err)
	}
	if test, err = test.Subset(100, 1); err != nil {
		t.Fatal(err)
	}
	registerPixels(t)
	configs := []Config{
		{Technique: "softmax", Padding: "valid", Devices: 2},
		{Technique: "triplet-hard", Padding: "same", Devices: 4},
	}
	for _, technique := range Techniques() {
		configs = append(configs, Config{Technique: technique.ID, Extractor: "pixels", Devices: 2})
	}
	for _, cfg := range configs {
		t.Run(strings.TrimSpace(strings.Join([]string{cfg.Technique, cfg.Extractor, cfg.Padding}, " ")), func(t *testing.T) {
			cfg.Backend, cfg.Batch = backend, 64
			first, last := firstSteps(t, cfg, train, test)
			cfg.Devices = 1
			wantFirst, wantLast := firstSteps(t, cfg, train, test)
			checkAgree(t, first, wantFirst, 1e-4)
			checkAgree(t, last, wantLast, 1e-2)
		})
	}
}

// registerPixels adds the extractor without layers, which compiles in no time.
func registerPixels(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { clear(extractors.byName) })
	if err := RegisterExtractor("pixels", func(_ *model.Scope, images *graph.Node) *graph.Node { return images }); err != nil {
		t.Fatal(err)
	}
}

// TestDevicesRepeat: several devices repeat a run bit for bit, also one that was interrupted
// within its epochs, and what they have learned is loaded on one.
func TestDevicesRepeat(t *testing.T) {
	backend := onDevices(t)
	registerPixels(t)
	for _, cfg := range []Config{
		{Technique: "center", Extractor: "paper"},
		{Technique: "contrastive", Extractor: "pixels", Params: Params{classesPerBatch.Name: 2}},
	} {
		t.Run(cfg.Technique, func(t *testing.T) {
			cfg.Padding, cfg.Batch, cfg.Epochs, cfg.Train, cfg.Backend, cfg.Devices = "same", 8, 2, 24, backend, 2
			result := mustFitSmall(t, cfg, Options{})
			want := outcome(t, result)
			embedtest.CheckEqual(t, "second run", outcome(t, mustFitSmall(t, cfg, Options{})), want)

			opts := Options{Out: filepath.Join(t.TempDir(), "run"), Resume: true}
			for _, steps := range []int{1, 4} { // of 6: the second run begins at step 2
				if _, err := fitSmall(&embedtest.Countdown{Context: t.Context(), Steps: steps}, cfg, opts); err == nil || !strings.Contains(err.Error(), "interrupted") {
					t.Fatalf("after %d steps: error %v, want an interruption", steps, err)
				}
			}
			other := cfg
			other.Devices = 1
			_, err := fitSmall(t.Context(), other, opts)
			embedtest.WantError(t, err, "another run", "devices is 2, not 1")
			embedtest.CheckEqual(t, "interrupted run", outcome(t, mustFitSmall(t, cfg, opts)), want)

			t.Setenv(compute.ConfigEnvVar, backend)
			loaded, err := Load(opts.Out)
			if err != nil {
				t.Fatal(err)
			}
			_, test := embedtest.SmallData()
			e, err := loaded.Embed(test)
			if err != nil {
				t.Fatal(err)
			}
			checkAgree(t, map[string][]float32{"embedding": e.Z}, map[string][]float32{"embedding": result.Test.Z}, 1e-6)
			embedtest.CheckEqual(t, "predicted classes", e.Predicted, result.Test.Predicted)
		})
	}
}

func TestDevicesRefused(t *testing.T) {
	for _, test := range []struct {
		backend string
		devices int
		words   []string
	}{
		{"go", 2, []string{"devices is 2", "backend go has 1", "allowed: 1"}},
		{"go", 3, []string{"devices is 3", "divisors of batch, 8"}},
	} {
		cfg := small()
		cfg.Backend, cfg.Devices = test.backend, test.devices
		_, err := fitSmall(t.Context(), cfg, Options{})
		embedtest.WantError(t, err, test.words...)
		_, err = Bench(cfg, 1)
		embedtest.WantError(t, err, test.words...)
	}
}
