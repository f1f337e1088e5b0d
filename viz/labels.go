package viz

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// clearance is the room around a label, both sides together.
const clearance = 5

// drawLabels writes the class names: at the end of the ray of the class, or, without a
// ray, at the centre of its points, or next to them if they are so few that the name
// would hide them. On a unit circle the names are beyond the hills, and in a strip to
// the left of the rows. A name gives way to other names, hills, targets and stars. One that
// finds no room nearby is left to the legend.
func (p *panel) drawLabels(c vg.Canvas, v view, rays map[int]ray, crosses []vg.Point, stars []vg.Rectangle) {
	type label struct {
		face font.Face
		at   vg.Point
		text string
		clr  color.Color
	}
	var labels []label
	height := p.labelSize*capHeight + clearance
	clouds := p.clouds(v)
	taken := append(p.obstacles(v, clouds, crosses), stars...)
	tips := p.spreadTips(v)
	for class, name := range p.scatter.ClassNames {
		if p.scatter.hasStar(name) {
			continue
		}
		face, text := fit(bold(p.labelSize), printable(name), p.side/3)
		width := face.Width(text) + clearance
		anchor := clouds[class].center
		if p.scatter.Dim == 1 {
			anchor = v(point{p.space.center[0] - p.space.half, p.space.row(float64(class), p.content.classes)}).Point
		} else if tip, ok := tips[class]; ok {
			anchor = tip.beyond(width, height)
		} else if r, ok := rays[class]; ok {
			anchor = r.beyond(width, height)
		} else if clouds[class].n == 0 {
			continue
		}
		center, ok := p.freePlace(anchor, width, height, taken)
		if !ok {
			continue
		}
		taken = append(taken, around(center, width, height))
		at := center.Sub(vg.Point{X: width - clearance, Y: height - clearance}.Scale(0.5))
		labels = append(labels, label{face, at, text, darker(Color(class))})
	}
	for _, l := range labels {
		drawHalo(c, l.face, l.at, l.text)
	}
	for _, l := range labels {
		drawText(c, l.face, l.at, l.text, l.clr)
	}
}

// obstacles returns the rectangles that labels must not cover: the targets, small clouds
// and the hills.
func (p *panel) obstacles(v view, clouds []cloud, crosses []vg.Point) (taken []vg.Rectangle) {
	for _, center := range crosses {
		taken = append(taken, around(center, p.labelSize, p.labelSize))
	}
	height := p.labelSize*capHeight + clearance
	for _, cl := range clouds {
		if size := 2 * (2*cl.deviation + p.radius()); cl.n > 0 && size < 2*height {
			taken = append(taken, around(cl.center, size, size))
		}
	}
	if p.onCircle() {
		taken = append(taken, p.hillRects(v)...)
	}
	return taken
}

// freePlace returns the point nearest to an anchor around which a rectangle of a size is
// inside the panel and overlaps none of those taken; ok is false if there is none nearby.
func (p *panel) freePlace(anchor vg.Point, width, height vg.Length, taken []vg.Rectangle) (center vg.Point, ok bool) {
	anchor.X = min(max(anchor.X, p.area.Min.X+width/2), p.area.Max.X-width/2)
	anchor.Y = min(max(anchor.Y, p.area.Min.Y+height/2), p.area.Max.Y-height/2)
	const rings, directions = 16, 16
	for ring := range rings {
		for k := range directions {
			sin, cos := math.Sincos(math.Pi/2 + 2*math.Pi*float64(k)/directions)
			r := vg.Length(ring) * height / 4
			center := anchor.Add(vg.Point{X: r * vg.Length(cos), Y: r * vg.Length(sin)})
			rect := around(center, width, height)
			if inside(rect, p.area) && !slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return overlap(rect, t) }) {
				return center, true
			}
		}
	}
	return anchor, false
}

// cloud is where the points of a class are on the page.
type cloud struct {
	n         int
	center    vg.Point
	deviation vg.Length // root of the mean squared distance from the centre
}

// clouds returns the cloud of each class.
func (p *panel) clouds(v view) []cloud {
	clouds := make([]cloud, len(p.scatter.ClassNames))
	for i, class := range p.content.labels {
		c := &clouds[class]
		c.n++
		c.center = c.center.Add(v(p.content.points[i]).Point)
	}
	for i := range clouds {
		clouds[i].center = clouds[i].center.Scale(1 / vg.Length(max(1, clouds[i].n)))
	}
	for i, class := range p.content.labels {
		d := v(p.content.points[i]).Sub(clouds[class].center)
		clouds[class].deviation += d.Dot(d)
	}
	for i := range clouds {
		c := &clouds[i]
		c.deviation = vg.Length(math.Sqrt(float64(c.deviation) / float64(max(1, c.n))))
	}
	return clouds
}
