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

// mostNames is up to how many classes are listed by name.
const mostNames = 100

// legend lists the classes and what else is drawn. It is filled from (0, 0), with y
// growing downwards.
type legend struct {
	scale         vg.Length // of all that is in it
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

// legend returns the legend of the figure, of a width and scale.
func (f *Figure) legend(width, scale vg.Length) legend {
	var classes [][]string
	var unknown, rays, targets, arrows, regions bool
	for _, s := range f.scatters() {
		if !slices.ContainsFunc(classes, func(names []string) bool { return slices.Equal(names, s.ClassNames) }) {
			classes = append(classes, s.ClassNames)
		}
		unknown = unknown || s.Unknown != nil
		rays = rays || s.ClassVectors != nil
		targets = targets || s.Targets != nil
		arrows = arrows || s.Arrows != nil
		regions = regions || s.Regions != nil
	}
	// Classes that are the first ones of another list have its colours. An empty list is one
	// that Plot refuses.
	beginAnother := func(names []string) bool {
		return slices.ContainsFunc(classes, func(other []string) bool {
			return len(other) > len(names) && len(other) <= mostNames && slices.Equal(other[:len(names)], names)
		})
	}
	l := legend{width: width, scale: scale}
	for _, names := range classes {
		if len(names) > 0 && !beginAnother(names) {
			l.addClasses(names)
		}
	}
	if unknown {
		l.add("unknown", scale*markWidth, func(c vg.Canvas, left vg.Point) {
			c.SetColor(ink)
			c.SetLineWidth(1.2)
			c.Stroke(circle(left.Add(vg.Point{X: scale * swatch}), scale*swatch-0.6))
		})
	}
	if rays {
		length := 14 * scale
		l.add("class vector", length+scale*markGap, func(c vg.Canvas, left vg.Point) {
			c.SetColor(gray)
			c.SetLineWidth(1.6)
			c.Stroke(line(left, left.Add(vg.Point{X: length})))
		})
	}
	if targets {
		l.add("target", scale*markWidth, func(c vg.Canvas, left vg.Point) {
			c.SetColor(black)
			c.SetLineWidth(1.2)
			c.Stroke(cross(left.Add(vg.Point{X: scale * swatch}), 2.5*scale))
		})
	}
	if arrows {
		length := 14 * scale
		l.add("arrow", length+scale*markGap, func(c vg.Canvas, left vg.Point) {
			drawArrow(c, left, left.Add(vg.Point{X: length}), 1.2)
		})
	}
	if regions {
		width := 14 * scale
		l.add("decision regions", width+scale*markGap, func(c vg.Canvas, left vg.Point) {
			for i := range 2 {
				c.SetColor(tint(i))
				at := left.Add(vg.Point{X: width * vg.Length(2*i+1) / 4})
				c.Fill(around(at, width/2, 2*scale*swatch).Path())
			}
		})
	}
	return l
}

// addClasses adds rows with the names of classes, in columns if they take more than one
// row. More than 100 are only counted.
func (l *legend) addClasses(names []string) {
	face := regular(l.scale * legendTextSize)
	if len(names) > mostNames {
		text := fmt.Sprintf("%d classes", len(names))
		l.items = append(l.items, legendItem{at: vg.Point{Y: l.height + l.scale*legendRow/2}, text: text})
		l.height += l.scale * legendRow
		l.end = face.Width(text) + l.scale*legendGap
		return
	}
	texts := make([]string, len(names))
	var cell vg.Length
	for i, name := range names {
		_, texts[i] = fit(face, printable(name), l.width/2-l.scale*markWidth)
		cell = max(cell, l.scale*markWidth+face.Width(texts[i])+l.scale*legendGap)
	}
	columns := max(1, int((l.width+l.scale*legendGap)/cell))
	rows := (len(names) + columns - 1) / columns
	columns = (len(names) + rows - 1) / rows
	l.end = 0
	for i, text := range texts {
		at := vg.Point{X: l.end, Y: l.height + l.scale*legendRow/2}
		if rows > 1 {
			at.X = vg.Length(i%columns) * cell
			at.Y += vg.Length(i/columns) * l.scale * legendRow
		}
		l.end = at.X + l.scale*markWidth + face.Width(text) + l.scale*legendGap
		clr := Color(i)
		l.items = append(l.items, legendItem{at: at, text: text, indent: l.scale * markWidth, mark: func(c vg.Canvas, left vg.Point) {
			c.SetColor(clr)
			c.Fill(circle(left.Add(vg.Point{X: l.scale * swatch}), l.scale*swatch))
		}})
	}
	l.height += vg.Length(rows) * l.scale * legendRow
}

// add adds an item to the last row, or to a new one if that is full.
func (l *legend) add(text string, indent vg.Length, mark func(c vg.Canvas, left vg.Point)) {
	face := regular(l.scale * legendTextSize)
	width := indent + face.Width(text)
	if l.end+width > l.width {
		l.end = 0
		l.height += l.scale * legendRow
	}
	at := vg.Point{X: l.end, Y: l.height - l.scale*legendRow/2}
	l.items = append(l.items, legendItem{at: at, text: text, indent: indent, mark: mark})
	l.end += width + l.scale*legendGap
}

// move moves all items.
func (l *legend) move(by vg.Point) {
	for i := range l.items {
		l.items[i].at = l.items[i].at.Add(by)
	}
}

func (l *legend) draw(c vg.Canvas) {
	face := regular(l.scale * legendTextSize)
	for _, item := range l.items {
		at := item.at.Sub(vg.Point{Y: l.scale * legendTextSize * capHeight / 2})
		if item.mark != nil {
			item.mark(c, item.at)
			at.X += item.indent
		}
		drawText(c, face, at, item.text, ink)
	}
}
