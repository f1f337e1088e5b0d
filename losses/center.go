package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Center returns the term that draws embeddings to the center of their class,
//
//	L_i = lambda/2 ||z_i - c_{y_i}||^2
//
// for embeddings z [batch, dim], centers [classes, dim] and labels [batch], integers
// in 0..classes-1. It is added to a softmax loss, that keeps the classes apart. The
// gradient does not flow into the centers: they follow the embeddings by a rule of
// their own (see WenCenters and RunningMeans). The result is [batch], one loss per
// example. It panics, as graph functions do, when the shapes do not fit.
//
// Source: section II-E of the paper; Wen et al., ECCV 2016.
func Center(z, centers, labels *graph.Node, lambda float64) *graph.Node {
	return graph.MulScalar(Regression(z, centers, labels), lambda/2)
}

// WenCenters returns the centers [classes, dim] after a batch, by the rule of the
// center loss,
//
//	c_j <- c_j - alpha sum_{i: y_i = j} (c_j - z_i) / (1 + n_j)
//
// with n_j the number of examples of class j in the batch, for embeddings z [batch,
// dim], centers [classes, dim] and labels [batch], integers in 0..classes-1. Centers
// without an example stay. No gradient flows. It panics, as graph functions do, when
// the shapes do not fit.
//
// Source: Wen et al., ECCV 2016.
func WenCenters(z, centers, labels *graph.Node, alpha float64) *graph.Node {
	n, difference := fromCenters(z, centers, labels)
	return graph.StopGradient(graph.Add(centers, graph.MulScalar(graph.Div(difference, graph.OnePlus(n)), alpha)))
}

// RunningMeans returns the centers [classes, dim] after a batch, as exponential
// running means of the classes,
//
//	c_j <- c_j + alpha (mean_{i: y_i = j} z_i - c_j)
//
// for embeddings z [batch, dim], centers [classes, dim] and labels [batch], integers
// in 0..classes-1. Centers without an example stay. No gradient flows. It panics, as
// graph functions do, when the shapes do not fit.
//
// Source: section II-E of the paper, where a center is the mean of its class.
func RunningMeans(z, centers, labels *graph.Node, alpha float64) *graph.Node {
	n, difference := fromCenters(z, centers, labels)
	return graph.StopGradient(graph.Add(centers, graph.MulScalar(graph.Div(difference, graph.MaxScalar(n, 1)), alpha)))
}

// fromCenters returns the number of examples of each class [classes, 1], and the sum
// of their differences from its center [classes, dim].
func fromCenters(z, centers, labels *graph.Node) (n, difference *graph.Node) {
	checkDims("z", z, -1, -1)
	checkDims("centers", centers, -1, z.Shape().Dim(1))
	checkDims("labels", labels, z.Shape().Dim(0))
	isClass := graph.ExpandAxes(graph.Transpose(graph.OneHot(labels, centers.Shape().Dim(0), z.DType()), 0, 1), -1)
	differences := graph.Sub(graph.ExpandAxes(z, 0), graph.ExpandAxes(centers, 1)) // [classes, batch, dim]
	return graph.ReduceSum(isClass, 1), graph.ReduceSum(graph.Mul(differences, isClass), 1)
}
