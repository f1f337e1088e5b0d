package embed

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
)

// centered subtracts the mean of the batch in training, and else the running mean: batch
// normalization, in the form that runs on each backend.
func centered(scope *model.Scope, x *graph.Node) *graph.Node {
	g := x.Graph()
	mean := scope.WithInitializer(initializer.Zero).VariableWithShape("mean", shapes.Make(x.DType(), x.Shape().Dim(-1))).SetTrainable(false)
	if !scope.IsTraining(g) {
		return graph.Sub(x, graph.ExpandLeftToRank(mean.NodeValue(g), 2))
	}
	ofBatch := graph.ReduceMean(x, 0)
	mean.SetNodeValue(graph.MulScalar(graph.Add(mean.NodeValue(g), ofBatch), 0.5))
	return graph.Sub(x, graph.ExpandLeftToRank(ofBatch, 2))
}

// registerTrainingLayers registers extractors whose layers differ in training.
func registerTrainingLayers(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { clear(extractors.byName) })
	for name, layer := range map[string]Extractor{
		"dropout": func(scope *model.Scope, x *graph.Node) *graph.Node {
			return layers.DropoutStatic(scope.In("dropout"), x, 0.5)
		},
		"centered": func(scope *model.Scope, x *graph.Node) *graph.Node { return centered(scope.In("centered"), x) },
		"normalization": func(scope *model.Scope, x *graph.Node) *graph.Node { // not on pure Go, which lacks its training
			return norm.BatchNorm(scope.In("normalization"), x, -1).Done()
		},
	} {
		if err := RegisterExtractor(name, func(scope *model.Scope, images *graph.Node) *graph.Node {
			return layer(scope, layers.DenseWithBias(scope.In("dense"), graph.Reshape(images, images.Shape().Dim(0), -1), 8))
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEvaluation: an image has one embedding, whatever the time and the batch.
func TestEvaluation(t *testing.T) {
	registerTrainingLayers(t)
	for _, extractor := range []string{"dropout", "centered", "normalization"} {
		t.Run(extractor, func(t *testing.T) {
			embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
				if extractor == "normalization" && backends.Name(backend) == backends.Go {
					t.Skip("GoMLX's pure-Go backend has no batch normalization in training")
				}
				cfg := smallOn(backend)
				cfg.Extractor = extractor
				_, test := embedtest.SmallData()
				last, err := test.Select(2) // other images beside it
				if err != nil {
					t.Fatal(err)
				}
				var byEpoch [][]float32
				result := mustFitSmall(t, cfg, Options{OnEpoch: func(r *Result) error {
					byEpoch = append(byEpoch, r.Test.Z)
					return nil
				}})
				whole, err := result.Embed(test)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckEqual(t, "the embedding again", whole.Z, result.Test.Z)
				embedtest.CheckEqual(t, "the embedding after the last epoch", byEpoch[1], result.Test.Z)
				part, err := result.Embed(last)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckEqual(t, "an image in another batch", part.Z[:2], whole.Z[2*2:2*3])
				if slices.Equal(byEpoch[0], byEpoch[1]) {
					t.Error("an epoch of training changes nothing: the evaluation holds old variables")
				}
			})
		})
	}
}

// TestEvaluationResumes: what is no parameter, as the means of a normalization, is none
// after a checkpoint, and the resumed training ends at the same bits.
func TestEvaluationResumes(t *testing.T) {
	registerTrainingLayers(t)
	for _, extractor := range []string{"dropout", "centered"} {
		cfg := small()
		cfg.Extractor = extractor
		whole := mustFitSmall(t, cfg, Options{})
		out := filepath.Join(t.TempDir(), "run")
		if _, err := fitSmall(&embedtest.Countdown{Context: t.Context(), Steps: 4}, cfg, Options{Out: out}); err == nil {
			t.Fatal("not interrupted")
		}
		resumed := mustFitSmall(t, cfg, Options{Out: out, Resume: true})
		embedtest.CheckEqual(t, extractor+": the resumed run", outcome(t, resumed), outcome(t, whole))

		trainable := func(r *Result) (names []string) {
			for variable := range r.net.store.IterVariables() {
				if variable.Trainable {
					names = append(names, variable.Path())
				}
			}
			slices.Sort(names)
			return names
		}
		t.Setenv(compute.ConfigEnvVar, "go")
		loaded, err := Load(out)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, extractor+": trained variables of what was loaded", trainable(loaded), trainable(whole))
	}
}

// TestVariablesAtOneAddress: a graph computes with the values that the variables have now,
// also when they lie where other values lay in its last execution. The products with
// the weights of both dense layers are of the shapes that XLA keeps weights for.
func TestVariablesAtOneAddress(t *testing.T) {
	testVariablesAtOneAddress(t, Config{Technique: "softmax", Dim: 256})
}

// TestOwnVariablesAtOneAddress: with an extractor that knows nothing of it, too.
func TestOwnVariablesAtOneAddress(t *testing.T) {
	const name = "one matrix"
	err := RegisterExtractor(name, func(scope *model.Scope, images *graph.Node) *graph.Node {
		flat := graph.Reshape(images, images.Shape().Dim(0), -1)
		weights := scope.WithInitializer(initializer.HeFn(scope)).VariableWithShape("weights", shapes.Make(flat.DType(), flat.Shape().Dim(1), 256))
		return graph.MatMul(flat, weights.NodeValue(flat.Graph()))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { clear(extractors.byName) })
	testVariablesAtOneAddress(t, Config{Technique: "softmax", Extractor: name})
}

func testVariablesAtOneAddress(t *testing.T, cfg Config) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		images := embedtest.Patterns(3, 28, 1, 1)
		open := func() *network {
			net, err := newNetwork(cfg, backend, [3]int{28, 28, 1}, images.Classes())
			if err != nil {
				t.Fatal(err)
			}
			return net
		}
		evaluate := func(net *network) measure.Embedding {
			t.Helper()
			e, err := net.embedAll(images)
			if err != nil {
				t.Fatal(err)
			}
			if e.Predicted, err = net.classify(e.Z); err != nil {
				t.Fatal(err)
			}
			return e
		}
		net := open()
		evaluate(net) // makes the variables
		changed := store.Arrays{}
		change := func(scale float32) {
			t.Helper()
			for variable := range net.store.IterVariables() {
				value, err := variable.Value()
				if err != nil {
					t.Fatal(err)
				}
				if value.DType() == dtypes.Float32 {
					tensors.MustMutableFlatData(value, func(elements []float32) {
						for i := range elements {
							elements[i] *= scale
						}
					})
				}
				// Where the backend shares memory with Go, the buffer stays where it is from now on.
				if err := value.MaterializeOnDevice(backend, true, 0); err != nil {
					t.Fatal(err)
				}
				if changed[strings.TrimPrefix(variable.Path(), "/")], err = value.LocalClone(); err != nil {
					t.Fatal(err)
				}
			}
		}
		change(0.5)
		before := evaluate(net)
		change(-3)
		got := evaluate(net)
		fresh := open()
		if err := fresh.restore(changed, nil); err != nil {
			t.Fatal(err)
		}
		want := evaluate(fresh)
		if slices.Equal(before.Z, want.Z) {
			t.Fatal("new values of the variables change nothing")
		}
		embedtest.CheckEqual(t, "embedding", got.Z, want.Z)
		embedtest.CheckEqual(t, "predicted classes", got.Predicted, want.Predicted)
	})
}
