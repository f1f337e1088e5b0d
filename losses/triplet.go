package losses

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// TripletAll returns the loss of all triplets of the batch,
//
//	sum_apn L_apn / number of triplets
//
// (with active: / number of active triplets). L_apn and active triplets are defined in the
// package documentation; the margin m is a squared distance. The loss of an anchor is the
// sum over its triplets, scaled so that the mean over the batch is the formula above. share
// is the fraction of active triplets among all.
//
// Shapes: z [batch, dim], labels [batch]; returns loss [batch] and share, a scalar; both
// are 0 without a triplet.
//
// Source: section II-F of the paper; Schroff et al., arXiv 1503.03832.
func TripletAll(z, labels *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	squared := SquaredDistances(z, z)
	isPositive, isNegative := pairs(z, labels)
	activeTriplets := countTriplets(withMargin(squared, isPositive, m), isPositive, isNegative)
	return tripletMean(squared, isPositive, activeTriplets, triplets(isPositive, isNegative, z.DType()), m, active)
}

// TripletSemiHard returns the loss of the semi-hard triplets of the batch, whose negative is
// farther away than the positive, but within the margin,
//
//	sum_apn L_apn / number of semi-hard triplets,    d_ap < d_an < d_ap + m
//
// L_apn is defined in the package documentation; the margin m is a squared distance. The
// loss of an anchor is the sum over its triplets, scaled so that the mean over the batch is
// the formula above. share is the fraction of semi-hard triplets among all.
//
// Shapes: z [batch, dim], labels [batch]; returns loss [batch] and share, a scalar; both
// are 0 without a semi-hard triplet.
//
// Source: section II-F of the paper; Schroff et al., arXiv 1503.03832.
func TripletSemiHard(z, labels *graph.Node, m float64) (loss, share *graph.Node) {
	squared := SquaredDistances(z, z)
	isPositive, isNegative := pairs(z, labels)
	// Positives with d_ap + m = d_ap, because m is 0 or lost to rounding, have no semi-hard negatives.
	isCandidate := graph.LogicalAnd(isPositive, graph.LessThan(squared, graph.AddScalar(squared, m)))
	nearer := countTriplets(withMargin(squared, isCandidate, m), isCandidate, isNegative)
	farther := countTriplets(graph.Neg(squared), isCandidate, isNegative)
	// Each triplet has d_an < d_ap + m, d_an > d_ap, or both: the semi-hard are counted twice.
	semiHard := graph.Sub(graph.Add(nearer, farther), triplets(isCandidate, isNegative, z.DType()))
	return tripletMean(squared, isPositive, semiHard, triplets(isPositive, isNegative, z.DType()), m, true)
}

// TripletHard returns the loss of the hardest triplet of each anchor: its farthest positive
// and its nearest negative,
//
//	mean_a max(0, max_p d_ap - min_n d_an + m)
//
// The mean is over the anchors with a positive and a negative; with active, over those of
// them with a loss above 0. The margin m is a squared distance. The loss of an anchor is
// scaled so that the mean over the batch is the formula above. share is the fraction of the
// anchors with a positive and a negative whose loss is above 0.
//
// Shapes: z [batch, dim], labels [batch]; returns loss [batch] and share, a scalar; both
// are 0 without an anchor that has a positive and a negative.
//
// Source: section II-F of the paper; Hermans et al., arXiv 1703.07737.
func TripletHard(z, labels *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	isPositive, isNegative := pairs(z, labels)
	squared := graph.StopGradient(SquaredDistances(z, z))
	excluded := graph.Infinity(z.Graph(), z.DType(), -1)
	farthest := graph.ArgMax(graph.Where(isPositive, squared, excluded), -1, dtypes.Int32)
	nearest := graph.ArgMax(graph.Where(isNegative, graph.Neg(squared), excluded), -1, dtypes.Int32)
	difference := graph.Sub(squaredRowDistances(z, z, farthest), squaredRowDistances(z, z, nearest))
	return overAnchors(difference, isPositive, isNegative, m, active)
}

// TripletSoftHard returns the loss of a softly chosen triplet of each anchor: instead of the
// farthest positive and the nearest negative, the weighted means of all, with weights that
// grow with hardness,
//
//	mean_a max(0, d_a+ - d_a- + m)
//	d_a+ = sum_p softmax_p(d_ap / t) d_ap
//	d_a- = sum_n softmax_n(-d_an / t) d_an
//
// d_ij = ||z_i - z_j|| is the Euclidean distance, and the margin m and the temperature t are
// such distances, not squared. As t falls to 0, the hardest triplets remain. No gradient
// flows through the weights. The mean is over the anchors with a positive and a negative;
// with active, over those of them with a loss above 0. The loss of an anchor is scaled so
// that the mean over the batch is the formula above. share is the fraction of the anchors
// with a positive and a negative whose loss is above 0.
//
// Shapes: z [batch, dim], labels [batch]; returns loss [batch] and share, a scalar; both
// are 0 without an anchor that has a positive and a negative.
//
// Where two classes overlap, the farthest positive of an anchor is farther away than its
// nearest negative, and the loss of hardest triplets falls when all embeddings move onto one
// point. The mean over many has no such way down, as long as most positives are nearer than
// most negatives.
//
// Source: our own choice.
func TripletSoftHard(z, labels *graph.Node, m, t float64, active bool) (loss, share *graph.Node) {
	isPositive, isNegative := pairs(z, labels)
	distance := safeSqrt(SquaredDistances(z, z))
	mean := func(mask, hardness *graph.Node) *graph.Node {
		weights := graph.MaskedSoftmax(graph.DivScalar(hardness, t), mask, -1)
		return graph.ReduceSum(graph.Mul(graph.StopGradient(weights), distance), -1)
	}
	difference := graph.Sub(mean(isPositive, distance), mean(isNegative, graph.Neg(distance)))
	return overAnchors(difference, isPositive, isNegative, m, active)
}

// overAnchors returns the loss and the share of one triplet per anchor, given d_ap - d_an.
//
// Shapes: difference [batch], isPositive, isNegative [batch, batch]; returns [batch] and a
// scalar.
func overAnchors(difference, isPositive, isNegative *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	hasTriplet := graph.ConvertDType(graph.LogicalAnd(
		graph.LogicalAny(isPositive, -1), graph.LogicalAny(isNegative, -1)), difference.DType())
	loss = graph.Mul(graph.MaxScalar(graph.AddScalar(difference, m), 0), hasTriplet)
	isActive := graph.ConvertDType(graph.GreaterThan(loss, graph.ZerosLike(loss)), difference.DType())
	nActive, nAnchors := graph.ReduceAllSum(isActive), graph.ReduceAllSum(hasTriplet)
	divisor := nAnchors
	if active {
		divisor = nActive
	}
	return meanOver(loss, divisor), ratio(nActive, nAnchors)
}

// withMargin returns d_ap + m for positive pairs and d_an for the others, [batch, batch].
func withMargin(squared, isPositive *graph.Node, m float64) *graph.Node {
	return graph.Where(isPositive, graph.AddScalar(squared, m), squared)
}

// tripletMean returns the loss and the share of the selected triplets. selected and all are
// the numbers of selected triplets and of all triplets that contain each pair.
//
// Shapes: squared, isPositive, selected, all [batch, batch]; returns [batch] and a scalar.
func tripletMean(squared, isPositive, selected, all *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	zero := graph.ZerosLike(selected)
	weights := graph.Where(isPositive, selected, graph.Neg(selected))
	perAnchor := graph.ReduceSum(graph.Where(isPositive, selected, zero), -1)
	sums := graph.Add(graph.ReduceSum(graph.Mul(weights, squared), -1), graph.MulScalar(perAnchor, m))
	nSelected, nAll := graph.ReduceAllSum(perAnchor), graph.ReduceAllSum(graph.Where(isPositive, all, zero))
	divisor := nAll
	if active {
		divisor = nSelected
	}
	return meanOver(sums, divisor), ratio(nSelected, nAll)
}

// triplets returns the number of triplets that contain each pair, [batch, batch]: a positive
// pair forms one with each negative of its anchor, a negative pair with each positive.
func triplets(isPositive, isNegative *graph.Node, dtype dtypes.DType) *graph.Node {
	positive, negative := graph.ConvertDType(isPositive, dtype), graph.ConvertDType(isNegative, dtype)
	return graph.Add(
		graph.Mul(positive, graph.ReduceAndKeep(negative, graph.ReduceSum, -1)),
		graph.Mul(negative, graph.ReduceAndKeep(positive, graph.ReduceSum, -1)))
}

// countTriplets returns the number of triplets with x_an < x_ap that contain each pair, given
// a value x for each pair; all are [batch, batch]. Comparing is fastest for small batches and
// in pure Go, which sorts slowly; XLA sorts large batches faster.
func countTriplets(x, isPositive, isNegative *graph.Node) *graph.Node {
	x = graph.StopGradient(x)
	if x.Shape().Dim(0) > 512 && x.Graph().Backend().Name() == "xla" {
		return graph.StopGradient(countBySorting(x, isPositive, isNegative))
	}
	excluded := graph.Infinity(x.Graph(), x.DType(), 1)
	zero := graph.ZerosLike(x)
	return graph.Add(
		graph.Where(isPositive, countLess(graph.Where(isNegative, x, excluded), x), zero),
		graph.Where(isNegative, countLess(graph.Where(isPositive, graph.Neg(x), excluded), graph.Neg(x)), zero))
}

// countLess returns the number of k with y_ak < x_ai, [batch, batch]. It takes one column k
// at a time, to hold no more than batch^2 numbers.
func countLess(y, x *graph.Node) *graph.Node {
	count := graph.ZerosLike(x)
	for k := range y.Shape().Dim(1) {
		column := graph.Slice(y, graph.AxisRange(), graph.AxisElem(k))
		count = graph.Add(count, graph.ConvertDType(graph.LessThan(column, x), x.DType()))
	}
	return count
}

// countBySorting is countTriplets by sorting rows: each positive counts the negatives before
// it, each negative the positives after it.
func countBySorting(x, isPositive, isNegative *graph.Node) *graph.Node {
	sign := graph.Sub(graph.ConvertDType(isNegative, x.DType()), graph.ConvertDType(isPositive, x.DType()))
	column := graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, x.Shape().Dimensions...), 1)
	sorted := sortRows(func(left, right []*graph.Node) *graph.Node {
		// Ties are not counted: among equal values, positives come first.
		return graph.LogicalOr(graph.LessThan(left[0], right[0]),
			graph.LogicalAnd(graph.Equal(left[0], right[0]), graph.LessThan(left[1], right[1])))
	}, x, sign, column)
	negative, positive := graph.MaxScalar(sorted[1], 0), graph.MaxScalar(graph.Neg(sorted[1]), 0)
	count := graph.Add(
		graph.Mul(positive, graph.CumSum(negative, 1)),
		graph.Mul(negative, graph.CumSum(positive, 1, &graph.CumSumOptions{Reverse: true})))
	return sortRows(func(left, right []*graph.Node) *graph.Node {
		return graph.LessThan(left[0], right[0])
	}, sorted[2], count)[1]
}

// sortRows sorts each row of all matrices in one order: less tells whether the elements at one
// position come before those at another. The sort is stable: with NaNs, an unstable one may
// read beyond a row.
func sortRows(less func(left, right []*graph.Node) *graph.Node, matrices ...*graph.Node) []*graph.Node {
	comparator := graph.NewClosure(matrices[0].Graph(), func(g *graph.Graph) []*graph.Node {
		var left, right []*graph.Node
		for i, matrix := range matrices {
			left = append(left, graph.Parameter(g, fmt.Sprint("left", i), shapes.Make(matrix.DType())))
			right = append(right, graph.Parameter(g, fmt.Sprint("right", i), shapes.Make(matrix.DType())))
		}
		return []*graph.Node{less(left, right)}
	})
	return graph.SortFunc(comparator, 1, true, matrices...)
}

// meanOver scales sums [batch] so that their mean is their total divided by n, or 0 if n is 0.
func meanOver(sums, n *graph.Node) *graph.Node {
	return graph.MulScalar(graph.Div(sums, graph.MaxScalar(n, 1)), float64(sums.Shape().Dim(0)))
}

// ratio returns part / all, or 0 if all is 0.
func ratio(part, all *graph.Node) *graph.Node { return graph.Div(part, graph.MaxScalar(all, 1)) }
