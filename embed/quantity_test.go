package embed

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/explain"
	"github.com/embedspace/embedspace/losses"
)

// quantities are those of each kind, for a Result of embedtest.Patterns in two dimensions.
var quantities = []Quantity{
	ScoreOf("left"), ScoreOver("left", "top"), ProbabilityOf("top"), LogProbabilityOf("corner"),
	DistanceTo("top"), SquaredDistanceTo("left"), CosineTo("corner"),
	DistanceFrom([]float64{0.3, -1}), SquaredDistanceFrom([]float64{2, 1}), CosineWith([]float64{-1, 2}),
	Coordinate(0), Coordinate(1),
}

func function(t *testing.T, r *Result, q Quantity) explain.Function {
	t.Helper()
	f, err := r.Function(q)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// randomImages returns images of random numbers, a few more than a batch of a gauge.
func randomImages(n, pixels int) (images [][]float64) {
	random := rand.New(rand.NewPCG(1, 0))
	for range n {
		image := make([]float64, pixels)
		for p := range image {
			image[p] = random.Float64()
		}
		images = append(images, image)
	}
	return images
}

// checkDifferences compares gradients with central differences of the values. Where those to
// the two sides differ, a kink of relu or of a pooling is near: such pixels are left out, and
// must be few.
func checkDifferences(t *testing.T, f explain.Function, images [][]float64) {
	t.Helper()
	gradients, err := f.Gradients(images)
	if err != nil {
		t.Fatal(err)
	}
	compared, all := 0, 0
	for i, image := range images {
		const width = 0.001
		moved := [][]float64{image}
		for p := range image {
			for _, by := range []float64{-width, width} {
				x := slices.Clone(image)
				x[p] += by
				moved = append(moved, x)
			}
		}
		values, err := f.Values(moved)
		if err != nil {
			t.Fatal(err)
		}
		largest := math.Max(slices.Max(gradients[i]), -slices.Min(gradients[i]))
		if largest == 0 {
			t.Errorf("image %d: the gradient is 0", i)
		}
		for p, g := range gradients[i] {
			before, after := (values[0]-values[1+2*p])/width, (values[2+2*p]-values[0])/width
			all++
			if math.Abs(after-before) > 0.02*largest {
				continue
			}
			compared++
			if central := (before + after) / 2; math.Abs(central-g) > 0.02*largest {
				t.Errorf("image %d, pixel %d: the gradient is %v, differences say %v", i, p, g, central)
			}
		}
	}
	if compared < all*3/4 {
		t.Errorf("%d of %d pixels are away from kinks", compared, all)
	}
}

// TestGradients compares the gradients of all kinds of quantities with finite differences: of
// the paper's network on gray and on color images, of one that has no kinks, and of techniques
// with other rules.
func TestGradients(t *testing.T) {
	t.Cleanup(func() { clear(extractors.byName) })
	if err := RegisterExtractor("smooth", func(scope *model.Scope, images *graph.Node) *graph.Node {
		return graph.Tanh(layers.DenseWithBias(scope.In("dense"), graph.Reshape(images, images.Shape().Dim(0), -1), 8))
	}); err != nil {
		t.Fatal(err)
	}
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, test := range []struct {
			technique, extractor string
			size, channels       int
			quantities           []Quantity
		}{
			{"softmax", "smooth", 4, 1, quantities},
			{"softmax", "paper", 8, 3, quantities[:1]},
			{"cosface", "smooth", 4, 1, quantities[:1]},
			{"triplet-all", "smooth", 4, 3, quantities[:1]},
			{"supcon", "smooth", 4, 1, quantities[:1]},
			{"regression-circle", "paper", 7, 1, quantities[5:6]},
		} {
			cfg := smallOn(backend)
			cfg.Technique, cfg.Extractor = test.technique, test.extractor
			train, held := embedtest.Patterns(24, test.size, test.channels, 1), embedtest.Patterns(30, test.size, test.channels, 2)
			result, err := Fit(t.Context(), cfg, train, held, quiet(Options{}))
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range test.quantities {
				t.Run(fmt.Sprintf("%s, %s, %s", test.technique, test.extractor, q), func(t *testing.T) {
					checkDifferences(t, function(t, result, q), randomImages(3, test.size*test.size*test.channels))
				})
			}
		}
	})
}

// TestValues: quantities are what the embedding says.
func TestValues(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		result := mustFitSmall(t, smallOn(backend), Options{})
		_, test := embedtest.SmallData()
		var images [][]float64
		for i := range test.Len() {
			one, err := only(test, i)
			if err != nil {
				t.Fatal(err)
			}
			images = append(images, numbers(one))
		}
		images = append(images, images...) // more than a batch
		values := func(q Quantity) []float64 {
			t.Helper()
			values, err := function(t, result, q).Values(images)
			if err != nil {
				t.Fatal(err)
			}
			return values
		}
		scores, err := result.Scores(result.Test.Z)
		if err != nil {
			t.Fatal(err)
		}
		means := result.Train.Means()
		for i := range images {
			z, s := result.Test.Points()[i%test.Len()], scores[3*(i%test.Len()):]
			top := math.Hypot(z[0]-means[0][0], z[1]-means[0][1])
			sum := math.Exp(float64(s[0])) + math.Exp(float64(s[1])) + math.Exp(float64(s[2]))
			for _, c := range []struct {
				q    Quantity
				want float64
			}{
				{ScoreOf("left"), float64(s[1])},
				{ScoreOver("left", "top"), float64(s[1] - s[0])},
				{ProbabilityOf("corner"), math.Exp(float64(s[2])) / sum},
				{LogProbabilityOf("corner"), float64(s[2]) - math.Log(sum)},
				{DistanceTo("top"), top},
				{SquaredDistanceTo("top"), top * top},
				{CosineTo("top"), (z[0]*means[0][0] + z[1]*means[0][1]) / math.Hypot(z[0], z[1]) / math.Hypot(means[0][0], means[0][1])},
				{DistanceFrom([]float64{3, 0}), math.Hypot(z[0]-3, z[1])},
				{Coordinate(1), z[1]},
			} {
				if i == 0 || i == len(images)-1 {
					embedtest.CheckNear(t, c.q.String(), values(c.q)[i:i+1], []float64{c.want}, 1e-4)
				}
			}
		}
	})
}

// TestAtZero: where a distance is 0 its gradient is, too, and the origin has no direction.
func TestAtZero(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for kind, point := range map[quantityKind][]float64{kindDistance: {1, 2}, kindSquaredDistance: {1, 2}, kindCosine: {0, 0}} {
			outputs, err := graph.CallOnceN(backend, func(inputs []*graph.Node) []*graph.Node {
				z := inputs[0]
				value := kind.of(z, nil, inputs[1])
				return []*graph.Node{value, graph.Gradient(graph.ReduceAllSum(value), z)[0]}
			}, [][]float64{point}, []float64{1, 2})
			if err != nil {
				t.Fatal(err)
			}
			value, gradient := tensors.MustCopyFlatData[float64](outputs[0]), tensors.MustCopyFlatData[float64](outputs[1])
			embedtest.CheckEqual(t, string(kind), value, []float64{0})
			if kind == kindCosine {
				if !finite(gradient) {
					t.Errorf("the gradient of the cosine at the origin is %v", gradient)
				}
				continue
			}
			embedtest.CheckEqual(t, "gradient of "+string(kind), gradient, []float64{0, 0})
		}
	})
}

// TestUsesGradients: the graphs of the quantities, in float64, have the golden values and
// gradients.
func TestUsesGradients(t *testing.T) {
	var golden struct {
		Attribution []struct {
			Name string
			Kind string
			Net  struct {
				A1, A2 [][]float64
				C1, C2 []float64
			}
			Params struct {
				T            []float64
				W            [][]float64
				B            []float64
				Class, Other int
			}
			X, Z     []float64
			Value    float64
			Gradient []float64
		}
	}
	embedtest.Uses(t, "attribution.json", &golden)
	kinds := map[string]quantityKind{
		"logit": kindScore, "logit_difference": kindScore, "log_softmax": kindLogProbability, "softmax": kindProbability,
		"distance": kindDistance, "squared_distance": kindSquaredDistance, "cosine": kindCosine,
	}
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, c := range golden.Attribution {
			t.Run(c.Name, func(t *testing.T) {
				kind, known := kinds[c.Kind]
				if !known {
					t.Fatalf("kind %q", c.Kind)
				}
				about := c.Params.T
				if slices.Contains([]quantityKind{kindScore, kindLogProbability, kindProbability}, kind) {
					about = make([]float64, len(c.Params.B))
					about[c.Params.Class] = 1
					if c.Kind == "logit_difference" {
						about[c.Params.Other] = -1
					}
				}
				outputs, err := graph.CallOnceN(backend, func(inputs []*graph.Node) []*graph.Node {
					x, about := inputs[0], inputs[1]
					constant := func(value any) *graph.Node { return graph.Const(x.Graph(), value) }
					h := x
					if c.Net.A1 != nil {
						h = graph.Tanh(losses.Logits(x, constant(c.Net.A1), constant(c.Net.C1)))
					}
					z := losses.Logits(h, constant(c.Net.A2), constant(c.Net.C2))
					value := kind.of(z, func() *graph.Node { return losses.Logits(z, constant(c.Params.W), constant(c.Params.B)) }, about)
					return []*graph.Node{z, value, graph.Gradient(graph.ReduceAllSum(value), x)[0]}
				}, [][]float64{c.X}, about)
				if err != nil {
					t.Fatal(err)
				}
				for i, want := range [][]float64{c.Z, {c.Value}, c.Gradient} {
					what := [...]string{"z", "value", "gradient"}[i]
					embedtest.CheckNear(t, what, tensors.MustCopyFlatData[float64](outputs[i]), want, 1e-9)
				}
			})
		}
	})
}

func TestFunctionRefuses(t *testing.T) {
	failing := false
	register(t, Technique{
		ID: "failing", Loss: softmax.Loss, ClassVectors: Head.Weights,
		Scores: func(h Head) *graph.Node {
			if failing {
				panic(errors.New("fails on purpose"))
			}
			return softmax.Scores(h)
		},
	})
	cfg := small()
	cfg.Technique = "failing"
	result := mustFitSmall(t, cfg, Options{})
	for _, test := range []struct {
		q     Quantity
		words []string
	}{
		{Quantity{}, []string{"quantity", "ScoreOf"}},
		{ScoreOf("bottom"), []string{`class is "bottom"`, "allowed: top, left, corner"}},
		{ScoreOver("top", "bottom"), []string{`class is "bottom"`}},
		{DistanceTo(""), []string{`class is ""`, "allowed: top"}},
		{Coordinate(2), []string{"coordinate is 2", "allowed: 0 to 1"}},
		{Coordinate(-1), []string{"coordinate is -1"}},
		{ScoreOver("top", ""), []string{`class is ""`}},
		{DistanceFrom([]float64{1}), []string{"point is", "2 finite numbers"}},
		{SquaredDistanceFrom(nil), []string{"point is []", "2 finite numbers"}},
		{CosineWith([]float64{1, math.NaN()}), []string{"NaN", "2 finite numbers"}},
	} {
		_, err := result.Function(test.q)
		embedtest.WantError(t, err, test.words...)
	}
	f := function(t, result, ScoreOf("top"))
	_, err := f.Values([][]float64{{1, 2, 3}})
	embedtest.WantError(t, err, "an image of 3 numbers", "allowed: 16, for [4 4 1]")
	failing = true
	_, err = f.Values(randomImages(1, 16))
	embedtest.WantError(t, err, `technique "failing"`, "fails on purpose")
	_, err = f.Gradients(randomImages(1, 16))
	embedtest.WantError(t, err, "fails on purpose")

	_, err = (&Result{}).Function(ScoreOf("top"))
	if !errors.Is(err, ErrNoNetwork) {
		t.Errorf("made by hand: error %v, want ErrNoNetwork", err)
	}
	lonely := *result
	lonely.ClassNames = append(slices.Clone(result.ClassNames), "empty")
	_, err = lonely.Function(DistanceTo("empty"))
	embedtest.WantError(t, err, `class "empty" has no training images`)
}
