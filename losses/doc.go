// Package losses holds the loss functions that shape an embedded space: what is
// minimized so that the images of one class lie together in it, and apart from the
// other classes.
//
// Each loss is a pure function that builds nodes of a GoMLX graph. Whatever is
// trained comes in as a node (the embeddings z, the class weights W, the biases b)
// and the gradient flows back to it; the package has no variables and no state.
//
// The softmax family scores the classes linearly, and the largest score decides
// (see Logits):
//
//   - Softmax is the cross-entropy of those scores.
//   - NormalizedSoftmax gives all class weights norm 1 (see Normalize), so that
//     only the angles between embeddings and weights tell the classes apart.
//
// "The paper" in these pages is the one that this module implements; its README
// names it.
//
// # Conventions
//
// Shapes: z is [batch, dim], one embedding per row; W is [classes, dim], one class
// per row; b is [classes]; labels is [batch], of any integer type. batch, classes
// and dim may be any number from 1 on. z, W and b share one float type, in which
// the loss is computed. A shape that does not fit panics and names the argument, as
// graph functions do; executors of GoMLX turn that into an error.
//
// Labels run from 0 to classes-1. A graph can't refuse a value: a label outside
// this range gives the loss 0 and no gradient, so check labels where they are read.
//
// Values: a loss comes back as one value per example, [batch], and the caller takes
// the mean. Logarithms are natural, so losses are in nats: a classifier that knows
// nothing has the loss log(classes). Embeddings have no unit.
//
// Stability: values and gradients are finite for finite inputs, at the origin too,
// as long as the scores and the squared norms themselves stay within the float type.
package losses
