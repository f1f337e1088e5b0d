package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// normEpsilon bounds the norm that Normalize divides by from below. Its square is
// a normal number in float32, so value and gradient stay finite at the origin.
const normEpsilon = 1e-12

// Normalize scales each row of x [n, dim] to norm 1,
//
//	x_i / max(||x_i||, 1e-12)
//
// A row of zeros stays zero, with a finite gradient. The result is [n, dim]. It
// panics, as graph functions do, when x is not a matrix.
//
// Source: the weight normalization of section II-C of the paper.
func Normalize(x *graph.Node) *graph.Node {
	return graph.Div(x, graph.ExpandAxes(norms(x), -1))
}

// norms returns max(||x_i||, 1e-12) [n] for the rows of x [n, dim].
func norms(x *graph.Node) *graph.Node {
	checkDims("x", x, -1, -1)
	squared := graph.ReduceSum(graph.Square(x), -1)
	return graph.Sqrt(graph.MaxScalar(squared, normEpsilon*normEpsilon))
}
