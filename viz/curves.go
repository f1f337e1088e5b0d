package viz

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Curves is a picture of numbers that follow another one, such as losses and distances the
// epochs of a training.
type Curves struct {
	Title string // above the picture; none if empty
	X, Y  string // the titles of the axes
	Log   bool   // the scale of Y is logarithmic

	Lines []Line // at least one
}

// Line is one of the lines of Curves.
type Line struct {
	Name   string    // in the legend
	Values []float64 // at least one
	X      []float64 // where they are, as many; nil: at 1, 2, 3 and so on, with a mark for each
}

// The size of a picture of curves, without its legend.
const (
	curvesWidth  vg.Length = 460
	curvesHeight vg.Length = 280
)

// Save writes the curves to a PNG file, which is replaced as a whole. Errors wrap
// [ErrExtension], [ErrEmpty], [ErrLength] or [ErrNotFinite].
func (c *Curves) Save(path string) error {
	if strings.ToLower(filepath.Ext(path)) != ".png" {
		return fmt.Errorf("viz: save %q: extension must be .png: %w", path, ErrExtension)
	}
	picture, err := c.png()
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, picture, 0o666); err != nil {
		return fmt.Errorf("viz: save %q: %w", path, err)
	}
	return nil
}

// Show displays the curves below the running cell of a GoNB notebook, as [Figure.Show]
// does. Errors wrap [ErrNotebook], [ErrEmpty], [ErrLength] or [ErrNotFinite].
func (c *Curves) Show() error { return display("", c.png) }

// png returns the curves as a PNG.
func (c *Curves) png() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	p := plot.New()
	text := func(style *draw.TextStyle, size vg.Length) {
		style.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
		style.Color = gray
	}
	text(&p.Title.TextStyle, 13)
	p.Title.TextStyle.Color = color.Black
	p.Title.Padding = 8
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		text(&axis.Label.TextStyle, 10)
		text(&axis.Tick.Label, 10)
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = axisLine, axisLine
	}
	text(&p.Legend.TextStyle, 10)
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = printable(c.Title), printable(c.X), printable(c.Y)
	hasPlaces := slices.ContainsFunc(c.Lines, func(l Line) bool { return l.X != nil })
	p.X.Tick.Marker = plot.TickerFunc(func(lo, hi float64) (marks []plot.Tick) {
		values, format := ticks(lo, hi, 8)
		for _, x := range values {
			if hasPlaces {
				marks = append(marks, plot.Tick{Value: x, Label: format(x)})
			} else if x == math.Trunc(x) {
				marks = append(marks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'f', 0, 64)})
			}
		}
		return marks
	})
	if c.Log {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = gridLine, gridLine
	p.Add(grid)
	p.Legend.Top, p.Legend.Left = true, false
	p.Legend.Padding, p.Legend.ThumbnailWidth, p.Legend.XOffs = 4, 16, -6
	for i, l := range c.Lines {
		points := make(plotter.XYs, len(l.Values))
		for x, y := range l.Values {
			points[x] = plotter.XY{X: float64(x + 1), Y: y}
			if l.X != nil {
				points[x].X = l.X[x]
			}
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("viz: line %q: %w", l.Name, err)
		}
		line.Color, line.Width = Color(i), 1.5
		p.Add(line)
		if l.X == nil {
			marks.Color, marks.Shape, marks.Radius = Color(i), draw.CircleGlyph{}, 2
			p.Add(marks)
		}
		p.Legend.Add(printable(l.Name), line)
	}
	share := min(0.08*float64(len(c.Lines)), 0.6) // of the height, for the legend above the lines
	room := share / (1 - share)
	if c.Log {
		p.Y.Max *= math.Pow(p.Y.Max/p.Y.Min, room)
	} else {
		p.Y.Max += (p.Y.Max - p.Y.Min) * room
	}
	canvas := vgimg.NewWith(vgimg.UseWH(curvesWidth, curvesHeight), vgimg.UseDPI(dpi))
	p.Draw(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin))
	var picture bytes.Buffer
	err := png.Encode(&picture, canvas.Image())
	return picture.Bytes(), err
}

// validate reports the first thing that is wrong with the curves.
func (c *Curves) validate() error {
	if len(c.Lines) == 0 {
		return fmt.Errorf("viz: curves without lines: %w", ErrEmpty)
	}
	for _, l := range c.Lines {
		if len(l.Values) == 0 {
			return fmt.Errorf("viz: line %q without values: %w", l.Name, ErrEmpty)
		}
		if l.X != nil && len(l.X) != len(l.Values) {
			return fmt.Errorf("viz: line %q has %d values at %d places: %w", l.Name, len(l.Values), len(l.X), ErrLength)
		}
		for i, x := range l.X {
			if x-x != 0 {
				return fmt.Errorf("viz: place %d of line %q is %v; allowed: finite numbers: %w", i, l.Name, x, ErrNotFinite)
			}
		}
		for i, y := range l.Values {
			if y-y != 0 || c.Log && y <= 0 {
				return fmt.Errorf("viz: value %d of line %q is %v; allowed: finite numbers, above 0 on a logarithmic scale: %w", i, l.Name, y, ErrNotFinite)
			}
		}
	}
	return nil
}
