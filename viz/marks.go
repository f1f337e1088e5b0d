package viz

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// drawRays draws the class vectors and returns where their labels go. A vector
// of length 0 has no ray.
func (p *panel) drawRays(c vg.Canvas, v view) map[int]ray {
	if p.space.rayLength == 0 {
		return nil
	}
	rays := make(map[int]ray)
	for i, direction := range p.content.rays {
		if direction == (point{}) {
			continue
		}
		from := p.content.origin
		if p.scatter.Dim == 1 {
			from[1] = p.space.row(float64(i), p.content.classes)
		}
		origin, tip := v(from), v(from.add(direction.scale(p.space.cut(from, direction))))
		clr := darker(Color(i))
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
		rays[i] = ray{from: origin.Point, to: tip.Point}
	}
	return rays
}

// ray is a class vector on the page.
type ray struct{ from, to vg.Point }

// beyond returns the centre of a box of a size that touches the ray's end.
func (r ray) beyond(width, height vg.Length) vg.Point {
	d := r.to.Sub(r.from)
	length := vg.Length(math.Hypot(float64(d.X), float64(d.Y)))
	if length == 0 {
		return r.to
	}
	d = d.Scale(1 / length)
	return r.to.Add(vg.Point{X: d.X * width / 2, Y: d.Y * height / 2})
}

// drawTargets draws the targets and returns their places.
func (p *panel) drawTargets(c vg.Canvas, v view) []vg.Point {
	arm := 0.32 * p.labelSize
	var at []vg.Point
	for _, target := range p.content.targets {
		at = append(at, v(target).Point)
	}
	c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xd0})
	c.SetLineWidth(1.9 * p.rayWidth)
	for _, q := range at {
		c.Stroke(cross(q, arm+0.4*p.rayWidth))
	}
	c.SetColor(black)
	c.SetLineWidth(0.9 * p.rayWidth)
	for _, q := range at {
		c.Stroke(cross(q, arm))
	}
	return at
}
