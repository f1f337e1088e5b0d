package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// normEpsilon is the smallest norm that Normalize divides by. Its square is a normal
// number in float32, so values and gradients stay finite at the origin.
const normEpsilon = 1e-12

// Normalize scales each row of x to norm 1,
//
//	x_i / max(||x_i||, 1e-12)
//
// Shapes: x [n, dim]; returns [n, dim]. A row of zeros stays zero and has a finite
// gradient.
//
// Source: the weight normalization of section II-C of the paper.
func Normalize(x *graph.Node) *graph.Node {
	return graph.Div(x, graph.ExpandAxes(norms(x), -1))
}

// norms returns max(||x_i||, 1e-12) for the rows of x.
//
// Shapes: x [n, dim]; returns [n].
func norms(x *graph.Node) *graph.Node {
	checkDims("x", x, -1, -1)
	squared := graph.ReduceSum(graph.Square(x), -1)
	return graph.Sqrt(graph.MaxScalar(squared, normEpsilon*normEpsilon))
}
