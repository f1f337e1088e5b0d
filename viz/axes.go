package viz

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// drawAxes draws the axes of a space in two dimensions: the grid with its tick labels,
// the lines through the origin, the titles of the axes and the frame.
func (p *plotted) drawAxes(c vg.Canvas, v view) {
	face := regular(p.tickSize)
	lo, hi := p.space.center.sub(point{p.space.half, p.space.half}), p.space.half*2
	rule := func(axis int, value float64, clr color.Color, width vg.Length) (from vg.Point) {
		a, b := lo, lo
		a[axis], b[axis] = value, value
		b[1-axis] += hi
		c.SetColor(clr)
		c.SetLineWidth(width)
		c.Stroke(line(v(a).Point, v(b).Point))
		return v(a).Point
	}
	grid, axes := p.lineColors()
	for axis := range 2 {
		if axis == 1 && p.scatter.Dim == 1 {
			continue // its rows are the classes
		}
		values, format := ticks(lo[axis], lo[axis]+hi, p.tickCount)
		every := 1
		if axis == 0 {
			every = p.labelEvery(values, format)
		}
		for i, value := range values {
			clr, width := grid, vg.Length(0.5)
			if value == 0 {
				clr, width = axes, 0.75
			}
			from := rule(axis, value, clr, width)
			if i%every != 0 {
				continue
			}
			face, text := fit(face, format(value), p.tickRoom)
			textWidth := face.Width(text)
			at := vg.Point{X: from.X - textWidth/2, Y: p.area.Min.Y - tickGap - p.tickSize*capHeight}
			if axis == 1 {
				at = vg.Point{X: p.area.Min.X - tickGap - textWidth, Y: from.Y - p.tickSize*capHeight/2}
			}
			drawText(c, face, at, text, gray)
		}
	}
	if p.scatter.Dim == 1 && p.side > 4*vg.Length(p.content.classes) {
		for i := 1; i < p.content.classes; i++ {
			rule(1, p.space.row(float64(i)-0.5, p.content.classes), grid, 0.5)
		}
	}
	for j, share := range p.content.shares {
		ordinal := [...]string{"1st", "2nd"}[j]
		p.drawAxisTitle(c, j, fmt.Sprintf("%s principal component (%.0f %% of the variance)", ordinal, 100*share))
	}
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	c.Stroke(p.area.Path())
}

// labelEvery returns 1 if the labels of all values have room beside each other, below the
// panel, else 2 or more: each so many-th has.
func (p *plotted) labelEvery(values []float64, format func(float64) string) int {
	if len(values) < 2 {
		return 1
	}
	face := regular(p.tickSize)
	var widest vg.Length
	for _, value := range values {
		widest = max(widest, face.Width(format(value)))
	}
	apart := p.side * vg.Length((values[1]-values[0])/(2*p.space.half))
	return max(1, int(math.Ceil(float64((widest+tickGap)/apart))))
}

// tickGap is the distance between the panel and its tick labels.
const tickGap = 4

// lineColors returns the colours of the grid and of the lines through the origin.
func (p *plotted) lineColors() (grid, axes color.Color) {
	if p.regions != nil {
		return color.NRGBA{A: 0x10}, color.NRGBA{A: 0x38}
	}
	return gridLine, axisLine
}

// drawAxisTitle writes the title of an axis beyond its tick labels.
func (p *plotted) drawAxisTitle(c vg.Canvas, axis int, text string) {
	face, text := fit(regular(p.tickSize), text, p.side)
	middle := p.area.Min.Add(p.area.Max).Scale(0.5)
	if axis == 0 {
		at := vg.Point{X: middle.X - face.Width(text)/2, Y: p.area.Min.Y - p.bottom + 0.3*p.tickSize}
		drawText(c, face, at, text, gray)
		return
	}
	drawTextUp(c, face, vg.Point{X: p.area.Min.X - p.left + p.tickSize*capHeight - margin/2, Y: middle.Y}, text, gray)
}

// ticks returns about n round values in [lo, hi] and their format.
func ticks(lo, hi float64, n int) (values []float64, format func(float64) string) {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(n))))
	for _, factor := range []float64{5, 2} {
		if (hi-lo)/(step*factor) >= float64(n)-1 {
			step *= factor
			break
		}
	}
	first := math.Ceil(lo / step)
	for i := 0.0; (first+i)*step <= hi && len(values) < 10*n; i++ { // above 2^53 steps, first + i may be first
		values = append(values, (first+i)*step+0) // + 0 turns -0 into 0
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	largest := max(math.Abs(lo), math.Abs(hi))
	digits := 1 + int(math.Ceil(math.Log10(largest/step)))
	return values, func(value float64) string {
		text := strconv.FormatFloat(value, 'f', decimals, 64)
		if largest >= 1e5 || decimals > 4 {
			text = strconv.FormatFloat(value, 'g', digits, 64)
		}
		return strings.ReplaceAll(text, "-", "−")
	}
}
