package viz

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// dpi makes a PNG twice as large as its nominal size of 72 dots per inch, so
// that text is sharp on dense screens: a single panel is about 900 pixels wide.
const dpi = 144

// margin is the empty border of a figure, in points (1/72 inch).
const margin vg.Length = 14

// snap rounds to half a point, a whole pixel of a PNG.
func snap(x vg.Length) vg.Length { return vg.Length(math.Round(float64(2*x)) / 2) }

// hypot returns the length of a vector.
func hypot(d vg.Point) vg.Length { return vg.Length(math.Hypot(float64(d.X), float64(d.Y))) }

// line returns the path through the points.
func line(points ...vg.Point) (p vg.Path) {
	p.Move(points[0])
	for _, q := range points[1:] {
		p.Line(q)
	}
	return p
}

// circle returns a whole circle.
func circle(center vg.Point, radius vg.Length) (p vg.Path) {
	p.Move(center.Add(vg.Point{X: radius}))
	p.Arc(center, radius, 0, 2*math.Pi)
	p.Close()
	return p
}

// cross returns an x of two strokes; arm is half its width.
func cross(center vg.Point, arm vg.Length) (p vg.Path) {
	p.Move(center.Add(vg.Point{X: -arm, Y: -arm}))
	p.Line(center.Add(vg.Point{X: arm, Y: arm}))
	p.Move(center.Add(vg.Point{X: -arm, Y: arm}))
	p.Line(center.Add(vg.Point{X: arm, Y: -arm}))
	return p
}

// around returns the rectangle with that centre and size.
func around(center vg.Point, width, height vg.Length) vg.Rectangle {
	h := vg.Point{X: width / 2, Y: height / 2}
	return vg.Rectangle{Min: center.Sub(h), Max: center.Add(h)}
}

// inside reports whether a lies within b; rounding may take it a little beyond.
func inside(a, b vg.Rectangle) bool {
	const slack = 1e-6
	return a.Min.X >= b.Min.X-slack && a.Max.X <= b.Max.X+slack && a.Min.Y >= b.Min.Y-slack && a.Max.Y <= b.Max.Y+slack
}

// overlap reports whether the rectangles have an area in common.
func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
