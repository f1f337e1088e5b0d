package viz

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Lengths in points.
const (
	legendTextSize vg.Length = 9
	legendRow      vg.Length = 15
	legendGap      vg.Length = 14 // between panels and legend, and between items
	swatch         vg.Length = 3.2
	markGap        vg.Length = 4 // between a mark and its text
	markWidth                = 2*swatch + markGap
)

// legend lists the classes and what else is drawn. It is filled from (0, 0), with y
// growing downwards.
type legend struct {
	items         []legendItem
	width, height vg.Length
	end           vg.Length // of the last row
}

// legendItem is a mark with its text.
type legendItem struct {
	at     vg.Point // the left end of the mark, at half the height of the text
	text   string
	indent vg.Length                        // of the text, for the mark
	mark   func(c vg.Canvas, left vg.Point) // nil for text alone
}

// legend returns the legend of the figure, of a width.
func (f *Figure) legend(width vg.Length) legend {
	var classes [][]string
	var rays, targets, arrows, regions bool
	for _, s := range f.Panels {
		if s.Missing != "" {
			continue
		}
		if !slices.ContainsFunc(classes, func(names []string) bool { return slices.Equal(names, s.ClassNames) }) {
			classes = append(classes, s.ClassNames)
		}
		rays = rays || s.ClassVectors != nil
		targets = targets || s.Targets != nil
		arrows = arrows || s.Arrows != nil
		regions = regions || s.Regions != nil
	}
	l := legend{width: width}
	for _, names := range classes {
		l.addClasses(names)
	}
	if rays {
		const length = 14
		l.add("class vector", length+markGap, func(c vg.Canvas, left vg.Point) {
			c.SetColor(gray)
			c.SetLineWidth(1.6)
			c.Stroke(line(left, left.Add(vg.Point{X: length})))
		})
	}
	if targets {
		l.add("target", markWidth, func(c vg.Canvas, left vg.Point) {
			c.SetColor(black)
			c.SetLineWidth(1.2)
			c.Stroke(cross(left.Add(vg.Point{X: swatch}), 2.5))
		})
	}
	if arrows {
		const length = 14
		l.add("arrow", length+markGap, func(c vg.Canvas, left vg.Point) {
			drawArrow(c, left, left.Add(vg.Point{X: length}), 1.2)
		})
	}
	if regions {
		const width = 14
		l.add("decision regions", width+markGap, func(c vg.Canvas, left vg.Point) {
			for i := range 2 {
				c.SetColor(tint(i))
				at := left.Add(vg.Point{X: width * vg.Length(2*i+1) / 4})
				c.Fill(around(at, width/2, 2*swatch).Path())
			}
		})
	}
	return l
}

// addClasses adds rows with the names of classes, in columns if they take more than one
// row. More than 100 are only counted.
func (l *legend) addClasses(names []string) {
	face := regular(legendTextSize)
	if len(names) > 100 {
		text := fmt.Sprintf("%d classes", len(names))
		l.items = append(l.items, legendItem{at: vg.Point{Y: l.height + legendRow/2}, text: text})
		l.height += legendRow
		l.end = face.Width(text)
		return
	}
	texts := make([]string, len(names))
	var cell vg.Length
	for i, name := range names {
		_, texts[i] = fit(face, printable(name), l.width/2-markWidth)
		cell = max(cell, markWidth+face.Width(texts[i])+legendGap)
	}
	columns := max(1, int((l.width+legendGap)/cell))
	rows := (len(names) + columns - 1) / columns
	columns = (len(names) + rows - 1) / rows
	l.end = 0
	for i, text := range texts {
		at := vg.Point{X: l.end, Y: l.height + legendRow/2}
		if rows > 1 {
			at.X = vg.Length(i%columns) * cell
			at.Y += vg.Length(i/columns) * legendRow
		}
		l.end = at.X + markWidth + face.Width(text) + legendGap
		clr := Color(i)
		l.items = append(l.items, legendItem{at: at, text: text, indent: markWidth, mark: func(c vg.Canvas, left vg.Point) {
			c.SetColor(clr)
			c.Fill(circle(left.Add(vg.Point{X: swatch}), swatch))
		}})
	}
	l.height += vg.Length(rows) * legendRow
}

// add adds an item to the last row, or to a new one if that is full.
func (l *legend) add(text string, indent vg.Length, mark func(c vg.Canvas, left vg.Point)) {
	face := regular(legendTextSize)
	width := indent + face.Width(text)
	if l.end+width > l.width {
		l.end = 0
		l.height += legendRow
	}
	at := vg.Point{X: l.end, Y: l.height - legendRow/2}
	l.items = append(l.items, legendItem{at: at, text: text, indent: indent, mark: mark})
	l.end += width + legendGap
}

// move moves all items.
func (l *legend) move(by vg.Point) {
	for i := range l.items {
		l.items[i].at = l.items[i].at.Add(by)
	}
}

func (l *legend) draw(c vg.Canvas) {
	face := regular(legendTextSize)
	for _, item := range l.items {
		at := item.at.Sub(vg.Point{Y: legendTextSize * capHeight / 2})
		if item.mark != nil {
			item.mark(c, item.at)
			at.X += item.indent
		}
		drawText(c, face, at, item.text, ink)
	}
}
