package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// SquaredDistances returns the squared Euclidean distances between the rows of two
// matrices,
//
//	||x_i - y_j||^2
//
// for x [n, dim] and y [m, dim]. The result is [n, m]. Coordinates are subtracted, as
// x.x - 2 x.y + y.y loses small distances to rounding. It panics, as graph functions
// do, when the shapes do not fit.
//
// Source: the distances of sections II-E to II-G of the paper.
func SquaredDistances(x, y *graph.Node) *graph.Node {
	checkDims("x", x, -1, -1)
	checkDims("y", y, -1, x.Shape().Dim(1))
	return graph.ReduceSum(graph.Square(graph.Sub(graph.ExpandAxes(x, 1), graph.ExpandAxes(y, 0))), -1)
}

// Contrastive returns the contrastive loss of all pairs of the batch,
//
//	L_ij = 1/2 d_ij^2                  for y_i = y_j
//	       1/2 max(0, m - d_ij)^2      for y_i != y_j
//
// with the Euclidean distance d_ij = ||z_i - z_j||, for embeddings z [batch, dim],
// labels [batch] and a margin m, a distance. The result is [batch]: for each example
// the mean over its pairs, so that its mean is the mean over all pairs i < j. It is 0
// for a batch of one. It panics, as graph functions do, when the shapes do not fit.
//
// Source: section II-F of the paper; Hadsell et al., CVPR 2006.
func Contrastive(z, labels *graph.Node, m float64) *graph.Node {
	batch := z.Shape().Dim(0)
	squared := SquaredDistances(z, z)
	positive, negative := pairs(z, labels)
	distance := safeSqrt(squared)
	pull := squared
	push := graph.Square(graph.MaxScalar(graph.AddScalar(graph.Neg(distance), m), 0))
	zero := graph.ZerosLike(squared)
	loss := graph.Add(graph.Where(positive, pull, zero), graph.Where(negative, push, zero))
	return graph.DivScalar(graph.ReduceSum(loss, -1), 2*float64(max(1, batch-1)))
}

// PairDistances returns the mean Euclidean distance of the pairs of the batch within a
// class and between classes, two scalars, for embeddings z [batch, dim] and labels
// [batch]; 0 without such a pair. When the embedding collapses to a point, both fall to
// 0; when it does not tell the classes apart, they are equal. It panics, as graph
// functions do, when the shapes do not fit.
//
// Source: our own choice, to follow what section II-F of the paper aims at.
func PairDistances(z, labels *graph.Node) (positive, negative *graph.Node) {
	distance := safeSqrt(SquaredDistances(z, z))
	isPositive, isNegative := pairs(z, labels)
	mean := func(mask *graph.Node) *graph.Node {
		weight := graph.ConvertDType(mask, z.DType())
		return graph.Div(graph.ReduceAllSum(graph.Mul(distance, weight)), graph.MaxScalar(graph.ReduceAllSum(weight), 1))
	}
	return mean(isPositive), mean(isNegative)
}

// pairs returns which pairs of the batch are of one class, without those of an example
// with itself, and which are of two [batch, batch].
func pairs(z, labels *graph.Node) (positive, negative *graph.Node) {
	batch := z.Shape().Dim(0)
	checkDims("labels", labels, batch)
	same := graph.Equal(graph.ExpandAxes(labels, 1), graph.ExpandAxes(labels, 0))
	return graph.LogicalAnd(same, graph.LogicalNot(graph.Diagonal(z.Graph(), batch))), graph.LogicalNot(same)
}

// safeSqrt is the square root, with a gradient of 0 at 0.
func safeSqrt(x *graph.Node) *graph.Node {
	isZero := graph.Equal(x, graph.ZerosLike(x))
	root := graph.Sqrt(graph.Where(isZero, graph.OnesLike(x), x))
	return graph.Where(isZero, graph.ZerosLike(x), root)
}
