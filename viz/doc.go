// Package viz draws embedded spaces: arrays in, pictures out.
//
// A [Scatter] is one picture. It shows points of any dimension, coloured by class, with
// the class vectors as rays from the origin, targets as black crosses, points of no known
// class as dark rings, arrows at the points (such as minus the gradient of a loss) and, in 2-D,
// the regions in which a decision rule chooses each class. [Scatter.Projected] shows only the
// directions, on the unit circle or sphere. A [Figure] is a grid of such panels with one style
// and one legend. It is written as PNG or SVG, or shown in a GoNB notebook:
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
// [Curves] show how a training went, by losses and the distances that tell a collapse, or
// what a threshold accepts. A [Gallery] shows images beside each other, also with what in them
// speaks for or against a class drawn over them: orange adds, blue takes away. All of these are
// a [Panel], and so is whatever else draws into a square. An [Animation] shows how a space
// changes, as a GIF.
//
// # What is drawn
//
// Axes are equal: a unit has the same length in x, y and z, so that angles and circles
// are true. The range holds all points but the far outliers, which would squash the rest;
// the corner of the panel tells their number ("3 points outside"). To find the outliers,
// the core of the data is taken first: of each class and coordinate, it leaves out 2 % of
// the points and one more at either end, or none if the class has fewer than five. A
// point is an outlier if it is outside the core by more than half the width of the core.
// With class vectors the range includes the origin, and with targets and stars all of them.
//
// Points are drawn in a fixed shuffled order, so that no class always hides another. The
// more there are, the smaller and the more transparent they are. The rings of unknown
// points are on top, in 3-D of the points that are not nearer; the core of the data is
// that of the others. Class vectors show directions only, as their norms are on another
// scale than those of the points: a ray is so long that 99 % of the points are nearer to
// the origin than its end, or it ends at the edge of the panel.
//
// In 3-D the view is a mild perspective. Near points are larger, far ones fade. The
// points are drawn from back to front in a cube, and cast shadows on its floor.
//
// The decision regions of a 2-D space are light tints of the colours of the classes, with
// a grey line along their borders. The rule is evaluated once per pixel.
//
// The text of a PNG covers the Latin, Greek and Cyrillic scripts.
//
// # Unit circle and sphere
//
// Points on the unit circle hide each other. Therefore hills on the circle show the
// spread of each class: the density of its directions, smoothed with a Gaussian of a
// standard deviation of 2 degrees and divided by its maximum. So all hills have the same
// height, and their widths compare. A hill ends where the density is below 3 %, and there is
// none where all of it is below 15 %.
//
// The unit sphere is a globe with a line every 30 degrees, without cube and shadows. What
// is on its far side is smaller and fainter. In more than 3 dimensions a circle is the
// outline of the sphere, and all points are within it.
//
// # More than 3 dimensions, and 1
//
// In more than 3 dimensions the picture shows the first two principal components of the
// points. The title of each axis gives its share of the variance, and the zero of the
// axes is the mean of the points. Class vectors, targets and stars are projected in the same
// way. Rays start at the projection of the origin, and the more a ray points out of the
// plane of the picture, the shorter it is.
//
// In 1-D each class has a row of its own, over whose height its points are scattered at
// random; the height has no unit. Rays and crosses are in the middle of the row, stars in the
// middle of all rows.
//
// # Determinism
//
// The same figure always gives the same bytes on the same machine.
package viz
