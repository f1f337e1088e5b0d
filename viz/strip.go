package viz

import (
	"math/rand/v2"

	"gonum.org/v1/plot/vg"
)

// strip lays out a 1-D space in two dimensions: one row per class, the first on
// top, in which the points are spread at random. It widens the space on the left, by a
// share of the panel's width.
func (d *content) strip(sp space, left float64) space {
	half := sp.half / (1 - left)
	sp.center[0] -= half - sp.half
	sp.dim, sp.half, d.dim = 2, half, 2
	rng := rand.New(rand.NewPCG(1, 2))
	for i, class := range d.labels {
		d.points[i][1] = sp.row(float64(class)+0.7*(rng.Float64()-0.5), d.classes)
	}
	for i := range d.targets {
		d.targets[i][1] = sp.row(float64(i), d.classes)
	}
	return sp
}

// row returns the height of the middle of a class's row in a strip.
func (sp space) row(class float64, classes int) float64 {
	return sp.half * (1 - (2*class+1)/float64(classes))
}

// stripMargin returns the share of the panel's width that the class names of a
// strip need.
func (p *panel) stripMargin() float64 {
	var widest vg.Length
	for _, name := range p.scatter.ClassNames {
		face, text := fit(bold(p.labelSize), printable(name), p.side/3)
		widest = max(widest, face.Width(text)+3*clearance)
	}
	return float64(widest / p.side)
}
