package viz

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// dpi makes a PNG twice as large as its nominal size of 72 dots per inch, so
// that text is sharp on dense screens: a single panel is 900 pixels wide.
const dpi = 144

// margin is the empty border of a figure, in points (1/72 inch).
const margin vg.Length = 14

// snap rounds to half a point, a whole pixel of a PNG.
func snap(x vg.Length) vg.Length { return vg.Length(math.Round(float64(2*x)) / 2) }

func line(points ...vg.Point) (p vg.Path) {
	p.Move(points[0])
	for _, q := range points[1:] {
		p.Line(q)
	}
	return p
}

func circle(center vg.Point, radius vg.Length) (p vg.Path) {
	p.Move(center.Add(vg.Point{X: radius}))
	p.Arc(center, radius, 0, 2*math.Pi)
	p.Close()
	return p
}

// cross is an x of two strokes.
func cross(center vg.Point, arm vg.Length) (p vg.Path) {
	p.Move(center.Add(vg.Point{X: -arm, Y: -arm}))
	p.Line(center.Add(vg.Point{X: arm, Y: arm}))
	p.Move(center.Add(vg.Point{X: -arm, Y: arm}))
	p.Line(center.Add(vg.Point{X: arm, Y: -arm}))
	return p
}

// around returns the rectangle of a size around its centre.
func around(center vg.Point, width, height vg.Length) vg.Rectangle {
	h := vg.Point{X: width / 2, Y: height / 2}
	return vg.Rectangle{Min: center.Sub(h), Max: center.Add(h)}
}

func inside(a, b vg.Rectangle) bool {
	const slack = 1e-6
	return a.Min.X >= b.Min.X-slack && a.Max.X <= b.Max.X+slack && a.Min.Y >= b.Min.Y-slack && a.Max.Y <= b.Max.Y+slack
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
