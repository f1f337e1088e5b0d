// Package viz draws embedded spaces: arrays in, pictures out.
//
// A [Scatter] is one picture: points in 2 or 3 dimensions, coloured by class,
// with the class vectors as rays from the origin and targets as black crosses.
// A [Figure] is a grid of such panels with one style and one legend; it is
// written as PNG or SVG, or shown in a GoNB notebook:
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
//	err = viz.NewFigure(scatter, another).Show()
//
// # What is drawn
//
// Axes are equal: a unit is as long in x as in y (and z), so that angles and
// circles are true. The range holds every point, except far outliers, which
// would squash the rest: points beyond it are counted in the panel's corner
// ("3 points outside"). A point is such an outlier if it lies further outside
// the core of the data than half of the core's width, where the core holds the
// middle 96 % of every class in each coordinate (all of a class of fewer than
// five points). With class vectors the range includes the origin, with targets
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
// The text of a PNG covers the Latin, Greek and Cyrillic scripts.
//
// # Determinism
//
// The same figure always gives the same bytes on the same machine.
package viz
