package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Contrastive returns the contrastive loss of all pairs of the batch,
//
//	L_ij = 1/2 d_ij^2                  for y_i = y_j
//	       1/2 max(0, m - d_ij)^2      for y_i != y_j
//
// d_ij = ||z_i - z_j|| is the Euclidean distance of two embeddings; the margin m is such a
// distance, not squared. The loss of an example is the mean over its pairs, so that the mean
// over the batch is the mean over all pairs i < j.
//
// Shapes: z [batch, dim], labels [batch]; returns [batch], 0 for a batch of one.
//
// Source: section II-F of the paper; Hadsell et al., CVPR 2006.
func Contrastive(z, labels *graph.Node, m float64) *graph.Node {
	batch := z.Shape().Dim(0)
	squared := SquaredDistances(z, z)
	isPositive, isNegative := pairs(z, labels)
	hinge := graph.MaxScalar(graph.AddScalar(graph.Neg(safeSqrt(squared)), m), 0)
	zero := graph.ZerosLike(squared)
	loss := graph.Add(graph.Where(isPositive, squared, zero), graph.Where(isNegative, graph.Square(hinge), zero))
	return graph.DivScalar(graph.ReduceSum(loss, -1), 2*float64(max(1, batch-1)))
}

// PairDistances returns the mean Euclidean distance of the pairs of the batch within a class
// (positive) and between classes (negative). Both fall to 0 when the embedding collapses to
// a point; they are equal when it does not tell the classes apart.
//
// Shapes: z [batch, dim], labels [batch]; returns two scalars, 0 without such a pair.
//
// Source: our own choice, to monitor what section II-F of the paper aims at.
func PairDistances(z, labels *graph.Node) (positive, negative *graph.Node) {
	distance := safeSqrt(SquaredDistances(z, z))
	isPositive, isNegative := pairs(z, labels)
	mean := func(mask *graph.Node) *graph.Node {
		weight := graph.ConvertDType(mask, z.DType())
		return graph.Div(graph.ReduceAllSum(graph.Mul(distance, weight)), graph.MaxScalar(graph.ReduceAllSum(weight), 1))
	}
	return mean(isPositive), mean(isNegative)
}

// pairs tells which pairs of examples share a class, not counting an example with itself,
// and which do not.
//
// Shapes: z [batch, dim], labels [batch]; returns two [batch, batch].
func pairs(z, labels *graph.Node) (isPositive, isNegative *graph.Node) {
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
