package losses_test

import (
	"fmt"
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/gomlx/core/graph"
)

func squaredDistance(a, b []float64) (sum float64) {
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return sum
}

func center(lambda float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.Center(in["z"], in["centers"], in["labels"], lambda)
	}
}

func regression(in nodes) *graph.Node {
	return losses.Regression(in["z"], in["targets"], in["labels"])
}

// naiveToRow is factor ||z - x_y||^2, with x the named input.
func naiveToRow(name string, factor float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) (result []float64) {
		for i, z := range in["z"].([][]float64) {
			result = append(result, factor*squaredDistance(z, in[name].([][]float64)[labels[i]]))
		}
		return result
	}
}

var centerLosses = []testedLoss{
	{"center", []string{"z", "centers"}, []string{"centers"}, center(0.3), naiveToRow("centers", 0.15), nil},
	{"center, lambda=0", []string{"z", "centers"}, []string{"centers"}, center(0), naiveToRow("centers", 0), nil},
	{"regression", []string{"z", "targets"}, []string{"targets"}, regression, naiveToRow("targets", 1), nil},
}

// TestCenterUpdates compares both update rules with loops over the batch, in few and in many
// dimensions.
func TestCenterUpdates(t *testing.T) {
	for _, dim := range []int{2, 20} {
		t.Run(fmt.Sprint(dim), func(t *testing.T) { testCenterUpdates(t, dim) })
	}
}

func testCenterUpdates(t *testing.T, dim int) {
	const alpha = 0.3
	in, labels := randomInputs([]string{"z", "centers"}, 9, 5, dim)
	for i := range labels {
		labels[i] %= 4 // no example of class 4
	}
	for name, test := range map[string]struct {
		update  func(z, centers, labels *graph.Node, alpha float64) *graph.Node
		divisor func(n float64) float64
	}{
		"Wen":           {losses.WenCenters, func(n float64) float64 { return 1 + n }},
		"running means": {losses.RunningMeans, func(n float64) float64 { return max(n, 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			var want []float64
			for class, c := range in["centers"].([][]float64) {
				difference, n := make([]float64, len(c)), 0.0
				for i, z := range in["z"].([][]float64) {
					if int(labels[i]) == class {
						n++
						for j := range c {
							difference[j] += c[j] - z[j]
						}
					}
				}
				for j := range c {
					want = append(want, c[j]-alpha*difference[j]/test.divisor(n))
				}
			}
			onPlatforms(t, func(t *testing.T, p platform) {
				centers, gradients := p.evaluator(t, func(in nodes) *graph.Node {
					return test.update(in["z"], in["centers"], in["labels"], alpha)
				}, "z", "centers")(in, labels)
				checkClose(t, "centers", centers, want, p.tolerance)
				for name, gradient := range gradients {
					checkClose(t, "gradient of "+name, gradient, make([]float64, len(gradient)), 0)
				}
			})
		})
	}
}
