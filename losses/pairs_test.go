package losses_test

import (
	"math"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

var pairLosses = []testedLoss{
	{"contrastive", []string{"z"}, nil, contrastive(2), naiveContrastive(2), nil},
	{"triplet, all", []string{"z"}, nil, tripletAll(0.7, false), naiveTriplets(0.7, everyTriplet, false), nil},
	{"triplet, all active", []string{"z"}, nil, tripletAll(0.7, true), naiveTriplets(0.7, everyTriplet, true), nil},
	{"triplet, semi-hard", []string{"z"}, nil, tripletSemiHard(0.7), naiveTriplets(0.7, semiHard, true), nil},
	{"triplet, hard", []string{"z"}, nil, tripletHard(0.7, false), naiveHard(0.7, false), nil},
	{"triplet, hard active", []string{"z"}, nil, tripletHard(0.7, true), naiveHard(0.7, true), nil},
	{"triplet, soft hard", []string{"z"}, nil, tripletSoftHard(0.7, 0.5, false), naiveSoftHard(0.7, 0.5, false), heldSoftHard(0.7, 0.5, false)},
	{"triplet, soft hard active", []string{"z"}, nil, tripletSoftHard(0.7, 0.5, true), naiveSoftHard(0.7, 0.5, true), heldSoftHard(0.7, 0.5, true)},
}

func contrastive(m float64) lossFn {
	return func(in nodes) *graph.Node { return losses.Contrastive(in["z"], in["labels"], m) }
}

func tripletAll(m float64, active bool) lossFn {
	return func(in nodes) *graph.Node {
		loss, _ := losses.TripletAll(in["z"], in["labels"], m, active)
		return loss
	}
}

func tripletSemiHard(m float64) lossFn {
	return func(in nodes) *graph.Node {
		loss, _ := losses.TripletSemiHard(in["z"], in["labels"], m)
		return loss
	}
}

func tripletHard(m float64, active bool) lossFn {
	return func(in nodes) *graph.Node {
		loss, _ := losses.TripletHard(in["z"], in["labels"], m, active)
		return loss
	}
}

func tripletSoftHard(m, t float64, active bool) lossFn {
	return func(in nodes) *graph.Node {
		loss, _ := losses.TripletSoftHard(in["z"], in["labels"], m, t, active)
		return loss
	}
}

// naiveContrastive is the mean over the pairs i < j.
func naiveContrastive(m float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 {
		z := in["z"].([][]float64)
		sum, n := 0.0, 0.0
		for j := range z {
			for i := range j {
				d := math.Sqrt(squaredDistance(z[i], z[j]))
				n++
				if labels[i] == labels[j] {
					sum += d * d / 2
				} else {
					sum += math.Pow(max(0, m-d), 2) / 2
				}
			}
		}
		return []float64{sum / max(n, 1)}
	}
}

// triplets calls f with the squared distances of every triplet.
func triplets(z [][]float64, labels []int32, f func(positive, negative float64)) {
	for a := range z {
		for p := range z {
			for n := range z {
				if a != p && labels[a] == labels[p] && labels[a] != labels[n] {
					f(squaredDistance(z[a], z[p]), squaredDistance(z[a], z[n]))
				}
			}
		}
	}
}

func everyTriplet(positive, negative, m float64) bool { return true }

func semiHard(positive, negative, m float64) bool {
	return positive < negative && negative < positive+m
}

// naiveTriplets is the mean of max(0, d_ap - d_an + m) over the selected triplets; with active,
// over those of them where it is not 0.
func naiveTriplets(m float64, selected func(positive, negative, m float64) bool, active bool) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 {
		sum, n := 0.0, 0.0
		triplets(in["z"].([][]float64), labels, func(positive, negative float64) {
			if !selected(positive, negative, m) {
				return
			}
			hinge := max(0, positive-negative+m)
			sum += hinge
			if !active || hinge > 0 {
				n++
			}
		})
		return []float64{sum / max(n, 1)}
	}
}

// hardest returns whether an anchor has a positive and a negative, and if so
// max(0, farthest positive - nearest negative + m).
func hardest(z [][]float64, labels []int32, a int, m float64) (valid bool, hinge float64) {
	farthest, nearest := math.Inf(-1), math.Inf(1)
	for j := range z {
		d := squaredDistance(z[a], z[j])
		if labels[j] != labels[a] {
			nearest = min(nearest, d)
		} else if j != a {
			farthest = max(farthest, d)
		}
	}
	return !math.IsInf(farthest, 0) && !math.IsInf(nearest, 0), max(0, farthest-nearest+m)
}

// naiveHard is the mean of hardest over the valid anchors; with active, over those of them
// where it is not 0.
func naiveHard(m float64, active bool) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 {
		sum, n := 0.0, 0.0
		for a := range labels {
			valid, hinge := hardest(in["z"].([][]float64), labels, a, m)
			if !valid {
				continue
			}
			sum += hinge
			if !active || hinge > 0 {
				n++
			}
		}
		return []float64{sum / max(n, 1)}
	}
}

// naiveSoftHard is the mean over the anchors of max(0, d_a+ - d_a- + m), where d_a+ is the mean
// of the distances to the positives with the weights exp(d/t), d_a- that to the negatives
// with exp(-d/t).
func naiveSoftHard(m, t float64, active bool) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 { return heldSoftHard(m, t, active)(in, labels)(in, labels) }
}

// heldSoftHard is naiveSoftHard with the weights of the inputs at.
func heldSoftHard(m, t float64, active bool) func(at arrays, labels []int32) func(in arrays, labels []int32) []float64 {
	return func(at arrays, _ []int32) func(in arrays, labels []int32) []float64 {
		return func(in arrays, labels []int32) []float64 {
			z, zAt := in["z"].([][]float64), at["z"].([][]float64)
			sum, n := 0.0, 0.0
			for a := range z {
				var positive, positiveWeight, negative, negativeWeight float64
				for j := range z {
					d, dAt := math.Sqrt(squaredDistance(z[a], z[j])), math.Sqrt(squaredDistance(zAt[a], zAt[j]))
					if labels[j] != labels[a] {
						negative += math.Exp(-dAt/t) * d
						negativeWeight += math.Exp(-dAt / t)
					} else if j != a {
						positive += math.Exp(dAt/t) * d
						positiveWeight += math.Exp(dAt / t)
					}
				}
				if positiveWeight == 0 || negativeWeight == 0 {
					continue
				}
				hinge := max(0, positive/positiveWeight-negative/negativeWeight+m)
				sum += hinge
				if !active || hinge > 0 {
					n++
				}
			}
			return []float64{sum / max(n, 1)}
		}
	}
}

// TestSoftHardOfLowTemperature: the hardest triplets remain, of Euclidean distances.
func TestSoftHardOfLowTemperature(t *testing.T) {
	in, labels := randomInputs([]string{"z"}, 14, 3, 2)
	z := in["z"].([][]float64)
	want := make([]float64, len(z))
	for a := range z {
		farthest, nearest := math.Inf(-1), math.Inf(1)
		for j := range z {
			d := math.Sqrt(squaredDistance(z[a], z[j]))
			if labels[j] != labels[a] {
				nearest = min(nearest, d)
			} else if j != a {
				farthest = max(farthest, d)
			}
		}
		want[a] = max(0, farthest-nearest+0.7)
	}
	onPlatforms(t, func(t *testing.T, p platform) {
		values, _ := p.evaluator(t, tripletSoftHard(0.7, 1e-4, false), "z")(in, labels)
		checkClose(t, "losses", values, want, p.tolerance)
	})
}

// TestShareOfTriplets compares the shares with loops, also with ties: of five points, two
// coincide.
func TestShareOfTriplets(t *testing.T) {
	tied := arrays{"z": [][]float64{{0, 0}, {1, 0}, {1, 0}, {0, 1}, {3, 3}}}
	tiedLabels := []int32{0, 0, 1, 1, 0}
	random, labels := randomInputs([]string{"z"}, 14, 3, 2)
	for name, test := range map[string]struct {
		in     arrays
		labels []int32
	}{"random": {random, labels}, "tied": {tied, tiedLabels}} {
		t.Run(name, func(t *testing.T) {
			const m = 1
			var all, active, semi, anchors, hard float64
			triplets(test.in["z"].([][]float64), test.labels, func(positive, negative float64) {
				all++
				if positive-negative+m > 0 {
					active++
				}
				if semiHard(positive, negative, m) {
					semi++
				}
			})
			for a := range test.labels {
				valid, hinge := hardest(test.in["z"].([][]float64), test.labels, a, m)
				if valid {
					anchors++
				}
				if valid && hinge > 0 {
					hard++
				}
			}
			onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
				for miningName, mining := range map[string]struct {
					share func(in nodes) *graph.Node
					want  float64
				}{
					"all": {func(in nodes) *graph.Node {
						_, share := losses.TripletAll(in["z"], in["labels"], m, false)
						return share
					}, active / all},
					"semi-hard": {func(in nodes) *graph.Node {
						_, share := losses.TripletSemiHard(in["z"], in["labels"], m)
						return share
					}, semi / all},
					"hard": {func(in nodes) *graph.Node {
						_, share := losses.TripletHard(in["z"], in["labels"], m, false)
						return share
					}, hard / anchors},
				} {
					share, _ := p.evaluator(t, func(in nodes) *graph.Node {
						return graph.Add(mining.share(in), graph.MulScalar(graph.ReduceAllSum(in["z"]), 0))
					}, "z")(test.in, test.labels)
					checkClose(t, miningName+": share", share, []float64{mining.want}, p.tolerance)
				}
			})
		})
	}
}

// TestManyTriplets has a batch so large that XLA sorts, with ties: half of the points lie on a
// grid, and some distances differ by exactly the margin.
func TestManyTriplets(t *testing.T) {
	in, labels := randomInputs([]string{"z"}, 520, 5, 2)
	for _, z := range in["z"].([][]float64)[260:] {
		z[0], z[1] = math.Round(z[0]), math.Round(z[1])
	}
	onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
		if !strings.HasPrefix(p.backend.Name(), "xla") {
			t.Skip("pure Go compares batches of any size")
		}
		for name, test := range map[string]struct {
			loss  lossFn
			naive func(in arrays, labels []int32) []float64
		}{
			"all":       {tripletAll(1, false), naiveTriplets(1, everyTriplet, false)},
			"active":    {tripletAll(1, true), naiveTriplets(1, everyTriplet, true)},
			"semi-hard": {tripletSemiHard(1), naiveTriplets(1, semiHard, true)},
			"no margin": {tripletSemiHard(0), naiveTriplets(0, semiHard, true)},
		} {
			values, gradients := p.evaluator(t, test.loss, "z")(in, labels)
			checkClose(t, name, []float64{mean(values)}, test.naive(in, labels), p.tolerance)
			checkFinite(t, name, gradients["z"])
		}
	})
}

func TestPairDistances(t *testing.T) {
	in := arrays{"z": [][]float64{{0, 0}, {3, 4}, {0, 1}, {0, 0}}}
	distances := func(in nodes) *graph.Node {
		positive, negative := losses.PairDistances(in["z"], in["labels"])
		return graph.Stack([]*graph.Node{positive, negative}, 0)
	}
	root := math.Sqrt(18)
	for _, test := range []struct {
		labels             []int32
		positive, negative float64
	}{
		{[]int32{0, 0, 1, 1}, (5 + 1) / 2., (1 + 0 + root + 5) / 4},
		{[]int32{0, 0, 0, 0}, (5 + 1 + 0 + root + 5 + 1) / 6, 0},
		{[]int32{0, 1, 2, 3}, 0, (5 + 1 + 0 + root + 5 + 1) / 6},
	} {
		onPlatforms(t, func(t *testing.T, p platform) {
			got, gradients := p.evaluator(t, distances, "z")(in, test.labels)
			checkClose(t, "distances", got, []float64{test.positive, test.negative}, p.tolerance)
			checkFinite(t, "gradient of z", gradients["z"])
		})
	}
}
