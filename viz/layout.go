package viz

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours of all that is not data.
var (
	white    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	black    = color.RGBA{0x00, 0x00, 0x00, 0xff}
	ink      = color.RGBA{0x22, 0x22, 0x26, 0xff} // titles
	gray     = color.RGBA{0x6b, 0x6b, 0x73, 0xff} // notes, ticks
	axisLine = color.RGBA{0xc4, 0xc4, 0xca, 0xff}
	gridLine = color.RGBA{0xec, 0xec, 0xef, 0xff}
	wall     = color.RGBA{0xfa, 0xfa, 0xfb, 0xff} // of the cube, the sphere and empty panels

	borderLine = color.RGBA{0x8a, 0x8a, 0x94, 0xff} // between decision regions
	sphereLine = color.RGBA{0x9a, 0x9a, 0xa2, 0xff} // outline of the unit circle and sphere
)

// Lengths of the page in points (1/72 inch). Multiples of half a point are
// whole pixels of a PNG.
const (
	margin      vg.Length = 14
	gap         vg.Length = 16 // between panels
	legendText  vg.Length = 9
	legendRow   vg.Length = 15
	legendGap   vg.Length = 14 // between panels and legend, and between items
	swatch      vg.Length = 3.2
	figureTitle vg.Length = 14
	gridLabel   vg.Length = 11 // of rows and columns
)

// layout is a figure with all lengths decided; it can be drawn repeatedly.
type layout struct {
	width, height vg.Length
	title         string
	titleAt       vg.Point
	panels        []*panel
	labels        []gridLabelItem
	legend        []legendItem
}

// gridLabelItem is the label of a row or column of the grid, by the middle of its
// text's baseline.
type gridLabelItem struct {
	at   vg.Point
	text string
	up   bool // of a row: the text runs upwards
}

// legendItem is a mark and its text at a place, given by the left end of the
// mark at half the height of the text.
type legendItem struct {
	at     vg.Point
	text   string
	indent vg.Length                        // of the text, behind the mark
	mark   func(c vg.Canvas, left vg.Point) // nil for text alone
}

// side returns the width of a panel: panels shrink as columns are added, but
// less than in proportion, so that the figure grows.
func side(columns int) vg.Length {
	return half(max(130, 400*math.Pow(float64(columns), -0.55)))
}

// half rounds to half a point.
func half(x float64) vg.Length { return vg.Length(math.Round(2*x) / 2) }

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
	size := side(columns)
	sty := newStyle(size, slices.ContainsFunc(f.Panels, func(s Scatter) bool { return s.Missing == "" && s.Dim > 3 }))
	start := margin // where the first column begins
	if f.RowLabels != nil {
		start += half(float64(gridLabel * 1.5))
	}

	lay := &layout{title: printable(f.Title)}
	inner := vg.Length(columns)*(sty.left+size) + vg.Length(columns-1)*gap
	lay.width = start + inner + margin
	legend, legendHeight := f.legend(inner - sty.left)

	// From the top, with y growing downwards until the height is known.
	y := margin
	if lay.title != "" {
		lay.titleAt = vg.Point{X: start + sty.left, Y: y + figureTitle*capHeight}
		y += half(float64(figureTitle * 1.9))
	}
	label := func(item gridLabelItem) {
		if item.text = printable(item.text); item.text != "" {
			lay.labels = append(lay.labels, item)
		}
	}
	for column, text := range f.ColumnLabels {
		at := vg.Point{X: start + vg.Length(column)*(sty.left+size+gap) + sty.left + size/2, Y: y + gridLabel*capHeight}
		label(gridLabelItem{at: at, text: text})
	}
	if f.ColumnLabels != nil {
		y += half(float64(gridLabel * 1.5))
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
			at := vg.Point{X: margin + gridLabel*capHeight, Y: y + header + size/2}
			label(gridLabelItem{at: at, text: f.RowLabels[row], up: true})
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
	for i := range lay.labels {
		flip(&lay.labels[i].at)
	}
	for i := range legend {
		flip(&legend[i].at)
	}
	lay.legend = legend
	return lay, nil
}

// legend lays out the items of the legend in a width, from (0, 0) downwards,
// and returns its height.
func (f *Figure) legend(width vg.Length) (items []legendItem, height vg.Length) {
	face := regular(legendText)
	var lists [][]string
	var rays, targets, regions bool
	for _, s := range f.Panels {
		if s.Missing != "" {
			continue
		}
		if !slices.ContainsFunc(lists, func(l []string) bool { return slices.Equal(l, s.ClassNames) }) {
			lists = append(lists, s.ClassNames)
		}
		rays = rays || s.ClassVectors != nil
		targets = targets || s.Targets != nil
		regions = regions || s.Regions != nil
	}
	const behind = 4 // a mark
	const markWidth = 2*swatch + behind
	var end vg.Length // of the last row
	for _, names := range lists {
		if len(names) > 100 {
			text := fmt.Sprintf("%d classes", len(names))
			items = append(items, legendItem{at: vg.Point{Y: height + legendRow/2}, text: text})
			height += legendRow
			end = face.Width(text)
			continue
		}
		texts := make([]string, len(names))
		var cell vg.Length
		for i, name := range names {
			_, texts[i] = fit(face, printable(name), width/2-markWidth)
			cell = max(cell, markWidth+face.Width(texts[i])+legendGap)
		}
		columns := max(1, int((width+legendGap)/cell))
		rows := (len(names) + columns - 1) / columns
		columns = (len(names) + rows - 1) / rows
		end = 0
		for i, text := range texts {
			at := vg.Point{X: end, Y: height + legendRow/2}
			if rows > 1 {
				at.X = vg.Length(i%columns) * cell
				at.Y += vg.Length(i/columns) * legendRow
			}
			end = at.X + markWidth + face.Width(text) + legendGap
			clr := Color(i)
			items = append(items, legendItem{at: at, text: text, indent: markWidth, mark: func(c vg.Canvas, left vg.Point) {
				c.SetColor(clr)
				c.Fill(circle(left.Add(vg.Point{X: swatch}), swatch))
			}})
		}
		height += vg.Length(rows) * legendRow
	}
	extra := func(text string, indent vg.Length, mark func(vg.Canvas, vg.Point)) {
		need := indent + face.Width(text)
		if end+need > width {
			end = 0
			height += legendRow
		}
		items = append(items, legendItem{
			at: vg.Point{X: end, Y: height - legendRow/2}, text: text, indent: indent, mark: mark,
		})
		end += need + legendGap
	}
	if rays {
		const length = 14
		extra("class vector", length+behind, func(c vg.Canvas, left vg.Point) {
			c.SetColor(gray)
			c.SetLineWidth(1.6)
			c.Stroke(line(left, left.Add(vg.Point{X: length})))
		})
	}
	if targets {
		extra("target", markWidth, func(c vg.Canvas, left vg.Point) {
			c.SetColor(black)
			c.SetLineWidth(1.2)
			c.Stroke(cross(left.Add(vg.Point{X: swatch}), 2.5))
		})
	}
	if regions {
		const width = 14
		extra("decision regions", width+behind, func(c vg.Canvas, left vg.Point) {
			for i := range 2 {
				c.SetColor(tint(i))
				at := left.Add(vg.Point{X: width * vg.Length(2*i+1) / 4})
				c.Fill(around(at, width/2, 2*swatch).Path())
			}
		})
	}
	return items, height
}

// draw draws the figure on a canvas. The points of the panels become images of
// sharpness times 144 dots per inch.
func (l *layout) draw(c vg.Canvas, sharpness float64) {
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: l.width, Y: l.height}}.Path())
	if l.title != "" {
		face, text := fit(bold(figureTitle), l.title, l.width-l.titleAt.X-margin)
		write(c, face, l.titleAt, text, ink)
	}
	for _, p := range l.panels {
		p.draw(c, sharpness)
	}
	for _, item := range l.labels {
		width := l.panels[0].side
		if item.up {
			width *= 1.1 // there is room above and below a panel
		}
		face, text := fit(bold(gridLabel), item.text, width)
		if item.up {
			writeUp(c, face, item.at, text, ink)
		} else {
			write(c, face, item.at.Sub(vg.Point{X: face.Width(text) / 2}), text, ink)
		}
	}
	face := regular(legendText)
	for _, item := range l.legend {
		at := item.at.Sub(vg.Point{Y: legendText * capHeight / 2})
		if item.mark != nil {
			item.mark(c, item.at)
			at.X += item.indent
		}
		write(c, face, at, item.text, ink)
	}
}

// write draws text whose baseline starts at a point. Liberation Sans draws two ones
// together, which in a small PNG become one: they are written one by one there.
func write(c vg.Canvas, face font.Face, at vg.Point, text string, clr color.Color) {
	c.SetColor(clr)
	if _, isSVG := c.(*vgsvg.Canvas); !isSVG {
		for i := strings.Index(text, "11"); i >= 0; i = strings.Index(text, "11") {
			c.FillString(face, at, text[:i+1])
			at.X += face.Width(text[:i+1])
			text = text[i+1:]
		}
	}
	c.FillString(face, at, text)
}

// writeUp draws text that runs upwards, by the middle of its baseline. It fills the
// outlines, as the letters of a PNG would be blurred by the rotation.
func writeUp(c vg.Canvas, face font.Face, middle vg.Point, text string, clr color.Color) {
	c.Push()
	c.Translate(middle)
	c.Rotate(math.Pi / 2)
	c.SetColor(clr)
	c.Fill(outline(face, vg.Point{X: -face.Width(text) / 2}, text))
	c.Pop()
}

func line(points ...vg.Point) (p vg.Path) {
	p.Move(points[0])
	for _, q := range points[1:] {
		p.Line(q)
	}
	return p
}

func circle(center vg.Point, radius vg.Length) (p vg.Path) {
	p.Move(center.Add(vg.Point{X: radius}))
	p.Arc(center, radius, 0, 2*math.Pi)
	p.Close()
	return p
}

// cross is an x of two strokes.
func cross(center vg.Point, arm vg.Length) (p vg.Path) {
	p.Move(center.Add(vg.Point{X: -arm, Y: -arm}))
	p.Line(center.Add(vg.Point{X: arm, Y: arm}))
	p.Move(center.Add(vg.Point{X: -arm, Y: arm}))
	p.Line(center.Add(vg.Point{X: arm, Y: -arm}))
	return p
}
