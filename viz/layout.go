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

// layout is a figure with all lengths decided; it can be drawn repeatedly.
type layout struct {
	width, height vg.Length
	title         string
	titleAt       vg.Point
	panels        []*panel
	gridLabels    []gridLabel
	legend        []legendItem
}

// gridLabel is the label of a row or column of the grid, by the middle of its
// text's baseline.
type gridLabel struct {
	at   vg.Point
	text string
	up   bool // of a row: the text runs upwards
}

// panelSide returns the width of a panel: panels shrink as columns are added, but
// less than in proportion, so that the figure grows.
func panelSide(columns int) vg.Length {
	return snap(vg.Length(max(130, 400*math.Pow(float64(columns), -0.55))))
}

// layout checks the figure and decides where everything goes.
func (f *Figure) layout() (*layout, error) {
	if len(f.Panels) == 0 {
		return nil, fmt.Errorf("viz: figure without panels: %w", ErrEmpty)
	}
	if f.Columns < 0 {
		return nil, fmt.Errorf("viz: Columns is %d: %w", f.Columns, ErrColumns)
	}
	for i := range f.Panels {
		if err := f.Panels[i].validate(); err != nil {
			return nil, fmt.Errorf("viz: panel %d %q: %w", i, f.Panels[i].Title, err)
		}
	}
	columns := f.columns()
	rows := (len(f.Panels) + columns - 1) / columns
	for _, labels := range []struct {
		name string
		list []string
		want int
	}{{"row", f.RowLabels, rows}, {"column", f.ColumnLabels, columns}} {
		if labels.list != nil && len(labels.list) != labels.want {
			return nil, fmt.Errorf("viz: %d %s labels for a grid of %d rows and %d columns: %w",
				len(labels.list), labels.name, rows, columns, ErrLength)
		}
	}
	size := panelSide(columns)
	sty := newStyle(size, slices.ContainsFunc(f.Panels, func(s Scatter) bool { return s.Missing == "" && s.Dim > 3 }))
	start := margin // where the first column begins
	if f.RowLabels != nil {
		start += snap(gridLabelSize * 1.5)
	}

	lay := &layout{title: printable(f.Title)}
	inner := vg.Length(columns)*(sty.left+size) + vg.Length(columns-1)*gap
	lay.width = start + inner + margin
	legend, legendHeight := f.legend(inner - sty.left)

	// From the top, with y growing downwards until the height is known.
	y := margin
	if lay.title != "" {
		lay.titleAt = vg.Point{X: start + sty.left, Y: y + figureTitleSize*capHeight}
		y += snap(figureTitleSize * 1.9)
	}
	label := func(item gridLabel) {
		if item.text = printable(item.text); item.text != "" {
			lay.gridLabels = append(lay.gridLabels, item)
		}
	}
	for column, text := range f.ColumnLabels {
		at := vg.Point{X: start + vg.Length(column)*(sty.left+size+gap) + sty.left + size/2, Y: y + gridLabelSize*capHeight}
		label(gridLabel{at: at, text: text})
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
			left := start + vg.Length(column)*(sty.left+size+gap) + sty.left
			p.area.Min = vg.Point{X: left, Y: y + header + size}
			p.area.Max = vg.Point{X: left + size, Y: y + header}
			lay.panels = append(lay.panels, p)
		}
		if f.RowLabels != nil {
			at := vg.Point{X: margin + gridLabelSize*capHeight, Y: y + header + size/2}
			label(gridLabel{at: at, text: f.RowLabels[row], up: true})
		}
		y += header + size + sty.bottom
		if row < rows-1 {
			y += gap / 2
		}
	}
	if len(legend) > 0 {
		y += legendGap / 2
		for i := range legend {
			legend[i].at = legend[i].at.Add(vg.Point{X: start + sty.left, Y: y})
		}
		y += legendHeight
	}
	lay.height = y + margin - legendGap/2

	flip := func(p *vg.Point) { p.Y = lay.height - p.Y }
	flip(&lay.titleAt)
	for _, p := range lay.panels {
		flip(&p.area.Min)
		flip(&p.area.Max)
	}
	for i := range lay.gridLabels {
		flip(&lay.gridLabels[i].at)
	}
	for i := range legend {
		flip(&legend[i].at)
	}
	lay.legend = legend
	return lay, nil
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
	for _, item := range l.gridLabels {
		width := l.panels[0].side
		if item.up {
			width *= 1.1 // there is room above and below a panel
		}
		face, text := fit(bold(gridLabelSize), item.text, width)
		if item.up {
			drawTextUp(c, face, item.at, text, ink)
		} else {
			drawText(c, face, item.at.Sub(vg.Point{X: face.Width(text) / 2}), text, ink)
		}
	}
	face := regular(legendTextSize)
	for _, item := range l.legend {
		at := item.at.Sub(vg.Point{Y: legendTextSize * capHeight / 2})
		if item.mark != nil {
			item.mark(c, item.at)
			at.X += item.indent
		}
		drawText(c, face, at, item.text, ink)
	}
}
