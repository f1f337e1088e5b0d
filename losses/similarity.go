package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// SupCon returns the supervised contrastive loss,
//
//	L_a = -1/|P_a| sum_{p in P_a} log( exp(cos t_ap / tau) / sum_{k != a} exp(cos t_ak / tau) )
//
// t_ij is the angle between embeddings z_i and z_j; norms have no effect. P_a are the other
// examples of the class of a. The temperature tau, without unit, is above 0: the smaller it
// is, the more the nearest others count. The mean is over the anchors with a positive. The
// loss of an anchor is scaled so that the mean over the batch is that mean.
//
// Shapes: z [batch, dim], labels [batch]; returns [batch], 0 without a positive.
//
// Source: Khosla et al., arXiv 2004.11362, the form with the sum outside of the logarithm.
func SupCon(z, labels *graph.Node, tau float64) *graph.Node {
	isPositive, isNegative := pairs(z, labels)
	similarity := graph.DivScalar(Cosines(z, z), tau)
	all := logSumExp(only(graph.LogicalOr(isPositive, isNegative), similarity))
	hasPositive := graph.ConvertDType(graph.LogicalAny(isPositive, -1), z.DType())
	loss := graph.Mul(graph.Sub(all, graph.MaskedReduceMean(similarity, isPositive, -1)), hasPositive)
	return meanOver(loss, graph.ReduceAllSum(hasPositive))
}

// MultiSimilarity returns the multi-similarity loss of all pairs of the batch,
//
//	L_a = 1/alpha log(1 + sum_{p in P_a} exp(-alpha (cos t_ap - base))) +
//	      1/beta  log(1 + sum_{n in N_a} exp(beta (cos t_an - base)))
//
// t_ij is the angle between embeddings z_i and z_j; norms have no effect. P_a are the other
// examples of the class of a, N_a those of other classes. alpha and beta, without unit, are
// above 0: the larger they are, the more the hardest pairs count. Positives should have
// cosines above base, and negatives below it.
//
// Shapes: z [batch, dim], labels [batch]; returns [batch], 0 for a batch of one.
//
// Source: Wang et al., arXiv 1904.06627, without its mining of pairs.
func MultiSimilarity(z, labels *graph.Node, alpha, beta, base float64) *graph.Node {
	isPositive, isNegative := pairs(z, labels)
	above := graph.AddScalar(Cosines(z, z), -base)
	positive := logOnePlusSum(only(isPositive, graph.MulScalar(above, -alpha)))
	negative := logOnePlusSum(only(isNegative, graph.MulScalar(above, beta)))
	return graph.Add(graph.DivScalar(positive, alpha), graph.DivScalar(negative, beta))
}

// Circle returns the circle loss of pairs,
//
//	L_a = log(1 + sum_{n in N_a} exp(gamma a_n (cos t_an - m)) sum_{p in P_a} exp(-gamma a_p (cos t_ap - 1 + m)))
//	a_p = max(0, 1 + m - cos t_ap),    a_n = max(0, cos t_an + m)
//
// t_ij is the angle between embeddings z_i and z_j; norms have no effect. P_a are the other
// examples of the class of a, N_a those of other classes. The weights a_p and a_n grow with
// the distance from the optimum, and have no gradient. m is a difference of cosines: the
// exponents of a negative and a positive cancel on a circle around cos t_an = 0 and cos t_ap
// = 1, (cos t_an)^2 + (1 - cos t_ap)^2 = 2 m^2. The scale gamma, without unit, is above 0. The
// mean is over the anchors with a positive and a negative. The loss of an anchor is scaled so
// that the mean over the batch is that mean.
//
// Shapes: z [batch, dim], labels [batch]; returns [batch], 0 without an anchor that has a
// positive and a negative.
//
// Source: Sun et al., arXiv 2002.10857.
func Circle(z, labels *graph.Node, m, gamma float64) *graph.Node {
	return circle(z, labels, m, gamma, func(isPositive, exponents *graph.Node) *graph.Node {
		return logSumExp(only(isPositive, exponents))
	})
}

// CircleMean returns the circle loss with the mean over the positives of an anchor instead
// of the sum of their exponentials,
//
//	L_a = log(1 + sum_{n in N_a} exp(gamma a_n (cos t_an - m)) exp(-gamma/|P_a| sum_{p in P_a} a_p (cos t_ap - 1 + m)))
//
// with all else as in Circle. In the sum, the positive that is farthest away decides nearly
// alone when gamma is large: where classes overlap, or still have to pass each other, that is
// an image which lies on the wrong side. In the mean all positives count by their weights.
//
// Shapes: z [batch, dim], labels [batch]; returns [batch], 0 without an anchor that has a
// positive and a negative.
//
// Source: our own choice; for the mean outside of the logarithm, see SupCon.
func CircleMean(z, labels *graph.Node, m, gamma float64) *graph.Node {
	return circle(z, labels, m, gamma, func(isPositive, exponents *graph.Node) *graph.Node {
		return graph.MaskedReduceMean(exponents, isPositive, -1)
	})
}

// circle returns the circle loss, given what makes one number of the exponents of the
// positives of each anchor [batch, batch].
func circle(z, labels *graph.Node, m, gamma float64, ofPositives func(isPositive, exponents *graph.Node) *graph.Node) *graph.Node {
	isPositive, isNegative := pairs(z, labels)
	cos := Cosines(z, z)
	fixed := graph.StopGradient(cos)
	weightP := graph.MaxScalar(graph.AddScalar(graph.Neg(fixed), 1+m), 0)
	weightN := graph.MaxScalar(graph.AddScalar(fixed, m), 0)
	positive := graph.MulScalar(graph.Mul(weightP, graph.AddScalar(cos, m-1)), -gamma)
	negative := graph.MulScalar(graph.Mul(weightN, graph.AddScalar(cos, -m)), gamma)
	sum := graph.Add(ofPositives(isPositive, positive), logSumExp(only(isNegative, negative)))
	hasBoth := graph.ConvertDType(graph.LogicalAnd(
		graph.LogicalAny(isPositive, -1), graph.LogicalAny(isNegative, -1)), z.DType())
	loss := graph.Mul(logOnePlusSum(graph.ExpandAxes(sum, -1)), hasBoth)
	return meanOver(loss, graph.ReduceAllSum(hasBoth))
}

// only returns x where mask is true, and elsewhere a number whose exponential is 0 in a
// logSumExp.
func only(mask, x *graph.Node) *graph.Node {
	return graph.Where(mask, x, graph.Scalar(x.Graph(), x.DType(), -1e30))
}

// logSumExp returns log(sum_j exp(x_ij)) without overflow; without a number that counts (see
// only) it is about -1e30.
//
// Shapes: x [n, terms]; returns [n].
func logSumExp(x *graph.Node) *graph.Node {
	largest := graph.StopGradient(graph.ReduceMax(x, -1))
	rest := graph.ReduceSum(graph.Exp(graph.Sub(x, graph.ExpandAxes(largest, -1))), -1)
	return graph.Add(largest, graph.Log(rest))
}

// logOnePlusSum returns log(1 + sum_j exp(x_ij)) without overflow; without a number that
// counts (see only) it is 0.
//
// Shapes: x [n, terms]; returns [n].
func logOnePlusSum(x *graph.Node) *graph.Node {
	one := graph.ZerosLike(graph.Slice(x, graph.AxisRange(), graph.AxisElem(0)))
	return logSumExp(graph.Concatenate([]*graph.Node{one, x}, -1))
}
