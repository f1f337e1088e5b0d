package viz

import (
	"fmt"
	"image"
	"math"

	"gonum.org/v1/plot/vg"
)

// plotted is a scatter about to be drawn: all that does not depend on the canvas is
// decided.
type plotted struct {
	style
	scatter *Scatter
	content content // of the scatter, without the points outside the space
	space   space
	outside int // the number of points outside
	camera  Camera
	area    vg.Rectangle // on the page
	regions *image.RGBA  // the picture of the decision regions, or nil
}

// Heading returns Title and Note.
func (s Scatter) Heading() (title, note string) { return s.Title, s.Note }

// Plot is that of a [Panel].
func (s Scatter) Plot(at Place) (Drawing, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s.plot(at)
}

// plot returns the drawing of a valid scatter.
func (s Scatter) plot(at Place) (*plotted, error) {
	p := &plotted{style: at.style, scatter: &s, camera: DefaultCamera, area: at.Area}
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
	p.show(p.wholeSpace())
	if s.Regions != nil {
		if p.regions, err = p.regionImage(); err != nil {
			return nil, fmt.Errorf("decision regions: %w", err)
		}
	}
	return p, nil
}

// wholeSpace returns the space of the content.
func (p *plotted) wholeSpace() space {
	if p.hasSphere() {
		return p.sphereSpace()
	}
	return p.content.space()
}

// show decides which part of the space is drawn.
func (p *plotted) show(sp space) {
	if p.space = sp; p.scatter.Dim == 1 {
		p.space = p.content.strip(sp, p.stripMargin())
	}
	p.outside = p.content.dropOutside(p.space)
}

// spot is a point on the page.
type spot struct {
	vg.Point
	near float64 // to the viewer: from 0 at the far end of the space to 1 at the near end; 1 in 2-D
}

// view maps the drawn space to the page.
type view func(point) spot

func (p *plotted) view() view {
	if p.content.dim == 3 {
		return p.view3D()
	}
	return func(q point) spot {
		u := q.sub(p.space.center).scale(1 / p.space.half)
		return spot{Point: p.onArea(u[0], u[1]), near: 1}
	}
}

// onArea maps [-1, 1] x [-1, 1] to the area of the panel.
func (p *plotted) onArea(x, y float64) vg.Point {
	return vg.Point{
		X: p.area.Min.X + p.side*vg.Length(x+1)/2,
		Y: p.area.Min.Y + p.side*vg.Length(y+1)/2,
	}
}

// Draw draws the scatter.
func (p *plotted) Draw(c vg.Canvas, sharpness float64) {
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
	p.drawLabels(c, v, rays, crosses, p.drawStars(c, v))
	if p.outside > 0 {
		p.drawOutside(c)
	}
}

// drawOutside writes how many points are not shown: in the lower right corner, or in the
// upper one of a cube, where there are no tick labels.
func (p *plotted) drawOutside(c vg.Canvas) {
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
func (p *plotted) drawMissing(c vg.Canvas) {
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
