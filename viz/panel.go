package viz

import (
	"fmt"
	"image"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// style holds the lengths that depend on the size of the panels, in points.
type style struct {
	side vg.Length // of the panel

	titleSize, noteSize, labelSize, tickSize vg.Length // of the text

	left, bottom vg.Length // room for the tick labels and titles of the axes
	tickRoom     vg.Length // for the widest tick label
	tickCount    int       // per axis, roughly
	rayWidth     vg.Length
}

// newStyle returns the style of panels with that side; titled says whether their axes
// have titles.
func newStyle(side vg.Length, titled bool) style {
	k := vg.Length(math.Pow(float64(side/400), 0.35))
	sty := style{
		side: side, titleSize: 12 * k, noteSize: 9 * k, labelSize: 10 * k, tickSize: 7.5 * k,
		left: snap(22 * k), bottom: snap(13 * k), tickCount: 3 + int(side/150), rayWidth: 1.6 * k,
	}
	sty.tickRoom = sty.left + margin - 2*tickGap
	if titled {
		sty.left += snap(1.4 * sty.tickSize)
		sty.bottom += snap(1.5 * sty.tickSize)
	}
	return sty
}

// header returns the height that the titles and notes of a row of panels need.
func (sty style) header(cells []Scatter) vg.Length {
	var h vg.Length
	if slices.ContainsFunc(cells, func(s Scatter) bool { return s.Title != "" }) {
		h += sty.titleSize * 1.4
	}
	if slices.ContainsFunc(cells, func(s Scatter) bool { return s.Note != "" }) {
		h += sty.noteSize * 1.4
	}
	if h > 0 {
		h += 2
	}
	return snap(h)
}

// panel is a scatter about to be drawn: all that does not depend on the canvas is
// decided.
type panel struct {
	style
	scatter *Scatter
	content content // of the scatter, without the points outside the space
	space   space
	outside int // the number of points outside
	camera  Camera
	area    vg.Rectangle // on the page
	regions *image.RGBA  // the picture of the decision regions, or nil
}

// newPanel returns the panel of a valid scatter. Its area is set by the layout.
func newPanel(s *Scatter, sty style) (*panel, error) {
	p := &panel{style: sty, scatter: s, camera: DefaultCamera}
	if s.Missing != "" {
		return p, nil
	}
	if s.Camera != nil {
		p.camera = *s.Camera
	}
	if n := len(s.ClassNames); n > 20 { // smaller labels and thinner rays
		k := vg.Length(max(0.55, math.Sqrt(20/float64(n))))
		p.labelSize *= k
		p.rayWidth *= k
	}
	var err error
	if p.content, err = s.content(); err != nil {
		return nil, err
	}
	if p.hasSphere() {
		p.space = p.sphereSpace()
	} else {
		p.space = p.content.space()
	}
	if s.Dim == 1 {
		p.space = p.content.strip(p.space, p.stripMargin())
	}
	p.outside = p.content.dropOutside(p.space)
	if s.Regions != nil {
		if p.regions, err = p.regionImage(); err != nil {
			return nil, fmt.Errorf("decision regions: %w", err)
		}
	}
	return p, nil
}

// spot is a point on the page.
type spot struct {
	vg.Point
	near float64 // to the viewer: from 0 at the far end of the space to 1 at the near end; 1 in 2-D
}

// view maps the drawn space to the page.
type view func(point) spot

func (p *panel) view() view {
	if p.content.dim == 3 {
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
	if p.scatter.Missing != "" {
		p.drawMissing(c)
		return
	}
	v := p.view()
	if p.regions != nil {
		p.drawRegions(c, sharpness)
	}
	switch {
	case p.content.dim == 3 && p.scatter.Sphere:
		p.drawGlobe(c, v)
	case p.content.dim == 3:
		p.drawCube(c, v)
	default:
		p.drawAxes(c, v)
	}
	if p.content.dim == 2 && p.hasSphere() {
		p.drawCircle(c, v)
	}
	c.DrawImage(p.area, p.raster(v, sharpness))
	if p.onCircle() {
		p.drawSpreads(c, v)
	}
	p.drawArrows(c, v)
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
	if p.scatter.Note != "" {
		face, text := fit(regular(p.noteSize), printable(p.scatter.Note), p.side)
		y += 0.35 * p.noteSize
		drawText(c, face, vg.Point{X: p.area.Min.X, Y: y}, text, gray)
		y += 1.05 * p.noteSize
	}
	if p.scatter.Title != "" {
		face, text := fit(bold(p.titleSize), printable(p.scatter.Title), p.side)
		y += 0.35 * p.titleSize
		drawText(c, face, vg.Point{X: p.area.Min.X, Y: y}, text, ink)
	}
}

// drawOutside writes how many points are not shown: in the lower right corner, or in the
// upper one of a cube, where there are no tick labels.
func (p *panel) drawOutside(c vg.Canvas) {
	text := fmt.Sprintf("%d points outside", p.outside)
	if p.outside == 1 {
		text = "1 point outside"
	}
	face := regular(p.tickSize)
	at := vg.Point{X: p.area.Max.X - face.Width(text) - 3, Y: p.area.Min.Y + 4}
	if p.scatter.Dim == 3 {
		at.Y = p.area.Max.Y - p.tickSize
	}
	drawHalo(c, face, at, text)
	drawText(c, face, at, text, gray)
}

// drawMissing draws an empty frame that says why there are no points.
func (p *panel) drawMissing(c vg.Canvas) {
	c.SetColor(wall)
	c.Fill(p.area.Path())
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	c.Stroke(p.area.Path())
	face := regular(p.noteSize)
	leading := 1.4 * p.noteSize
	lines := wrap(face, printable(p.scatter.Missing), 0.8*p.side, int(0.8*p.side/leading))
	middle := p.area.Min.Add(p.area.Max).Scale(0.5)
	for i, text := range lines {
		at := vg.Point{X: middle.X - face.Width(text)/2, Y: middle.Y - p.noteSize*capHeight/2}
		at.Y += leading * (vg.Length(len(lines)-1)/2 - vg.Length(i))
		drawText(c, face, at, text, gray)
	}
}
