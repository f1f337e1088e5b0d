package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Regression returns the squared distance of embeddings from the target of their
// class,
//
//	L_i = ||z_i - t_{y_i}||^2
//
// for embeddings z [batch, dim], targets [classes, dim], which are constants: no
// gradient flows into them, and labels [batch], integers in 0..classes-1. The result is
// [batch], one loss per example. It panics, as graph functions do, when the shapes do
// not fit.
//
// Source: section II-G of the paper.
func Regression(z, targets, labels *graph.Node) *graph.Node {
	checkDims("z", z, -1, -1)
	checkDims("targets", targets, -1, z.Shape().Dim(1))
	checkDims("labels", labels, z.Shape().Dim(0))
	return rowDistances(z, graph.StopGradient(targets), labels)
}

// rowDistances returns ||z_i - x_{r_i}||^2 [batch] for z [batch, dim], the rows of x
// [n, dim] and their numbers r [batch].
func rowDistances(z, x, r *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Square(graph.Sub(z, graph.Gather(x, graph.ExpandAxes(r, -1)))), -1)
}
