// Package embed trains networks that map images to points of a small space, and holds
// the techniques of the paper that shape it.
//
// [Train] does all of it for a dataset by its name; [Fit] takes datasets of your own:
//
//	result, err := embed.Train(embed.Interruptible(),
//		embed.Config{Technique: "cosface", Dataset: "mnist-sample", Dim: 2},
//		embed.Options{Out: "first"})
//	picture := viz.NewFigure(result.Scatter())
//
// A zero field of a [Config] means its default; [Defaults] is the table of all choices
// that the paper leaves open, and [Technique] has the parameters of each technique. The
// [Result] holds the embeddings of the training and test images, the class vectors and
// the history. It was saved under the name that Out gives, and [Load] reads it again, with
// its network, for new images ([Result.Embed]) or points ([Result.Classify]).
// [Result.Metrics] measures it: accuracies, retrieval, compactness, angles, norms and the
// classes that touch, alike for every technique, with the training images as reference.
// Distances are measured in the space and on the unit sphere; Technique.Geometry says which
// of them the loss controls.
//
// [Result.Explain] says which pixels move a [Quantity] of an image, such as the score of a class,
// [Result.Decide] why it is of one class and not of another, and [Result.WithClass] learns a
// class from a handful of images.
//
// A technique is a loss of package losses with the variables that it needs ([Head]) and
// the rule that decides for a class. [Register] adds one of your own, [Regression] makes
// one that draws classes to targets of your own, and [RegisterExtractor] replaces the
// network in front of the embedding layer.
//
// [LossAt] shows what a loss does at a few points, without a network and in an instant: its
// values, and minus its gradient as arrows.
//
// Below this package, [backends] open what computes, [measure] has the embeddings and
// their metrics, [explain] the methods of explanations, and [targets] the points of a regression. Above it, [compare] trains many
// techniques beside each other and draws the paper's figures.
//
// The same Config, data, backend and machine give the same Result, bit for bit except for its
// times, also when a training was interrupted and resumed. A graph that can't be built or
// run comes back as an error, never as a panic.
//
// [backends]: https://pkg.go.dev/github.com/embedspace/embedspace/embed/backends
// [explain]: https://pkg.go.dev/github.com/embedspace/embedspace/embed/explain
// [measure]: https://pkg.go.dev/github.com/embedspace/embedspace/embed/measure
// [targets]: https://pkg.go.dev/github.com/embedspace/embedspace/embed/targets
// [compare]: https://pkg.go.dev/github.com/embedspace/embedspace/embed/compare
package embed
