package losses_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
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

func TestSoftmaxIgnoresAConstantBias(t *testing.T) {
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
			_, err := graph.CallOnce(embedtest.Open(t, "go"), func(g *graph.Graph) *graph.Node {
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
