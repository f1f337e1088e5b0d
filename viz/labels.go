package viz

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// drawLabels writes the class names at the ends of their rays, else at the
// centres of their points, or beside them where they would be hidden; beyond the
// hills of a unit circle; at the left of the rows of a strip. Names are moved where
// they would cover each other, a hill or a target; a name for which there is no room
// nearby is left to the legend.
func (p *panel) drawLabels(c vg.Canvas, v view, rays map[int]ray, crosses []vg.Point) {
	height := p.labelSize*capHeight + clearance
	var taken []vg.Rectangle
	for _, q := range crosses {
		taken = append(taken, around(q, p.labelSize, p.labelSize))
	}
	clouds := p.clouds(v)
	for _, cl := range clouds {
		if size := 2 * (2*cl.deviation + p.radius()); cl.n > 0 && size < 2*height {
			taken = append(taken, around(cl.center, size, size))
		}
	}
	spreads := p.spreadTips(v)
	if p.onCircle() {
		taken = append(taken, p.hillRects(v)...)
	}
	type label struct {
		face font.Face
		at   vg.Point
		text string
		clr  color.Color
	}
	var labels []label
	for i, name := range p.scatter.ClassNames {
		face, text := fit(bold(p.labelSize), printable(name), p.side/3)
		width := face.Width(text) + clearance
		anchor := clouds[i].center
		if p.scatter.Dim == 1 {
			anchor = v(point{p.space.center[0] - p.space.half, p.space.row(float64(i), p.content.classes)}).Point
		} else if r, ok := spreads[i]; ok {
			anchor = r.beyond(width, height)
		} else if r, ok := rays[i]; ok {
			anchor = r.beyond(width, height)
		} else if clouds[i].n == 0 {
			continue
		}
		place, ok := p.freePlace(anchor, width, height, taken)
		if !ok {
			continue
		}
		taken = append(taken, around(place, width, height))
		at := place.Sub(vg.Point{X: width - clearance, Y: height - clearance}.Scale(0.5))
		labels = append(labels, label{face, at, text, darker(Color(i))})
	}
	for _, l := range labels {
		drawHalo(c, l.face, l.at, l.text)
	}
	for _, l := range labels {
		drawText(c, l.face, l.at, l.text, l.clr)
	}
}

// clearance is the room around a label, both sides together.
const clearance = 5

// freePlace returns the place nearest to an anchor where a rectangle of a size lies
// in the panel and covers none of those taken.
func (p *panel) freePlace(anchor vg.Point, width, height vg.Length, taken []vg.Rectangle) (place vg.Point, ok bool) {
	anchor.X = min(max(anchor.X, p.area.Min.X+width/2), p.area.Max.X-width/2)
	anchor.Y = min(max(anchor.Y, p.area.Min.Y+height/2), p.area.Max.Y-height/2)
	const rings, directions = 16, 16
	for ring := range rings {
		for k := range directions {
			sin, cos := math.Sincos(math.Pi/2 + 2*math.Pi*float64(k)/directions)
			r := vg.Length(ring) * height / 4
			place := anchor.Add(vg.Point{X: r * vg.Length(cos), Y: r * vg.Length(sin)})
			rect := around(place, width, height)
			if inside(rect, p.area) && !slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return overlap(rect, t) }) {
				return place, true
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
