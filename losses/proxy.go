package losses

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// ProxyAnchor returns the proxy-anchor loss, whose anchors are the proxies of the classes,
//
//	L = mean_{j in J} log(1 + sum_{i: y_i = j} exp(-alpha (cos t_ij - base - m))) +
//	    alpha/beta mean_j log(1 + sum_{i: y_i != j} exp(beta (cos t_ij - base + m)))
//
// t_ij is the angle between embedding z_i and proxy p_j; the norms of both have no effect. J
// are the classes with an example in the batch. The margin m and the base are differences of
// cosines: examples of the class should have cosines above base + m, and others below base - m.
// The scales alpha and beta, without unit, are above 0: the larger they are, the more the
// hardest examples of a proxy count. The loss of a proxy is scaled so that the mean over the
// classes is L.
//
// The published loss is that with alpha = beta and base = 0. It asks for classes at more than
// a right angle. Where the dimensions have no room for that, all embeddings in one direction
// and all proxies at a right angle to it cost less than classes that are evenly spread.
//
// Shapes: z [batch, dim], proxies [classes, dim], labels [batch]; returns [classes].
//
// Source: Kim et al., arXiv 2003.13911; beta and base are our own choice, as
// MultiSimilarity has them.
func ProxyAnchor(z, proxies, labels *graph.Node, m, alpha, beta, base float64) *graph.Node {
	cos := Cosines(proxies, z) // [classes, batch]
	checkDims("labels", labels, z.Shape().Dim(0))
	classes := graph.Iota(z.Graph(), shapes.Make(labels.DType(), proxies.Shape().Dim(0), 1), 0)
	isPositive := graph.Equal(classes, graph.ExpandAxes(labels, 0))
	positive := logOnePlusSum(only(isPositive, graph.MulScalar(graph.AddScalar(cos, -base-m), -alpha)))
	negative := logOnePlusSum(only(graph.LogicalNot(isPositive), graph.MulScalar(graph.AddScalar(cos, m-base), beta)))
	hasPositive := graph.ConvertDType(graph.LogicalAny(isPositive, -1), z.DType())
	return graph.Add(meanOver(positive, graph.ReduceAllSum(hasPositive)), graph.MulScalar(negative, alpha/beta))
}
