package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Logits returns the class scores that the last linear layer gives embeddings z, with class
// weights W and biases b,
//
//	z W^T + b
//
// Shapes: z [batch, dim], W [classes, dim], b [classes] or nil (no biases); returns [batch,
// classes].
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

// Softmax returns the cross-entropy of the softmax of the logits z W^T + b (see Logits),
//
//	L_i = -log( exp(w_{y_i} . z_i + b_{y_i}) / sum_j exp(w_j . z_i + b_j) )
//
// Shapes: z [batch, dim], W [classes, dim], b [classes] or nil (no biases), labels [batch];
// returns [batch].
//
// Source: section II-C of the paper.
func Softmax(z, W, b, labels *graph.Node) *graph.Node {
	return crossEntropy(Logits(z, W, b), labels)
}

// NormalizedSoftmax returns the softmax loss with class weights of norm 1 and no biases,
//
//	L_i = -log( exp(||z_i|| cos t_{y_i}) / sum_j exp(||z_i|| cos t_j) )
//
// t_j is the angle between embedding z_i and class weight w_j; nothing else tells the
// classes apart. z keeps its norm.
//
// Shapes: z [batch, dim], W [classes, dim], labels [batch]; returns [batch]. W is the raw
// variable: it is normalized here (see Normalize), and its gradient flows through the
// normalization.
//
// Source: section II-C of the paper. NormalizedSoftmaxLoss of pytorch-metric-learning is
// another loss: it normalizes z too.
func NormalizedSoftmax(z, W, labels *graph.Node) *graph.Node {
	return crossEntropy(Logits(z, Normalize(W), nil), labels)
}

// crossEntropy returns -log softmax(logits)_y for each example. GoMLX's
// SparseCategoricalCrossEntropyLogits returns the mean of these.
//
// Shapes: logits [batch, classes], labels [batch]; returns [batch].
func crossEntropy(logits, labels *graph.Node) *graph.Node {
	return graph.Neg(graph.ReduceSum(graph.Mul(oneHot(labels, logits), graph.LogSoftmax(logits)), -1))
}

// oneHot returns 1 at the label and 0 elsewhere, in the float type of logits.
//
// Shapes: labels [batch], logits [batch, classes]; returns [batch, classes].
func oneHot(labels, logits *graph.Node) *graph.Node {
	checkDims("labels", labels, logits.Shape().Dim(0))
	return graph.OneHot(labels, logits.Shape().Dim(1), logits.DType())
}
