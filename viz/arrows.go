package viz

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// arrowShare is the length of the longest arrow, as a share of the width of the panel.
const arrowShare = 1. / 7

// arrowRoom is by how much a space is enlarged for arrows that point outwards.
const arrowRoom = 1.33

// longestArrow returns the length of the longest arrow.
func (c *content) longestArrow() (longest float64) {
	for _, arrow := range c.arrows {
		longest = max(longest, arrow.norm())
	}
	return longest
}

// drawArrows draws the arrows of the points, and the length of the longest in a corner.
func (p *plotted) drawArrows(c vg.Canvas, v view) {
	if p.content.arrows == nil {
		return
	}
	longest := p.content.longestArrow()
	if longest > 0 {
		scale := 2 * arrowShare * p.space.half / longest
		for i, arrow := range p.content.arrows {
			place := p.content.points[i]
			from, to := v(place).Point, v(place.add(arrow.scale(scale))).Point
			if hypot(to.Sub(from)) > 2*p.radius() { // else the point hides it
				drawArrow(c, from, to, 0.7*p.rayWidth)
			}
		}
	}
	face := regular(p.tickSize)
	at := vg.Point{X: p.area.Min.X + 3, Y: p.area.Min.Y + 4}
	if p.scatter.Dim == 3 {
		at.Y = p.area.Max.Y - p.tickSize
	}
	text := "longest arrow: " + strconv.FormatFloat(longest, 'g', 2, 64)
	drawHalo(c, face, at, text)
	drawText(c, face, at, text, gray)
}

// drawArrow draws an arrow whose head is as long as four widths of the line, or as the arrow.
func drawArrow(c vg.Canvas, from, to vg.Point, width vg.Length) {
	d := to.Sub(from)
	length := hypot(d)
	d = d.Scale(1 / length)
	head := min(4*width, length)
	neck := to.Sub(d.Scale(head))
	side := vg.Point{X: -d.Y, Y: d.X}.Scale(0.45 * head)
	var tip vg.Path
	tip.Move(to)
	tip.Line(neck.Add(side))
	tip.Line(neck.Sub(side))
	tip.Close()
	c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xc0})
	c.SetLineWidth(2.2 * width)
	c.Stroke(line(from, neck))
	c.SetLineWidth(1.2 * width)
	c.Stroke(tip)
	c.SetColor(ink)
	c.SetLineWidth(width)
	c.Stroke(line(from, neck))
	c.Fill(tip)
}
