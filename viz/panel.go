package viz

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// style holds what depends on the size of the panels, in points.
type style struct {
	side                     vg.Length
	title, note, label, tick vg.Length // sizes of text
	left, bottom             vg.Length // room for the tick labels and titles of the axes
	tickRoom                 vg.Length // the widest tick label
	ray                      vg.Length // width of its line
	ticks                    int       // per axis, about
}

// newStyle returns the style of panels of a size; titled says whether their axes
// have titles.
func newStyle(side vg.Length, titled bool) style {
	k := vg.Length(math.Pow(float64(side/400), 0.35))
	sty := style{
		side: side, title: 12 * k, note: 9 * k, label: 10 * k, tick: 7.5 * k,
		left: half(float64(22 * k)), bottom: half(float64(13 * k)), ray: 1.6 * k,
		ticks: 3 + int(side/150),
	}
	sty.tickRoom = sty.left + margin - 2*beside
	if titled {
		sty.left += half(float64(1.4 * sty.tick))
		sty.bottom += half(float64(1.5 * sty.tick))
	}
	return sty
}

// header returns the height above the panels of a row that their titles and
// notes need.
func (sty style) header(cells []Scatter) vg.Length {
	var h vg.Length
	if slices.ContainsFunc(cells, func(s Scatter) bool { return s.Title != "" }) {
		h += sty.title * 1.4
	}
	if slices.ContainsFunc(cells, func(s Scatter) bool { return s.Note != "" }) {
		h += sty.note * 1.4
	}
	if h > 0 {
		h += 2
	}
	return half(float64(h))
}

// panel is a scatter with everything decided that does not depend on the
// canvas.
type panel struct {
	style
	*Scatter
	content // the points inside the space
	area    vg.Rectangle
	space   space
	outside int         // points that are not inside
	ground  *image.RGBA // the decision regions, or nil
}

func newPanel(s *Scatter, sty style) (*panel, error) {
	p := &panel{style: sty, Scatter: s}
	if s.Missing != "" {
		return p, nil
	}
	if n := len(s.ClassNames); n > 20 { // smaller labels and thinner rays
		k := vg.Length(max(0.55, math.Sqrt(20/float64(n))))
		p.label *= k
		p.ray *= k
	}
	var err error
	if p.content, err = s.content(); err != nil {
		return nil, err
	}
	if p.round() {
		p.space = p.sphere()
	} else {
		p.space = p.content.space()
	}
	if s.Dim == 1 {
		p.space = p.strip(p.space, p.stripMargin())
	}
	p.keep(p.space.holds)
	if s.Regions != nil {
		if p.ground, err = p.regions(); err != nil {
			return nil, fmt.Errorf("decision regions: %w", err)
		}
	}
	return p, nil
}

// keep drops the points that are not inside, and counts them.
func (p *panel) keep(inside func(point) bool) {
	var points []point
	var labels []int32
	for i, q := range p.points {
		if inside(q) {
			points = append(points, q)
			labels = append(labels, p.labels[i])
		}
	}
	p.outside = len(p.points) - len(points)
	p.points, p.labels = points, labels
}

// spot is a place on the page and how near it is to the viewer: from 0 for the
// far end of the space to 1 for the near end, and 1 in 2-D.
type spot struct {
	vg.Point
	near float64
}

// view maps the embedded space to the page.
type view func(point) spot

func (p *panel) view() view {
	if p.dim == 3 {
		return p.view3D()
	}
	return func(q point) spot {
		u := q.sub(p.space.center).scale(1 / p.space.half)
		return spot{Point: p.onArea(u[0], u[1]), near: 1}
	}
}

// onArea maps [-1, 1] x [-1, 1] to the area of the panel.
func (p *panel) onArea(x, y float64) vg.Point {
	return vg.Point{
		X: p.area.Min.X + p.side*vg.Length(x+1)/2,
		Y: p.area.Min.Y + p.side*vg.Length(y+1)/2,
	}
}

func (p *panel) draw(c vg.Canvas, sharpness float64) {
	p.drawHeader(c)
	if p.Missing != "" {
		p.drawMissing(c)
		return
	}
	v := p.view()
	if p.ground != nil {
		p.drawRegions(c, sharpness)
	}
	switch {
	case p.dim == 3 && p.Sphere:
		p.drawGlobe(c, v)
	case p.dim == 3:
		p.drawCube(c, v)
	default:
		p.drawAxes(c, v)
	}
	if p.dim == 2 && p.round() {
		p.drawCircle(c, v)
	}
	c.DrawImage(p.area, p.raster(v, sharpness))
	if p.onCircle() {
		p.drawSpreads(c, v)
	}
	rays := p.drawRays(c, v)
	crosses := p.drawTargets(c, v)
	p.drawLabels(c, v, rays, crosses)
	if p.outside > 0 {
		p.drawOutside(c)
	}
}

// drawHeader writes the title and the note above the panel.
func (p *panel) drawHeader(c vg.Canvas) {
	y := p.area.Max.Y + 2
	if p.Note != "" {
		face, text := fit(regular(p.note), printable(p.Note), p.side)
		y += 0.35 * p.note
		write(c, face, vg.Point{X: p.area.Min.X, Y: y}, text, gray)
		y += 1.05 * p.note
	}
	if p.Title != "" {
		face, text := fit(bold(p.title), printable(p.Title), p.side)
		y += 0.35 * p.title
		write(c, face, vg.Point{X: p.area.Min.X, Y: y}, text, ink)
	}
}

// drawOutside says at the right how many points are not shown: in the lower corner, of a
// cube in the upper one, where no tick labels are.
func (p *panel) drawOutside(c vg.Canvas) {
	text := fmt.Sprintf("%d points outside", p.outside)
	if p.outside == 1 {
		text = "1 point outside"
	}
	face := regular(p.tick)
	at := vg.Point{X: p.area.Max.X - face.Width(text) - 3, Y: p.area.Min.Y + 4}
	if p.Dim == 3 {
		at.Y = p.area.Max.Y - p.tick
	}
	halo(c, face, at, text)
	write(c, face, at, text, gray)
}

// drawAxes draws the frame, the grid with its tick labels, and the lines
// through the origin.
func (p *panel) drawAxes(c vg.Canvas, v view) {
	face := regular(p.tick)
	lo, hi := p.space.center.sub(point{p.space.half, p.space.half}), p.space.half*2
	rule := func(axis int, value float64, clr color.Color, width vg.Length) (from vg.Point) {
		a, b := lo, lo
		a[axis], b[axis] = value, value
		b[1-axis] += hi
		c.SetColor(clr)
		c.SetLineWidth(width)
		c.Stroke(line(v(a).Point, v(b).Point))
		return v(a).Point
	}
	grid, axes := p.lines()
	for axis := range 2 {
		if axis == 1 && p.Dim == 1 {
			continue // it has the classes
		}
		values, format := ticks(lo[axis], lo[axis]+hi, p.ticks)
		for _, value := range values {
			clr, width := grid, vg.Length(0.5)
			if value == 0 {
				clr, width = axes, 0.75
			}
			from := rule(axis, value, clr, width)
			face, text := fit(face, format(value), p.tickRoom)
			textWidth := face.Width(text)
			at := vg.Point{X: from.X - textWidth/2, Y: p.area.Min.Y - beside - p.tick*capHeight}
			if axis == 1 {
				at = vg.Point{X: p.area.Min.X - beside - textWidth, Y: from.Y - p.tick*capHeight/2}
			}
			write(c, face, at, text, gray)
		}
	}
	if p.Dim == 1 && p.side > 4*vg.Length(p.classes) {
		for i := 1; i < p.classes; i++ {
			rule(1, p.space.row(float64(i)-0.5, p.classes), grid, 0.5)
		}
	}
	for j, share := range p.shares {
		p.drawAxisTitle(c, j, fmt.Sprintf("%s principal component (%.0f %% of the variance)", [...]string{"1st", "2nd"}[j], 100*share))
	}
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	c.Stroke(p.area.Path())
}

// beside is the distance between the panel and its tick labels.
const beside = 4

// lines returns the colours of the grid and of the lines through the origin.
func (p *panel) lines() (grid, axes color.Color) {
	if p.ground != nil {
		return color.NRGBA{A: 0x10}, color.NRGBA{A: 0x38}
	}
	return gridLine, axisLine
}

// drawAxisTitle writes what an axis is, beyond its tick labels.
func (p *panel) drawAxisTitle(c vg.Canvas, axis int, text string) {
	face, text := fit(regular(p.tick), text, p.side)
	middle := p.area.Min.Add(p.area.Max).Scale(0.5)
	if axis == 0 {
		at := vg.Point{X: middle.X - face.Width(text)/2, Y: p.area.Min.Y - p.bottom + 0.3*p.tick}
		write(c, face, at, text, gray)
		return
	}
	writeUp(c, face, vg.Point{X: p.area.Min.X - p.left + p.tick*capHeight - margin/2, Y: middle.Y}, text, gray)
}

// drawMissing draws an empty frame that says why there are no points.
func (p *panel) drawMissing(c vg.Canvas) {
	c.SetColor(wall)
	c.Fill(p.area.Path())
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	c.Stroke(p.area.Path())
	face := regular(p.note)
	leading := 1.4 * p.note
	lines := wrap(face, printable(p.Missing), 0.8*p.side, int(0.8*p.side/leading))
	middle := p.area.Min.Add(p.area.Max).Scale(0.5)
	for i, text := range lines {
		at := vg.Point{X: middle.X - face.Width(text)/2, Y: middle.Y - p.note*capHeight/2}
		at.Y += leading * (vg.Length(len(lines)-1)/2 - vg.Length(i))
		write(c, face, at, text, gray)
	}
}

// stripMargin returns the share of the panel's width that the class names of a
// strip need.
func (p *panel) stripMargin() float64 {
	var widest vg.Length
	for _, name := range p.ClassNames {
		face, text := fit(bold(p.label), printable(name), p.side/3)
		widest = max(widest, face.Width(text)+3*clearance)
	}
	return float64(widest / p.side)
}

// ticks returns about n round values in [lo, hi] and how to write them.
func ticks(lo, hi float64, n int) (values []float64, format func(float64) string) {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(n))))
	for _, factor := range []float64{5, 2} {
		if (hi-lo)/(step*factor) >= float64(n)-1 {
			step *= factor
			break
		}
	}
	for i := math.Ceil(lo / step); i*step <= hi; i++ {
		values = append(values, i*step+0) // + 0 turns -0 into 0
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	largest := max(math.Abs(lo), math.Abs(hi))
	digits := 1 + int(math.Ceil(math.Log10(largest/step)))
	return values, func(value float64) string {
		text := strconv.FormatFloat(value, 'f', decimals, 64)
		if largest >= 1e5 || decimals > 4 {
			text = strconv.FormatFloat(value, 'g', digits, 64)
		}
		return strings.ReplaceAll(text, "-", "−")
	}
}

// radius returns the radius of a point.
func (p *panel) radius() vg.Length {
	r := min(3.4, 1.4*math.Pow(float64(len(p.points))/10_000, -0.2))
	return vg.Length(r * math.Pow(float64(p.side/400), 0.7))
}

// raster draws the points into an image of the panel's area.
func (p *panel) raster(v view, sharpness float64) *image.RGBA {
	scale := dpi / 72 * sharpness
	pixels := p.pixels(sharpness)
	img := image.NewRGBA(image.Rect(0, 0, pixels, pixels))
	radius := float64(p.radius()) * scale
	opacity := min(0.85, 0.55*math.Pow(float64(len(p.points))/10_000, -0.15))

	colors := make([]color.RGBA, len(p.ClassNames))
	for i := range colors {
		colors[i] = Color(i)
	}
	place := func(q point, class int32) disc {
		at := v(q)
		return disc{
			x:      float64(at.X-p.area.Min.X) * scale,
			y:      float64(p.area.Max.Y-at.Y) * scale,
			radius: radius, near: at.near, color: colors[class],
		}
	}
	discs := make([]disc, len(p.points))
	for k, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(p.points)) {
		discs[k] = place(p.points[i], p.labels[i])
	}
	masks := stamps{}
	if p.dim == 3 && !p.Sphere {
		shadows := make([]disc, len(discs))
		for i, q := range p.points {
			q[2] = p.space.center[2] - p.floor()*p.space.half
			shadows[i] = place(q, p.labels[i])
			shadows[i].color = mix(shadows[i].color, gray, 0.5)
		}
		masks.draw(img, shadows, 0.15*opacity)
	}
	if p.dim == 3 {
		slices.SortStableFunc(discs, func(a, b disc) int { return cmp.Compare(a.near, b.near) })
		for i := range discs {
			d := &discs[i]
			d.radius *= 0.75 + 0.5*d.near
			d.color = mix(white, d.color, 0.5+math.Round(8*d.near)/16) // few colours: a small file
		}
		opacity = min(0.9, 1.4*opacity)
	}
	masks.draw(img, discs, opacity)
	return img
}

// drawRays draws the class vectors and returns where their labels go. A vector
// of length 0 has no ray.
func (p *panel) drawRays(c vg.Canvas, v view) map[int]ray {
	if p.space.ray == 0 {
		return nil
	}
	rays := make(map[int]ray)
	for i, direction := range p.rays {
		if direction == (point{}) {
			continue
		}
		from := p.origin
		if p.Dim == 1 {
			from[1] = p.space.row(float64(i), p.classes)
		}
		origin, tip := v(from), v(from.add(direction.scale(p.space.cut(from, direction))))
		clr := darker(Color(i))
		if p.dim == 3 {
			clr = mix(white, clr, 0.65+0.35*tip.near)
		}
		path := line(origin.Point, tip.Point)
		c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xa0})
		c.SetLineWidth(1.8 * p.ray)
		c.Stroke(path)
		c.SetColor(clr)
		c.SetLineWidth(p.ray)
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
	norm := vg.Length(math.Hypot(float64(d.X), float64(d.Y)))
	if norm == 0 {
		return r.to
	}
	d = d.Scale(1 / norm)
	return r.to.Add(vg.Point{X: d.X * width / 2, Y: d.Y * height / 2})
}

// drawTargets draws the targets and returns their places.
func (p *panel) drawTargets(c vg.Canvas, v view) []vg.Point {
	arm := 0.32 * p.label
	var at []vg.Point
	for _, target := range p.targets {
		at = append(at, v(target).Point)
	}
	c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xd0})
	c.SetLineWidth(1.9 * p.ray)
	for _, q := range at {
		c.Stroke(cross(q, arm+0.4*p.ray))
	}
	c.SetColor(black)
	c.SetLineWidth(0.9 * p.ray)
	for _, q := range at {
		c.Stroke(cross(q, arm))
	}
	return at
}

// cloud is where the points of a class are on the page.
type cloud struct {
	n         int
	center    vg.Point
	deviation vg.Length // root of the mean squared distance from the centre
}

func (p *panel) clouds(v view) []cloud {
	clouds := make([]cloud, len(p.ClassNames))
	for i, class := range p.labels {
		c := &clouds[class]
		c.n++
		c.center = c.center.Add(v(p.points[i]).Point)
	}
	for i := range clouds {
		clouds[i].center = clouds[i].center.Scale(1 / vg.Length(max(1, clouds[i].n)))
	}
	for i, class := range p.labels {
		d := v(p.points[i]).Sub(clouds[class].center)
		clouds[class].deviation += d.Dot(d)
	}
	for i := range clouds {
		c := &clouds[i]
		c.deviation = vg.Length(math.Sqrt(float64(c.deviation) / float64(max(1, c.n))))
	}
	return clouds
}

// clearance is the room around a label, both sides together.
const clearance = 5

// drawLabels writes the class names at the ends of their rays, else at the
// centres of their points, or beside them where they would be hidden; beyond the
// hills of a unit circle; at the left of the rows of a strip. Names are moved where
// they would cover each other, a hill or a target; a name for which there is no room
// nearby is left to the legend.
func (p *panel) drawLabels(c vg.Canvas, v view, rays map[int]ray, crosses []vg.Point) {
	height := p.label*capHeight + clearance
	var taken []vg.Rectangle
	for _, q := range crosses {
		taken = append(taken, around(q, p.label, p.label))
	}
	clouds := p.clouds(v)
	for _, cl := range clouds {
		if size := 2 * (2*cl.deviation + p.radius()); cl.n > 0 && size < 2*height {
			taken = append(taken, around(cl.center, size, size))
		}
	}
	spreads := p.spreadTips(v)
	if p.onCircle() {
		taken = append(taken, p.spreadRoom(v)...)
	}
	type label struct {
		face font.Face
		at   vg.Point
		text string
		clr  color.Color
	}
	var labels []label
	for i, name := range p.ClassNames {
		face, text := fit(bold(p.label), printable(name), p.side/3)
		width := face.Width(text) + clearance
		anchor := clouds[i].center
		if p.Dim == 1 {
			anchor = v(point{p.space.center[0] - p.space.half, p.space.row(float64(i), p.classes)}).Point
		} else if r, ok := spreads[i]; ok {
			anchor = r.beyond(width, height)
		} else if r, ok := rays[i]; ok {
			anchor = r.beyond(width, height)
		} else if clouds[i].n == 0 {
			continue
		}
		place, ok := p.free(anchor, width, height, taken)
		if !ok {
			continue
		}
		taken = append(taken, around(place, width, height))
		at := place.Sub(vg.Point{X: width - clearance, Y: height - clearance}.Scale(0.5))
		labels = append(labels, label{face, at, text, darker(Color(i))})
	}
	for _, l := range labels {
		halo(c, l.face, l.at, l.text)
	}
	for _, l := range labels {
		write(c, l.face, l.at, l.text, l.clr)
	}
}

// around returns the rectangle of a size around its centre.
func around(center vg.Point, width, height vg.Length) vg.Rectangle {
	h := vg.Point{X: width / 2, Y: height / 2}
	return vg.Rectangle{Min: center.Sub(h), Max: center.Add(h)}
}

// free returns the place nearest to an anchor where a rectangle of a size lies
// in the panel and covers none of those taken.
func (p *panel) free(anchor vg.Point, width, height vg.Length, taken []vg.Rectangle) (place vg.Point, ok bool) {
	anchor.X = min(max(anchor.X, p.area.Min.X+width/2), p.area.Max.X-width/2)
	anchor.Y = min(max(anchor.Y, p.area.Min.Y+height/2), p.area.Max.Y-height/2)
	const rings, directions = 16, 16
	for ring := range rings {
		for k := range directions {
			sin, cos := math.Sincos(math.Pi/2 + 2*math.Pi*float64(k)/directions)
			r := vg.Length(ring) * height / 4
			place := anchor.Add(vg.Point{X: r * vg.Length(cos), Y: r * vg.Length(sin)})
			here := around(place, width, height)
			if inside(here, p.area) && !slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return overlap(here, t) }) {
				return place, true
			}
		}
	}
	return anchor, false
}

func inside(a, b vg.Rectangle) bool {
	const slack = 1e-6
	return a.Min.X >= b.Min.X-slack && a.Max.X <= b.Max.X+slack && a.Min.Y >= b.Min.Y-slack && a.Max.Y <= b.Max.Y+slack
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
