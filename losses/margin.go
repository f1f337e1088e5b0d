package losses

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Cosines returns the cosines of the angles t_ij between embeddings and class weights,
//
//	cos t_ij = z_i . w_j / (||z_i|| ||w_j||)
//
// Shapes: z [batch, dim], W [classes, dim]; returns [batch, classes]. The cosine of a zero
// vector is 0.
//
// Source: section II-D of the paper.
func Cosines(z, W *graph.Node) *graph.Node {
	return Logits(Normalize(z), Normalize(W), nil)
}

// CosFace returns the large margin cosine loss,
//
//	L_i = -log( exp(s (cos t_{y_i} - m)) / (exp(s (cos t_{y_i} - m)) + sum_{j != y_i} exp(s cos t_j)) )
//
// t_j is the angle between embedding z_i and class weight w_j (see Cosines); the norms of z
// and W have no effect. The margin m is a difference of cosines, the scale s has no unit
// (see NormScale). The gradient of the margin does not flow into s.
//
// Shapes: z [batch, dim], W [classes, dim], labels [batch], s a scalar or [batch]; returns
// [batch].
//
// In two dimensions C classes are at best 2 pi/C apart. They cannot keep a margin above
// 1 - cos(2 pi/C), which is 0.191 for 10 classes.
//
// Source: section II-D of the paper; Wang et al., arXiv 1801.09414.
func CosFace(z, W, labels, s *graph.Node, m float64) *graph.Node {
	cos := Cosines(z, W)
	s = graph.ConvertDType(s, cos.DType())
	return crossEntropy(addMargin(scaled(cos, s), oneHot(labels, cos), s, graph.Scalar(cos.Graph(), cos.DType(), -m)), labels)
}

// ArcFace returns the additive angular margin loss,
//
//	L_i = -log( exp(s phi_i) / (exp(s phi_i) + sum_{j != y_i} exp(s cos t_j)) )
//	phi_i = cos(t_{y_i} + m)          for t_{y_i} <= pi - m
//	        cos t_{y_i} - m sin m     otherwise, so that phi keeps falling
//
// t_j is the angle between embedding z_i and class weight w_j (see Cosines); the norms of z
// and W have no effect. The margin m is in radians, 0 to pi; the scale s has no unit (see
// NormScale). The gradient of the margin does not flow into s.
//
// Shapes: z [batch, dim], W [classes, dim], labels [batch], s a scalar or [batch]; returns
// [batch].
//
// In two dimensions C classes cannot keep a margin above 2 pi/C, which is 0.63 for 10
// classes.
//
// Source: named in section II-D of the paper; Deng et al., arXiv 1801.07698.
func ArcFace(z, W, labels, s *graph.Node, m float64) *graph.Node {
	z, W = Normalize(z), Normalize(W)
	return arcFace(Logits(z, W, nil), z, graph.Gather(W, graph.ExpandAxes(labels, -1)), labels, s, m)
}

// arcFace returns the loss of ArcFace, given the cosines of z to all classes [batch, classes].
// z and w, the weight vector of the own class of each example, are [batch, dim] and of norm 1.
func arcFace(cos, z, w, labels, s *graph.Node, m float64) *graph.Node {
	const epsilon = 1e-12 // keeps the gradient of the root finite at cos = 1 and -1
	target := oneHot(labels, cos)
	cosY := graph.ReduceSum(graph.Mul(cos, target), -1)
	// 1 - cos^2 would lose a small angle to rounding: 2 sin t = ||z - w|| ||z + w||.
	squaredNorm := func(x *graph.Node) *graph.Node { return graph.ReduceSum(graph.Square(x), -1) }
	squaredSin := graph.DivScalar(graph.Mul(squaredNorm(graph.Sub(z, w)), squaredNorm(graph.Add(z, w))), 4)
	sinY := graph.Sqrt(graph.MaxScalar(squaredSin, epsilon))
	sin, cosM := math.Sincos(m)
	phi := graph.Where(graph.LessThan(cosY, graph.Scalar(cosY.Graph(), cosY.DType(), -cosM)),
		graph.AddScalar(cosY, -m*sin),
		graph.Sub(graph.MulScalar(cosY, cosM), graph.MulScalar(sinY, sin)))
	s = graph.ConvertDType(s, cos.DType())
	return crossEntropy(addMargin(scaled(cos, s), target, s, graph.Sub(phi, cosY)), labels)
}

// scaled returns the cosines [batch, classes] times s, a scalar or [batch].
func scaled(cos, s *graph.Node) *graph.Node {
	if s.Rank() == 1 {
		s = graph.ExpandAxes(s, -1)
	}
	return graph.Mul(cos, s)
}

// addMargin adds s change, both scalars or [batch], to the logits where target is 1. Its
// gradient does not flow into s.
func addMargin(logits, target, s, change *graph.Node) *graph.Node {
	change = graph.Mul(graph.StopGradient(s), change)
	return addAtLabel(logits, target, graph.BroadcastToDims(change, logits.Shape().Dim(0)))
}

// NormScale returns a scale for CosFace and ArcFace that is the norm of each embedding, up
// to s,
//
//	s_i = min(||z_i||, s)
//
// so that the losses are the published ones where ||z_i|| >= s, and softmax with normalized
// weights and a margin where it is less. s is above 0 and has no unit.
//
// Shapes: z [batch, dim]; returns [batch]. The gradient flows through the norm, but for that
// of the margin, which would draw classes towards the origin until they have the angle that
// it asks for: a class without a place on the circle would stay there.
//
// With a constant scale the arrangement in which all classes lie in one direction costs
// ln(C) + s m, less than one in which many images are wrong: where classes overlap, it is
// where the training ends. With the norm as the scale, an embedding in doubt can move
// towards the origin instead.
//
// Source: our own choice.
func NormScale(z *graph.Node, s float64) *graph.Node {
	return graph.MinScalar(norms(z), s)
}

// SphereFace returns the multiplicative angular margin loss with class weights of norm 1,
//
//	L_i = -log( exp(||z_i|| phi_i) / (exp(||z_i|| phi_i) + sum_{j != y_i} exp(||z_i|| cos t_j)) )
//	phi_i = (lambda cos t_{y_i} + psi(t_{y_i})) / (1 + lambda)
//	psi(t) = (-1)^k cos(m t) - 2k,    k = floor(m t / pi)
//
// t_j is the angle between embedding z_i and class weight w_j. z keeps its norm; the norms
// of W have no effect. The margin m multiplies the angle. lambda, without unit, weakens the
// margin (see AnnealedLambda); nil means 0.
//
// Shapes: z [batch, dim], W [classes, dim], labels [batch], lambda a scalar; returns [batch].
// An m below 1 panics.
//
// Source: named in section II-D of the paper; Liu et al., arXiv 1704.08063.
func SphereFace(z, W, labels *graph.Node, m int, lambda *graph.Node) *graph.Node {
	return LSoftmax(z, Normalize(W), labels, m, lambda)
}

// LSoftmax returns the large-margin softmax loss, SphereFace with class weights that keep
// their norm,
//
//	L_i = -log( exp(||w_{y_i}|| ||z_i|| phi_i) / (exp(||w_{y_i}|| ||z_i|| phi_i) + sum_{j != y_i} exp(||w_j|| ||z_i|| cos t_j)) )
//
// phi_i, t_j, m and lambda are those of SphereFace.
//
// Shapes: z [batch, dim], W [classes, dim], labels [batch], lambda a scalar; returns [batch].
// An m below 1 panics.
//
// Source: named in section II-D of the paper; Liu et al., arXiv 1612.02295.
func LSoftmax(z, W, labels *graph.Node, m int, lambda *graph.Node) *graph.Node {
	logits := Logits(z, W, nil)
	cos := Cosines(z, W)
	target := oneHot(labels, logits)
	cosY := graph.ReduceSum(graph.Mul(cos, target), -1)
	normW := graph.ReduceSum(graph.Mul(graph.ExpandAxes(norms(W), 0), target), -1)
	// phi - cos = (psi - cos) / (1 + lambda)
	change := graph.Mul(graph.Mul(normW, norms(z)), graph.Sub(psi(cosY, m), cosY))
	if lambda != nil {
		change = graph.Div(change, graph.OnePlus(graph.ConvertDType(lambda, z.DType())))
	}
	return crossEntropy(addAtLabel(logits, target, change), labels)
}

// psi returns (-1)^k cos(m t) - 2k given cos t. k = floor(m t / pi) is the number of
// multiples j pi/m, 0 < j < m, that t has reached. psi falls continuously from 1 at t = 0 to
// 1 - 2m at t = pi.
func psi(cos *graph.Node, m int) *graph.Node {
	if m < 1 {
		exceptions.Panicf("losses: the margin is %d; allowed: 1 or more", m)
	}
	previous, cosM := graph.OnesLike(cos), cos // cos(0 t) and cos(1 t)
	for range m - 1 {
		// cos((n+1) t) = 2 cos t cos(n t) - cos((n-1) t)
		previous, cosM = cosM, graph.Sub(graph.Mul(graph.MulScalar(cos, 2), cosM), previous)
	}
	sign, k := graph.OnesLike(cos), graph.ZerosLike(cos)
	for j := 1; j < m; j++ {
		limit := graph.Scalar(cos.Graph(), cos.DType(), math.Cos(float64(j)*math.Pi/float64(m)))
		reached := graph.ConvertDType(graph.LessThan(cos, limit), cos.DType())
		k = graph.Add(k, reached)
		sign = graph.Mul(sign, graph.OneMinus(graph.MulScalar(reached, 2)))
	}
	return graph.Sub(graph.Mul(sign, cosM), graph.MulScalar(k, 2))
}

// AnnealedLambda returns a lambda for SphereFace and LSoftmax that falls during training,
//
//	lambda = max(least, 1000 (1 + 0.000025 t)^-35),    t = 20000 progress
//
// progress is the fraction of the training completed, 0 to 1. least, without unit, is the
// lower bound of lambda.
//
// Shapes: progress a scalar; returns a scalar.
//
// The loss starts out as softmax, and the margin takes effect over the first third of the
// training. In the published runs t counts the steps, about 20,000 of them; derived from
// progress, the schedule also completes in a shorter training.
//
// Source: the published training of L-Softmax, Liu et al., arXiv 1612.02295.
func AnnealedLambda(progress *graph.Node, least float64) *graph.Node {
	base := graph.OnePlus(graph.MulScalar(progress, 2.5e-5*20_000))
	return graph.MaxScalar(graph.MulScalar(graph.Pow(base, graph.Scalar(progress.Graph(), progress.DType(), -35)), 1000), least)
}

// addAtLabel adds change [batch] to the logits where target is 1.
func addAtLabel(logits, target, change *graph.Node) *graph.Node {
	return graph.Add(logits, graph.Mul(target, graph.ExpandAxes(change, -1)))
}
