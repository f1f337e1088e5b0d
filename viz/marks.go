package viz

import (
	"image/color"

	"gonum.org/v1/plot/vg"
)

// ray is a class vector on the page.
type ray struct{ from, to vg.Point }

// beyond returns the centre of a box of a size that touches the end of the ray.
func (r ray) beyond(width, height vg.Length) vg.Point {
	d := r.to.Sub(r.from)
	if d == (vg.Point{}) {
		return r.to
	}
	d = d.Scale(1 / hypot(d))
	return r.to.Add(vg.Point{X: d.X * width / 2, Y: d.Y * height / 2})
}

// drawRays draws the class vectors and returns their rays, by class. A vector of length 0
// has none.
func (p *plotted) drawRays(c vg.Canvas, v view) map[int]ray {
	if p.space.rayLength == 0 {
		return nil
	}
	rays := make(map[int]ray)
	for class, direction := range p.content.rays {
		if direction == (point{}) {
			continue
		}
		from := p.content.origin
		if p.scatter.Dim == 1 {
			from[1] = p.space.row(float64(class), p.content.classes)
		}
		origin, tip := v(from), v(from.add(direction.scale(p.space.cut(from, direction))))
		clr := darker(Color(class))
		if p.content.dim == 3 {
			clr = mix(white, clr, 0.65+0.35*tip.near)
		}
		path := line(origin.Point, tip.Point)
		c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xa0})
		c.SetLineWidth(1.8 * p.rayWidth)
		c.Stroke(path)
		c.SetColor(clr)
		c.SetLineWidth(p.rayWidth)
		c.Stroke(path)
		rays[class] = ray{from: origin.Point, to: tip.Point}
	}
	return rays
}

// drawTargets draws the targets and returns the centres of their crosses.
func (p *plotted) drawTargets(c vg.Canvas, v view) []vg.Point {
	arm := 0.32 * p.labelSize
	var centers []vg.Point
	for _, target := range p.content.targets {
		centers = append(centers, v(target).Point)
	}
	c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xd0})
	c.SetLineWidth(1.9 * p.rayWidth)
	for _, center := range centers {
		c.Stroke(cross(center, arm+0.4*p.rayWidth))
	}
	c.SetColor(black)
	c.SetLineWidth(0.9 * p.rayWidth)
	for _, center := range centers {
		c.Stroke(cross(center, arm))
	}
	return centers
}
