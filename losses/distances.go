package losses

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// fewDims is the number of dimensions up to which the differences of all pairs of rows are one
// array.
const fewDims = 16

// SquaredDistances returns the squared Euclidean distances between the rows of two matrices,
//
//	||x_i - y_j||^2
//
// Shapes: x [n, dim], y [m, dim]; returns [n, m]. Coordinates are subtracted:
// x.x - 2 x.y + y.y would lose small distances to rounding. Memory is on the order of n m,
// also in many dimensions.
//
// Source: the distances of sections II-E to II-G of the paper.
func SquaredDistances(x, y *graph.Node) *graph.Node {
	checkDims("x", x, -1, -1)
	checkDims("y", y, -1, x.Shape().Dim(1))
	if x.Shape().Dim(1) <= fewDims {
		return squaredDifferences(x, y)
	}
	// GoMLX lets only a function of one node have a gradient of its own: the gradient of the
	// distances leaves those of x and y for the two identities. The way from the distances to
	// x and y is there for the graph's own gradient to find them; nothing flows through it.
	var dx, dy *graph.Node
	x = graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return dx })
	y = graph.IdentityWithCustomGradient(y, func(_, _ *graph.Node) *graph.Node { return dy })
	way := graph.MulScalar(graph.Add(firstElement(x), firstElement(y)), 0)
	x, y = graph.StopGradient(x), graph.StopGradient(y)
	return graph.IdentityWithCustomGradient(graph.Add(inBlocks(x, y), way), func(_, v *graph.Node) *graph.Node {
		dx, dy = distanceGradient(x, y, v), distanceGradient(y, x, graph.Transpose(v, 0, 1))
		return v
	})
}

// Distances returns the Euclidean distances between the rows of two matrices,
//
//	||x_i - y_j||
//
// with a gradient of 0 where they are 0. Shapes: x [n, dim], y [m, dim]; returns [n, m].
//
// Source: the distances of section II-F of the paper.
func Distances(x, y *graph.Node) *graph.Node { return safeSqrt(SquaredDistances(x, y)) }

// squaredDifferences is SquaredDistances by an array of all differences [n, m, dim].
func squaredDifferences(x, y *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Square(graph.Sub(graph.ExpandAxes(x, 1), graph.ExpandAxes(y, 0))), -1)
}

// inBlocks is SquaredDistances as a sum over blocks of dimensions. XLA makes one loop of a
// block of 16, without an array of differences; pure Go has such an array in any case, and is
// fastest where it is a matrix. Each block waits for the one before it: backends would compute
// all of them first, and add them up at last.
func inBlocks(x, y *graph.Node) (squared *graph.Node) {
	size := 1
	if x.Graph().Backend().Name() == "xla" {
		size = fewDims
	}
	dim := x.Shape().Dim(1)
	for start := 0; start < dim; start += size {
		block := graph.AxisRange(start, min(start+size, dim))
		left, right := graph.SliceAxis(x, 1, block), graph.SliceAxis(y, 1, block)
		if squared == nil {
			squared = squaredDifferences(left, right)
			continue
		}
		left = graph.Add(left, graph.MulScalar(firstElement(squared), 0))
		squared = graph.Add(squared, squaredDifferences(left, right))
	}
	return squared
}

// distanceGradient returns the gradient of x, given that v [n, m] of SquaredDistances,
//
//	dx_i = 2 sum_j v_ij (x_i - y_j)
//
// as a matrix product. In float64 it has the differences of float32 rows that are near to each
// other, on a GPU too, where products of float32 are rounded more than other operations.
func distanceGradient(x, y, v *graph.Node) *graph.Node {
	dtype := x.DType()
	x, y, v = graph.ConvertDType(x, dtypes.Float64), graph.ConvertDType(y, dtypes.Float64), graph.ConvertDType(v, dtypes.Float64)
	dx := graph.Sub(graph.Mul(graph.ReduceAndKeep(v, graph.ReduceSum, 1), x), graph.MatMul(v, y))
	return graph.ConvertDType(graph.MulScalar(dx, 2), dtype)
}

// firstElement returns the first element of a matrix, a scalar.
func firstElement(x *graph.Node) *graph.Node {
	return graph.Reshape(graph.Slice(x, graph.AxisElem(0), graph.AxisElem(0)))
}
