package viz

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/plot/vg"
)

// strip lays out a 1-D space in two dimensions and returns that space. Each class has a
// row, the first at the top, over whose height its points are scattered at random, and unknown
// points are scattered over all of them. The
// names of the classes get room on the left, a share of the width of the panel.
func (c *content) strip(sp space, left float64) space {
	half := sp.half / (1 - left)
	sp.center[0] -= half - sp.half
	sp.dim, sp.half, c.dim = 2, half, 2
	c.points, c.unknown, c.targets = slices.Clone(c.points), slices.Clone(c.unknown), slices.Clone(c.targets) // of a film, they are shared
	rng := rand.New(rand.NewPCG(1, 2))
	for i, class := range c.labels {
		c.points[i][1] = sp.row(float64(class)+0.7*(rng.Float64()-0.5), c.classes)
	}
	for i := range c.unknown { // of no row
		c.unknown[i][1] = sp.half * (2*rng.Float64() - 1)
	}
	for i := range c.targets {
		c.targets[i][1] = sp.row(float64(i), c.classes)
	}
	return sp
}

// row returns the y of the middle of the row of a class.
func (sp space) row(class float64, classes int) float64 {
	return sp.half * (1 - (2*class+1)/float64(classes))
}

// stripMargin returns the share of the width of the panel that the class names need.
func (p *plotted) stripMargin() float64 {
	var widest vg.Length
	for _, name := range p.scatter.ClassNames {
		face, text := fit(bold(p.labelSize), printable(name), p.side/3)
		widest = max(widest, face.Width(text)+3*clearance)
	}
	return float64(widest / p.side)
}
