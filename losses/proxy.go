package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// ProxyAnchor returns the proxy-anchor loss, whose anchors are the proxies of the classes,
//
//	L = mean_{j in J} log(1 + sum_{i: y_i = j} exp(-alpha (cos t_ij - m))) +
//	    mean_j log(1 + sum_{i: y_i != j} exp(alpha (cos t_ij + m)))
//
// t_ij is the angle between embedding z_i and the proxy of class j. J are the classes with an
// example in the batch. The margin m is a difference of cosines. The
// scale alpha, without unit, is above 0: the larger it is, the more the hardest examples of a
// proxy count. The loss of a proxy is scaled so that the mean over the classes is L.
//
// Shapes: cos [batch, classes] (see Cosines and Similarities), labels [batch], alpha a scalar
// (see AnnealedScale); returns [classes].
//
// Source: Kim et al., arXiv 2003.13911.
func ProxyAnchor(cos, labels, alpha *graph.Node, m float64) *graph.Node {
	checkDims("cos", cos, -1, -1)
	target := graph.Transpose(oneHot(labels, cos), 0, 1)
	isPositive := graph.Equal(target, graph.OnesLike(target)) // [classes, batch]
	cos = graph.Transpose(cos, 0, 1)
	alpha = graph.ConvertDType(alpha, cos.DType())
	positive := logOnePlusSum(only(isPositive, graph.Mul(graph.AddScalar(cos, -m), graph.Neg(alpha))))
	negative := logOnePlusSum(only(graph.LogicalNot(isPositive), graph.Mul(graph.AddScalar(cos, m), alpha)))
	hasPositive := graph.ConvertDType(graph.LogicalAny(isPositive, -1), cos.DType())
	return graph.Add(meanOver(positive, graph.ReduceAllSum(hasPositive)), negative)
}
