package losses_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/losses"
)

func ring(lambda float64) lossFn {
	return func(in nodes) *graph.Node { return losses.Ring(in["z"], in["R"], lambda) }
}

func cac(lambda float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.CAC(in["z"], in["targets"], in["labels"], lambda)
	}
}

func prototypes(k float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.Prototypes(in["z"], in["targets"], in["labels"], k)
	}
}

var anchorLosses = []testedLoss{
	{"ring", []string{"z", "R"}, nil, ring(0.3), naiveRing(0.3), nil},
	{"cac", []string{"z", "targets"}, []string{"targets"}, cac(0.1), naiveCAC(0.1), nil},
	{"prototypes", []string{"z", "targets"}, []string{"targets"}, prototypes(2), naivePrototypes(2), nil},
	{"prototypes, exponent 1", []string{"z", "targets"}, []string{"targets"}, prototypes(1), naivePrototypes(1), nil},
}

func naiveRing(lambda float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) (result []float64) {
		for _, z := range in["z"].([][]float64) {
			result = append(result, lambda/2*math.Pow(norm(z)-in["R"].([]float64)[0], 2))
		}
		return result
	}
}

func naiveCAC(lambda float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) (result []float64) {
		targets := in["targets"].([][]float64)
		for i, z := range in["z"].([][]float64) {
			own := math.Sqrt(squaredDistance(z, targets[labels[i]]))
			sum := 1.0
			for j, target := range targets {
				if j != int(labels[i]) {
					sum += math.Exp(own - math.Sqrt(squaredDistance(z, target)))
				}
			}
			result = append(result, math.Log(sum)+lambda*own)
		}
		return result
	}
}

func naivePrototypes(k float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) (result []float64) {
		for i, z := range in["z"].([][]float64) {
			result = append(result, math.Pow(1-cosine(z, in["targets"].([][]float64)[labels[i]]), k))
		}
		return result
	}
}

// TestAnchorsAtTheirTargets: the losses of embeddings on their own target and opposite to it.
func TestAnchorsAtTheirTargets(t *testing.T) {
	in := arrays{"z": [][]float64{{3, 0}, {-3, 0}}, "targets": [][]float64{{3, 0}, {-3, 0}}}
	for _, test := range []struct {
		name     string
		loss     lossFn
		own, far float64
	}{
		{"cac", cac(0.5), math.Log1p(math.Exp(-6)), math.Log1p(math.Exp(6)) + 0.5*6},
		{"prototypes", prototypes(2), 0, 4},
		{"prototypes, exponent 1", prototypes(1), 0, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
				evaluate := p.evaluator(t, test.loss, "z", "targets")
				own, gradients := evaluate(in, []int32{0, 1})
				checkClose(t, "losses on their target", own, []float64{test.own, test.own}, p.tolerance)
				checkFinite(t, "gradient of z", gradients["z"])
				far, _ := evaluate(in, []int32{1, 0})
				checkClose(t, "losses opposite to it", far, []float64{test.far, test.far}, p.tolerance)
			})
		})
	}
}
