package viz

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Curves is a picture of numbers that follow another one, such as losses and distances the
// epochs of a training. It is a picture of its own, or a [Panel] of a [Figure].
type Curves struct {
	Title string // above the picture; none if empty
	X, Y  string // the titles of the axes
	Log   bool   // the scale of Y is logarithmic
	LogX  bool   // that of X is

	Lines []Line // at least one; from the eleventh on they are dashed
}

// Line is one of the lines of Curves.
type Line struct {
	Name   string    // in the legend
	Values []float64 // at least one
	X      []float64 // where they are, as many; nil: at 1, 2, 3 and so on, with a mark for each
}

// The size of a picture of curves, without a legend beside it.
const (
	curvesWidth  vg.Length = 460
	curvesHeight vg.Length = 280
)

// insideLines is how many lines have their legend inside the picture; that of more is beside it.
const insideLines = 5

// Save writes the curves to a PNG file, which is replaced as a whole. Errors wrap
// [ErrExtension], [ErrEmpty], [ErrLength] or [ErrNotFinite].
func (c *Curves) Save(path string) error {
	return savePNG(path, c.png)
}

// Show displays the curves below the running cell of a GoNB notebook, as [Figure.Show]
// does. Errors wrap [ErrNotebook], [ErrEmpty], [ErrLength] or [ErrNotFinite].
func (c *Curves) Show() error { return displayPNG("", c.png) }

// png returns the curves as a PNG.
func (c *Curves) png() ([]byte, error) {
	p, err := c.plot(10, 8)
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	p.plot.Title.Text = printable(c.Title)
	width, height := curvesWidth, curvesHeight
	if p.beside != nil {
		box := p.beside.Rectangle(draw.Canvas{})
		width += box.Max.X - box.Min.X + margin
		height = max(height, box.Max.Y-box.Min.Y+2*margin)
	}
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	p.place(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin).Rectangle)
	p.Draw(canvas, 1)
	var picture bytes.Buffer
	err = png.Encode(&picture, canvas.Image())
	return picture.Bytes(), err
}

// Heading returns Title.
func (c Curves) Heading() (title, note string) { return c.Title, "" }

// Plot is that of a [Panel].
func (c Curves) Plot(at Place) (Drawing, error) {
	c.Lines = slices.Clone(c.Lines)
	for i, line := range c.Lines { // the legend takes half of the area at most
		c.Lines[i].Name = cut(regular(at.TextSize), printable(line.Name), (at.Area.Max.X-at.Area.Min.X)/2)
	}
	p, err := c.plot(at.TextSize, at.style.tickCount)
	if err != nil {
		return nil, err
	}
	area := at.Area
	area.Min = area.Min.Sub(vg.Point{X: at.Left, Y: at.Bottom})
	p.place(area)
	return &p, nil
}

// plottedCurves are curves about to be drawn.
type plottedCurves struct {
	plot   *plot.Plot
	beside *plot.Legend // at the right of the plot; nil: it is inside
	area   vg.Rectangle
}

// place gives the plot its area, in which the lines end below the legend: where that takes a
// share f of the height, the axis reaches further by f/(1-f) of the range of the lines.
func (p *plottedCurves) place(area vg.Rectangle) {
	p.area = area
	if p.beside != nil {
		return
	}
	data := p.plot.DataCanvas(draw.Canvas{Rectangle: area})
	legend := p.plot.Legend.Rectangle(draw.Canvas{})
	share := min(0.8, float64((legend.Max.Y-legend.Min.Y+legendGap/2)/(data.Max.Y-data.Min.Y)))
	y := &p.plot.Y
	if _, isLog := y.Scale.(plot.LogScale); isLog {
		y.Max *= math.Pow(y.Max/y.Min, share/(1-share))
	} else {
		y.Max += (y.Max - y.Min) * share / (1 - share)
	}
}

// Draw draws the curves.
func (p *plottedCurves) Draw(c vg.Canvas, _ float64) {
	canvas := draw.Canvas{Canvas: c, Rectangle: p.area}
	if p.beside == nil {
		p.plot.Draw(canvas)
		return
	}
	box := p.beside.Rectangle(draw.Canvas{})
	room := box.Max.X - box.Min.X + margin
	p.plot.Draw(draw.Crop(canvas, 0, -room, 0, 0))
	p.beside.Draw(draw.Crop(canvas, p.area.Max.X-p.area.Min.X-room+margin, 0, 0, 0))
}

// plot returns the drawing of the curves, without a title and an area: with text of a size and
// about so many ticks on the axis of X.
func (c *Curves) plot(size vg.Length, tickCount int) (drawing plottedCurves, err error) {
	if err := c.validate(); err != nil {
		return drawing, err
	}
	p := plot.New()
	text := func(style *draw.TextStyle, size vg.Length) {
		style.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
		style.Color = gray
	}
	text(&p.Title.TextStyle, 1.3*size)
	p.Title.TextStyle.Color = color.Black
	p.Title.Padding = 8
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		text(&axis.Label.TextStyle, size)
		text(&axis.Tick.Label, size)
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = axisLine, axisLine
	}
	text(&p.Legend.TextStyle, size)
	p.X.Label.Text, p.Y.Label.Text = printable(c.X), printable(c.Y)
	hasPlaces := slices.ContainsFunc(c.Lines, func(l Line) bool { return l.X != nil })
	p.X.Tick.Marker = plot.TickerFunc(func(lo, hi float64) (marks []plot.Tick) {
		values, format := ticks(lo, hi, tickCount)
		for _, x := range values {
			if hasPlaces {
				marks = append(marks, plot.Tick{Value: x, Label: format(x)})
			} else if x == math.Trunc(x) {
				marks = append(marks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'f', 0, 64)})
			}
		}
		return marks
	})
	highest := math.Inf(-1) // above it there are no ticks, but the legend
	for _, l := range c.Lines {
		highest = max(highest, slices.Max(l.Values))
	}
	p.Y.Tick.Marker = plot.TickerFunc(func(lo, hi float64) (marks []plot.Tick) {
		if lo < highest {
			hi = highest
		}
		values, format := ticks(lo, hi, min(5, tickCount))
		for _, y := range values {
			marks = append(marks, plot.Tick{Value: y, Label: format(y)})
		}
		return marks
	})
	if c.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
	}
	if c.Log {
		p.Y.Scale = plot.LogScale{}
		p.Y.Tick.Marker = plot.TickerFunc(func(lo, _ float64) []plot.Tick { return logTicks(lo, highest) })
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = gridLine, gridLine
	p.Add(grid)
	p.Legend.Top, p.Legend.Left = true, false
	p.Legend.Padding, p.Legend.ThumbnailWidth, p.Legend.XOffs = 4, 16, -6
	for i, l := range c.Lines {
		points := make(plotter.XYs, len(l.Values))
		for k, y := range l.Values {
			points[k] = plotter.XY{X: float64(k + 1), Y: y}
			if l.X != nil {
				points[k].X = l.X[k]
			}
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return drawing, fmt.Errorf("line %q: %w", l.Name, err)
		}
		line.Color, line.Width = Color(i), 1.5
		if i >= len(palette) {
			line.Dashes = []vg.Length{4, 2}
		}
		p.Add(line)
		if l.X == nil {
			marks.Color, marks.Shape, marks.Radius = Color(i), draw.CircleGlyph{}, 2
			p.Add(marks)
		}
		p.Legend.Add(printable(l.Name), line)
	}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		if _, isLog := axis.Scale.(plot.LogScale); isLog && axis.Min == axis.Max {
			axis.Min, axis.Max = axis.Min/2, axis.Max*2
		}
	}
	drawing.plot = p
	if len(c.Lines) > insideLines {
		beside := p.Legend
		beside.Left, beside.XOffs = true, 0
		p.Legend = plot.NewLegend() // an empty one
		drawing.beside = &beside
		return drawing, nil
	}
	return drawing, nil
}

// logTicks returns the ticks of a logarithmic axis: 1 to 9 times the powers of ten, of which the
// powers have a label, and over less than a power and a half also 2 and 5 times.
func logTicks(lo, hi float64) (marks []plot.Tick) {
	for power := math.Floor(math.Log10(lo)); power <= math.Log10(hi); power++ {
		for k := range 9 {
			mark := plot.Tick{Value: float64(k+1) * math.Pow(10, power)}
			if mark.Value < lo*(1-1e-9) || mark.Value > hi*(1+1e-9) {
				continue
			}
			if k == 0 || (k == 1 || k == 4) && hi/lo < 30 {
				mark.Label = strconv.FormatFloat(mark.Value, 'g', 6, 64)
			}
			marks = append(marks, mark)
		}
	}
	if !slices.ContainsFunc(marks, func(mark plot.Tick) bool { return mark.Label != "" }) {
		for i, mark := range marks {
			marks[i].Label = strconv.FormatFloat(mark.Value, 'g', 6, 64)
		}
	}
	return marks
}

// validate reports the first thing that is wrong with the curves.
func (c *Curves) validate() error {
	if len(c.Lines) == 0 {
		return fmt.Errorf("curves without lines: %w", ErrEmpty)
	}
	for _, l := range c.Lines {
		if len(l.Values) == 0 {
			return fmt.Errorf("line %q without values: %w", l.Name, ErrEmpty)
		}
		if l.X != nil && len(l.X) != len(l.Values) {
			return fmt.Errorf("line %q has %d values at %d places: %w", l.Name, len(l.Values), len(l.X), ErrLength)
		}
		for i, x := range l.X {
			if x-x != 0 || c.LogX && x <= 0 {
				return fmt.Errorf("place %d of line %q is %v; allowed: finite numbers, above 0 on a logarithmic scale: %w", i, l.Name, x, ErrNotFinite)
			}
		}
		for i, y := range l.Values {
			if y-y != 0 || c.Log && y <= 0 {
				return fmt.Errorf("value %d of line %q is %v; allowed: finite numbers, above 0 on a logarithmic scale: %w", i, l.Name, y, ErrNotFinite)
			}
		}
	}
	return nil
}
