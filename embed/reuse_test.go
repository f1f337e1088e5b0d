package embed

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// TestReuse: the same training is taken from its folder, with the same bits, and predicts;
// any other is trained.
func TestReuse(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		t.Setenv(FolderEnv, t.TempDir())
		train, test := embedtest.SmallData()
		// fit returns the Result, what was said, and whether it was trained.
		fit := func(cfg Config, opts Options) (r *Result, said string, trained bool) {
			t.Helper()
			var progress strings.Builder
			opts.Out, opts.Reuse, opts.Progress = "result", true, &progress
			opts.OnEpoch = func(*Result) error { trained = true; return nil }
			r, err := Fit(t.Context(), cfg, train, test, opts)
			if err != nil {
				t.Fatal(err)
			}
			return r, progress.String(), trained
		}
		cfg := smallOn(backend)
		cfg.Technique = "contrastive"
		first, _, trained := fit(cfg, Options{})
		if !trained {
			t.Fatal("not trained, though there was nothing")
		}
		again, said, trained := fit(cfg, Options{})
		if trained || said != "result is reused\n" {
			t.Errorf("trained again: %v; it says %q", trained, said)
		}
		classes, err := again.Classify(first.Test.Z)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "its classes", classes, first.Test.Predicted)
		again.net, first.net = nil, nil
		embedtest.CheckEqual(t, "the result", again, first)
		if cfg.Backend != backends.Go {
			return // all else is alike, and takes longer
		}
		for name, change := range map[string]func(c *Config, o *Options){
			"seed":      func(c *Config, o *Options) { c.Seed = 7 },
			"margin":    func(c *Config, o *Options) { c.Params = Params{"margin": 2} },
			"its trace": func(c *Config, o *Options) { o.Trace = 5 },
			"test is":   func(c *Config, o *Options) { *test = *must(test.Subset(test.Len()-3, 1)) },
		} {
			fit(cfg, Options{})
			before := *test
			other, opts := cfg, Options{}
			change(&other, &opts)
			_, said, trained := fit(other, opts)
			if !trained || !strings.Contains(said, "trained anew") || !strings.Contains(said, name) {
				t.Errorf("%s: trained: %v, it says %q", name, trained, said)
			}
			if _, _, trained := fit(other, opts); trained {
				t.Errorf("%s: trained twice", name)
			}
			*test = before
		}
	})
}

// must returns the value of a call that can't fail here.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestReuseOfWhatIsBad: what is damaged, unfinished, of another version or of code of one's
// own is trained anew.
func TestReuseOfWhatIsBad(t *testing.T) {
	register(t, Technique{ID: "own", Loss: func(h Head) *graph.Node { return graph.ReduceSum(graph.Square(h.Z), -1) }})
	damage := func(file string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			path := filepath.Join(folder, file)
			content := must(os.ReadFile(path))
			if err := os.WriteFile(path, content[:len(content)/2], 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		technique string
		spoil     func(t *testing.T, folder string)
		says      string
	}{
		"config":     {"softmax", damage(configFile), "no complete result"},
		"metrics":    {"softmax", damage(metricsFile), "no complete result"},
		"embedding":  {"softmax", damage(embeddingFile), "no complete result"},
		"checkpoint": {"softmax", damage(checkpointFile), "checkpoint"},
		"missing":    {"softmax", func(t *testing.T, folder string) { os.Remove(filepath.Join(folder, configFile)) }, ""},
		"own code":   {"own", func(*testing.T, string) {}, "not one of this library"},
		"version": {"softmax", func(t *testing.T, folder string) {
			r := must(Load(folder))
			r.version--
			if err := r.Save(folder); err != nil {
				t.Fatal(err)
			}
		}, "another version"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "result")
			cfg := small()
			cfg.Technique = c.technique
			mustFitSmall(t, cfg, Options{Out: folder})
			c.spoil(t, folder)
			trained := false
			var said strings.Builder
			train, test := embedtest.SmallData()
			if _, err := Fit(t.Context(), cfg, train, test, Options{Out: folder, Reuse: true, Progress: &said,
				OnEpoch: func(*Result) error { trained = true; return nil }}); err != nil {
				t.Fatal(err)
			}
			if !trained || !strings.Contains(said.String(), c.says) {
				t.Errorf("trained: %v; it says %q, want %q in it", trained, said.String(), c.says)
			}
			if _, err := Load(folder); err != nil {
				t.Errorf("after it was trained anew: %v", err)
			}
		})
	}
	_, err := fitSmall(t.Context(), small(), Options{Reuse: true})
	embedtest.WantError(t, err, "reuse", "Options.Out")
}

// TestReuseAfterAnAbortedTraining: the files of a Result beside the checkpoint of another training
// are not a Result, also where that has done its last epoch.
func TestReuseAfterAnAbortedTraining(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "result")
	mustFitSmall(t, small(), Options{Out: folder})
	old := must(Load(folder))
	old.version--
	old.Test.Predicted[0] = 1 - min(1, old.Test.Predicted[0]) // as another version had it
	if err := old.Save(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := fitSmall(t.Context(), small(), Options{Out: folder, Resume: true}); !errors.Is(err, ErrOtherRun) {
		t.Errorf("resumed from another version: error %v, want ErrOtherRun", err)
	}
	stop := errors.New("stop")
	if _, err := fitSmall(t.Context(), small(), Options{Out: folder, Reuse: true, OnEpoch: func(r *Result) error {
		if len(r.History) == 2 {
			return stop
		}
		return nil
	}}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if _, err := Load(folder); !errors.Is(err, ErrUnfinished) {
		t.Errorf("Load: error %v, want ErrUnfinished", err)
	}
	for _, opts := range []Options{{Out: folder, Reuse: true, Resume: true}, {Out: folder, Reuse: true}} {
		embedtest.CheckEqual(t, "outcome", outcome(t, mustFitSmall(t, small(), opts)), outcome(t, mustFitSmall(t, small(), Options{})))
	}

	// With both, a Result of another run is neither reused nor resumed.
	other := small()
	other.Seed = 2
	embedtest.CheckEqual(t, "another seed", outcome(t, mustFitSmall(t, other, Options{Out: folder, Reuse: true, Resume: true})), outcome(t, mustFitSmall(t, other, Options{})))

	// A training that was interrupted beside it goes on.
	other.Seed = 3
	var epochs []int
	for _, end := range []error{stop, nil} {
		_, err := fitSmall(t.Context(), other, Options{Out: folder, Reuse: true, Resume: true, OnEpoch: func(r *Result) error {
			epochs = append(epochs, len(r.History))
			return end
		}})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	embedtest.CheckEqual(t, "epochs", epochs, []int{1, 2})
}
