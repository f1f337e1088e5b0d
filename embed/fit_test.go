package embed

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/store"
)

func TestFitLearns(t *testing.T) {
	for _, technique := range []string{"softmax", "softmax-normalized"} {
		t.Run(technique, func(t *testing.T) {
			embedtest.OnBackends(t, func(t *testing.T, _ compute.Backend) {
				cfg := Config{Technique: technique, Padding: "same", Batch: 16, Epochs: 6, LearningRate: 0.003}
				result, err := Fit(t.Context(), cfg, embedtest.Patterns(160, 4, 1, 1), embedtest.Patterns(90, 4, 1, 2), quiet(Options{}))
				if err != nil {
					t.Fatal(err)
				}
				first, last := result.History[0], result.History[len(result.History)-1]
				if last.Loss > first.Loss/4 {
					t.Errorf("the loss went from %g to %g, want a quarter or less", first.Loss, last.Loss)
				}
				if accuracy := result.Test.Accuracy(); accuracy < 0.95 {
					t.Errorf("test accuracy %g, want 0.95 or more", accuracy)
				}
			})
		})
	}
}

// The unit square has room for more classes than it has corners, where class weights
// grow before the points are pressed there.
func TestSigmoidLearns(t *testing.T) {
	const classes, size = 10, 4
	data := &datasets.Dataset{Name: "pixels", Height: size, Width: size, Channels: 1, Images: make([]byte, 200*size*size)}
	for i := range 200 {
		data.Labels = append(data.Labels, int32(i%classes))
		data.At(i)[i%classes] = byte(200 + i/classes)
	}
	for class := range classes {
		data.ClassNames = append(data.ClassNames, fmt.Sprint(class))
	}
	data.Checksum = data.ComputeChecksum()
	embedtest.OnBackends(t, func(t *testing.T, _ compute.Backend) {
		cfg := Config{Activation: "sigmoid", Padding: "same", Batch: 20, Epochs: 60, LearningRate: 0.004}
		result, err := Fit(t.Context(), cfg, data, data, quiet(Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if accuracy := result.Test.Accuracy(); accuracy < 0.6 {
			t.Errorf("accuracy %g, want 0.6 or more", accuracy)
		}
	})
}

// outcome is what must not depend on anything but the Config and the data.
func outcome(t *testing.T, r *Result) map[string]any {
	t.Helper()
	var history []Epoch
	for _, epoch := range r.History {
		epoch.Seconds, epoch.ImagesPerSecond = 0, 0
		history = append(history, epoch)
	}
	return map[string]any{
		"variables": values(t, r.net), "history": history, "test": r.Test, "train": r.Train, "vectors": r.ClassVectors,
	}
}

func TestFitRepeats(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		cfg := smallOn(backend)
		first := outcome(t, mustFitSmall(t, cfg, Options{}))
		embedtest.CheckEqual(t, "second run", outcome(t, mustFitSmall(t, cfg, Options{})), first)
		cfg.Seed = 2
		other := outcome(t, mustFitSmall(t, cfg, Options{}))
		for what := range first {
			if reflect.DeepEqual(other[what], first[what]) {
				t.Errorf("another seed ends with the same %s", what)
			}
		}
	})
}

// TestSeedOfTheNetwork: the seed also decides where the variables start.
func TestSeedOfTheNetwork(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		images, _ := embedtest.SmallData()
		start := func(seed int64) []float32 {
			cfg := smallOn(backend)
			cfg.Seed = seed
			cfg, err := cfg.WithDefaults()
			if err != nil {
				t.Fatal(err)
			}
			net, err := newNetwork(cfg, backend, [3]int{4, 4, 1}, 3)
			if err != nil {
				t.Fatal(err)
			}
			e, err := net.embedAll(images)
			if err != nil {
				t.Fatal(err)
			}
			return e.Z
		}
		first := start(1)
		embedtest.CheckEqual(t, "embedding before training", start(1), first)
		if slices.Equal(start(2), first) {
			t.Error("another seed has the same embedding before training")
		}
	})
}

func TestFitResumes(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		cfg := smallOn(backend)
		want := outcome(t, mustFitSmall(t, cfg, Options{}))
		// The steps after which the run is interrupted: in the middle of both
		// epochs; on pure Go, which compiles faster, everywhere.
		interruptions := [][]int{{1, 5}}
		if cfg.Backend == "go" {
			interruptions = [][]int{{1, 5}, {0}, {1}, {2}, {3}, {4}, {0, 0, 1, 3}}
		}
		for _, stops := range interruptions {
			opts := Options{Out: filepath.Join(t.TempDir(), "run"), Resume: true}
			done := 0
			for _, stop := range stops {
				_, err := fitSmall(&embedtest.Countdown{Context: t.Context(), Steps: stop - done}, cfg, opts)
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("interrupted after %d steps: error %v, want one that wraps context.Canceled", stop, err)
				}
				embedtest.WantError(t, err, "interrupted", fmt.Sprintf("epoch %d, after step %d of 3", stop/3+1, stop%3), "checkpoint saved in "+opts.Out)
				done = stop
			}
			embedtest.CheckEqual(t, fmt.Sprintf("run interrupted after %d steps", stops), outcome(t, mustFitSmall(t, cfg, opts)), want)
		}
	})
}

func TestResumeOfACompleteRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	complete := mustFitSmall(t, small(), Options{Out: out})
	again := mustFitSmall(t, small(), Options{Out: out, Resume: true})
	embedtest.CheckEqual(t, "resumed run", outcome(t, again), outcome(t, complete))
	embedtest.CheckEqual(t, "history with its times", again.History, complete.History)
}

func TestInterruptedWithoutFolder(t *testing.T) {
	_, err := fitSmall(&embedtest.Countdown{Context: t.Context(), Steps: 2}, small(), Options{})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want one that wraps context.Canceled", err)
	}
	embedtest.WantError(t, err, "epoch 1, after step 2 of 3")
	if strings.Contains(err.Error(), "checkpoint") {
		t.Errorf("there is no checkpoint, but the error is %q", err)
	}
}

func TestInterruptible(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		ctx := Interruptible()
		if err := ctx.Err(); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
			t.Fatalf("%v doesn't end the context", signal)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	mustFitSmall(t, small(), Options{Out: out})
	for name, change := range map[string]func(*Config){
		"learning_rate": func(c *Config) { c.LearningRate = 0.5 },
		"epochs":        func(c *Config) { c.Epochs = 3 },
		"technique":     func(c *Config) { c.Technique = "softmax-normalized" },
		"seed":          func(c *Config) { c.Seed = 9 },
	} {
		cfg := small()
		change(&cfg)
		_, err := fitSmall(t.Context(), cfg, Options{Out: out, Resume: true})
		embedtest.WantError(t, err, "another run", name)
	}
	_, test := embedtest.SmallData()
	_, err := Fit(t.Context(), small(), embedtest.Patterns(24, 4, 1, 7), test, quiet(Options{Out: out, Resume: true}))
	embedtest.WantError(t, err, "another run", "train_checksum")

	_, err = fitSmall(t.Context(), small(), Options{Resume: true})
	embedtest.WantError(t, err, "Options.Out")
}

// TestResumeOfHandMadeData: data without a checksum is told apart as well.
func TestResumeOfHandMadeData(t *testing.T) {
	train, test := embedtest.SmallData()
	train.Checksum, test.Checksum = "", ""
	opts := quiet(Options{Out: filepath.Join(t.TempDir(), "run"), Resume: true})
	cfg := small()
	cfg.Train = 0
	for range 2 {
		if _, err := Fit(t.Context(), cfg, train, test, opts); err != nil {
			t.Fatal(err)
		}
	}
	train.Images[0]++
	_, err := Fit(t.Context(), cfg, train, test, opts)
	embedtest.WantError(t, err, "another run", "train_checksum")
}

func TestBadCheckpoint(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	mustFitSmall(t, small(), Options{Out: out})
	checkpoint := filepath.Join(out, checkpointFile)
	whole, err := os.ReadFile(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{
		"empty":     {},
		"truncated": whole[:len(whole)/2],
		"no end":    whole[:len(whole)-1],
		"text":      []byte("not a checkpoint"),
		"one bit":   flipped,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(checkpoint, content, 0o666); err != nil {
				t.Fatal(err)
			}
			_, err = fitSmall(t.Context(), small(), Options{Out: out, Resume: true})
			embedtest.WantError(t, err, checkpoint)
			_, err = Load(out)
			embedtest.WantError(t, err, checkpoint)
		})
	}
	t.Run("without state", func(t *testing.T) {
		if err := store.WriteNpz(checkpoint, store.Arrays{"a": tensors.FromValue([]float32{1})}, zip.Store); err != nil {
			t.Fatal(err)
		}
		_, err = fitSmall(t.Context(), small(), Options{Out: out, Resume: true})
		embedtest.WantError(t, err, checkpoint, stateKey)
	})
}

// lossOf registers softmax with another loss.
func lossOf(t *testing.T, cfg Config, loss func(h Head) *graph.Node) Config {
	technique := softmax
	technique.ID, technique.Loss = "test", loss
	register(t, technique)
	cfg.Technique = "test"
	return cfg
}

// isEarly is 1 before this progress of the training and 0 from it on.
func isEarly(h Head, progress float32) *graph.Node {
	early := graph.LessThan(h.Progress, graph.Const(h.Progress.Graph(), progress))
	return graph.ConvertDType(early, h.Z.DType())
}

func TestFitStopsAtNaN(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for name, test := range map[string]struct {
			loss  func(h Head) *graph.Node
			words []string
		}{
			// From step 5 of 6 on, the loss is 0/0.
			"loss": {func(h Head) *graph.Node {
				early := isEarly(h, 3.5/6)
				return graph.Div(graph.Mul(softmax.Loss(h), early), early)
			}, []string{"the loss is NaN", "epoch 2, step 2"}},
			// From step 6 on, the loss is finite, but not its gradient: that of the
			// square root of 0.
			"gradient": {func(h Head) *graph.Node {
				root := graph.Sqrt(graph.Mul(isEarly(h, 4.5/6), graph.Square(h.Z)))
				return graph.Add(softmax.Loss(h), graph.ReduceSum(root, -1))
			}, []string{"not finite", "epoch 2, step 3"}},
		} {
			t.Run(name, func(t *testing.T) {
				cfg := lossOf(t, smallOn(backend), test.loss)
				out := filepath.Join(t.TempDir(), "run")
				_, err := fitSmall(t.Context(), cfg, Options{Out: out})
				embedtest.WantError(t, err, append(test.words, "learning rate", out)...)
				variables, state, err := loadCheckpoint(out)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckEqual(t, "epochs in the last good checkpoint", state.Epoch, 1)
				for path, value := range variables {
					if value.DType() != dtypes.Float32 {
						continue
					}
					for _, x := range flat([]*tensors.Tensor{value})[0] {
						if x != x {
							t.Fatalf("the checkpoint has a NaN in %s", path)
						}
					}
				}
				if cfg.Backend == "go" {
					_, err = fitSmall(t.Context(), cfg, Options{})
					embedtest.WantError(t, err, test.words...)
				}
			})
		}
	})
}

// TestInterruptedWhenNotFinite: an interrupt does not replace a good checkpoint by a
// bad one.
func TestInterruptedWhenNotFinite(t *testing.T) {
	cfg := lossOf(t, small(), func(h Head) *graph.Node {
		root := graph.Sqrt(graph.Mul(isEarly(h, 3.5/6), graph.Square(h.Z)))
		return graph.Add(softmax.Loss(h), graph.ReduceSum(root, -1))
	})
	out := filepath.Join(t.TempDir(), "run")
	_, err := fitSmall(&embedtest.Countdown{Context: t.Context(), Steps: 5}, cfg, Options{Out: out})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that wraps context.Canceled", err)
	}
	embedtest.WantError(t, err, "interrupted", "not finite")
	_, state, err := loadCheckpoint(out)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "epochs and steps in the last good checkpoint", [2]int{state.Epoch, state.Step}, [2]int{1, 0})
}

func TestFitReturnsGraphPanics(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for name, change := range map[string]func(technique *Technique){
			"loss": func(technique *Technique) {
				technique.Loss = func(h Head) *graph.Node { return graph.Add(h.Z, h.Labels) }
			},
			"scores": func(technique *Technique) {
				technique.Scores = func(h Head) *graph.Node { return graph.MatMul(h.Z, h.Weights()) }
			},
			"one score per image": func(technique *Technique) {
				technique.Scores = func(h Head) *graph.Node { return graph.ReduceSum(h.Z, -1) }
			},
			"too many scores": func(technique *Technique) {
				scores := technique.Scores
				technique.Scores = func(h Head) *graph.Node { return graph.Concatenate([]*graph.Node{scores(h), h.Z}, -1) }
			},
			"class vectors": func(technique *Technique) {
				technique.ClassVectors = func(h Head) *graph.Node { return graph.MatMul(h.Weights(), h.Weights()) }
			},
		} {
			t.Run(name, func(t *testing.T) {
				technique := softmax
				technique.ID = "test"
				change(&technique)
				register(t, technique)
				cfg := smallOn(backend)
				cfg.Technique = "test"
				if _, err := fitSmall(t.Context(), cfg, Options{}); err == nil {
					t.Error("no error")
				}
			})
		}
	})
}

// renamed returns a dataset with other names of its classes.
func renamed(d *datasets.Dataset, names ...string) *datasets.Dataset {
	other := *d
	other.ClassNames = names
	return &other
}

func TestOnEpoch(t *testing.T) {
	stop := errors.New("enough")
	calls := 0
	_, err := fitSmall(t.Context(), small(), Options{OnEpoch: func(r *Result) error {
		calls++
		embedtest.CheckEqual(t, "epochs so far", len(r.History), calls)
		embedtest.CheckEqual(t, "test images", r.Test.Len(), 30)
		return stop
	}})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("error %v after %d calls, want %v after 1", err, calls, stop)
	}
}

// TestResultOfAnEpoch: what needs training images says so, and the history stays as it was.
func TestResultOfAnEpoch(t *testing.T) {
	train, test := embedtest.SmallData()
	var kept *Result
	history := 0.
	result := mustFitSmall(t, small(), Options{OnEpoch: func(r *Result) error {
		fails := func(err error, words ...string) {
			t.Helper()
			embedtest.WantError(t, err, words...)
		}
		_, err := r.Known("", r.Test.Z)
		fails(err, "no training points")
		_, err = r.Recognizer("", test, 0.9)
		fails(err, "no training points")
		_, err = r.Decide(train, test, 0, "", "")
		fails(err, "no training images yet")
		_, err = Explore(train, test, r)
		fails(err, "no training images yet")
		_, err = r.WithClass("new", test)
		fails(err, "no training images yet")
		fails(r.Save(t.TempDir()), "no training images yet")
		kept, history = r, r.History[len(r.History)-1].TestAccuracy
		return nil
	}})
	embedtest.CheckEqual(t, "accuracy in the history of the last epoch", kept.History[1].TestAccuracy, history)
	if _, err := Explore(train, nil, result); err == nil {
		t.Error("Explore without test images has no error")
	}
	if _, err := Explore(train, test, nil); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("Explore of nothing: error %v, want ErrNoNetwork", err)
	}
}

// TestAbsentClass: a class without training images wins no point, as near as it may be to the origin.
func TestAbsentClass(t *testing.T) {
	train, test := embedtest.SmallData()
	train, err := train.Select(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	train.ClassNames = test.ClassNames
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for i, technique := range []string{"contrastive", "supcon", "contrastive", "supcon"} {
			cfg := smallOn(backend)
			cfg.Technique, cfg.Train = technique, 0
			result, err := Fit(t.Context(), cfg, train, test, quiet(Options{Trace: i / 2 * 3})) // a trace decides before the first evaluation
			if err != nil {
				t.Fatal(err)
			}
			scores, err := result.Scores([]float32{0, 0, 0.01, 0, -0.01, 0, 0, -0.01})
			if err != nil {
				t.Fatal(err)
			}
			classes, err := result.Classify([]float32{0, 0, 0.01, 0, -0.01, 0, 0, -0.01})
			if err != nil {
				t.Fatal(err)
			}
			for i, class := range classes {
				if class == 2 || scores[3*i+2] != -math.MaxFloat32 {
					t.Errorf("%s: point %d is of class %d, with the scores %v", technique, i, class, scores[3*i:3*i+3])
				}
			}
			if slices.Contains(result.Test.Predicted, 2) {
				t.Errorf("%s: test images are of the class without training images", technique)
			}
			pixels := make([]float64, len(test.At(0)))
			for i, value := range test.At(0) {
				pixels[i] = float64(value) / 255
			}
			for name, want := range map[string]float64{test.ClassNames[2]: -math.MaxFloat32, test.ClassNames[0]: float64(must(result.Scores(result.Test.Z[:2]))[0])} {
				score := must(must(result.Function(ScoreOf(name))).Values([][]float64{pixels}))[0]
				if math.Abs(score-want) > 1e-4*math.Abs(want) {
					t.Errorf("%s: as a quantity, the score of class %s is %v; want %v", technique, name, score, want)
				}
			}
			folder := t.TempDir()
			if err := result.Save(folder); err != nil {
				t.Fatal(err)
			}
			loaded, err := Load(folder)
			if err != nil {
				t.Fatal(err)
			}
			again, err := loaded.Classify([]float32{0, 0, 0.01, 0, -0.01, 0, 0, -0.01})
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, technique+", loaded", again, classes)

			// A class that lies at the origin is there.
			zeros := result.Train
			zeros.Z = slices.Clone(zeros.Z)
			for i, label := range zeros.Labels {
				if label == 1 {
					zeros.Z[2*i], zeros.Z[2*i+1] = 0, 0
				}
			}
			byMeans, err := result.net.byMeans(zeros)
			if err != nil {
				t.Fatal(err)
			}
			if classes, err = byMeans.classify([]float32{0, 0}); err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, technique+", class of the origin", classes, []int32{1})
		}
	})
}

// TestChecksumOfACopy: a changed copy is not the data that it was copied from.
func TestChecksumOfACopy(t *testing.T) {
	train, test := embedtest.SmallData()
	noisy := *train
	noisy.Labels = slices.Clone(train.Labels)
	noisy.Labels[0]++
	noisy.Canonical, test.Canonical = true, true
	info := NewDataInfo(&noisy, test)
	if info.Canonical || info.TrainChecksum == train.Checksum || info.TestChecksum != test.Checksum {
		t.Errorf("a changed copy is %+v", info)
	}
}

func TestFitRefusesData(t *testing.T) {
	train, test := embedtest.SmallData()
	for name, c := range map[string]struct {
		train, test *datasets.Dataset
		words       []string
	}{
		"none":    {nil, test, []string{"no images"}},
		"names":   {train, renamed(test, "top", "right", "corner"), []string{`class 1 is "left" of the training images and "right"`}},
		"order":   {train, renamed(test, "left", "top", "corner"), []string{`class 0 is "top"`, `"left" of the test images`, "in one order"}},
		"shape":   {embedtest.Patterns(24, 8, 1, 1), test, []string{"8 x 8 x 1", "4 x 4 x 1"}},
		"small":   {embedtest.Patterns(24, 3, 1, 1), embedtest.Patterns(24, 3, 1, 2), []string{"3 x 3 x 1", "4 x 4 or more"}},
		"batch":   {embedtest.Patterns(6, 4, 1, 1), test, []string{"batch is 8", "1 to 6"}},
		"classes": {train, func() *datasets.Dataset { d := *test; d.ClassNames = append(d.ClassNames, "x"); return &d }(), []string{"3 classes", "4"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := small()
			cfg.Train = 0
			_, err := Fit(t.Context(), cfg, c.train, c.test, quiet(Options{}))
			embedtest.WantError(t, err, c.words...)
		})
	}
}
