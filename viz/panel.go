package viz

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// A Panel is one picture in the grid of a [Figure]: a [Scatter], [Curves], a [Gallery], or
// one of your own.
type Panel interface {
	// Heading returns the title and the note above the panel; none where they are empty.
	Heading() (title, note string)
	// Plot checks the panel and returns what draws it. It is called once for a picture. The
	// error says what is wrong with the panel.
	Plot(at Place) (Drawing, error)
}

// A Drawing draws a panel on the canvas of a picture, once or more often: a picture that
// takes too many bytes is drawn again, with images of less than 144 dots per inch. Their
// dots per inch are sharpness times 144.
type Drawing interface {
	Draw(c vg.Canvas, sharpness float64)
}

// A Place is where a [Figure] has a panel, in points (1/72 inch).
type Place struct {
	Area         vg.Rectangle // a square, below the heading
	Left, Bottom vg.Length    // the room for tick labels, beside the square and below it
	TextSize     vg.Length    // of tick labels, the smallest text

	style style
}

// style holds the lengths that depend on the size of the panels, in points.
type style struct {
	side vg.Length // of the panel
	page vg.Length // by how much the figure is wider than pageWidth, at least 1

	titleSize, noteSize, labelSize, tickSize vg.Length // of the text
	gridSize, figureTitleSize                vg.Length // of the labels of rows and columns, and of the title

	left, bottom vg.Length // room for the tick labels and titles of the axes
	tickRoom     vg.Length // for the widest tick label
	tickCount    int       // per axis, roughly
	rayWidth     vg.Length
}

// pageWidth is the width of a figure, in points, up to which its text is large enough to read
// where it fills a page of about 900 pixels. In wider figures, text is larger.
const pageWidth vg.Length = 900

// newStyle returns the style of panels in so many columns; titled says whether their axes have
// titles.
func newStyle(columns int, titled bool) style {
	side := panelSide(columns)
	k := vg.Length(math.Pow(float64(side/400), 0.35))
	page := max(1, vg.Length(columns)*(side+40)/pageWidth)
	sty := style{
		side: side, page: page, tickCount: 3 + int(side/150), rayWidth: 1.6 * k,
		titleSize: max(12*k, 9.5*page), noteSize: max(9*k, 7.5*page),
		labelSize: max(10*k, min(8.5*page, side/12)), tickSize: max(7.5*k, min(8*page, side/13)),
		gridSize: max(11, min(9.5*page, side/11)), figureTitleSize: max(14, 12*page),
	}
	sty.left, sty.bottom = snap(2.9*sty.tickSize), snap(1.75*sty.tickSize)
	sty.tickRoom = sty.left + margin - 2*tickGap
	if titled {
		sty.left += snap(1.4 * sty.tickSize)
		sty.bottom += snap(1.5 * sty.tickSize)
	}
	return sty
}

// header returns the height that the titles and notes of a row of panels need.
func (sty style) header(cells []cell) vg.Length {
	var h vg.Length
	if slices.ContainsFunc(cells, func(c cell) bool { return c.title != "" }) {
		h += sty.titleSize * 1.4
	}
	if slices.ContainsFunc(cells, func(c cell) bool { return c.note != "" }) {
		h += sty.noteSize * 1.4
	}
	if h > 0 {
		h += 2
	}
	return snap(h)
}
