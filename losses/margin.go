package losses

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Cosines returns the cosine of the angle t_ij between embedding z_i and class
// weight w_j,
//
//	cos t_ij = z_i . w_j / (||z_i|| ||w_j||)
//
// for z [batch, dim] and W [classes, dim]. The result is [batch, classes]; it is 0
// where one of the two is 0. It panics, as graph functions do, when the shapes do
// not fit.
//
// Source: section II-D of the paper.
func Cosines(z, W *graph.Node) *graph.Node {
	return Logits(Normalize(z), Normalize(W), nil)
}

// CosFace returns the large margin cosine loss,
//
//	L_i = -log( exp(s (cos t_{y_i} - m)) / (exp(s (cos t_{y_i} - m)) + sum_{j != y_i} exp(s cos t_j)) )
//
// with t_j the angle between z_i and w_j (see Cosines), for embeddings z [batch,
// dim], class weights W [classes, dim] and labels [batch], integers in
// 0..classes-1. The scale s is a scalar without unit (see AnnealedScale); the margin m
// is a difference of cosines.
// The norms of z and W do not count. The result is [batch], one loss per example.
// It panics, as graph functions do, when the shapes do not fit.
//
// In two dimensions the best that C classes can do is to lie 2 pi/C apart, so that a
// margin beyond 1 - cos(2 pi/C), which is 0.191 for 10 classes, can't be kept.
//
// Source: section II-D of the paper; Wang et al., arXiv 1801.09414.
func CosFace(z, W, labels, s *graph.Node, m float64) *graph.Node {
	cos := Cosines(z, W)
	return crossEntropy(scaled(graph.Sub(cos, graph.MulScalar(oneHot(labels, cos), m)), s), labels)
}

// ArcFace returns the additive angular margin loss,
//
//	L_i = -log( exp(s phi_i) / (exp(s phi_i) + sum_{j != y_i} exp(s cos t_j)) )
//	phi_i = cos(t_{y_i} + m)          where t_{y_i} <= pi - m
//	        cos t_{y_i} - m sin m     elsewhere, so that it goes on falling
//
// with t_j the angle between z_i and w_j (see Cosines), for embeddings z [batch,
// dim], class weights W [classes, dim] and labels [batch], integers in
// 0..classes-1. The scale s is a scalar without unit (see AnnealedScale); the margin m
// is in radians, 0..pi. The norms of z and W do not count. The result is [batch], one loss per example. It
// panics, as graph functions do, when the shapes do not fit.
//
// In two dimensions a margin beyond 2 pi/C, which is 0.63 for 10 classes, can't be
// kept.
//
// Source: named in section II-D of the paper; Deng et al., arXiv 1801.07698.
func ArcFace(z, W, labels, s *graph.Node, m float64) *graph.Node {
	const epsilon = 1e-12 // keeps the gradient of the root finite at cos = 1 and -1
	cos := Cosines(z, W)
	target := oneHot(labels, cos)
	cosY := graph.ReduceSum(graph.Mul(cos, target), -1)
	sinY := graph.Sqrt(graph.MaxScalar(graph.OneMinus(graph.Square(cosY)), epsilon))
	sin, cosM := math.Sincos(m)
	phi := graph.Where(graph.LessThan(cosY, graph.Scalar(cosY.Graph(), cosY.DType(), -cosM)),
		graph.AddScalar(cosY, -m*sin),
		graph.Sub(graph.MulScalar(cosY, cosM), graph.MulScalar(sinY, sin)))
	return crossEntropy(scaled(addAtLabel(cos, target, graph.Sub(phi, cosY)), s), labels)
}

// scaled returns the logits times the scalar s.
func scaled(logits, s *graph.Node) *graph.Node {
	return graph.Mul(logits, graph.ConvertDType(s, logits.DType()))
}

// AnnealedScale returns the scale of CosFace and ArcFace at a progress of 0 to 1 through
// the training, a scalar that grows from 1 to s, a number above 0, over the first half,
//
//	s^min(1, 2 progress)
//
// On a circle, classes must get past each other to find their places. With a small scale
// all classes pull and push, however far they are; with a large one, only the neighbours
// do, and a class stays where it got stuck.
//
// Source: our own choice. The publications keep s, in hundreds of dimensions.
func AnnealedScale(progress *graph.Node, s float64) *graph.Node {
	return graph.Exp(graph.MulScalar(graph.MinScalar(graph.MulScalar(progress, 2), 1), math.Log(s)))
}

// SphereFace returns the loss of a multiplicative angular margin with class weights
// of norm 1,
//
//	L_i = -log( exp(||z_i|| phi_i) / (exp(||z_i|| phi_i) + sum_{j != y_i} exp(||z_i|| cos t_j)) )
//	phi_i = (lambda cos t_{y_i} + psi(t_{y_i})) / (1 + lambda)
//	psi(t) = (-1)^k cos(m t) - 2k,    k = floor(m t / pi)
//
// with t_j the angle between z_i and w_j, for embeddings z [batch, dim], class
// weights W [classes, dim] and labels [batch], integers in 0..classes-1. The margin m
// is a whole number, 1 or more, that multiplies the angle. lambda is a scalar that
// weakens the margin (see AnnealedLambda); nil: 0. z keeps its norm; the norms of W do
// not count. The result is [batch], one loss per example. It panics, as graph
// functions do, when the shapes do not fit or m is less than 1.
//
// Source: named in section II-D of the paper; Liu et al., arXiv 1704.08063.
func SphereFace(z, W, labels *graph.Node, m int, lambda *graph.Node) *graph.Node {
	return LSoftmax(z, Normalize(W), labels, m, lambda)
}

// LSoftmax returns the large-margin softmax loss: that of SphereFace, but with class
// weights that keep their norm,
//
//	L_i = -log( exp(||w_{y_i}|| ||z_i|| phi_i) / (exp(||w_{y_i}|| ||z_i|| phi_i) + sum_{j != y_i} exp(||w_j|| ||z_i|| cos t_j)) )
//
// Arguments and result are those of SphereFace.
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

// psi returns (-1)^k cos(m t) - 2k of cos t, where k = floor(m t / pi) counts the
// multiples j pi/m, 0 < j < m, that t has reached: it falls from 1 at t = 0 to
// 1 - 2m at t = pi without a step.
func psi(cos *graph.Node, m int) *graph.Node {
	if m < 1 {
		exceptions.Panicf("losses: the margin is %d; allowed: 1 or more", m)
	}
	before, cosM := graph.OnesLike(cos), cos // cos(0 t) and cos(1 t)
	for range m - 1 {
		// cos((n+1) t) = 2 cos t cos(n t) - cos((n-1) t)
		before, cosM = cosM, graph.Sub(graph.Mul(graph.MulScalar(cos, 2), cosM), before)
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

// AnnealedLambda returns the lambda of SphereFace and LSoftmax at a progress of 0 to
// 1 through the training, a scalar,
//
//	lambda = max(least, 1000 (1 + 0.000025 t)^-35),    t = 20000 progress
//
// It begins as softmax, and the margin comes in over the first third. The published
// runs count t in steps and are about 20,000 steps long; with t bound to the
// progress, a shorter training sees the whole of it.
//
// Source: the published training of L-Softmax, Liu et al., arXiv 1612.02295.
func AnnealedLambda(progress *graph.Node, least float64) *graph.Node {
	base := graph.OnePlus(graph.MulScalar(progress, 2.5e-5*20_000))
	return graph.MaxScalar(graph.MulScalar(graph.Pow(base, graph.Scalar(progress.Graph(), progress.DType(), -35)), 1000), least)
}

// oneHot returns 1 at the label and 0 elsewhere [batch, classes], in the shape and
// type of logits.
func oneHot(labels, logits *graph.Node) *graph.Node {
	checkDims("labels", labels, logits.Shape().Dim(0))
	return graph.OneHot(labels, logits.Shape().Dim(1), logits.DType())
}

// addAtLabel adds change [batch] to the logits of the labels.
func addAtLabel(logits, target, change *graph.Node) *graph.Node {
	return graph.Add(logits, graph.Mul(target, graph.ExpandAxes(change, -1)))
}
