package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Center returns the center loss, which draws embeddings to the center of their class,
//
//	L_i = lambda/2 ||z_i - c_{y_i}||^2
//
// lambda weights it against the softmax loss that it is added to, which keeps the classes
// apart.
//
// Shapes: z [batch, dim], centers [classes, dim], labels [batch]; returns [batch]. No
// gradient flows into the centers; WenCenters and RunningMeans update them.
//
// Source: section II-E of the paper; Wen et al., ECCV 2016.
func Center(z, centers, labels *graph.Node, lambda float64) *graph.Node {
	return graph.MulScalar(Regression(z, centers, labels), lambda/2)
}

// WenCenters returns the centers after a batch, updated by the rule published with the
// center loss,
//
//	c_j <- c_j - alpha sum_{i: y_i = j} (c_j - z_i) / (1 + n_j)
//
// n_j is the number of examples of class j in the batch. alpha, without unit, is the
// learning rate of the centers.
//
// Shapes: z [batch, dim], centers [classes, dim], labels [batch]; returns [classes, dim].
// No gradient flows. Centers without an example in the batch stay as they are.
//
// Source: Wen et al., ECCV 2016.
func WenCenters(z, centers, labels *graph.Node, alpha float64) *graph.Node {
	n, differences := sumByClass(z, centers, labels)
	return graph.StopGradient(graph.Add(centers, graph.MulScalar(graph.Div(differences, graph.OnePlus(n)), alpha)))
}

// RunningMeans returns the centers after a batch, as exponential moving averages of the
// class means,
//
//	c_j <- c_j + alpha (mean_{i: y_i = j} z_i - c_j)
//
// alpha, without unit, is the weight of the batch.
//
// Shapes: z [batch, dim], centers [classes, dim], labels [batch]; returns [classes, dim].
// No gradient flows. Centers without an example in the batch stay as they are.
//
// Source: section II-E of the paper, where a center is the mean of its class.
func RunningMeans(z, centers, labels *graph.Node, alpha float64) *graph.Node {
	n, differences := sumByClass(z, centers, labels)
	return graph.StopGradient(graph.Add(centers, graph.MulScalar(graph.Div(differences, graph.MaxScalar(n, 1)), alpha)))
}

// sumByClass returns, for each class, the number of its examples and the sum of their
// differences from its center. In many dimensions each example is subtracted from its own
// center only, and a product with zeros and ones adds up the differences: sums of examples
// minus sums of centers would lose small differences to rounding.
//
// Shapes: z [batch, dim], centers [classes, dim], labels [batch]; returns [classes, 1] and
// [classes, dim].
func sumByClass(z, centers, labels *graph.Node) (n, differences *graph.Node) {
	checkDims("z", z, -1, -1)
	checkDims("centers", centers, -1, z.Shape().Dim(1))
	checkDims("labels", labels, z.Shape().Dim(0))
	isClass := graph.Transpose(graph.OneHot(labels, centers.Shape().Dim(0), z.DType()), 0, 1)
	n = graph.ReduceAndKeep(isClass, graph.ReduceSum, 1)
	if z.Shape().Dim(1) > fewDims {
		own := graph.Gather(centers, graph.ExpandAxes(labels, -1))
		return n, graph.MatMul(isClass, graph.Sub(z, own))
	}
	fromCenters := graph.Sub(graph.ExpandAxes(z, 0), graph.ExpandAxes(centers, 1)) // [classes, batch, dim]
	return n, graph.ReduceSum(graph.Mul(fromCenters, graph.ExpandAxes(isClass, -1)), 1)
}
