package embed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/losses"
	"github.com/embedspace/embedspace/viz"
)

// TestEveryTechnique trains each technique a little on each backend, and loads the result.
func TestEveryTechnique(t *testing.T) {
	for _, technique := range Techniques() {
		t.Run(technique.ID, func(t *testing.T) {
			embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
				t.Setenv(FolderEnv, t.TempDir())
				cfg := smallOn(backend)
				cfg.Technique = technique.ID
				result := mustFitSmall(t, cfg, Options{Out: "result"})
				for what, values := range map[string][]float32{"z": result.Test.Z, "class vectors": result.ClassVectors} {
					for i, x := range values {
						if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
							t.Fatalf("%s[%d] is %v", what, i, x)
						}
					}
				}
				embedtest.CheckEqual(t, "number of coordinates of class vectors", len(result.ClassVectors), 3*2)
				loaded, err := Load("result")
				if err != nil {
					t.Fatal(err)
				}
				classified, err := loaded.Classify(result.Test.Z)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckEqual(t, "classes by the loaded result", classified, result.Test.Predicted)
				known, err := loaded.Known("", result.Test.Z)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckEqual(t, "number of scores of known", len(known), result.Test.Len())
				switch {
				case technique.Geometry != Space && technique.Geometry != Sphere:
					t.Errorf("the geometry is %q", technique.Geometry)
				case technique.Geometry == Sphere && technique.ID != "softmax": // which has biases
					further := slices.Clone(result.Test.Z)
					for i := range further {
						further[i] *= 8
					}
					classified, err := loaded.Classify(further)
					if err != nil {
						t.Fatal(err)
					}
					embedtest.CheckEqual(t, "classes of points in the same directions", classified, result.Test.Predicted)
				}
			})
		})
	}
}

// TestEveryTechniqueResumes trains each technique, interrupted after an epoch and
// resumed, to the same bits as without interruption.
func TestEveryTechniqueResumes(t *testing.T) {
	for _, technique := range Techniques() {
		t.Run(technique.ID, func(t *testing.T) {
			t.Setenv(FolderEnv, t.TempDir())
			cfg := small()
			cfg.Technique = technique.ID
			whole := mustFitSmall(t, cfg, Options{})
			stop := errors.New("stop")
			_, err := fitSmall(t.Context(), cfg, Options{Out: "parts", OnEpoch: func(*Result) error { return stop }})
			if !errors.Is(err, stop) {
				t.Fatalf("got the error %v, want %v", err, stop)
			}
			parts := mustFitSmall(t, cfg, Options{Out: "parts", Resume: true})
			embedtest.CheckEqual(t, "z of the resumed run", parts.Test.Z, whole.Test.Z)
			embedtest.CheckEqual(t, "class vectors of the resumed run", parts.ClassVectors, whole.ClassVectors)
		})
	}
}

// TestNearestCenter trains with a technique of which only the loss is given: the nearest
// center decides, and at the end the centers are the class means of the training images.
func TestNearestCenter(t *testing.T) {
	register(t, Technique{ID: "pull", Loss: func(h Head) *graph.Node {
		positive, negative := losses.PairDistances(h.Z, h.Labels)
		h.Monitor("negative", negative)
		return graph.Sub(positive, negative)
	}})
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		cfg := smallOn(backend)
		cfg.Technique = "pull"
		result := mustFitSmall(t, cfg, Options{})
		means := result.Train.Means()
		for class, mean := range means {
			for j, coordinate := range mean {
				if got := float64(result.ClassVectors[class*2+j]); math.Abs(got-coordinate) > 1e-5 {
					t.Errorf("center %d, coordinate %d is %g, want the mean %g", class, j, got, coordinate)
				}
			}
		}
		for i, predicted := range result.Test.Predicted {
			nearest, least := int32(-1), math.Inf(1)
			for class, mean := range means {
				z := result.Test.Z[2*i : 2*i+2]
				if d := math.Hypot(float64(z[0])-mean[0], float64(z[1])-mean[1]); d < least {
					nearest, least = int32(class), d
				}
			}
			if predicted != nearest {
				t.Errorf("image %d is taken for class %d, the nearest center is %d", i, predicted, nearest)
			}
		}
		classified, err := result.Classify(result.Test.Z)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "Classify of the test embedding", classified, result.Test.Predicted)
		for _, epoch := range result.History {
			if value, ok := epoch.Monitors["negative"]; !ok || value <= 0 {
				t.Errorf("the monitors of epoch %d are %v", epoch.Epoch, epoch.Monitors)
			}
		}
		if scatter := result.Scatter(); scatter.ClassVectors != nil || scatter.Targets != nil {
			t.Error("centers are drawn")
		}
	})
}

// TestNearestDirection: with the geometry Sphere the center in the nearest direction decides,
// and the centers are the means of unit vectors.
func TestNearestDirection(t *testing.T) {
	register(t, Technique{ID: "turn", Geometry: Sphere, Loss: func(h Head) *graph.Node {
		positive, negative := losses.PairDistances(losses.Normalize(h.Z), h.Labels)
		return graph.Sub(positive, negative)
	}})
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		cfg := smallOn(backend)
		cfg.Technique = "turn"
		result := mustFitSmall(t, cfg, Options{})
		means := result.Train.OnSphere().Means()
		for class, mean := range means {
			for j, coordinate := range mean {
				if got := float64(result.ClassVectors[class*2+j]); math.Abs(got-coordinate) > 1e-5 {
					t.Errorf("center %d, coordinate %d is %g, want the mean %g", class, j, got, coordinate)
				}
			}
		}
		for i, predicted := range result.Test.Predicted {
			nearest, most := int32(-1), math.Inf(-1)
			for class, mean := range means {
				z := result.Test.Z[2*i : 2*i+2]
				dot := float64(z[0])*mean[0] + float64(z[1])*mean[1]
				if cos := dot / math.Hypot(mean[0], mean[1]); cos > most {
					nearest, most = int32(class), cos
				}
			}
			if predicted != nearest {
				t.Errorf("image %d is taken for class %d, the nearest direction is that of %d", i, predicted, nearest)
			}
		}
	})
}

func TestClassifyRefuses(t *testing.T) {
	result := mustFitSmall(t, small(), Options{})
	for _, z := range [][]float32{nil, {1, 2, 3}} {
		_, err := result.Classify(z)
		embedtest.WantError(t, err, "coordinates", "a multiple of 2")
	}
}

// TestWords: each word of a parameter makes another embedding.
func TestWords(t *testing.T) {
	words := 0
	for _, technique := range Techniques() {
		for _, param := range technique.Params {
			var earlier [][]float32
			for _, word := range param.Words {
				words++
				cfg := small()
				cfg.Epochs, cfg.Technique, cfg.Params = 6, technique.ID, Params{param.Name: word}
				// A strong pull, and triplets of which only some have a loss.
				for name, value := range (Params{"lambda": 1, "margin": 0.001, "mining": "strict"}) {
					if name != param.Name && slices.ContainsFunc(technique.Params, func(p Param) bool { return p.Name == name }) {
						cfg.Params[name] = value
					}
				}
				result := mustFitSmall(t, cfg, Options{})
				for i, z := range earlier {
					if slices.Equal(z, result.Test.Z) {
						t.Errorf("%s: %s=%s changes nothing against %s", technique.ID, param.Name, word, param.Words[i])
					}
				}
				earlier = append(earlier, result.Test.Z)
				if param.Name == "biases" {
					embedtest.CheckEqual(t, "there are biases with "+word, result.net.store.GetVariable("/head/b") != nil, word == "trained")
				}
			}
		}
	}
	if words == 0 {
		t.Error("no parameter has words")
	}
}

// TestWhatCentersFollow: with alpha 0 the centers stay where they start, at zero.
func TestWhatCentersFollow(t *testing.T) {
	for _, update := range []string{"means", "wen"} {
		follow := func(alpha float64) *Result {
			cfg := small()
			cfg.Technique, cfg.Params = "center", Params{"alpha": alpha, "update": update, "lambda": 1}
			return mustFitSmall(t, cfg, Options{})
		}
		stay, move := follow(0), follow(0.5)
		if slices.Equal(stay.Test.Z, move.Test.Z) {
			t.Errorf("update=%s: alpha changes nothing", update)
		}
	}
}

func TestPanicOfATechnique(t *testing.T) {
	for name, bad := range map[string]Technique{
		"text": {ID: "bad", Loss: func(Head) *graph.Node { panic("my own words") }},
		"runtime": {ID: "bad", Loss: func(h Head) *graph.Node {
			var none []*graph.Node
			return none[h.Classes]
		}},
		"shape": {ID: "bad", Loss: func(h Head) *graph.Node {
			return graph.Add(h.Z, h.Constant([][]float64{{1, 2, 3, 4, 5}}))
		}},
		"scores": {ID: "bad", Loss: func(h Head) *graph.Node { return h.Z }, Scores: func(Head) *graph.Node { panic("my own words") }},
	} {
		t.Run(name, func(t *testing.T) {
			register(t, bad)
			cfg := small()
			cfg.Technique = "bad"
			_, err := fitSmall(t.Context(), cfg, Options{})
			if name == "text" || name == "scores" {
				embedtest.WantError(t, err, `technique "bad"`, "my own words")
			} else {
				embedtest.WantError(t, err)
			}
		})
	}
}

func TestRegister(t *testing.T) {
	before := registry.techniques
	t.Cleanup(func() { registry.techniques = before })
	loss := func(h Head) *graph.Node { return h.Z }
	if err := Register(Technique{ID: "mine", Loss: loss}); err != nil {
		t.Fatal(err)
	}
	mine, err := LookUp("mine")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "title", mine.Title, "mine")
	embedtest.CheckEqual(t, "parameters", mine.Params, []Param(nil))
	embedtest.CheckEqual(t, "geometry", mine.Geometry, Space)
	if err := Register(Technique{ID: "balanced", Loss: loss, Balanced: true}); err != nil {
		t.Fatal(err)
	}
	balanced, err := LookUp("balanced")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "parameters of balanced batches", balanced.Params, []Param{classesPerBatch})
	embedtest.WantError(t, Register(Technique{ID: "mine", Loss: loss}), `"mine"`, "already")
	embedtest.WantError(t, Register(Technique{Loss: loss}), "ID")
	embedtest.WantError(t, Register(Technique{ID: "other"}), "Loss")
	embedtest.WantError(t, Register(Technique{ID: "center/l2", Loss: loss}), `"center/l2"`, "folder")
	embedtest.WantError(t, Register(Technique{ID: "after", Loss: loss}), `"after"`, "family")
	another := regressionCircle
	another.ID = "another"
	if err := Register(another); err != nil {
		t.Fatal(err)
	}
	registered, err := LookUp("another")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "family", registered.Family, Family(""))
	embedtest.WantError(t, Register(Technique{ID: "other", Loss: loss, Geometry: "cube"}), `other is "cube"`, "space, sphere")
	embedtest.WantError(t, Register(Technique{ID: "other", Loss: loss, Kind: "target"}), `other is "target"`, "weights, centers, targets")
}

// TestOwnTechniqueErrors: what is wrong with a technique of one's own is an error.
func TestOwnTechniqueErrors(t *testing.T) {
	for name, wrong := range map[string]struct {
		change func(*Technique)
		words  []string
	}{
		"dtype of class vectors": {func(t *Technique) {
			t.ClassVectors = func(h Head) *graph.Node { return graph.ConvertDType(h.Weights(), dtypes.Float64) }
		}, []string{"class vectors are (Float64)[3, 2]", "(Float32)[3, 2]"}},
		"shape of class vectors": {func(t *Technique) {
			t.ClassVectors = func(h Head) *graph.Node { return graph.Reshape(h.Weights(), -1) }
		}, []string{"class vectors are (Float32)[6]", "(Float32)[3, 2]"}},
		"monitor": {func(t *Technique) {
			loss := t.Loss
			t.Loss = func(h Head) *graph.Node {
				zero := graph.ScalarZero(h.Z.Graph(), h.Z.DType())
				h.Monitor("share", graph.Div(zero, zero))
				return loss(h)
			}
		}, []string{"epoch 1, step 1", `"share" is NaN`}},
		"shape of a monitor": {func(t *Technique) {
			loss := t.Loss
			t.Loss = func(h Head) *graph.Node {
				h.Monitor("points", h.Z)
				return loss(h)
			}
		}, []string{`monitor "points" has the shape (Float32)[8, 2]`, "a scalar"}},
		"wrapped error": {func(t *Technique) {
			t.Loss = func(Head) *graph.Node { panic(fmt.Errorf("reading points.csv: %w", fs.ErrNotExist)) }
		}, []string{`technique "wrong"`, "reading points.csv: file does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			technique := softmax
			technique.ID = "wrong"
			wrong.change(&technique)
			register(t, technique)
			cfg := small()
			cfg.Technique = "wrong"
			train, test := embedtest.SmallData()
			out := t.TempDir()
			_, err := Fit(t.Context(), cfg, train, test, Options{Progress: io.Discard, Out: out})
			embedtest.WantError(t, err, wrong.words...)
			if name == "wrapped error" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v does not wrap its cause", err)
			}
			if name == "monitor" {
				embedtest.WantError(t, err, "the last good checkpoint, if any, is in "+out)
				if !errors.Is(err, ErrDiverged) {
					t.Errorf("%v is not ErrDiverged", err)
				}
			}
		})
	}
}

// TestUnknownParam: a name that is no parameter is an error, not 0.
func TestUnknownParam(t *testing.T) {
	for name, read := range map[string]func(h Head){
		"margn":  func(h Head) { h.Number("margn") },
		"update": func(h Head) { h.Number("update") },
		"margin": func(h Head) { h.Word("margin") },
	} {
		t.Run(name, func(t *testing.T) {
			register(t, Technique{ID: "misspelt", Params: []Param{
				{Name: "margin", Default: 1, Max: 2, Reason: "test"}, {Name: "scale", Default: 1, Max: 2, Reason: "test"},
				{Name: "update", Default: "means", Words: []string{"means", "wen"}, Reason: "test"},
			}, Loss: func(h Head) *graph.Node {
				read(h)
				return h.Z
			}})
			cfg := small()
			cfg.Technique = "misspelt"
			_, err := fitSmall(t.Context(), cfg, Options{})
			allowed := "allowed: margin, scale"
			if name == "margin" {
				allowed = "allowed: update"
			}
			embedtest.WantError(t, err, "misspelt", `"`+name+`"`, allowed)
		})
	}
}

func TestRegisterChecksParams(t *testing.T) {
	loss := func(h Head) *graph.Node { return h.Z }
	for _, test := range []struct {
		param Param
		words []string
	}{
		{Param{Name: "margin", Default: 3, Max: 2}, []string{"margin is 3", "0 to 2", `"own"`}},
		{Param{Name: "margin", Default: true}, []string{"margin is true"}},
		{Param{Name: "update", Default: "often", Words: []string{"means"}}, []string{`update is "often"`, "means"}},
		{Param{Name: "classes-per-batch", Default: "all", Words: []string{"all"}}, []string{"classes-per-batch", "whole numbers, 1 or more"}},
		{Param{Name: "classes-per-batch", Default: 0.5, Max: 1}, []string{"classes-per-batch", "whole numbers, 1 or more"}},
		{Param{Name: "", Default: 1, Max: 1}, []string{`""`, "no other parameter"}},
		{Param{Name: "dim", Default: 1, Max: 1}, []string{`"dim"`, "no field"}},
		{Param{Name: "order", Default: "inf", Words: []string{"inf", "two"}}, []string{`"inf"`, "no numbers"}},
	} {
		embedtest.WantError(t, Register(Technique{ID: "own", Loss: loss, Params: []Param{test.param}}), test.words...)
	}
}

func TestRegisterExtractor(t *testing.T) {
	t.Cleanup(func() { clear(extractors.byName) })
	mean := func(scope *model.Scope, images *graph.Node) *graph.Node {
		return layers.DenseWithBias(scope.In("mean"), graph.ReduceMean(images, -1, -2), 8)
	}
	if err := RegisterExtractor("mean", mean); err != nil {
		t.Fatal(err)
	}
	embedtest.WantError(t, RegisterExtractor("mean", mean), `"mean"`, "already")
	embedtest.WantError(t, RegisterExtractor("paper", mean), `"paper"`, "already")
	embedtest.WantError(t, RegisterExtractor("", mean), "name")
	embedtest.WantError(t, RegisterExtractor("none", nil), "function")
	cfg := small()
	if err := cfg.Set("extractor", "mean"); err != nil {
		t.Fatal(err)
	}
	described, err := Layers(cfg, 4, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "layers", described, []viz.Layer{{Name: "image", Output: []int{4, 4, 1}, Parameters: 0}, {Name: "mean", Output: []int{8}, Parameters: 4*8 + 8}, {Name: "FC(2)", Output: []int{2}, Parameters: 8*2 + 2}})
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		cfg.Backend = backends.Name(backend)
		result := mustFitSmall(t, cfg, Options{})
		embedtest.CheckEqual(t, "extractor", result.Config.Extractor, "mean")
		for variable := range result.net.store.IterVariables() {
			if strings.Contains(variable.Path(), "conv") {
				t.Errorf("the paper's extractor is there too: %s", variable.Path())
			}
		}
	})
}

func TestRegressionToOwnTargets(t *testing.T) {
	own := [][]float64{{3, 0}, {0, 3}, {-3, -3}}
	register(t, Regression("mine", "My targets", func(classes, dim int) ([][]float64, error) {
		if dim != 2 {
			return nil, errors.New("my targets are in 2-D")
		}
		return own, nil
	}))
	cfg := small()
	cfg.Technique = "mine"
	result := mustFitSmall(t, cfg, Options{})
	embedtest.CheckEqual(t, "class vectors", result.ClassVectors, []float32{3, 0, 0, 3, -3, -3})
	embedtest.CheckEqual(t, "targets of the picture", result.Scatter().Targets, result.ClassVectors)
	cfg.Dim = 3
	_, err := fitSmall(context.Background(), cfg, Options{})
	embedtest.WantError(t, err, "my targets are in 2-D")
}

func TestBalancedOrder(t *testing.T) {
	var labels []int32
	for i := range 300 { // classes of different sizes; class 2 has no image
		labels = append(labels, []int32{0, 0, 0, 1, 3, 4}[i%6])
	}
	const batch = 30
	order := balancedOrder(labels, 3, batch, 1, 0)
	embedtest.CheckEqual(t, "the same arguments", balancedOrder(labels, 3, batch, 1, 0), order)
	if slices.Equal(order, balancedOrder(labels, 3, batch, 1, 1)) || slices.Equal(order, balancedOrder(labels, 3, batch, 2, 0)) {
		t.Error("another epoch or seed has the same order")
	}
	embedtest.CheckEqual(t, "images in an epoch", len(order), 300)
	seen := map[int32]bool{}
	lastSeen := map[int]int{}
	times := map[int]int{}
	for from := 0; from < len(order); from += batch {
		count := map[int32]int{}
		for _, i := range order[from : from+batch] {
			count[labels[i]]++
			seen[labels[i]] = true
			times[i]++
			lastSeen[i] = from
		}
		if len(count) != 3 {
			t.Errorf("the batch at %d has %d classes: %v", from, len(count), count)
		}
		for class, n := range count {
			if n != 10 {
				t.Errorf("the batch at %d has %d images of class %d, want 10", from, n, class)
			}
		}
	}
	embedtest.CheckEqual(t, "classes in an epoch", len(seen), 4)
	for _, class := range []int32{0, 1, 3, 4} { // within a class no image is seen twice more than another
		least, most := math.MaxInt, 0
		for i, label := range labels {
			if label == class {
				least, most = min(least, times[i]), max(most, times[i])
			}
		}
		if most-least > 1 {
			t.Errorf("images of class %d are seen %d to %d times", class, least, most)
		}
	}
	few := balancedOrder([]int32{5, 5, 5, 5}, 8, 2, 1, 0)
	embedtest.CheckEqual(t, "images of one class", len(few), 4)
}

func TestCollapseIsSaid(t *testing.T) {
	for _, test := range []struct {
		positive, negative float64
		warns              bool
	}{{0, 0, true}, {1, 1, true}, {1, 1.05, true}, {1, 2, false}, {0, 1e-9, false}} {
		var log strings.Builder
		p := newProgress(&log, Config{}, 1)
		p.collapse(Epoch{Monitors: map[string]float64{positiveDistance: test.positive, negativeDistance: test.negative}})
		if got := strings.Contains(log.String(), "collapse"); got != test.warns {
			t.Errorf("distances %g and %g: warned is %v, want %v: %q", test.positive, test.negative, got, test.warns, log.String())
		}
	}
	var log strings.Builder
	newProgress(&log, Config{}, 1).collapse(Epoch{})
	embedtest.CheckEqual(t, "what is said without monitors", log.String(), "")
}

func TestCentersAreNotTrained(t *testing.T) {
	backend, err := backends.Open("go", nil)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if _, err := model.CallOnce(backend, store, func(scope *model.Scope, g *graph.Graph) *graph.Node {
		h := Head{Scope: scope, Z: graph.Zeros(g, shapes.Make(dtypes.Float32, 4, 2)), Classes: 3}
		return graph.Add(h.Centers(), h.Weights())
	}); err != nil {
		t.Fatal(err)
	}
	var trained []string
	for variable := range store.IterVariables() {
		if variable.Trainable {
			trained = append(trained, variable.Name())
		}
	}
	embedtest.CheckEqual(t, "trained variables", trained, []string{"W"})
}
