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
	checkDims("x", x, -1, -1)
	squaredNorm := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, -1)
	return graph.Div(x, graph.Sqrt(graph.MaxScalar(squaredNorm, normEpsilon*normEpsilon)))
}
