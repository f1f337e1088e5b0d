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

// A label is the name of a class on the page.
type label struct {
	face   font.Face
	text   string
	box    vg.Rectangle // with its clearance
	clr    color.Color
	leader *vg.Point // where a line from the label leads; nil: none
}

// drawLabels writes the class names: at the end of the ray of the class, or, without a
// ray, at the centre of its points, or next to them if they are so few that the name
// would hide them. On a unit circle the names are beyond the hills, and again on the rays,
// and in a strip to the left of the rows. A name gives way to other names, hills, targets and stars.
// One that finds no room nearby is left to the legend. A line leads from a name that stands
// on points of other classes, or away from its ray, to where it belongs.
func (p *plotted) drawLabels(c vg.Canvas, v view, rays map[int]ray, crosses []vg.Point, stars []vg.Rectangle) {
	clouds := p.clouds(v)
	taken := append(p.obstacles(v, clouds, crosses), stars...)
	tips := p.spreadTips(v)
	crowd := p.crowd(v)
	var labels []label
	// add adds the name of a class at an anchor; ok is false if it finds no room.
	add := func(class int, size vg.Length, anchor func(width, height vg.Length) vg.Point) (l *label, ok bool) {
		face, text := fit(bold(size), printable(p.scatter.ClassNames[class]), p.side/3)
		width, height := face.Width(text)+clearance, size*capHeight+clearance
		center, ok := p.freePlace(anchor(width, height), width, height, taken)
		if !ok {
			return nil, false
		}
		box := around(center, width, height)
		taken = append(taken, box)
		labels = append(labels, label{face: face, text: text, box: box, clr: darker(Color(class))})
		return &labels[len(labels)-1], true
	}
	for class, name := range p.scatter.ClassNames {
		if p.scatter.hasStar(name) {
			continue
		}
		r, hasRay := rays[class]
		if tip, ok := tips[class]; ok {
			r, hasRay = tip, true
		}
		switch {
		case p.scatter.Dim == 1:
			add(class, p.labelSize, func(_, _ vg.Length) vg.Point {
				return v(point{p.space.center[0] - p.space.half, p.space.row(float64(class), p.content.classes)}).Point
			})
		case hasRay:
			if l, ok := add(class, p.labelSize, r.beyond); ok && l.distance(r.to) > 1.5*p.labelSize {
				l.leader = &r.to
			}
		case clouds[class].n > 0:
			l, ok := add(class, p.labelSize, func(_, _ vg.Length) vg.Point { return clouds[class].center })
			if ok && crowd.isAstray(l.box, class) {
				l.leader = crowd.home(class)
			}
		}
	}
	if p.onCircle() {
		for class := range p.scatter.ClassNames {
			if r, ok := rays[class]; ok {
				const share = 0.8 // of the ray, where the name is
				add(class, 0.85*p.labelSize, func(_, _ vg.Length) vg.Point { return r.from.Add(r.to.Sub(r.from).Scale(share)) })
			}
		}
	}
	for _, l := range labels {
		l.drawLeader(c, p.rayWidth)
	}
	for _, l := range labels {
		drawHalo(c, l.face, l.start(), l.text)
	}
	for _, l := range labels {
		drawText(c, l.face, l.start(), l.text, l.clr)
	}
}

// start returns where the text of the label starts.
func (l label) start() vg.Point {
	return l.box.Min.Add(vg.Point{X: clearance, Y: clearance}.Scale(0.5))
}

// nearest returns the point of the label's box that is nearest to a point.
func (l label) nearest(to vg.Point) vg.Point {
	return vg.Point{X: min(max(to.X, l.box.Min.X), l.box.Max.X), Y: min(max(to.Y, l.box.Min.Y), l.box.Max.Y)}
}

// distance returns that of a point to the label's box.
func (l label) distance(to vg.Point) vg.Length { return hypot(to.Sub(l.nearest(to))) }

// drawLeader draws the line to where the label belongs, and a dot there.
func (l label) drawLeader(c vg.Canvas, width vg.Length) {
	if l.leader == nil || l.distance(*l.leader) == 0 {
		return
	}
	path := line(l.nearest(*l.leader), *l.leader)
	for _, pen := range []struct {
		clr   color.Color
		width vg.Length
	}{{white, 1.5 * width}, {l.clr, 0.6 * width}} {
		c.SetColor(pen.clr)
		c.SetLineWidth(pen.width)
		c.Stroke(path)
		c.Fill(circle(*l.leader, pen.width+0.5*width))
	}
}

// crowd is the points of all classes on the page.
type crowd struct {
	places []vg.Point
	labels []int32
	cell   vg.Length // of a grid in which points are counted
	all    map[[2]int]int
}

// crowd returns the points on the page.
func (p *plotted) crowd(v view) crowd {
	cr := crowd{labels: p.content.labels, cell: p.labelSize, all: map[[2]int]int{}}
	for _, q := range p.content.points {
		at := v(q).Point
		cr.places = append(cr.places, at)
		cr.all[cr.cellOf(at)]++
	}
	return cr
}

func (cr crowd) cellOf(at vg.Point) [2]int {
	return [2]int{int(math.Floor(float64(at.X / cr.cell))), int(math.Floor(float64(at.Y / cr.cell)))}
}

// isAstray tells whether most points in a box, if there are any, are of other classes.
func (cr crowd) isAstray(box vg.Rectangle, class int) bool {
	own, others := 0, 0
	for i, at := range cr.places {
		switch {
		case !inside(vg.Rectangle{Min: at, Max: at}, box):
		case int(cr.labels[i]) == class:
			own++
		default:
			others++
		}
	}
	return others > own
}

// home returns where a class is most by itself: the mean of its points in the cell of a grid
// that has the most of them, weighted by their share of all points there.
func (cr crowd) home(class int) *vg.Point {
	type sum struct {
		n  int
		at vg.Point
	}
	cells := map[[2]int]sum{}
	var best float64
	var home *vg.Point
	for i, at := range cr.places {
		if int(cr.labels[i]) == class {
			key := cr.cellOf(at)
			cells[key] = sum{cells[key].n + 1, cells[key].at.Add(at)}
		}
	}
	for i, at := range cr.places { // in the order of the points, not of the map
		if int(cr.labels[i]) != class {
			continue
		}
		key := cr.cellOf(at)
		own := cells[key]
		if weight := float64(own.n*own.n) / float64(cr.all[key]); weight > best {
			mean := own.at.Scale(1 / vg.Length(own.n))
			best, home = weight, &mean
		}
	}
	return home
}

// obstacles returns the rectangles that labels must not cover: the targets, small clouds
// and the hills.
func (p *plotted) obstacles(v view, clouds []cloud, crosses []vg.Point) (taken []vg.Rectangle) {
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
func (p *plotted) freePlace(anchor vg.Point, width, height vg.Length, taken []vg.Rectangle) (center vg.Point, ok bool) {
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
func (p *plotted) clouds(v view) []cloud {
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
