package losses

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// SubcenterCosines returns the cosine of each embedding to the nearest of the K sub-centers
// of each class,
//
//	cos t_ij = max_k z_i . w_jk / (||z_i|| ||w_jk||)
//
// Shapes: z [batch, dim], subcenters [classes, K, dim]; returns [batch, classes]. The gradient
// flows into the first of several nearest ones. The cosine of a zero vector is 0.
//
// Source: Deng et al., Sub-center ArcFace, ECCV 2020.
func SubcenterCosines(z, subcenters *graph.Node) *graph.Node {
	cos, _ := nearestSubcenters(Normalize(z), unitRows(subcenters), subcenters.Shape().Dim(1))
	return cos
}

// SubcenterArcFace returns the loss of ArcFace with several sub-centers per class, of which
// the nearest counts: L_i is that of ArcFace with t_j the angle between embedding z_i and the
// nearest sub-center of class j (see SubcenterCosines). The margin m is in radians, 0 to pi;
// the scale s has no unit (see NormScale).
//
// Shapes: z [batch, dim], subcenters [classes, K, dim], labels [batch], s a scalar or [batch];
// returns [batch].
//
// Source: Deng et al., Sub-center ArcFace, ECCV 2020.
func SubcenterArcFace(z, subcenters, labels, s *graph.Node, m float64) *graph.Node {
	z, rows := Normalize(z), unitRows(subcenters)
	k := subcenters.Shape().Dim(1)
	cos, nearest := nearestSubcenters(z, rows, k)
	own := graph.ReduceSum(graph.Mul(nearest, graph.ConvertDType(oneHot(labels, cos), nearest.DType())), -1)
	row := graph.Add(graph.MulScalar(graph.ConvertDType(labels, own.DType()), float64(k)), own)
	return arcFace(cos, z, graph.Gather(rows, graph.ExpandAxes(row, -1)), labels, s, m)
}

// unitRows returns sub-centers [classes, K, dim] of norm 1, class by class: [classes K, dim].
func unitRows(subcenters *graph.Node) *graph.Node {
	checkDims("subcenters", subcenters, -1, -1, -1)
	return Normalize(graph.Reshape(subcenters, -1, subcenters.Shape().Dim(2)))
}

// nearestSubcenters returns the cosine to the nearest sub-center of each class, and which of
// the K it is, as int32.
//
// Shapes: z [batch, dim] and rows [classes K, dim] of norm 1; returns [batch, classes] twice.
func nearestSubcenters(z, rows *graph.Node, k int) (cos, nearest *graph.Node) {
	cos = graph.Reshape(Logits(z, rows, nil), z.Shape().Dim(0), -1, k)
	nearest = graph.ArgMax(graph.StopGradient(cos), -1, dtypes.Int32)
	return graph.ReduceSum(graph.Mul(cos, graph.OneHot(nearest, k, cos.DType())), -1), nearest
}
