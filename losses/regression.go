package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Regression returns the squared distance of embeddings from the target of their class,
//
//	L_i = ||z_i - t_{y_i}||^2
//
// Shapes: z [batch, dim], targets [classes, dim], labels [batch]; returns [batch]. The
// targets are constants: no gradient flows into them.
//
// Source: section II-G of the paper.
func Regression(z, targets, labels *graph.Node) *graph.Node {
	checkDims("z", z, -1, -1)
	checkDims("targets", targets, -1, z.Shape().Dim(1))
	checkDims("labels", labels, z.Shape().Dim(0))
	return squaredRowDistances(z, graph.StopGradient(targets), labels)
}

// squaredRowDistances returns ||z_i - x_{r_i}||^2, r_i being the row of x for example i.
//
// Shapes: z [batch, dim], x [n, dim], r [batch]; returns [batch].
func squaredRowDistances(z, x, r *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Square(graph.Sub(z, graph.Gather(x, graph.ExpandAxes(r, -1)))), -1)
}
