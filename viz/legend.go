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
)

// legendItem is a mark and its text at a place, given by the left end of the
// mark at half the height of the text.
type legendItem struct {
	at     vg.Point
	text   string
	indent vg.Length                        // of the text, behind the mark
	mark   func(c vg.Canvas, left vg.Point) // nil for text alone
}

// legend lays out the items of the legend in a width, from (0, 0) downwards,
// and returns its height.
func (f *Figure) legend(width vg.Length) (items []legendItem, height vg.Length) {
	face := regular(legendTextSize)
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
