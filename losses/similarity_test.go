package losses_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/losses"
)

func supCon(tau float64) lossFn {
	return func(in nodes) *graph.Node { return losses.SupCon(in["z"], in["labels"], tau) }
}

func multiSimilarity(alpha, beta, base float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.MultiSimilarity(in["z"], in["labels"], alpha, beta, base)
	}
}

func circle(m, gamma float64) lossFn {
	return func(in nodes) *graph.Node { return losses.Circle(in["z"], in["labels"], m, gamma) }
}

func circleMean(m, gamma float64) lossFn {
	return func(in nodes) *graph.Node { return losses.CircleMean(in["z"], in["labels"], m, gamma) }
}

var similarityLosses = []testedLoss{
	{"supcon", []string{"z"}, nil, supCon(0.2), naiveSupCon(0.2), nil},
	{"multi-similarity", []string{"z"}, nil, multiSimilarity(2, 20, 0.5), naiveMultiSimilarity(2, 20, 0.5), nil},
	{"circle", []string{"z"}, nil, circle(0.4, 8), naiveCircle(heldCircle(0.4, 8, false)), heldCircle(0.4, 8, false)},
	{"circle of means", []string{"z"}, nil, circleMean(0.4, 8), naiveCircle(heldCircle(0.4, 8, true)), heldCircle(0.4, 8, true)},
}

// others returns the other examples of the class of example a, and those of other classes.
func others(labels []int32, a int) (positives, negatives []int) {
	for i, label := range labels {
		switch {
		case label != labels[a]:
			negatives = append(negatives, i)
		case i != a:
			positives = append(positives, i)
		}
	}
	return positives, negatives
}

// meanOf is sum / n, or 0 if n is 0.
func meanOf(sum float64, n int) []float64 { return []float64{sum / max(float64(n), 1)} }

// naiveSupCon is the mean over the anchors with a positive.
func naiveSupCon(tau float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 {
		z := in["z"].([][]float64)
		sum, anchors := 0.0, 0
		for a := range z {
			positives, negatives := others(labels, a)
			if len(positives) == 0 {
				continue
			}
			anchors++
			all := 0.0
			for _, k := range append(positives, negatives...) {
				all += math.Exp(cosine(z[a], z[k]) / tau)
			}
			for _, p := range positives {
				sum -= math.Log(math.Exp(cosine(z[a], z[p])/tau)/all) / float64(len(positives))
			}
		}
		return meanOf(sum, anchors)
	}
}

func naiveMultiSimilarity(alpha, beta, base float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) (result []float64) {
		z := in["z"].([][]float64)
		for a := range z {
			positives, negatives := others(labels, a)
			sumP, sumN := 1.0, 1.0
			for _, p := range positives {
				sumP += math.Exp(-alpha * (cosine(z[a], z[p]) - base))
			}
			for _, n := range negatives {
				sumN += math.Exp(beta * (cosine(z[a], z[n]) - base))
			}
			result = append(result, math.Log(sumP)/alpha+math.Log(sumN)/beta)
		}
		return result
	}
}

func naiveCircle(held func(at arrays, labels []int32) func(in arrays, labels []int32) []float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 { return held(in, labels)(in, labels) }
}

// heldCircle is the mean over the anchors with a positive and a negative, with the weights of
// the inputs at. With mean, the exponents of the positives are averaged first.
func heldCircle(m, gamma float64, mean bool) func(at arrays, labels []int32) func(in arrays, labels []int32) []float64 {
	return func(at arrays, labels []int32) func(in arrays, labels []int32) []float64 {
		held := at["z"].([][]float64)
		return func(in arrays, labels []int32) []float64 {
			z := in["z"].([][]float64)
			sum, anchors := 0.0, 0
			for a := range z {
				positives, negatives := others(labels, a)
				if len(positives) == 0 || len(negatives) == 0 {
					continue
				}
				anchors++
				sumP, meanP, sumN := 0.0, 0.0, 0.0
				for _, p := range positives {
					weight := max(0, 1+m-cosine(held[a], held[p]))
					exponent := -gamma * weight * (cosine(z[a], z[p]) - (1 - m))
					sumP += math.Exp(exponent)
					meanP += exponent / float64(len(positives))
				}
				if mean {
					sumP = math.Exp(meanP)
				}
				for _, n := range negatives {
					weight := max(0, cosine(held[a], held[n])+m)
					sumN += math.Exp(gamma * weight * (cosine(z[a], z[n]) - m))
				}
				sum += math.Log(1 + sumN*sumP)
			}
			return meanOf(sum, anchors)
		}
	}
}

// TestWithoutPairs: without the pairs that a loss needs, it is 0 and has no gradient.
func TestWithoutPairs(t *testing.T) {
	in, _ := randomInputs([]string{"z"}, 4, 4, 2)
	one := arrays{"z": [][]float64{{3, 4}}}
	for _, test := range []struct {
		name   string
		loss   lossFn
		in     arrays
		labels []int32
	}{
		{"supcon, no positives", supCon(0.1), in, []int32{0, 1, 2, 3}},
		{"supcon, batch of one", supCon(0.1), one, []int32{0}},
		{"multi-similarity, batch of one", multiSimilarity(2, 50, 0.5), one, []int32{0}},
		{"circle, no positives", circle(0.4, 80), in, []int32{0, 1, 2, 3}},
		{"circle, no negatives", circle(0.4, 80), in, []int32{0, 0, 0, 0}},
		{"circle, batch of one", circle(0.4, 80), one, []int32{0}},
		{"circle of means, no positives", circleMean(0.4, 3), in, []int32{0, 1, 2, 3}},
		{"circle of means, no negatives", circleMean(0.4, 3), in, []int32{0, 0, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			onBackends(t, dtypes.Float32, func(t *testing.T, p platform) {
				values, gradients := p.evaluator(t, test.loss, "z")(test.in, test.labels)
				checkClose(t, "losses", values, make([]float64, len(values)), 0)
				checkClose(t, "gradient of z", gradients["z"], make([]float64, len(gradients["z"])), 0)
			})
		})
	}
}

// TestHardestPairs: the larger alpha and beta are, the nearer the multi-similarity loss comes
// to a hinge of the hardest pairs, also where their exponentials overflow.
func TestHardestPairs(t *testing.T) {
	const base = 0.3
	in, labels := randomInputs([]string{"z"}, 8, 3, 2)
	z := in["z"].([][]float64)
	var want []float64
	for a := range z {
		positives, negatives := others(labels, a)
		hardestP, hardestN := math.Inf(1), math.Inf(-1)
		for _, p := range positives {
			hardestP = min(hardestP, cosine(z[a], z[p]))
		}
		for _, n := range negatives {
			hardestN = max(hardestN, cosine(z[a], z[n]))
		}
		want = append(want, max(0, base-hardestP)+max(0, hardestN-base))
	}
	onPlatforms(t, func(t *testing.T, p platform) {
		values, _ := p.evaluator(t, multiSimilarity(1e5, 1e5, base), "z")(in, labels)
		checkClose(t, "losses", values, want, 1e-4)
	})
}

// TestCircleIsACircle: an anchor whose positive and negative lie on the circle has the loss
// log 2, with any gamma. The boundary of its gradients is that circle.
func TestCircleIsACircle(t *testing.T) {
	const m = 0.4
	for _, angle := range []float64{0.2, 0.7, 1.1} {
		cosP, cosN := 1-math.Sqrt2*m*math.Cos(angle), math.Sqrt2*m*math.Sin(angle)
		in := arrays{"z": [][]float64{{2, 0}, {cosP, math.Sqrt(1 - cosP*cosP)}, {cosN, math.Sqrt(1 - cosN*cosN)}}}
		for _, gamma := range []float64{1, 256} {
			t.Run(fmt.Sprintf("angle %g, gamma %g", angle, gamma), func(t *testing.T) {
				onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
					values, _ := p.evaluator(t, circle(m, gamma), "z")(in, []int32{0, 0, 1})
					// Two of three examples are anchors.
					checkClose(t, "loss of the first anchor", values[:1], []float64{math.Ln2 * 3 / 2}, p.tolerance)
				})
			})
		}
	}
}

// TestNormsHaveNoEffect: losses of cosines ignore the norms of all that is not a constant.
func TestNormsHaveNoEffect(t *testing.T) {
	stretched := func(rows [][]float64) [][]float64 {
		result := make([][]float64, len(rows))
		for i, row := range rows {
			for _, x := range row {
				result[i] = append(result[i], x*math.Pow(3, float64(i-3)))
			}
		}
		return result
	}
	for _, l := range append(similarityLosses[:3:3], weightLosses...) {
		t.Run(l.name, func(t *testing.T) {
			in, labels := randomInputs(l.inputs, 8, 4, 3)
			changed := arrays{}
			for name, input := range in {
				switch input := input.(type) {
				case [][]float64:
					changed[name] = stretched(input)
				case [][][]float64:
					var stack [][][]float64
					for _, rows := range input {
						stack = append(stack, stretched(rows))
					}
					changed[name] = stack
				}
			}
			onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
				evaluate := p.cachedEvaluator(t, l)
				want, _ := evaluate(in, labels)
				got, _ := evaluate(changed, labels)
				checkClose(t, "losses", got, want, p.tolerance)
			})
		})
	}
}
