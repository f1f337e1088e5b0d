package viz

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// The hills around the unit circle, in units of its radius.
const (
	spreadFoot   = 1.03 // from the centre
	spreadHeight = 0.20
)

// Half the width of the space, in units of the radius.
const (
	circleHalf  = 1.42 // with the hills and the class names outside the circle
	globeHalf   = 1.2
	outlineHalf = 1.12 // of a sphere in more than 3 dimensions, with the class names inside
)

// hasSphere reports whether the unit circle or sphere is drawn. In 1-D there is only the
// strip.
func (p *plotted) hasSphere() bool { return p.scatter.Sphere && p.scatter.Dim > 1 }

// onCircle reports whether the points lie on the drawn circle.
func (p *plotted) onCircle() bool { return p.scatter.Sphere && p.scatter.Dim == 2 }

// sphereSpace returns the space around the unit circle or sphere, on which the rays end.
func (p *plotted) sphereSpace() space {
	half := outlineHalf
	switch p.scatter.Dim {
	case 2:
		half = circleHalf
	case 3:
		half = globeHalf
	}
	return space{dim: p.content.dim, center: p.content.origin, half: half, rayLength: 1}
}

// drawCircle draws the unit circle. In more than 3 dimensions it is the outline of the
// sphere.
func (p *plotted) drawCircle(c vg.Canvas, v view) {
	center := v(p.content.origin).Point
	c.SetColor(sphereLine)
	c.SetLineWidth(0.75)
	c.Stroke(circle(center, v(p.content.origin.add(point{1})).X-center.X))
}

// spread is the density of the directions of a class, in units of its maximum: every half
// degree, from the first axis towards the second.
type spread [720]float64

// spreads returns the spread of each class, smoothed with a Gaussian of a standard
// deviation of 2 degrees. It is nil for a class without directions.
func (p *plotted) spreads() []*spread {
	counts := make([]*spread, len(p.scatter.ClassNames))
	for i, q := range p.content.points {
		if q == (point{}) {
			continue
		}
		class := p.content.labels[i]
		if counts[class] == nil {
			counts[class] = new(spread)
		}
		turn := math.Atan2(q[1], q[0])/(2*math.Pi) + 1 // in (0.5, 1.5]
		counts[class][int(math.Round(turn*float64(len(spread{}))))%len(spread{})]++
	}
	const deviation = 2 * float64(len(spread{})) / 360
	reach := int(4 * deviation)
	for i, count := range counts {
		if count == nil {
			continue
		}
		smooth := new(spread)
		var largest float64
		for k := range smooth {
			for d := -reach; d <= reach; d++ {
				smooth[k] += count[(k+d+len(count))%len(count)] * math.Exp(-0.5*math.Pow(float64(d)/deviation, 2))
			}
			largest = max(largest, smooth[k])
		}
		for k := range smooth {
			smooth[k] /= largest
		}
		counts[i] = smooth
	}
	return counts
}

// drawSpreads draws the spread of each class as hills on the unit circle.
func (p *plotted) drawSpreads(c vg.Canvas, v view) {
	const low, peak = 0.03, 0.15
	for class, density := range p.spreads() {
		if density == nil {
			continue
		}
		at := func(k int, height float64) vg.Point {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(len(density)))
			r := spreadFoot + spreadHeight*height
			return v(point{r * cos, r * sin}).Point
		}
		clr := Color(class)
		for _, hill := range density.hills(low, peak) {
			var path vg.Path
			path.Move(at(hill.from, 0))
			for k := hill.from; k <= hill.to; k++ {
				path.Line(at(k, density[k%len(density)]))
			}
			for k := hill.to; k > hill.from; k-- {
				path.Line(at(k, 0))
			}
			path.Close()
			c.SetColor(color.NRGBA{clr.R, clr.G, clr.B, 0xa0})
			c.Fill(path)
			c.SetColor(clr)
			c.SetLineWidth(0.5)
			c.Stroke(path)
		}
	}
}

// arc is a range of directions that includes both ends. Beyond the last direction, to
// counts on from the first.
type arc struct{ from, to int }

// hills returns the arcs on which the density is at least low, and somewhere at least peak:
// lower ones are fragments, of single points.
func (s *spread) hills(low, peak float64) (arcs []arc) {
	start := slices.IndexFunc(s[:], func(d float64) bool { return d < low })
	if start < 0 {
		return []arc{{0, len(s)}}
	}
	for k := start; k < start+len(s); k++ {
		hill, highest := arc{k, k}, 0.
		for ; s[k%len(s)] >= low; k++ {
			hill.to, highest = k, max(highest, s[k%len(s)])
		}
		if highest >= peak {
			arcs = append(arcs, hill)
		}
	}
	return arcs
}

// hillRects returns rectangles that cover the hills.
func (p *plotted) hillRects(v view) (taken []vg.Rectangle) {
	const every = 8 // directions
	unit := p.side / 2 / circleHalf
	for _, density := range p.spreads() {
		if density == nil {
			continue
		}
		for k := 0; k < len(density); k += every {
			height := spreadHeight * slices.Max(density[k:k+every])
			if height < 0.1*spreadHeight {
				continue
			}
			sin, cos := math.Sincos(2 * math.Pi * (float64(k) + every/2) / float64(len(density)))
			r := spreadFoot + height/2
			width := unit * vg.Length(height)
			taken = append(taken, around(v(point{r * cos, r * sin}).Point, width, width))
		}
	}
	return taken
}

// spreadTips returns rays that end outside the hills, in the mean direction of each class:
// its name is beyond. On a drawn circle only.
func (p *plotted) spreadTips(v view) map[int]ray {
	if !p.onCircle() {
		return nil
	}
	sums := make([]point, p.content.classes)
	for i, q := range p.content.points {
		sums[p.content.labels[i]] = sums[p.content.labels[i]].add(q)
	}
	tips := make(map[int]ray)
	for i, sum := range sums {
		if sum.norm() > 0 {
			tip := sum.scale((spreadFoot + spreadHeight + 0.03) / sum.norm())
			tips[i] = ray{from: v(point{}).Point, to: v(tip).Point}
		}
	}
	return tips
}

// drawGlobe draws the unit sphere: its outline and, every 30 degrees, the circles of
// latitude and longitude, which are fainter on the far side.
func (p *plotted) drawGlobe(c vg.Canvas, v view) {
	_, _, towards := p.camera.axes()
	outline := circle(v(point{}).Point, p.side/2/globeHalf)
	c.SetColor(wall)
	c.Fill(outline)
	var near, far vg.Path
	add := func(at func(t float64) point) {
		const steps = 72
		for k := range steps {
			a, b := at(float64(k)/steps), at(float64(k+1)/steps)
			path := &far
			if a.add(b).dot(towards) > 2/(viewerDistance*globeHalf) {
				path = &near
			}
			path.Move(v(a).Point)
			path.Line(v(b).Point)
		}
	}
	for k := -2; k <= 2; k++ {
		z, r := math.Sincos(float64(k) * math.Pi / 6)
		add(func(t float64) point {
			sin, cos := math.Sincos(2 * math.Pi * t)
			return point{r * cos, r * sin, z}
		})
	}
	for k := range 6 {
		y, x := math.Sincos(float64(k) * math.Pi / 6)
		add(func(t float64) point {
			sin, cos := math.Sincos(2 * math.Pi * t)
			return point{x * cos, y * cos, sin}
		})
	}
	c.SetLineWidth(0.5)
	c.SetColor(gridLine)
	c.Stroke(far)
	c.SetColor(axisLine)
	c.Stroke(near)
	c.SetColor(sphereLine)
	c.SetLineWidth(0.75)
	c.Stroke(outline)
}
