package viz

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Lengths in points.
const (
	gap             vg.Length = 16 // between panels
	figureTitleSize vg.Length = 14
	gridLabelSize   vg.Length = 11 // of rows and columns
)

// layout is a figure with every position and length decided. It can be drawn more
// than once.
type layout struct {
	width, height vg.Length
	title         string
	titleAt       vg.Point
	panels        []*panel
	gridLabels    []gridLabel
	legend        legend
}

// gridLabel is the label of a row or column of the grid.
type gridLabel struct {
	at   vg.Point // the middle of the baseline
	text string
	up   bool // the text runs upwards: for a row
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
	if f.Columns < 0 {
		return fmt.Errorf("field Columns is %d: %w", f.Columns, ErrColumns)
	}
	for i := range f.Panels {
		if err := f.Panels[i].Validate(); err != nil {
			return fmt.Errorf("panel %d %q: %w", i, f.Panels[i].Title, err)
		}
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
	side := panelSide(columns)
	sty := newStyle(side, slices.ContainsFunc(f.Panels, func(s Scatter) bool { return s.Missing == "" && s.Dim > 3 }))
	start := margin // of the first column, with its tick labels
	if f.RowLabels != nil {
		start += snap(gridLabelSize * 1.5)
	}
	left := func(column int) vg.Length { return start + vg.Length(column)*(sty.left+side+gap) + sty.left }
	inner := vg.Length(columns)*(sty.left+side) + vg.Length(columns-1)*gap
	lay := &layout{title: printable(f.Title), width: start + inner + margin, legend: f.legend(inner - sty.left)}

	// From the top: y grows downwards until the height is known.
	y := margin
	if lay.title != "" {
		lay.titleAt = vg.Point{X: left(0), Y: y + figureTitleSize*capHeight}
		y += snap(figureTitleSize * 1.9)
	}
	for column, text := range f.ColumnLabels {
		lay.label(gridLabel{at: vg.Point{X: left(column) + side/2, Y: y + gridLabelSize*capHeight}, text: text})
	}
	if f.ColumnLabels != nil {
		y += snap(gridLabelSize * 1.5)
	}
	for row := range rows {
		cells := f.Panels[row*columns : min((row+1)*columns, len(f.Panels))]
		header := sty.header(cells)
		for column := range cells {
			p, err := newPanel(&cells[column], sty)
			if err != nil {
				return nil, fmt.Errorf("viz: panel %d %q: %w", row*columns+column, cells[column].Title, err)
			}
			p.area.Min = vg.Point{X: left(column), Y: y + header + side}
			p.area.Max = vg.Point{X: left(column) + side, Y: y + header}
			lay.panels = append(lay.panels, p)
		}
		if f.RowLabels != nil {
			at := vg.Point{X: margin + gridLabelSize*capHeight, Y: y + header + side/2}
			lay.label(gridLabel{at: at, text: f.RowLabels[row], up: true})
		}
		y += header + side + sty.bottom
		if row < rows-1 {
			y += gap / 2
		}
	}
	if len(lay.legend.items) > 0 {
		y += legendGap / 2
		lay.legend.move(vg.Point{X: left(0), Y: y})
		y += lay.legend.height
	}
	lay.height = y + margin - legendGap/2
	lay.flip()
	return lay, nil
}

// label adds a label of the grid, unless its text is empty.
func (l *layout) label(label gridLabel) {
	if label.text = printable(label.text); label.text != "" {
		l.gridLabels = append(l.gridLabels, label)
	}
}

// flip makes y grow upwards, as on a canvas.
func (l *layout) flip() {
	flip := func(p *vg.Point) { p.Y = l.height - p.Y }
	flip(&l.titleAt)
	for _, p := range l.panels {
		flip(&p.area.Min)
		flip(&p.area.Max)
	}
	for i := range l.gridLabels {
		flip(&l.gridLabels[i].at)
	}
	for i := range l.legend.items {
		flip(&l.legend.items[i].at)
	}
}

// draw draws the figure on a canvas. The points of the panels become images of
// sharpness times 144 dots per inch.
func (l *layout) draw(c vg.Canvas, sharpness float64) {
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: l.width, Y: l.height}}.Path())
	if l.title != "" {
		face, text := fit(bold(figureTitleSize), l.title, l.width-l.titleAt.X-margin)
		drawText(c, face, l.titleAt, text, ink)
	}
	for _, p := range l.panels {
		p.draw(c, sharpness)
	}
	for _, label := range l.gridLabels {
		width := l.panels[0].side
		if label.up {
			width *= 1.1 // there is room above and below a panel
		}
		face, text := fit(bold(gridLabelSize), label.text, width)
		if label.up {
			drawTextUp(c, face, label.at, text, ink)
		} else {
			drawText(c, face, label.at.Sub(vg.Point{X: face.Width(text) / 2}), text, ink)
		}
	}
	l.legend.draw(c)
}
