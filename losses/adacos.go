package losses

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// AdaCos returns the softmax loss of cosines with a scale that each batch sets anew, and that
// scale,
//
//	L_i = -log( exp(s' cos t_{y_i}) / sum_j exp(s' cos t_j) )
//	s'  = log(B) / cos(min(pi/4, median_i t_{y_i}))
//	B   = mean_i sum_{j != y_i} exp(s cos t_j)
//
// t_j is the angle between embedding z_i and class weight w_j (see Cosines); the norms of z
// and W have no effect. s is the scale that the batch before has set, at first sqrt(2)
// log(classes-1). At s' an example of the median angle has the probability 1/2, where the
// gradient of its probability is steepest. s' is at least the number least, as B can fall
// below 1 with few classes. The median of an even number is the mean of the middle two.
//
// Shapes: z [batch, dim], W [classes, dim], labels [batch], s a scalar; returns the loss
// [batch] and s', a scalar. No gradient flows into s or out of s'.
//
// Source: Zhang et al., arXiv 1905.00292.
func AdaCos(z, W, labels, s *graph.Node, least float64) (loss, next *graph.Node) {
	cos := Cosines(z, W)
	target := oneHot(labels, cos)
	fixed := graph.StopGradient(cos)
	others := only(graph.Equal(target, graph.ZerosLike(target)), scaled(fixed, s))
	logB := graph.AddScalar(logSumExp(graph.Reshape(others, 1, -1)), -math.Log(float64(cos.Shape().Dim(0))))
	cosMedian := cosOfMedianAngle(graph.ReduceSum(graph.Mul(fixed, target), -1))
	next = graph.Div(graph.Reshape(logB), graph.MaxScalar(cosMedian, math.Cos(math.Pi/4)))
	next = graph.StopGradient(graph.MaxScalar(next, least))
	return crossEntropy(scaled(cos, next), labels), next
}

// cosOfMedianAngle returns cos(median_i t_i), given cos t_i [batch]. It counts instead of
// sorting, which is slow in pure Go. The mean of two angles needs no arc cosine:
// cos((a + b)/2) = cos(a/2) cos(b/2) - sin(a/2) sin(b/2).
func cosOfMedianAngle(cos *graph.Node) *graph.Node {
	n := cos.Shape().Dim(0)
	x, y := graph.ExpandAxes(cos, 1), graph.ExpandAxes(cos, 0)
	square := shapes.Make(dtypes.Int32, n, n)
	isEarlier := graph.GreaterThan(graph.Iota(cos.Graph(), square, 0), graph.Iota(cos.Graph(), square, 1))
	isBefore := graph.LogicalOr(graph.LessThan(y, x), graph.LogicalAnd(graph.Equal(y, x), isEarlier))
	rank := graph.ReduceSum(graph.ConvertDType(isBefore, dtypes.Int32), -1)
	halves := func(position int) (cosHalf, sinHalf *graph.Node) {
		isThere := graph.Equal(rank, graph.Scalar(cos.Graph(), dtypes.Int32, position))
		c := graph.ReduceAllSum(graph.Where(isThere, cos, graph.ZerosLike(cos)))
		root := func(x *graph.Node) *graph.Node { return graph.Sqrt(graph.MaxScalar(graph.DivScalar(x, 2), 0)) }
		return root(graph.OnePlus(c)), root(graph.OneMinus(c))
	}
	cosA, sinA := halves((n - 1) / 2)
	cosB, sinB := halves(n / 2)
	return graph.Sub(graph.Mul(cosA, cosB), graph.Mul(sinA, sinB))
}
