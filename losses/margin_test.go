package losses_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func cosFace(s, m float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.CosFace(in["z"], in["W"], in["labels"], scalar(in["z"], s), m)
	}
}

func arcFace(s, m float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.ArcFace(in["z"], in["W"], in["labels"], scalar(in["z"], s), m)
	}
}

func cosFaceByNorm(s, m float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.CosFace(in["z"], in["W"], in["labels"], losses.NormScale(in["z"], s), m)
	}
}

func arcFaceByNorm(s, m float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.ArcFace(in["z"], in["W"], in["labels"], losses.NormScale(in["z"], s), m)
	}
}

// noLambda stands for a nil lambda of sphereFace and lSoftmax.
const noLambda = -1

func sphereFace(m int, lambda float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.SphereFace(in["z"], in["W"], in["labels"], m, lambdaNode(in, lambda))
	}
}

func lSoftmax(m int, lambda float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.LSoftmax(in["z"], in["W"], in["labels"], m, lambdaNode(in, lambda))
	}
}

func lambdaNode(in nodes, lambda float64) *graph.Node {
	if lambda == noLambda {
		return nil
	}
	return scalar(in["z"], lambda)
}

// naiveMargin is -log( exp(f_y) / (exp(f_y) + sum_{j != y} exp(f_j)) ), where f_y = target(z, w_y)
// and f_j = other(z, w_j).
func naiveMargin(target, other func(z, w []float64) float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 {
		W := in["W"].([][]float64)
		var result []float64
		for i, z := range in["z"].([][]float64) {
			score := target(z, W[labels[i]])
			sum := 1.0
			for j, w := range W {
				if j != int(labels[i]) {
					sum += math.Exp(other(z, w) - score)
				}
			}
			result = append(result, math.Log(sum))
		}
		return result
	}
}

func naiveCosFace(s, m float64) func(in arrays, labels []int32) []float64 {
	return naiveAdditive(s, s, cosFaceMargin(m))
}

func naiveArcFace(s, m float64) func(in arrays, labels []int32) []float64 {
	return naiveAdditive(s, s, arcFaceMargin(m))
}

// naiveAdditive has the scale s, and heldS for what the margin adds to the cosine.
func naiveAdditive(s, heldS float64, margin func(cos float64) float64) func(in arrays, labels []int32) []float64 {
	return naiveMargin(
		func(z, w []float64) float64 { return s*cosine(z, w) + heldS*margin(cosine(z, w)) },
		func(z, w []float64) float64 { return s * cosine(z, w) })
}

func cosFaceMargin(m float64) func(cos float64) float64 {
	return func(float64) float64 { return -m }
}

func arcFaceMargin(m float64) func(cos float64) float64 {
	return func(cos float64) float64 {
		if theta := math.Acos(cos); theta+m <= math.Pi {
			return math.Cos(theta+m) - cos
		}
		return -m * math.Sin(m)
	}
}

// byNorm returns a loss, each example of which has the scale min(||z_i||, s). For the margin it is
// that of the inputs at.
func byNorm(name string, s float64, loss lossFn, margin func(cos float64) float64) testedLoss {
	held := func(at arrays, labels []int32) func(in arrays, labels []int32) []float64 {
		heldZ := at["z"].([][]float64)
		return func(in arrays, labels []int32) (result []float64) {
			for i, z := range in["z"].([][]float64) {
				one := arrays{"z": [][]float64{z}, "W": in["W"]}
				naive := naiveAdditive(math.Min(norm(z), s), math.Min(norm(heldZ[i]), s), margin)
				result = append(result, naive(one, labels[i:i+1])...)
			}
			return result
		}
	}
	naive := func(in arrays, labels []int32) []float64 { return held(in, labels)(in, labels) }
	return testedLoss{fmt.Sprintf("%s by norm, s=%g", name, s), []string{"z", "W"}, nil, loss, naive, held}
}

// naivePsi is (-1)^k cos(m theta) - 2k with theta in [k pi/m, (k+1) pi/m].
func naivePsi(theta float64, m int) float64 {
	k := math.Floor(float64(m) * theta / math.Pi)
	return math.Pow(-1, k)*math.Cos(float64(m)*theta) - 2*k
}

func naiveMultiplicative(m int, lambda float64, normW func(w []float64) float64) func(in arrays, labels []int32) []float64 {
	if lambda == noLambda {
		lambda = 0
	}
	return naiveMargin(
		func(z, w []float64) float64 {
			phi := (lambda*cosine(z, w) + naivePsi(math.Acos(cosine(z, w)), m)) / (1 + lambda)
			return normW(w) * norm(z) * phi
		},
		func(z, w []float64) float64 { return normW(w) * norm(z) * cosine(z, w) })
}

func unitNorm([]float64) float64 { return 1 }

var marginLosses = func() (all []testedLoss) {
	add := func(name string, loss lossFn, naive func(in arrays, labels []int32) []float64) {
		all = append(all, testedLoss{name, []string{"z", "W"}, nil, loss, naive, nil})
	}
	add("cosface", cosFace(16, 0.2), naiveCosFace(16, 0.2))
	add("arcface", arcFace(16, 0.5), naiveArcFace(16, 0.5))
	for _, s := range []float64{1.5, 30} { // in between the norms, and above them
		all = append(all, byNorm("cosface", s, cosFaceByNorm(s, 0.2), cosFaceMargin(0.2)),
			byNorm("arcface", s, arcFaceByNorm(s, 0.5), arcFaceMargin(0.5)))
	}
	for _, m := range []int{1, 2, 3, 4} {
		add(fmt.Sprintf("sphereface, m=%d", m), sphereFace(m, noLambda), naiveMultiplicative(m, noLambda, unitNorm))
	}
	add("sphereface, annealed", sphereFace(2, 5), naiveMultiplicative(2, 5, unitNorm))
	add("lsoftmax, m=2", lSoftmax(2, noLambda), naiveMultiplicative(2, noLambda, norm))
	add("lsoftmax, annealed", lSoftmax(4, 3), naiveMultiplicative(4, 3, norm))
	return all
}()

// checkSame compares the values and gradients of two losses for the same inputs.
func checkSame(t *testing.T, p platform, name string, gotLoss, wantLoss lossFn, in arrays, labels []int32) {
	t.Helper()
	gotValues, gotGradients := p.evaluator(t, gotLoss, "z", "W")(in, labels)
	wantValues, wantGradients := p.evaluator(t, wantLoss, "z", "W")(in, labels)
	checkClose(t, name+": losses", gotValues, wantValues, p.tolerance)
	for input, want := range wantGradients {
		checkClose(t, name+": gradient of "+input, gotGradients[input], want, p.tolerance)
	}
}

func TestWithoutMargin(t *testing.T) {
	in, labels := randomInputs([]string{"z", "W"}, 8, 5, 3)
	onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
		softmaxOfCosines := func(in nodes) *graph.Node {
			z := graph.MulScalar(losses.Normalize(in["z"]), 16)
			return losses.Softmax(z, losses.Normalize(in["W"]), nil, in["labels"])
		}
		checkSame(t, p, "CosFace", cosFace(16, 0), softmaxOfCosines, in, labels)
		checkSame(t, p, "ArcFace", arcFace(16, 0), cosFace(16, 0), in, labels)
		checkSame(t, p, "CosFace by norm", cosFaceByNorm(1e6, 0), normalizedSoftmax, in, labels)
		checkSame(t, p, "SphereFace", sphereFace(1, noLambda), normalizedSoftmax, in, labels)
		checkSame(t, p, "L-Softmax", lSoftmax(1, noLambda), func(in nodes) *graph.Node {
			return losses.Softmax(in["z"], in["W"], nil, in["labels"])
		}, in, labels)
	})
}

// TestGrowsWithTheMargin: the loss of no example falls when the margin grows.
func TestGrowsWithTheMargin(t *testing.T) {
	in, labels := randomInputs([]string{"z", "W"}, 16, 5, 2)
	for name, byMargin := range map[string][]lossFn{
		"CosFace":    {cosFace(16, 0), cosFace(16, 0.1), cosFace(16, 0.35), cosFace(16, 1)},
		"ArcFace":    {arcFace(16, 0), arcFace(16, 0.1), arcFace(16, 0.5), arcFace(16, 1)},
		"SphereFace": {sphereFace(1, noLambda), sphereFace(2, noLambda), sphereFace(3, noLambda), sphereFace(4, noLambda)},
		"L-Softmax":  {lSoftmax(1, noLambda), lSoftmax(2, noLambda), lSoftmax(3, noLambda), lSoftmax(4, noLambda)},
	} {
		t.Run(name, func(t *testing.T) {
			onPureGo(t, func(t *testing.T, p platform) {
				previous := make([]float64, 16)
				for i, loss := range byMargin {
					values, _ := p.evaluator(t, loss, "z", "W")(in, labels)
					for j := range values {
						if values[j] < previous[j] {
							t.Errorf("margin %d: the loss of example %d is %g, and %g with the smaller margin", i, j, values[j], previous[j])
						}
					}
					previous = values
				}
			})
		})
	}
}

// TestCosFaceOnTheCircle: ten weight vectors, evenly spaced, with an example on each. The
// values were computed by hand.
func TestCosFaceOnTheCircle(t *testing.T) {
	var circle [][]float64
	var labels []int32
	for j := range 10 {
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / 10)
		circle = append(circle, []float64{cos, sin})
		labels = append(labels, int32(j))
	}
	for _, test := range []struct {
		s    float64
		want [4]float64 // for m = 0, 0.05, 0.1, 0.2
	}{
		{1, [4]float64{1.539, 1.578, 1.618, 1.699}},
		{16, [4]float64{0.090, 0.190, 0.383, 1.197}},
		{30, [4]float64{0.0065, 0.0287, 0.123, 1.287}},
		{64, [4]float64{0.0000, 0.0002, 0.0059, 1.518}},
	} {
		onPureGo(t, func(t *testing.T, p platform) {
			for i, m := range []float64{0, 0.05, 0.1, 0.2} {
				values, _ := p.evaluator(t, cosFace(test.s, m), "z", "W")(arrays{"z": circle, "W": circle}, labels)
				if got := mean(values); math.Abs(got-test.want[i]) > 6e-4 {
					t.Errorf("s=%g, m=%g: got %.4f, want %.4f", test.s, m, got, test.want[i])
				}
			}
		})
	}
}

// TestScaleInvariance: CosFace and ArcFace ignore all norms, SphereFace those of W.
func TestScaleInvariance(t *testing.T) {
	in, labels := randomInputs([]string{"z", "W"}, 8, 5, 3)
	scaled := func(rows [][]float64) [][]float64 {
		result := make([][]float64, len(rows))
		for i, row := range rows {
			for _, x := range row {
				result[i] = append(result[i], x*math.Pow(3, float64(i-3)))
			}
		}
		return result
	}
	z, W := in["z"].([][]float64), in["W"].([][]float64)
	for name, test := range map[string]struct {
		loss lossFn
		in   arrays
	}{
		"CosFace":    {cosFace(16, 0.1), arrays{"z": scaled(z), "W": scaled(W)}},
		"ArcFace":    {arcFace(16, 0.1), arrays{"z": scaled(z), "W": scaled(W)}},
		"SphereFace": {sphereFace(2, noLambda), arrays{"z": z, "W": scaled(W)}},
	} {
		t.Run(name, func(t *testing.T) {
			onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
				evaluate := p.evaluator(t, test.loss, "z", "W")
				want, _ := evaluate(in, labels)
				got, _ := evaluate(test.in, labels)
				checkClose(t, "losses", got, want, p.tolerance)
			})
		})
	}
}

// TestMultiplicativeMarginIsContinuous: from angle 0 to pi the score of the true class keeps
// falling, without a jump where k changes.
func TestMultiplicativeMarginIsContinuous(t *testing.T) {
	const steps = 1000
	var z [][]float64
	labels := make([]int32, steps+1)
	for i := range steps + 1 {
		sin, cos := math.Sincos(math.Pi * float64(i) / steps)
		z = append(z, []float64{cos, sin})
	}
	for m := 1; m <= 4; m++ {
		onPureGo(t, func(t *testing.T, p platform) {
			// The other class has the weight 0: L = log(1 + exp(-psi)).
			values, _ := p.evaluator(t, lSoftmax(m, noLambda), "z", "W")(arrays{"z": z, "W": [][]float64{{1, 0}, {0, 0}}}, labels)
			previous := 1.0
			for i, loss := range values {
				psi := -math.Log(math.Expm1(loss))
				if fall := previous - psi; fall < -1e-9 || fall > float64(m)*math.Pi/steps*1.01+1e-9 {
					t.Errorf("m=%d: psi falls by %g from step %d to %d", m, fall, i-1, i)
				}
				previous = psi
			}
			if want := float64(1 - 2*m); math.Abs(previous-want) > 1e-6 {
				t.Errorf("m=%d: psi(pi) is %g, want %g", m, previous, want)
			}
		})
	}
}

func TestMarginMustBePositive(t *testing.T) {
	_, err := graph.CallOnce(embedtest.Open(t, "go"), func(z, W, labels *graph.Node) *graph.Node {
		return losses.SphereFace(z, W, labels, 0, nil)
	}, [][]float32{{1, 2}}, [][]float32{{1, 2}}, []int32{0})
	if err == nil {
		t.Error("a margin of 0 is accepted")
	}
}
