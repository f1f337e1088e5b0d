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
// (with active: / number of triplets whose loss is not 0), for embeddings z [batch,
// dim], labels [batch] and a margin m, a squared distance; see the package for L_apn.
// The loss is [batch]: for each anchor the sum over its triplets, scaled so that the
// mean over the anchors is that mean over the triplets. share, a scalar, is the share of
// the triplets whose loss is not 0. Both are 0 without a triplet. It panics, as graph
// functions do, when the shapes do not fit.
//
// Source: section II-F of the paper; Schroff et al., arXiv 1503.03832.
func TripletAll(z, labels *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	squared := SquaredDistances(z, z)
	isPositive, isNegative := pairs(z, labels)
	counted := countTriplets(withMargin(squared, isPositive, m), isPositive, isNegative)
	return tripletMean(squared, isPositive, counted, triplets(isPositive, isNegative, z.DType()), m, active)
}

// TripletSemiHard returns the loss of the semi-hard triplets of the batch, those whose
// negative is further than their positive, but within the margin,
//
//	sum_apn L_apn / number of them,    d_ap < d_an < d_ap + m
//
// for embeddings z [batch, dim], labels [batch] and a margin m, a squared distance; see
// the package for L_apn. The loss is [batch]: for each anchor the sum over its triplets,
// scaled so that the mean over the anchors is that mean over the triplets. share, a
// scalar, is the share of semi-hard triplets among all. Both are 0 without such a
// triplet. It panics, as graph functions do, when the shapes do not fit.
//
// Source: section II-F of the paper; Schroff et al., arXiv 1503.03832.
func TripletSemiHard(z, labels *graph.Node, m float64) (loss, share *graph.Node) {
	squared := SquaredDistances(z, z)
	isPositive, isNegative := pairs(z, labels)
	// Where the margin is 0, or rounding loses it, nothing lies between d_ap and d_ap + m.
	isSemi := graph.LogicalAnd(isPositive, graph.LessThan(squared, graph.AddScalar(squared, m)))
	nearer := countTriplets(withMargin(squared, isSemi, m), isSemi, isNegative)
	further := countTriplets(graph.Neg(squared), isSemi, isNegative)
	// Each triplet has a negative that is nearer than d_ap + m, further than d_ap, or both.
	both := graph.Sub(graph.Add(nearer, further), triplets(isSemi, isNegative, z.DType()))
	return tripletMean(squared, isPositive, both, triplets(isPositive, isNegative, z.DType()), m, true)
}

// TripletHard returns the loss of the hardest triplet of each anchor: its farthest
// positive and its nearest negative,
//
//	mean_a max(0, max_p d_ap - min_n d_an + m)
//
// (with active: the mean over the anchors where it is not 0), for embeddings z [batch,
// dim], labels [batch] and a margin m, a squared distance. The loss is [batch], one
// per anchor, scaled so that the mean over the batch is that mean over the anchors that
// have a positive and a negative. share, a scalar, is the share of these anchors
// whose loss is not 0. Both are 0 without such an anchor. It panics, as graph functions do,
// when the shapes do not fit.
//
// Source: section II-F of the paper; Hermans et al., arXiv 1703.07737.
func TripletHard(z, labels *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	isPositive, isNegative := pairs(z, labels)
	squared := graph.StopGradient(SquaredDistances(z, z))
	never := graph.Infinity(z.Graph(), z.DType(), -1)
	farthest := graph.ArgMax(graph.Where(isPositive, squared, never), -1, dtypes.Int32)
	nearest := graph.ArgMax(graph.Where(isNegative, graph.Neg(squared), never), -1, dtypes.Int32)
	hinge := graph.AddScalar(graph.Sub(rowDistances(z, z, farthest), rowDistances(z, z, nearest)), m)
	valid := graph.ConvertDType(graph.LogicalAnd(
		graph.LogicalAny(isPositive, -1), graph.LogicalAny(isNegative, -1)), z.DType())
	loss = graph.Mul(graph.MaxScalar(hinge, 0), valid)
	counted := graph.ReduceAllSum(graph.ConvertDType(graph.GreaterThan(loss, graph.ZerosLike(loss)), z.DType()))
	divisor := graph.ReduceAllSum(valid)
	share = ratio(counted, divisor)
	if active {
		divisor = counted
	}
	return meanOver(loss, divisor), share
}

// withMargin returns d_ap + m for the positive pairs, d_an for the others.
func withMargin(squared, isPositive *graph.Node, m float64) *graph.Node {
	return graph.Where(isPositive, graph.AddScalar(squared, m), squared)
}

// tripletMean returns the loss [batch] and the share of the triplets that are counted, of
// which each pair takes part in counted [batch, batch], out of all.
func tripletMean(squared, isPositive, counted, all *graph.Node, m float64, active bool) (loss, share *graph.Node) {
	none := graph.ZerosLike(counted)
	number := graph.ReduceSum(graph.Where(isPositive, counted, none), -1)
	signed := graph.Where(isPositive, counted, graph.Neg(counted))
	sum := graph.Add(graph.ReduceSum(graph.Mul(signed, squared), -1), graph.MulScalar(number, m))
	n, valid := graph.ReduceAllSum(number), graph.ReduceAllSum(graph.Where(isPositive, all, none))
	divisor := valid
	if active {
		divisor = n
	}
	return meanOver(sum, divisor), ratio(n, valid)
}

// triplets returns in how many triplets each pair takes part [batch, batch]: a positive
// pair with each negative of its anchor, a negative pair with each positive.
func triplets(isPositive, isNegative *graph.Node, dtype dtypes.DType) *graph.Node {
	positive, negative := graph.ConvertDType(isPositive, dtype), graph.ConvertDType(isNegative, dtype)
	return graph.Add(
		graph.Mul(positive, graph.ReduceAndKeep(negative, graph.ReduceSum, -1)),
		graph.Mul(negative, graph.ReduceAndKeep(positive, graph.ReduceSum, -1)))
}

// countTriplets returns in how many triplets with x_an < x_ap each pair takes part, for
// some x of the pairs; all are [batch, batch]. Comparing is the fastest for small batches,
// sorting for large ones, but not in pure Go, which sorts slowly.
func countTriplets(x, isPositive, isNegative *graph.Node) *graph.Node {
	x = graph.StopGradient(x)
	if x.Shape().Dim(0) > 512 && x.Graph().Backend().Name() == "xla" {
		return graph.StopGradient(countBySorting(x, isPositive, isNegative))
	}
	never := graph.Infinity(x.Graph(), x.DType(), 1)
	zero := graph.ZerosLike(x)
	return graph.Add(
		graph.Where(isPositive, countLess(graph.Where(isNegative, x, never), x), zero),
		graph.Where(isNegative, countLess(graph.Where(isPositive, graph.Neg(x), never), graph.Neg(x)), zero))
}

// countLess returns how many of the y_ak, k = 0, 1, ..., are less than x_ai [batch,
// batch]. One k after the other, so that no more than pairs are held.
func countLess(y, x *graph.Node) *graph.Node {
	count := graph.ZerosLike(x)
	for k := range y.Shape().Dim(1) {
		one := graph.Slice(y, graph.AxisRange(), graph.AxisElem(k))
		count = graph.Add(count, graph.ConvertDType(graph.LessThan(one, x), x.DType()))
	}
	return count
}

// countBySorting is countTriplets: in a sorted row, each positive counts the negatives
// before it, each negative the positives after it.
func countBySorting(x, isPositive, isNegative *graph.Node) *graph.Node {
	side := graph.Sub(graph.ConvertDType(isNegative, x.DType()), graph.ConvertDType(isPositive, x.DType()))
	place := graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, x.Shape().Dimensions...), 1)
	sorted := sortRows(func(left, right []*graph.Node) *graph.Node {
		// Of equal ones, positives go first: they don't count.
		return graph.LogicalOr(graph.LessThan(left[0], right[0]),
			graph.LogicalAnd(graph.Equal(left[0], right[0]), graph.LessThan(left[1], right[1])))
	}, x, side, place)
	negative, positive := graph.MaxScalar(sorted[1], 0), graph.MaxScalar(graph.Neg(sorted[1]), 0)
	count := graph.Add(
		graph.Mul(positive, graph.CumSum(negative, 1)),
		graph.Mul(negative, graph.CumSum(positive, 1, &graph.CumSumOptions{Reverse: true})))
	return sortRows(func(left, right []*graph.Node) *graph.Node {
		return graph.LessThan(left[0], right[0])
	}, sorted[2], count)[1]
}

// sortRows sorts the rows of the matrices together, by an order of the elements at one
// place. The sort is stable: among NaN, an unstable one may read beyond a row.
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

// meanOver scales sums [batch] so that their mean is their total over n, and 0 if n is 0.
func meanOver(sums, n *graph.Node) *graph.Node {
	return graph.MulScalar(graph.Div(sums, graph.MaxScalar(n, 1)), float64(sums.Shape().Dim(0)))
}

// ratio returns part / all, and 0 if all is 0.
func ratio(part, all *graph.Node) *graph.Node { return graph.Div(part, graph.MaxScalar(all, 1)) }
