// Package losses holds the loss functions that shape an embedded space: what is
// minimized so that the images of one class lie together in it, and apart from the
// other classes.
//
// Each loss is a pure function that builds nodes of a GoMLX graph. Whatever is
// trained comes in as a node (the embeddings z, the class weights W, the biases b)
// and the gradient flows back to it; the package has no variables and no state.
//
// In the paper's order:
//
//   - Softmax is the cross-entropy of linear scores, of which the largest decides (see
//     Logits). NormalizedSoftmax gives all class weights norm 1 (see Normalize), so that
//     only the angles between embeddings and weights tell the classes apart.
//   - CosFace, ArcFace, SphereFace and LSoftmax ask for an angular margin: CosFace
//     subtracts it from the cosine, ArcFace adds it to the angle, SphereFace and LSoftmax
//     multiply the angle by it. AnnealedScale and AnnealedLambda bring them in by and by.
//   - Center draws embeddings to the center of their class, beside a softmax loss. The
//     centers follow by a rule of their own: WenCenters or RunningMeans.
//   - Contrastive looks at pairs of the batch: near within a class, apart between two.
//   - TripletAll, TripletSemiHard and TripletHard look at triplets (see below).
//   - Regression draws embeddings to a target of their class.
//
// "The paper" in these pages is the one that this module implements; its README
// names it.
//
// # Triplets
//
// A triplet (a, p, n) of the batch is an anchor a, a positive p of the same class and a
// negative n of another. Its loss, with squared Euclidean distances and a margin m, is
//
//	L_apn = max(0, d_ap - d_an + m),    d_ij = ||z_i - z_j||^2
//
// There are batch^3 triplets, but L is linear in the distances of the triplets that
// count: in how many of them a pair takes part is all that value and gradient need, and
// memory is of the order of batch^2.
//
// # Conventions
//
// Shapes: z is [batch, dim], one embedding per row; W, centers and targets are [classes,
// dim], one class per row; b is [classes]; labels is [batch], of any integer type. batch,
// classes and dim may be any number from 1 on. All but the labels share one float type,
// in which the loss is computed. A shape that does not fit panics and says which is allowed,
// as graph functions do; executors of GoMLX turn that into an error.
//
// Labels run from 0 to classes-1. A graph can't refuse a value: a label outside of this
// range has no defined loss, so check labels where they are read.
//
// Values: a loss comes back as one value per example or anchor, [batch], and the caller
// takes the mean. Logarithms are natural, so losses are in nats: a classifier that knows
// nothing has the loss log(classes). Embeddings have no unit.
//
// Stability: values and gradients are finite for finite inputs, at the origin too,
// as long as the scores and the squared norms themselves stay within the float type.
package losses
