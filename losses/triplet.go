package losses

import (
	"math"

	"github.com/gomlx/compute/dtypes"
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
	loss, counted, valid := tripletSums(z, labels, m, func(positive, negative *graph.Node) *graph.Node {
		return graph.LessThan(negative, graph.AddScalar(positive, m))
	})
	divisor := valid
	if active {
		divisor = counted
	}
	return meanOver(loss, divisor), ratio(counted, valid)
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
	loss, counted, valid := tripletSums(z, labels, m, func(positive, negative *graph.Node) *graph.Node {
		return graph.LogicalAnd(
			graph.LessThan(positive, negative),
			graph.LessThan(negative, graph.AddScalar(positive, m)))
	})
	return meanOver(loss, counted), ratio(counted, valid)
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

// tripletSums returns for each anchor the sum [batch] of d_ap - d_an + m over the
// triplets that counts tells by their distances d_ap and d_an, and the number of these
// triplets and of all, two scalars.
func tripletSums(z, labels *graph.Node, m float64, counts func(positive, negative *graph.Node) *graph.Node) (sum, counted, valid *graph.Node) {
	isPositive, isNegative := pairs(z, labels)
	squared := SquaredDistances(z, z)
	constant := graph.StopGradient(squared)
	perPositive := countPartners(constant, isPositive, isNegative, counts)
	perNegative := countPartners(constant, isNegative, isPositive, func(negative, positive *graph.Node) *graph.Node {
		return counts(positive, negative)
	})
	number := graph.ReduceSum(perPositive, -1)
	sum = graph.Add(
		graph.ReduceSum(graph.Mul(graph.Sub(perPositive, perNegative), squared), -1),
		graph.MulScalar(number, m))
	positives := graph.ReduceSum(graph.ConvertDType(isPositive, z.DType()), -1)
	negatives := graph.ReduceSum(graph.ConvertDType(isNegative, z.DType()), -1)
	return sum, graph.ReduceAllSum(number), graph.ReduceAllSum(graph.Mul(positives, negatives))
}

// countPartners returns for each pair (a, i) in mask the number of partners k with which
// it meets the condition on the distances of i and k from a [batch, batch], and 0 for the
// other pairs. One k after the other, so that no more than pairs are held.
func countPartners(squared, mask, isPartner *graph.Node, meets func(i, k *graph.Node) *graph.Node) *graph.Node {
	never := graph.Scalar(squared.Graph(), squared.DType(), math.NaN()) // meets no condition
	partners := graph.Where(isPartner, squared, never)
	count := graph.ZerosLike(squared)
	for k := range squared.Shape().Dim(0) {
		partner := graph.Slice(partners, graph.AxisRange(), graph.AxisElem(k))
		count = graph.Add(count, graph.ConvertDType(meets(squared, partner), squared.DType()))
	}
	return graph.Mul(count, graph.ConvertDType(mask, squared.DType()))
}

// meanOver scales sums [batch] so that their mean is their total over n, and 0 if n is 0.
func meanOver(sums, n *graph.Node) *graph.Node {
	return graph.MulScalar(graph.Div(sums, graph.MaxScalar(n, 1)), float64(sums.Shape().Dim(0)))
}

// ratio returns part / all, and 0 if all is 0.
func ratio(part, all *graph.Node) *graph.Node { return graph.Div(part, graph.MaxScalar(all, 1)) }
