package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Logits returns the class scores of the last linear layer,
//
//	z W^T + b
//
// for embeddings z [batch, dim], class weights W [classes, dim] and biases b
// [classes]; b may be nil, which means no bias. The result is [batch, classes].
// It panics, as graph functions do, when the shapes do not fit.
//
// Source: section II-C of the paper.
func Logits(z, W, b *graph.Node) *graph.Node {
	checkDims("z", z, -1, -1)
	checkDims("W", W, -1, z.Shape().Dim(-1))
	logits := graph.MatMul(z, graph.Transpose(W, 0, 1))
	if b != nil {
		checkDims("b", b, W.Shape().Dim(0))
		logits = graph.Add(logits, graph.ExpandAxes(b, 0))
	}
	return logits
}

// Softmax returns the cross-entropy of the softmax of the logits z W^T + b,
//
//	L_i = -log( exp(w_{y_i} . z_i + b_{y_i}) / sum_j exp(w_j . z_i + b_j) )
//
// for embeddings z [batch, dim], class weights W [classes, dim], biases b
// [classes] (nil: none) and labels [batch], integers in 0..classes-1. The result
// is [batch], one loss per example. It panics, as graph functions do, when the
// shapes do not fit.
//
// Source: section II-C of the paper.
func Softmax(z, W, b, labels *graph.Node) *graph.Node {
	return crossEntropy(Logits(z, W, b), labels)
}

// NormalizedSoftmax returns the softmax loss with class weights of norm 1 and no
// bias, so that only the angle between z and a weight tells the classes apart,
//
//	L_i = -log( exp(||z_i|| cos t_{y_i}) / sum_j exp(||z_i|| cos t_j) )
//
// with t_j the angle between z_i and w_j. z [batch, dim] keeps its norm. W
// [classes, dim] is normalized here (see Normalize): the raw W is the variable,
// and its gradient flows through the normalization. labels is [batch], integers
// in 0..classes-1. The result is [batch], one loss per example. It panics, as
// graph functions do, when the shapes do not fit.
//
// Source: section II-C of the paper. It is not the NormalizedSoftmaxLoss of
// pytorch-metric-learning, which normalizes z too.
func NormalizedSoftmax(z, W, labels *graph.Node) *graph.Node {
	return crossEntropy(Logits(z, Normalize(W), nil), labels)
}

// crossEntropy returns -log softmax(logits)_y [batch] for logits [batch, classes]
// and labels [batch]. GoMLX's SparseCategoricalCrossEntropyLogits returns its mean.
func crossEntropy(logits, labels *graph.Node) *graph.Node {
	batch, classes := logits.Shape().Dim(0), logits.Shape().Dim(1)
	checkDims("labels", labels, batch)
	target := graph.OneHot(labels, classes, logits.DType())
	return graph.Neg(graph.ReduceSum(graph.Mul(target, graph.LogSoftmax(logits)), -1))
}
