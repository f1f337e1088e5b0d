package losses_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

func softmax(in nodes) *graph.Node {
	return losses.Softmax(in["z"], in["W"], in["b"], in["labels"])
}

func normalizedSoftmax(in nodes) *graph.Node {
	return losses.NormalizedSoftmax(in["z"], in["W"], in["labels"])
}

// softmaxLosses are the losses of this family with the inputs that they take.
var softmaxLosses = []struct {
	name   string
	inputs []string
	loss   lossFn
	naive  func(in arrays, labels []int32) []float64
}{
	{"softmax", []string{"z", "W", "b"}, softmax, naiveSoftmax},
	{"softmax without b", []string{"z", "W"}, softmax, naiveSoftmax},
	{"softmax_normalized", []string{"z", "W"}, normalizedSoftmax, naiveNormalizedSoftmax},
}

// naiveSoftmax is -log( exp(w_y . z + b_y) / sum_j exp(w_j . z + b_j) ).
func naiveSoftmax(in arrays, labels []int32) []float64 {
	z, W := in["z"].([][]float64), in["W"].([][]float64)
	b, biased := in["b"].([]float64)
	if !biased {
		b = make([]float64, len(W))
	}
	result := make([]float64, len(z))
	for i, y := range labels {
		sum := 0.0
		for j := range W {
			sum += math.Exp(dot(W[j], z[i]) + b[j])
		}
		result[i] = -math.Log(math.Exp(dot(W[y], z[i])+b[y]) / sum)
	}
	return result
}

// naiveNormalizedSoftmax is -log( exp(||z|| cos t_y) / sum_j exp(||z|| cos t_j) ).
func naiveNormalizedSoftmax(in arrays, labels []int32) []float64 {
	z, W := in["z"].([][]float64), in["W"].([][]float64)
	result := make([]float64, len(z))
	for i, y := range labels {
		sum := 0.0
		for j := range W {
			sum += math.Exp(norm(z[i]) * cosine(z[i], W[j]))
		}
		result[i] = -math.Log(math.Exp(norm(z[i])*cosine(z[i], W[y])) / sum)
	}
	return result
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }

func cosine(a, b []float64) float64 { return dot(a, b) / (norm(a) * norm(b)) }

// gaussian returns rows of normally distributed numbers.
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

// randomInputs returns the named inputs (of z, W, b), and labels.
func randomInputs(names []string, batch, classes, dim int) (arrays, []int32) {
	rng := rand.New(rand.NewPCG(uint64(batch), uint64(100*classes+dim)))
	all := arrays{"z": gaussian(rng, batch, dim), "W": gaussian(rng, classes, dim), "b": gaussian(rng, 1, classes)[0]}
	labels := make([]int32, batch)
	for i := range labels {
		labels[i] = rng.Int32N(int32(classes))
	}
	return pick(all, names), labels
}

func pick(all arrays, names []string) arrays {
	picked := arrays{}
	for _, name := range names {
		picked[name] = all[name]
	}
	return picked
}

// centralDifferences returns the gradient of the mean loss with respect to an input
// that the loss reads.
func centralDifferences(losses func() []float64, input any) (gradient []float64) {
	const h = 1e-5
	for _, x := range elements(input) {
		saved := *x
		*x = saved + h
		above := mean(losses())
		*x = saved - h
		below := mean(losses())
		*x = saved
		gradient = append(gradient, (above-below)/(2*h))
	}
	return gradient
}

func TestSoftmaxLossesAgainstNaiveLoop(t *testing.T) {
	for _, l := range softmaxLosses {
		for _, shape := range []struct{ batch, classes, dim int }{
			{1, 2, 1}, {1, 10, 2}, {7, 2, 2}, {12, 10, 3}, {9, 10, 16},
		} {
			in, labels := randomInputs(l.inputs, shape.batch, shape.classes, shape.dim)
			t.Run(fmt.Sprintf("%s/%+v", l.name, shape), func(t *testing.T) {
				want := l.naive(in, labels)
				var wantGradient []float64
				for _, name := range l.inputs {
					wantGradient = append(wantGradient,
						centralDifferences(func() []float64 { return l.naive(in, labels) }, in[name])...)
				}
				onPlatforms(t, func(t *testing.T, p platform) {
					values, gradients := p.evaluator(t, l.loss, l.inputs...)(in, labels)
					checkClose(t, "losses", values, want, p.tolerance)
					// One vector: in 1-D the normalized weights have no gradient of their own.
					var gradient []float64
					for _, name := range l.inputs {
						gradient = append(gradient, gradients[name]...)
					}
					checkClose(t, fmt.Sprintf("gradient of %v", l.inputs), gradient, wantGradient, p.tolerance)
				})
			})
		}
	}
}

func TestSoftmaxLossesPermuteWithTheBatch(t *testing.T) {
	for _, l := range softmaxLosses {
		t.Run(l.name, func(t *testing.T) {
			in, labels := randomInputs(l.inputs, 8, 10, 3)
			z := in["z"].([][]float64)
			permuted, permutedLabels := pick(in, l.inputs), make([]int32, 8)
			permutedZ, order := make([][]float64, 8), rand.New(rand.NewPCG(1, 2)).Perm(8)
			for i, from := range order {
				permutedZ[i], permutedLabels[i] = z[from], labels[from]
			}
			permuted["z"] = permutedZ
			onPlatforms(t, func(t *testing.T, p platform) {
				evaluate := p.evaluator(t, l.loss, l.inputs...)
				values, gradients := evaluate(in, labels)
				permutedValues, permutedGradients := evaluate(permuted, permutedLabels)
				want := make([]float64, 8)
				for i, from := range order {
					want[i] = values[from]
				}
				checkClose(t, "losses", permutedValues, want, p.tolerance)
				checkClose(t, "gradient of W", permutedGradients["W"], gradients["W"], p.tolerance)
			})
		})
	}
}

// rotated turns each row by one radian in the plane of its first two coordinates,
// then in that of the last two.
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

func TestSoftmaxLossesKeepTheirValueUnderRotation(t *testing.T) {
	for _, l := range softmaxLosses {
		t.Run(l.name, func(t *testing.T) {
			in, labels := randomInputs(l.inputs, 8, 10, 3)
			turned := pick(in, l.inputs)
			turned["z"], turned["W"] = rotated(in["z"].([][]float64)), rotated(in["W"].([][]float64))
			onPlatforms(t, func(t *testing.T, p platform) {
				evaluate := p.evaluator(t, l.loss, l.inputs...)
				values, _ := evaluate(in, labels)
				turnedValues, _ := evaluate(turned, labels)
				checkClose(t, "losses", turnedValues, values, p.tolerance)
			})
		})
	}
}

func TestSoftmaxLossesOfEqualLogitsAreLogClasses(t *testing.T) {
	for _, l := range softmaxLosses {
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

func TestSoftmaxIgnoresAConstantAddedToTheBiases(t *testing.T) {
	in, labels := randomInputs([]string{"z", "W", "b"}, 8, 10, 2)
	shifted := pick(in, []string{"z", "W"})
	b := make([]float64, 10)
	for j, bias := range in["b"].([]float64) {
		b[j] = bias + 3
	}
	shifted["b"] = b
	onPlatforms(t, func(t *testing.T, p platform) {
		evaluate := p.evaluator(t, softmax, "z", "W", "b")
		values, gradients := evaluate(in, labels)
		shiftedValues, shiftedGradients := evaluate(shifted, labels)
		checkClose(t, "losses", shiftedValues, values, p.tolerance)
		for name := range in {
			checkClose(t, "gradient of "+name, shiftedGradients[name], gradients[name], p.tolerance)
		}
	})
}

func TestNormalizedSoftmaxIgnoresTheNormsOfTheWeights(t *testing.T) {
	in, labels := randomInputs([]string{"z", "W"}, 8, 10, 3)
	scaled := pick(in, []string{"z"})
	W := in["W"].([][]float64)
	scaledW := make([][]float64, len(W))
	for j := range W {
		for _, w := range W[j] {
			scaledW[j] = append(scaledW[j], w*math.Pow(10, float64(j-5)))
		}
	}
	scaled["W"] = scaledW
	onPlatforms(t, func(t *testing.T, p platform) {
		evaluate := p.evaluator(t, normalizedSoftmax, "z", "W")
		values, gradients := evaluate(in, labels)
		scaledValues, scaledGradients := evaluate(scaled, labels)
		checkClose(t, "losses", scaledValues, values, p.tolerance)
		checkClose(t, "gradient of z", scaledGradients["z"], gradients["z"], p.tolerance)
		for j, w := range W {
			gradient := gradients["W"][3*j : 3*(j+1)]
			if c := cosine(gradient, w); !(math.Abs(c) <= 10*p.tolerance) {
				t.Errorf("gradient %v of the weights %v of class %d is not orthogonal to them: cosine %g", gradient, w, j, c)
			}
		}
	})
}

func TestNormalizeGivesRowsOfNormOne(t *testing.T) {
	for _, dim := range []int{1, 2, 16} {
		x := gaussian(rand.New(rand.NewPCG(3, uint64(dim))), 20, dim)
		for i := range x {
			for j := range x[i] {
				x[i][j] *= math.Pow(10, float64(i-10))
			}
		}
		var want []float64
		for _, row := range x {
			for _, element := range row {
				want = append(want, element/norm(row))
			}
		}
		t.Run(fmt.Sprintf("dim %d", dim), func(t *testing.T) {
			onPlatforms(t, func(t *testing.T, p platform) {
				normalize := func(in nodes) *graph.Node { return losses.Normalize(in["x"]) }
				got, _ := p.evaluator(t, normalize, "x")(arrays{"x": x}, []int32{0})
				checkClose(t, "normalized rows", got, want, p.tolerance)
			})
		})
	}
}

// TestSoftmaxLossesAreFinite feeds inputs at which a formula written down naively
// overflows or divides by zero. Where want is given, the losses are
// known too.
func TestSoftmaxLossesAreFinite(t *testing.T) {
	// Every norm of z meets every norm of a row of W as its class.
	scales := []float64{0, 1e-20, 1, 1e6}
	var z [][]float64
	var labels []int32
	for _, scale := range scales {
		for y := range scales {
			z = append(z, []float64{0.6 * scale, -0.8 * scale})
			labels = append(labels, int32(y))
		}
	}
	weights := func(scales ...float64) [][]float64 {
		W := make([][]float64, len(scales))
		for j, scale := range scales {
			sin, cos := math.Sincos(float64(j))
			W[j] = []float64{scale * cos, scale * sin}
		}
		return W
	}
	zeros := make([]float64, 4)
	identical := [][]float64{{1, 2}, {1, 2}, {1, 2}}
	log3 := []float64{math.Log(3), math.Log(3), math.Log(3)}
	tests := []struct {
		name   string
		in     arrays
		labels []int32
		want   []float64 // nil: any
	}{
		{"logits of +-1e6",
			arrays{"z": [][]float64{{1e6, 0}, {-1e6, 0}}, "W": [][]float64{{1, 0}, {-1, 0}}, "b": zeros[:2]},
			[]int32{0, 0}, []float64{0, 2e6}},
		{"biases of +-1e6",
			arrays{"z": z, "W": weights(1, 1, 1, 1), "b": []float64{1e6, -1e6, 0, 1}}, labels, nil},
		{"norms of 0, 1e-20, 1, 1e6", arrays{"z": z, "W": weights(scales...), "b": zeros}, labels, nil},
		{"W of 0", arrays{"z": z, "W": weights(0, 0, 0, 0), "b": zeros}, labels, nil},
		{"W of 1e-20", arrays{"z": z, "W": weights(1e-20, 1e-20, 1e-20, 1e-20), "b": zeros}, labels, nil},
		{"one class", arrays{"z": identical, "W": weights(1), "b": zeros[:1]}, []int32{0, 0, 0}, zeros[:3]},
		{"identical points", arrays{"z": identical, "W": identical, "b": zeros[:3]}, []int32{0, 1, 2}, log3},
	}
	for _, l := range softmaxLosses {
		t.Run(l.name, func(t *testing.T) {
			onBackends(t, dtypes.Float32, func(t *testing.T, p platform) {
				evaluate := p.evaluator(t, l.loss, l.inputs...)
				for _, test := range tests {
					values, gradients := evaluate(test.in, test.labels)
					checkFinite(t, test.name+": losses", values)
					for name, gradient := range gradients {
						checkFinite(t, test.name+": gradient of "+name, gradient)
					}
					if test.want != nil {
						checkClose(t, test.name+": losses", values, test.want, p.tolerance)
					}
				}
			})
		})
	}
}

func TestShapesThatDoNotFit(t *testing.T) {
	for _, test := range []struct {
		z, W, b, labels []int
		want            string
	}{
		{[]int{4}, []int{3, 2}, []int{3}, []int{4}, "losses: z"},
		{[]int{4, 2, 1}, []int{3, 2}, []int{3}, []int{4}, "losses: z"},
		{[]int{4, 2}, []int{2, 3}, []int{3}, []int{4}, "losses: W"},
		{[]int{4, 2}, []int{3, 2}, []int{1}, []int{4}, "losses: b"},
		{[]int{4, 2}, []int{3, 2}, []int{3, 1}, []int{4}, "losses: b"},
		{[]int{4, 2}, []int{3, 2}, []int{3}, []int{1}, "losses: labels"},
		{[]int{4, 2}, []int{3, 2}, []int{3}, []int{4, 1}, "losses: labels"},
	} {
		t.Run(fmt.Sprint(test.z, test.W, test.b, test.labels), func(t *testing.T) {
			_, err := graph.CallOnce(openBackend(t, "go"), func(g *graph.Graph) *graph.Node {
				zeros := func(dimensions []int, dtype dtypes.DType) *graph.Node {
					return graph.Zeros(g, shapes.Make(dtype, dimensions...))
				}
				return losses.Softmax(zeros(test.z, dtypes.Float32), zeros(test.W, dtypes.Float32),
					zeros(test.b, dtypes.Float32), zeros(test.labels, dtypes.Int32))
			})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got the error %v, want one with %q", err, test.want)
			}
		})
	}
}
