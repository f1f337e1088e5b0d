package viz

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Lengths in points.
const (
	gap     vg.Length = 16 // between panels
	textGap vg.Length = 6  // between texts above them
)

// layout is a figure with every position and length decided. It can be drawn more
// than once.
type layout struct {
	width, height vg.Length
	title         string
	titleAt       vg.Point
	style         style
	cells         []cell
	gridLabels    []gridLabel
	legend        legend
}

// cell is a panel in the grid.
type cell struct {
	title, note string
	width       vg.Length // of title and note, at most
	area        vg.Rectangle
	drawing     Drawing
}

// gridLabel is the label of a row or column of the grid.
type gridLabel struct {
	at   vg.Point // the middle of the baseline
	text string
	room vg.Length // for the text
	up   bool      // the text runs upwards: for a row
}

// panelSide returns the width of a panel. More columns make the panels smaller, but less
// than in proportion: the figure grows.
func panelSide(columns int) vg.Length {
	return snap(vg.Length(max(130, 400*math.Pow(float64(columns), -0.55))))
}

// grid returns the numbers of rows and columns.
func (f *Figure) grid() (rows, columns int) {
	n := len(f.Panels)
	switch {
	case f.Columns > 0:
		columns = min(f.Columns, n)
	case n <= 3:
		columns = n
	default:
		columns = int(math.Ceil(math.Sqrt(float64(n))))
	}
	return (n + columns - 1) / columns, columns
}

// validate reports the first thing that is wrong with the figure.
func (f *Figure) validate() error {
	if len(f.Panels) == 0 {
		return fmt.Errorf("figure without panels: %w", ErrEmpty)
	}
	if i := slices.Index(f.Panels, nil); i >= 0 {
		return fmt.Errorf("panel %d is nil: %w", i, ErrEmpty)
	}
	if f.Columns < 0 {
		return fmt.Errorf("field Columns is %d: %w", f.Columns, ErrColumns)
	}
	rows, columns := f.grid()
	for _, labels := range []struct {
		name string
		list []string
		want int
	}{{"row", f.RowLabels, rows}, {"column", f.ColumnLabels, columns}} {
		if labels.list != nil && len(labels.list) != labels.want {
			return fmt.Errorf("%d %s labels for a grid of %d rows and %d columns: %w",
				len(labels.list), labels.name, rows, columns, ErrLength)
		}
	}
	return nil
}

// layout checks the figure and decides where everything goes.
func (f *Figure) layout() (*layout, error) {
	if err := f.validate(); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	rows, columns := f.grid()
	sty := newStyle(columns, slices.ContainsFunc(f.scatters(), func(s Scatter) bool { return s.Dim > 3 }))
	side := sty.side
	start := margin // of the first column, with its tick labels
	if f.RowLabels != nil {
		start += snap(sty.gridSize * 1.5)
	}
	left := func(column int) vg.Length { return start + vg.Length(column)*(sty.left+side+gap) + sty.left }
	// width returns that of a text above a column, which may reach to the text of the next.
	width := func(column int) vg.Length {
		if column == columns-1 {
			return side + margin - textGap
		}
		return side + sty.left + gap - textGap
	}
	inner := vg.Length(columns)*(sty.left+side) + vg.Length(columns-1)*gap
	lay := &layout{title: printable(f.Title), style: sty, width: start + inner + margin, legend: f.legend(inner-sty.left, sty.page)}

	// From the top: y grows downwards until the height is known.
	y := margin
	if lay.title != "" {
		lay.titleAt = vg.Point{X: left(0), Y: y + sty.figureTitleSize*capHeight}
		y += snap(sty.figureTitleSize * 1.9)
	}
	for column, text := range f.ColumnLabels {
		lay.label(gridLabel{at: vg.Point{X: left(column) + side/2, Y: y + sty.gridSize*capHeight}, text: text, room: side + 2*margin - textGap})
	}
	if f.ColumnLabels != nil {
		y += snap(sty.gridSize * 1.5)
	}
	for row := range rows {
		var cells []cell
		for _, panel := range f.Panels[row*columns : min((row+1)*columns, len(f.Panels))] {
			title, note := panel.Heading()
			cells = append(cells, cell{title: title, note: note})
		}
		header := sty.header(cells)
		for column := range cells {
			cells[column].area.Min = vg.Point{X: left(column), Y: y + header + side}
			cells[column].area.Max = vg.Point{X: left(column) + side, Y: y + header}
			cells[column].width = width(column)
		}
		lay.cells = append(lay.cells, cells...)
		if f.RowLabels != nil {
			at := vg.Point{X: margin + sty.gridSize*capHeight, Y: y + header + side/2}
			lay.label(gridLabel{at: at, text: f.RowLabels[row], up: true, room: 1.1 * side}) // there is room above and below a panel
		}
		y += header + side + sty.bottom
		if row < rows-1 {
			y += gap / 2
		}
	}
	if len(lay.legend.items) > 0 {
		y += sty.page * legendGap / 2
		lay.legend.move(vg.Point{X: left(0), Y: y})
		y += lay.legend.height
	}
	lay.height = y + margin - sty.page*legendGap/2
	lay.flip()
	for i, panel := range f.Panels {
		c := &lay.cells[i]
		var err error
		if c.drawing, err = panel.Plot(Place{c.area, sty.left, sty.bottom, sty.tickSize, sty}); err != nil {
			return nil, fmt.Errorf("viz: panel %d %q: %w", i, c.title, err)
		}
	}
	return lay, nil
}

// scatters returns the panels with points.
func (f *Figure) scatters() (scatters []Scatter) {
	for _, panel := range f.Panels {
		if s, ok := panel.(Scatter); ok && s.Missing == "" {
			scatters = append(scatters, s)
		}
	}
	return scatters
}

// label adds a label of the grid, unless its text is empty.
func (l *layout) label(label gridLabel) {
	if label.text = printable(label.text); label.text != "" {
		l.gridLabels = append(l.gridLabels, label)
	}
}

// flip makes y grow upwards, as on a canvas.
func (l *layout) flip() { l.move(func(p *vg.Point) { p.Y = l.height - p.Y }) }

// raise makes room below the figure.
func (l *layout) raise(by vg.Length) {
	l.height += by
	l.move(func(p *vg.Point) { p.Y += by })
}

// move moves all that is on the page.
func (l *layout) move(move func(p *vg.Point)) {
	move(&l.titleAt)
	for i := range l.cells {
		move(&l.cells[i].area.Min)
		move(&l.cells[i].area.Max)
	}
	for i := range l.gridLabels {
		move(&l.gridLabels[i].at)
	}
	for i := range l.legend.items {
		move(&l.legend.items[i].at)
	}
}

// draw draws the figure on a canvas. The points of the panels become images of
// sharpness times 144 dots per inch.
func (l *layout) draw(c vg.Canvas, sharpness float64) {
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: l.width, Y: l.height}}.Path())
	if l.title != "" {
		face, text := fit(bold(l.style.figureTitleSize), l.title, l.width-l.titleAt.X-margin)
		drawText(c, face, l.titleAt, text, ink)
	}
	for _, cell := range l.cells {
		cell.drawHeading(c, l.style)
		cell.drawing.Draw(c, sharpness)
	}
	for _, label := range l.gridLabels {
		face, text := fit(bold(l.style.gridSize), label.text, label.room)
		if label.up {
			drawTextUp(c, face, label.at, text, ink)
		} else {
			drawText(c, face, label.at.Sub(vg.Point{X: face.Width(text) / 2}), text, ink)
		}
	}
	l.legend.draw(c)
}

// drawHeading writes the title and the note above the panel.
func (cl cell) drawHeading(c vg.Canvas, sty style) {
	y := cl.area.Max.Y + 2
	if cl.note != "" {
		face, text := fit(regular(sty.noteSize), printable(cl.note), cl.width)
		y += 0.35 * sty.noteSize
		drawText(c, face, vg.Point{X: cl.area.Min.X, Y: y}, text, gray)
		y += 1.05 * sty.noteSize
	}
	if cl.title != "" {
		face, text := fit(bold(sty.titleSize), printable(cl.title), cl.width)
		y += 0.35 * sty.titleSize
		drawText(c, face, vg.Point{X: cl.area.Min.X, Y: y}, text, ink)
	}
}
