// Package losses holds the loss functions that shape an embedded space. Minimizing them
// brings images of the same class together and keeps classes apart.
//
// Each loss is a pure function that builds nodes of a GoMLX graph. Whatever is trained
// comes in as a node (the embeddings z, the class weights W, the biases b), and the
// gradient flows back to it. The package has no variables and no state.
//
// In the paper's order:
//
//   - Softmax is the cross-entropy of linear scores, the largest of which decides the class
//     (see Logits). NormalizedSoftmax gives all class weights norm 1 (see Normalize), so that
//     only the angles between embeddings and weights tell the classes apart.
//   - CosFace, ArcFace, SphereFace and LSoftmax enforce an angular margin: CosFace subtracts
//     it from the cosine, ArcFace adds it to the angle, SphereFace and LSoftmax multiply the
//     angle by it. NormScale gives each embedding a scale of its own; AnnealedLambda phases
//     the last two in during training.
//   - Center draws embeddings to the center of their class and is added to a softmax loss.
//     The centers have an update rule of their own: WenCenters or RunningMeans.
//   - Contrastive works on pairs of the batch: it pulls those of one class together and
//     pushes those of two classes apart.
//   - TripletAll, TripletSemiHard, TripletHard and TripletSoftHard work on triplets (see
//     below).
//   - Regression draws embeddings to a target of their class.
//
// After the paper, each a change to one of these:
//
//   - SubcenterArcFace gives ArcFace several weight vectors per class, of which the nearest
//     counts (see SubcenterCosines).
//   - AdaCosScale makes AdaCos of CosFace without a margin: the scale follows from each batch.
//   - Ring draws all embeddings to one norm and is added to a softmax loss, as Center is.
//   - SupCon, MultiSimilarity and Circle work on the cosines of pairs, where Contrastive has
//     distances. All pairs of an anchor stand in one logarithm, so the hardest count most.
//     ProxyAnchor has a trained proxy for each class in the place of the anchor.
//   - CAC draws embeddings to a target, as Regression does, and away from those of the other
//     classes. Prototypes draws them to the direction of their target.
//
// "The paper" is the one that this module implements; its README names it.
//
// # Triplets
//
// A triplet (a, p, n) of the batch is an anchor a, a positive p of the same class and a
// negative n of another class. With squared Euclidean distances and a margin m, its loss is
//
//	L_apn = max(0, d_ap - d_an + m),    d_ij = ||z_i - z_j||^2
//
// An active triplet is one with a loss above 0. A batch has on the order of batch^3
// triplets, but the sum of their losses is linear in the distances: for the sum and its
// gradient it is enough to count, for each pair, the active triplets that contain it. That
// takes memory on the order of batch^2.
//
// # Conventions
//
// Shapes: z is [batch, dim], one embedding per row. W, centers, proxies and targets are
// [classes, dim], one class per row. b is [classes]; labels is [batch], of any integer type.
// batch, classes and dim may be any number from 1 on. All but the labels share one float
// type, in which the loss is computed. Functions panic on a shape that does not fit, as graph
// functions do, and say which shape is allowed; GoMLX executors turn that into an error.
//
// Labels run from 0 to classes-1. A graph can't reject a value, and a label outside this
// range has no defined loss: check labels where they are read.
//
// Values: losses are returned per example or anchor, [batch], and the caller takes the mean;
// the anchors of ProxyAnchor are the classes.
// Logarithms are natural, so losses are in nats: a classifier that knows nothing has the
// loss log(classes). Embeddings have no unit.
//
// Stability: values and gradients are finite for finite inputs, even at the origin, as long
// as the scores and the squared norms themselves are within the range of the float type.
package losses
