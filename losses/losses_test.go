package losses_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// A testedLoss is a loss with the names of its inputs, those of the constants among them (into
// which no gradient flows), and the same loss as a naive loop. The loop returns values whose
// mean is minimized: one per example, or one for the whole batch.
type testedLoss struct {
	name      string
	inputs    []string
	constants []string
	loss      lossFn
	naive     func(in arrays, labels []int32) []float64
	// held is the naive loop whose factors without a gradient are those of the inputs at; nil:
	// it has none.
	held func(at arrays, labels []int32) func(in arrays, labels []int32) []float64
}

var allLosses = slices.Concat([]testedLoss{
	{"softmax", []string{"z", "W", "b"}, nil, softmax, naiveSoftmax, nil},
	{"softmax without b", []string{"z", "W"}, nil, softmax, naiveSoftmax, nil},
	{"softmax_normalized", []string{"z", "W"}, nil, normalizedSoftmax, naiveNormalizedSoftmax, nil},
}, marginLosses, centerLosses, pairLosses, similarityLosses, weightLosses, anchorLosses)

func scalar(like *graph.Node, value float64) *graph.Node {
	return graph.Scalar(like.Graph(), like.DType(), value)
}

// gaussian returns a matrix of normally distributed numbers.
func gaussian(rng *rand.Rand, rows, columns int) [][]float64 {
	x := make([][]float64, rows)
	for i := range x {
		x[i] = make([]float64, columns)
		for j := range x[i] {
			x[i][j] = rng.NormFloat64()
		}
	}
	return x
}

// randomInputs returns the named inputs (of z, W, b, centers, targets, proxies, subcenters, R),
// and labels.
func randomInputs(names []string, batch, classes, dim int) (arrays, []int32) {
	rng := rand.New(rand.NewPCG(uint64(batch), uint64(100*classes+dim)))
	all := arrays{"z": gaussian(rng, batch, dim), "W": gaussian(rng, classes, dim), "b": gaussian(rng, 1, classes)[0]}
	labels := make([]int32, batch)
	for i := range labels {
		labels[i] = rng.Int32N(int32(classes))
	}
	all["centers"], all["targets"] = gaussian(rng, classes, dim), gaussian(rng, classes, dim)
	all["proxies"], all["R"] = gaussian(rng, classes, dim), []float64{0.7}
	subcenters := make([][][]float64, classes)
	for j := range subcenters {
		subcenters[j] = gaussian(rng, 3, dim)
	}
	all["subcenters"] = subcenters
	return pick(all, names), labels
}

func pick(all arrays, names []string) arrays {
	picked := arrays{}
	for _, name := range names {
		picked[name] = all[name]
	}
	return picked
}

// centralDifferences returns the gradient of the mean loss with respect to an input of the
// loss, with an error of order h^4.
func centralDifferences(loss func() []float64, input any) (gradient []float64) {
	const h = 2e-5
	for _, x := range elements(input) {
		saved := *x
		shifted := func(shift float64) float64 {
			*x = saved + shift
			defer func() { *x = saved }()
			return mean(loss())
		}
		gradient = append(gradient, (8*(shifted(h)-shifted(-h))-(shifted(2*h)-shifted(-2*h)))/(12*h))
	}
	return gradient
}

func TestAgainstNaiveLoop(t *testing.T) {
	for _, l := range allLosses {
		for _, shape := range []struct {
			batch, classes, dim int
			run                 func(t *testing.T, test func(t *testing.T, p platform))
		}{
			{8, 4, 3, onPlatforms}, {1, 2, 2, onPureGo}, {12, 3, 16, onPureGo}, {9, 3, 20, onPureGo},
		} {
			in, labels := randomInputs(l.inputs, shape.batch, shape.classes, shape.dim)
			t.Run(fmt.Sprintf("%s/%dx%dx%d", l.name, shape.batch, shape.classes, shape.dim), func(t *testing.T) {
				want := l.naive(in, labels)
				trained := slices.DeleteFunc(slices.Clone(l.inputs), func(name string) bool { return slices.Contains(l.constants, name) })
				naive := l.naive
				if l.held != nil {
					at, _ := randomInputs(l.inputs, shape.batch, shape.classes, shape.dim)
					naive = l.held(at, labels)
				}
				var wantGradient []float64
				for _, name := range trained {
					wantGradient = append(wantGradient,
						centralDifferences(func() []float64 { return naive(in, labels) }, in[name])...)
				}
				shape.run(t, func(t *testing.T, p platform) {
					values, gradients := p.cachedEvaluator(t, l)(in, labels)
					if len(want) == len(values) {
						checkClose(t, "losses", values, want, p.tolerance)
					}
					checkClose(t, "mean loss", []float64{mean(values)}, []float64{mean(want)}, p.tolerance)
					// One vector: in 1-D the normalized weights have no gradient of their own.
					var gradient []float64
					for _, name := range trained {
						gradient = append(gradient, gradients[name]...)
					}
					checkClose(t, fmt.Sprintf("gradient of %v", trained), gradient, wantGradient, p.tolerance)
					for _, name := range l.constants {
						checkClose(t, "gradient of the constant "+name, gradients[name], make([]float64, len(gradients[name])), 0)
					}
				})
			})
		}
	}
}

func TestPermutationOfTheBatch(t *testing.T) {
	for _, l := range allLosses {
		t.Run(l.name, func(t *testing.T) {
			in, labels := randomInputs(l.inputs, 8, 4, 3)
			z := in["z"].([][]float64)
			permuted, permutedLabels := pick(in, l.inputs), make([]int32, 8)
			permutedZ, order := make([][]float64, 8), rand.New(rand.NewPCG(1, 2)).Perm(8)
			for i, from := range order {
				permutedZ[i], permutedLabels[i] = z[from], labels[from]
			}
			permuted["z"] = permutedZ
			onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
				evaluate := p.cachedEvaluator(t, l)
				values, gradients := evaluate(in, labels)
				permutedValues, permutedGradients := evaluate(permuted, permutedLabels)
				want := slices.Clone(values)
				if len(values) == 8 { // else they are those of the classes
					for i, from := range order {
						want[i] = values[from]
					}
				}
				checkClose(t, "losses", permutedValues, want, p.tolerance)
				for name, gradient := range gradients {
					if name != "z" {
						checkClose(t, "gradient of "+name, permutedGradients[name], gradient, p.tolerance)
					}
				}
			})
		})
	}
}

// rotated rotates each row by one radian in the plane of its first two coordinates, then in
// that of the last two.
func rotated(x [][]float64) [][]float64 {
	sin, cos := math.Sincos(1)
	result := make([][]float64, len(x))
	for i, row := range x {
		result[i] = append([]float64(nil), row...)
		for _, axis := range []int{0, len(row) - 2} {
			a, b := result[i][axis], result[i][axis+1]
			result[i][axis], result[i][axis+1] = cos*a-sin*b, sin*a+cos*b
		}
	}
	return result
}

// translated adds the same vector to each row.
func translated(x [][]float64) [][]float64 {
	result := make([][]float64, len(x))
	for i, row := range x {
		for j, element := range row {
			result[i] = append(result[i], element+float64(j)-2)
		}
	}
	return result
}

// TestInvariance: all losses are invariant under rotations of all their inputs, those of
// distances also under translations.
func TestInvariance(t *testing.T) {
	for _, l := range allLosses {
		t.Run(l.name, func(t *testing.T) {
			in, labels := randomInputs(l.inputs, 8, 4, 3)
			apply := func(motion func([][]float64) [][]float64) arrays {
				changed := pick(in, l.inputs)
				for name, input := range changed {
					switch input := input.(type) {
					case [][]float64:
						changed[name] = motion(input)
					case [][][]float64:
						moved := make([][][]float64, len(input))
						for j, rows := range input {
							moved[j] = motion(rows)
						}
						changed[name] = moved
					}
				}
				return changed
			}
			ofDistances := slices.ContainsFunc(slices.Concat(centerLosses, pairLosses), func(other testedLoss) bool { return other.name == l.name }) ||
				strings.HasPrefix(l.name, "cac")
			onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
				evaluate := p.cachedEvaluator(t, l)
				values, _ := evaluate(in, labels)
				rotatedValues, _ := evaluate(apply(rotated), labels)
				checkClose(t, "losses after a rotation", rotatedValues, values, p.tolerance)
				if ofDistances {
					translatedValues, _ := evaluate(apply(translated), labels)
					checkClose(t, "losses after a translation", translatedValues, values, p.tolerance)
				}
			})
		})
	}
}

func TestSoftmaxLossesOfEqualLogitsAreLogClasses(t *testing.T) {
	for _, l := range allLosses[:3] {
		t.Run(l.name, func(t *testing.T) {
			in, labels := randomInputs(l.inputs, 8, 10, 2)
			W := in["W"].([][]float64)
			for j := range W {
				W[j] = W[0]
			}
			if b, biased := in["b"].([]float64); biased {
				for j := range b {
					b[j] = b[0]
				}
			}
			want := make([]float64, 8)
			for i := range want {
				want[i] = math.Log(10)
			}
			onPlatforms(t, func(t *testing.T, p platform) {
				values, _ := p.evaluator(t, l.loss, l.inputs...)(in, labels)
				checkClose(t, "losses", values, want, p.tolerance)
			})
		})
	}
}

// TestIsFinite: values and gradients are finite in float32, even for inputs at which a naive
// formula overflows or divides by zero.
func TestIsFinite(t *testing.T) {
	scaled := func(scale float64) [][]float64 {
		return [][]float64{{0.6 * scale, -0.8 * scale}, {0.6 * scale, 0.8 * scale}, {-scale, 0}, {0, scale}}
	}
	unit := scaled(1)
	zeros := [][]float64{{0, 0}, {0, 0}, {0, 0}, {0, 0}}
	identical := [][]float64{{1, 2}, {1, 2}, {1, 2}, {1, 2}}
	distinct, paired, single := []int32{0, 1, 2, 3}, []int32{0, 0, 1, 1}, []int32{0, 0, 0, 0}
	cases := 0
	for _, test := range []struct {
		name   string
		z, W   [][]float64
		b      []float64
		labels []int32
	}{
		{"logits of +-1e6", scaled(1e6), unit, []float64{0, 0, 0, 0}, paired},
		{"weights of 1e6", unit, scaled(1e6), []float64{1e6, -1e6, 0, 1}, paired},
		{"z of 0", zeros, unit, []float64{0, 0, 0, 0}, paired},
		{"z of 1e-20", scaled(1e-20), unit, []float64{0, 0, 0, 0}, paired},
		{"W of 0", unit, zeros, []float64{0, 0, 0, 0}, paired},
		{"W of 1e-20", unit, scaled(1e-20), []float64{0, 0, 0, 0}, paired},
		{"identical points", identical, unit, []float64{0, 0, 0, 0}, paired},
		{"identical points and weights", identical, identical, []float64{0, 0, 0, 0}, distinct},
		{"cosines of 1", unit, unit, []float64{0, 0, 0, 0}, distinct},
		{"cosines of -1", [][]float64{{-0.6, 0.8}, {-0.6, -0.8}, {1, 0}, {0, -1}}, unit, []float64{0, 0, 0, 0}, distinct},
		{"no positives", unit, unit, []float64{0, 0, 0, 0}, distinct},
		{"one class only", unit, unit, []float64{0, 0, 0, 0}, single},
		{"two points coincide", [][]float64{{1, 2}, {1, 2}, {3, 4}, {5, 6}}, unit, []float64{0, 0, 0, 0}, []int32{0, 1, 0, 1}},
	} {
		in := arrays{"z": test.z, "W": test.W, "b": test.b, "centers": test.W, "targets": test.W, "proxies": test.W, "R": []float64{1}}
		var subcenters [][][]float64
		for _, w := range test.W {
			subcenters = append(subcenters, [][]float64{w, w, {-w[1], w[0]}})
		}
		in["subcenters"] = subcenters
		for _, l := range allLosses {
			t.Run(test.name+"/"+l.name, func(t *testing.T) {
				onBackends(t, dtypes.Float32, func(t *testing.T, p platform) {
					values, gradients := p.cachedEvaluator(t, l)(pick(in, l.inputs), test.labels)
					checkFinite(t, "losses", values)
					for name, gradient := range gradients {
						checkFinite(t, "gradient of "+name, gradient)
					}
					noTriplet := test.name == "no positives" || test.name == "one class only"
					if noTriplet && l.name != "contrastive" && slices.ContainsFunc(pairLosses, func(pair testedLoss) bool { return pair.name == l.name }) {
						checkClose(t, "losses without a triplet", values, make([]float64, 4), 0)
					}
					cases++
				})
			})
		}
	}
	t.Logf("%d cases x backends", cases)
}

// cachedEvaluator is evaluator, but compiles each loss only once per platform.
func (p platform) cachedEvaluator(t *testing.T, l testedLoss) func(in arrays, labels []int32) ([]float64, map[string][]float64) {
	t.Helper()
	key := fmt.Sprint(p.backend.Name(), p.dtype, l.name)
	exec := evaluators[key]
	if exec == nil {
		var err error
		if exec, err = graph.NewExec(p.backend, p.lossGraph(l.loss, l.inputs)); err != nil {
			t.Fatal(err)
		}
		evaluators[key] = exec
	}
	return evaluatorOf(t, exec, l.inputs)
}

var evaluators = map[string]*graph.Exec{}

// scalarOf computes a scalar that has no inputs.
func (p platform) scalarOf(t *testing.T, value func(g *graph.Graph) *graph.Node) float64 {
	t.Helper()
	result, err := graph.CallOnce(p.backend, value)
	if err != nil {
		t.Fatal(err)
	}
	return float64s(result)[0]
}

func TestAnnealedLambda(t *testing.T) {
	for _, test := range []struct{ progress, lambda float64 }{
		{0, 1000},
		{0.1, 1000 * math.Pow(1.05, -35)},
		{0.25, 1000 * math.Pow(1.125, -35)},
		{0.5, 5}, // 1000 x 1.25^-35 is 0.4
		{1, 5},
	} {
		onPlatforms(t, func(t *testing.T, p platform) {
			lambda := p.scalarOf(t, func(g *graph.Graph) *graph.Node {
				return losses.AnnealedLambda(graph.Scalar(g, p.dtype, test.progress), 5)
			})
			checkClose(t, fmt.Sprintf("lambda at %g", test.progress), []float64{lambda}, []float64{test.lambda}, 2*p.tolerance)
		})
	}
}
