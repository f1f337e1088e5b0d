package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// CAC returns the loss of class anchor clustering, which draws embeddings to the target of
// their class and away from those of the others,
//
//	L_i = log(1 + sum_{j != y_i} exp(d_{y_i} - d_j)) + lambda d_{y_i},    d_j = ||z_i - t_j||
//
// lambda, without unit, weights the distance from the own target against its lead over the
// others.
//
// Shapes: z [batch, dim], targets [classes, dim], labels [batch]; returns [batch]. The targets
// are constants: no gradient flows into them.
//
// Source: Miller et al., arXiv 2004.02434.
func CAC(z, targets, labels *graph.Node, lambda float64) *graph.Node {
	distances := safeSqrt(SquaredDistances(z, graph.StopGradient(targets)))
	own := graph.ReduceSum(graph.Mul(distances, oneHot(labels, distances)), -1)
	return graph.Add(crossEntropy(graph.Neg(distances), labels), graph.MulScalar(own, lambda))
}

// Prototypes returns the loss of hyperspherical prototypes, which turns embeddings to the
// target of their class,
//
//	L_i = (1 - cos t_i)^k
//
// t_i is the angle between embedding z_i and target t_{y_i}; norms have no effect. The exponent
// k, at least 1, is 2 as published, where the loss is flat near the target; 1 makes it a
// parabola of the angle.
//
// Shapes: z [batch, dim], targets [classes, dim], labels [batch]; returns [batch]. The targets
// are constants: no gradient flows into them.
//
// Source: Mettes et al., arXiv 1901.10514.
func Prototypes(z, targets, labels *graph.Node, k float64) *graph.Node {
	cos := Cosines(z, graph.StopGradient(targets))
	distance := graph.OneMinus(graph.ReduceSum(graph.Mul(cos, oneHot(labels, cos)), -1))
	return graph.PowScalar(graph.MaxScalar(distance, 0), k)
}
