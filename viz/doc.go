// Package viz draws embedded spaces: arrays in, pictures out.
//
// A [Scatter] is one picture: points of any dimension, coloured by class, with the
// class vectors as rays from the origin, targets as black crosses and, in 2-D, the
// regions in which a decision rule chooses each class. [Scatter.Projected] shows
// the directions only, on the unit circle or sphere. A [Figure] is a grid of such
// panels with one style and one legend; it is written as PNG or SVG, or shown in a
// GoNB notebook:
//
//	scatter := viz.Scatter{
//		Title:        "Softmax",
//		Note:         "test accuracy 98.4 %",
//		Points:       z, // [n, 2]
//		Dim:          2,
//		Labels:       labels, // [n]
//		ClassNames:   names,  // [classes]
//		ClassVectors: w,      // [classes, 2]
//	}
//	err := viz.NewFigure(scatter).Save("softmax.png")
//	err = viz.NewFigure(scatter, scatter.Projected()).Show()
//
// # What is drawn
//
// Axes are equal: a unit is as long in x as in y (and z), so that angles and
// circles are true. The range holds every point, except far outliers, which
// would squash the rest: points beyond it are counted in the panel's corner
// ("3 points outside"). A point is such an outlier if it lies further outside
// the core of the data than half of the core's width, where the core leaves out
// the outermost 2 % of every class, and one point more, at each end of each
// coordinate (nothing of a class of fewer than five points). With class vectors the range includes the origin, with targets
// all of them.
//
// Points are drawn in a fixed shuffled order, so that no class always hides
// another; their size and opacity fall with their number. Class vectors give
// directions only, as their norms are on another scale than the points: every
// ray ends where 99 % of the points are nearer to the origin, or at the panel's
// edge.
//
// In 3-D the view is a mild perspective in which near points are larger and far
// ones fade, drawn back to front within a cube whose floor carries their
// shadows.
//
// The decision regions of a 2-D space are light tints of the colours of their
// classes, with a grey line along their borders, one value of the rule per pixel.
//
// The text of a PNG covers the Latin, Greek and Cyrillic scripts.
//
// # Unit circle and sphere
//
// Points on the unit circle hide each other. Therefore the spread of every class
// stands on the circle as a hill: the density of its directions, smoothed by 2
// degrees, in units of its largest value, so that all hills are of the same height
// and their widths compare; below 3 % they end. The unit sphere is drawn as a globe
// with a line every 30 degrees, without cube and shadows; what is on its far side is
// smaller and fainter. A picture with more dimensions has the outline of the sphere,
// within which all points lie.
//
// # More than 3 dimensions, and 1
//
// In more than 3 dimensions the points are drawn by their first two principal
// components, with the share of the variance of each at its axis. The centre of the
// axes is the mean of the points. Class vectors and targets are rotated with them:
// rays start where the origin is then, and are as much shorter as they point away
// from the plane of the picture.
//
// In 1-D every class has a row of its own, in which the points are spread at random
// over the height, which has no unit; rays and crosses lie in the middle of the row.
//
// # Determinism
//
// The same figure always gives the same bytes on the same machine.
package viz
