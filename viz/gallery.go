package viz

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Gallery is a picture of images beside each other: neighbours, a path from one class to
// another, what in an image speaks for a class.
type Gallery struct {
	Title string // above all; none if empty
	Note  string // a small line below the title

	Columns      int      // of the grid; 0: all in one row, up to ten
	RowLabels    []string // one to the left of each row, or nil
	ColumnLabels []string // one above each column, or nil

	Tiles []Tile // row by row, at least one

	// Scale is the magnitude of an attribution that has the full colour; 0: the largest of the
	// tiles that have no Scale of their own. A bar below the images shows it, with Unit.
	Scale float64
	Unit  string // of the attributions, such as "score"; none if empty
}

// Tile is an image of a [Gallery].
type Tile struct {
	Title string // a short line above the image
	Note  string // below the image, up to three lines

	Image image.Image // nil: the place is empty
	Frame color.Color // around the image, such as the Color of its class; nil: a thin gray line
	// Attribution [height*width] is drawn over the image, which is pale then: what adds in
	// orange, what takes away in blue. nil: the image as it is.
	Attribution []float64
	// Scale takes the place of the gallery's for this image, if it is not 0. It is added to the
	// Note, as the bar does not show it.
	Scale float64
}

// The largest number of columns that a gallery chooses, and of the lines of a note.
const (
	mostColumns   = 10
	mostNoteLines = 3
)

// WritePNG writes the gallery as a PNG of less than 3 MB, as [Figure.WritePNG] does. Errors wrap
// [ErrEmpty], [ErrLength], [ErrNotFinite] or [ErrColumns], or are those of w.
func (g *Gallery) WritePNG(w io.Writer) error {
	picture, err := g.png(maxSize)
	if err != nil {
		return err
	}
	if _, err := w.Write(picture); err != nil {
		return fmt.Errorf("viz: write PNG: %w", err)
	}
	return nil
}

// Save writes the gallery to a PNG file, which is replaced as a whole. Errors wrap
// [ErrExtension], or are those of WritePNG.
func (g *Gallery) Save(path string) error {
	if strings.ToLower(filepath.Ext(path)) != ".png" {
		return fmt.Errorf("viz: save %q: extension must be .png: %w", path, ErrExtension)
	}
	picture, err := g.png(maxSize)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, picture, 0o666); err != nil {
		return fmt.Errorf("viz: save %q: %w", path, err)
	}
	return nil
}

// Show displays the gallery below the running cell of a GoNB notebook, as [Figure.Show] does.
// Errors wrap [ErrNotebook], or are those of WritePNG.
func (g *Gallery) Show() error {
	return displayPNG("", func() ([]byte, error) { return g.png(notebookSize) })
}

// png returns the gallery as a PNG of less than limit bytes.
func (g *Gallery) png(limit int) ([]byte, error) {
	if err := g.validate(); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	hung := g.hang()
	return sharpest(limit, 1, func(sharpness float64) ([]byte, error) {
		c := vgimg.NewWith(vgimg.UseWH(hung.width, hung.height), vgimg.UseDPI(int(sharpness*dpi)))
		hung.draw(c, sharpness)
		var picture bytes.Buffer
		err := png.Encode(&picture, c.Image())
		return picture.Bytes(), err
	})
}

// grid returns the numbers of rows and columns.
func (g *Gallery) grid() (rows, columns int) {
	n := len(g.Tiles)
	columns = min(n, mostColumns)
	if g.Columns > 0 {
		columns = min(n, g.Columns)
	}
	return (n + columns - 1) / columns, columns
}

// validate reports the first thing that is wrong with the gallery.
func (g *Gallery) validate() error {
	if len(g.Tiles) == 0 {
		return fmt.Errorf("a gallery without tiles: %w", ErrEmpty)
	}
	if g.Columns < 0 {
		return fmt.Errorf("field Columns is %d: %w", g.Columns, ErrColumns)
	}
	if err := checkScale(g.Scale); err != nil {
		return err
	}
	for i, t := range g.Tiles {
		if err := t.validate(); err != nil {
			return fmt.Errorf("tile %d %q: %w", i, t.Title, err)
		}
	}
	rows, columns := g.grid()
	for name, labels := range map[string]struct {
		list []string
		want int
	}{"row": {g.RowLabels, rows}, "column": {g.ColumnLabels, columns}} {
		if labels.list != nil && len(labels.list) != labels.want {
			return fmt.Errorf("%d %s labels for a grid of %d rows and %d columns: %w", len(labels.list), name, rows, columns, ErrLength)
		}
	}
	return nil
}

// checkScale returns an error unless a scale is 0 or more.
func checkScale(scale float64) error {
	if scale < 0 || scale-scale != 0 {
		return fmt.Errorf("field Scale is %v; allowed: 0 or more: %w", scale, ErrNotFinite)
	}
	return nil
}

// validate reports the first thing that is wrong with the tile.
func (t Tile) validate() error {
	if err := checkScale(t.Scale); err != nil {
		return err
	}
	if t.Image == nil {
		if t.Attribution != nil {
			return fmt.Errorf("an attribution without an image: %w", ErrEmpty)
		}
		return nil
	}
	bounds := t.Image.Bounds()
	if bounds.Empty() {
		return fmt.Errorf("an image without pixels: %w", ErrEmpty)
	}
	if pixels := bounds.Dx() * bounds.Dy(); t.Attribution != nil && len(t.Attribution) != pixels {
		return fmt.Errorf("%d attributions of an image of %d x %d pixels: %w", len(t.Attribution), bounds.Dx(), bounds.Dy(), ErrLength)
	}
	for i, a := range t.Attribution {
		if a-a != 0 {
			return fmt.Errorf("the attribution of pixel %d is %v: %w", i, a, ErrNotFinite)
		}
	}
	return nil
}

// Lengths of a gallery, in points.
const (
	tileGap          vg.Length = 12
	galleryTitleSize vg.Length = 14
	galleryLabelSize vg.Length = 11 // of rows and columns
	tileTitleSize    vg.Length = 9.5
	tileNoteSize     vg.Length = 8
	barWidth         vg.Length = 150
	barHeight        vg.Length = 9
)

// tileSide returns the width of an image: the more columns, the smaller.
func tileSide(columns int) vg.Length {
	return snap(vg.Length(max(60, 190*math.Pow(float64(columns), -0.45))))
}

// hung is a gallery with every position and length decided.
type hung struct {
	*Gallery
	width, height vg.Length
	top           vg.Length // of the labels of columns, from the top
	scale         float64   // 0 without an attribution
	tiles         []hungTile
	rowMiddles    []vg.Length
	columnMiddles []vg.Length
	barAt         vg.Point
}

// hungTile is a tile with its place, in points from the upper left corner.
type hungTile struct {
	Tile
	area  vg.Rectangle // of the image; Min is the upper left corner
	notes []string     // the lines of the note
}

// hang decides where everything goes.
func (g *Gallery) hang() *hung {
	rows, columns := g.grid()
	side := tileSide(columns)
	h := &hung{Gallery: g, scale: g.Scale}
	left := margin
	if g.RowLabels != nil {
		left += snap(galleryLabelSize * 1.5)
	}
	h.width = left + vg.Length(columns)*side + vg.Length(columns-1)*tileGap + margin
	y := margin
	if g.Title != "" {
		y += snap(galleryTitleSize * 1.6)
	}
	if g.Note != "" {
		y += snap(legendTextSize * 1.5)
	}
	h.top = y
	if g.ColumnLabels != nil {
		y += snap(galleryLabelSize * 1.5)
	}
	for column := range columns {
		h.columnMiddles = append(h.columnMiddles, left+vg.Length(column)*(side+tileGap)+side/2)
	}
	drawn := false
	for row := range rows {
		tiles := g.Tiles[row*columns : min((row+1)*columns, len(g.Tiles))]
		if slices.ContainsFunc(tiles, func(t Tile) bool { return t.Title != "" }) {
			y += snap(tileTitleSize * 1.4)
		}
		tallest, lines := vg.Length(0), 0
		for column, t := range tiles {
			width, height := side, side
			if t.Image != nil {
				bounds := t.Image.Bounds()
				scale := side / vg.Length(max(bounds.Dx(), bounds.Dy()))
				width, height = scale*vg.Length(bounds.Dx()), scale*vg.Length(bounds.Dy())
				tallest = max(tallest, height)
			}
			x := left + vg.Length(column)*(side+tileGap) + (side-width)/2
			hungTile := hungTile{Tile: t, area: vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + width, Y: y + height}}}
			note := t.Note
			if t.Attribution != nil && t.Scale != 0 {
				note = strings.TrimPrefix(note+", ", ", ") + "colours up to ±" + strconv.FormatFloat(t.Scale, 'g', 2, 64)
			}
			if note != "" {
				hungTile.notes = wrap(regular(tileNoteSize), printable(note), side+tileGap/2, mostNoteLines)
				lines = max(lines, len(hungTile.notes))
			}
			if t.Attribution != nil && t.Scale == 0 {
				drawn = true
				if g.Scale == 0 {
					h.scale = max(h.scale, largest(t.Attribution))
				}
			}
			h.tiles = append(h.tiles, hungTile)
		}
		if tallest == 0 {
			tallest = side
		}
		h.rowMiddles = append(h.rowMiddles, y+tallest/2)
		y += tallest + vg.Length(lines)*tileNoteSize*1.25
		if lines > 0 {
			y += 2
		}
		if row < rows-1 {
			y += snap(tileGap * 0.75)
		}
	}
	if !drawn {
		h.scale = 0
	}
	if h.scale > 0 {
		y += snap(tileGap)
		h.barAt = vg.Point{X: left, Y: y}
		y += snap(barHeight + 1.4*tileNoteSize)
		h.width = max(h.width, left+barWidth+margin)
	}
	h.height = y + margin
	return h
}

// largest returns the largest magnitude.
func largest(attribution []float64) float64 {
	return max(slices.Max(attribution), -slices.Min(attribution))
}

// draw draws the gallery on a canvas, where y grows upwards.
func (h *hung) draw(c vg.Canvas, sharpness float64) {
	up := func(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: h.height - y} }
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: h.width, Y: h.height}}.Path())
	y := margin
	if h.Title != "" {
		face, text := fit(bold(galleryTitleSize), printable(h.Title), h.width-2*margin)
		drawText(c, face, up(margin, y+galleryTitleSize*capHeight), text, ink)
		y += snap(galleryTitleSize * 1.6)
	}
	if h.Note != "" {
		face, text := fit(regular(legendTextSize), printable(h.Note), h.width-2*margin)
		drawText(c, face, up(margin, y+legendTextSize*capHeight), text, gray)
	}
	side := tileSide(len(h.columnMiddles))
	for column, text := range h.ColumnLabels {
		face, text := fit(bold(galleryLabelSize), printable(text), side+tileGap/2)
		drawText(c, face, up(h.columnMiddles[column]-face.Width(text)/2, h.top+galleryLabelSize*capHeight), text, ink)
	}
	for row, text := range h.RowLabels {
		face, text := fit(bold(galleryLabelSize), printable(text), 1.2*side)
		drawTextUp(c, face, up(margin+galleryLabelSize*capHeight, h.rowMiddles[row]), text, ink)
	}
	for _, t := range h.tiles {
		t.draw(c, up, h.scale, sharpness)
	}
	if h.scale > 0 {
		h.drawBar(c, up)
	}
}

// draw draws the image with its title and note.
func (t hungTile) draw(c vg.Canvas, up func(x, y vg.Length) vg.Point, scale, sharpness float64) {
	width := t.area.Max.X - t.area.Min.X
	if t.Title != "" {
		face, text := fit(bold(tileTitleSize), printable(t.Title), width+tileGap/2)
		drawText(c, face, up(t.area.Min.X, t.area.Min.Y-0.4*tileTitleSize), text, ink)
	}
	for i, text := range t.notes {
		drawText(c, regular(tileNoteSize), up(t.area.Min.X, t.area.Max.Y+2+tileNoteSize*(1.25*vg.Length(i)+1)), text, gray)
	}
	if t.Image == nil {
		return
	}
	img := t.Image
	if t.Attribution != nil {
		img = attributed(img, t.Attribution, cmp.Or(t.Scale, scale))
	}
	area := vg.Rectangle{Min: up(t.area.Min.X, t.area.Max.Y), Max: up(t.area.Max.X, t.area.Min.Y)}
	c.DrawImage(area, scaledTo(img, int(float64(width)*dpi/72*sharpness+0.5)))
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	if t.Frame != nil {
		c.SetColor(t.Frame)
		c.SetLineWidth(2)
	}
	c.Stroke(area.Path())
}

// scaledTo returns an image with a width in pixels: a small one with sharp edges between its
// pixels.
func scaledTo(img image.Image, width int) image.Image {
	bounds := img.Bounds()
	height := max(1, width*bounds.Dy()/bounds.Dx())
	scaled := image.NewRGBA(image.Rect(0, 0, max(1, width), height))
	var by draw.Scaler = draw.NearestNeighbor
	if width < 2*bounds.Dx() {
		by = draw.CatmullRom
	}
	by.Scale(scaled, scaled.Rect, img, bounds, draw.Src, nil)
	return scaled
}

// drawBar draws the colours of the attributions, with the ends of the scale.
func (h *hung) drawBar(c vg.Canvas, up func(x, y vg.Length) vg.Point) {
	const steps = 101
	bar := image.NewRGBA(image.Rect(0, 0, steps, 1))
	for i := range steps {
		bar.SetRGBA(i, 0, diverging(white, 2*float64(i)/(steps-1)-1))
	}
	area := vg.Rectangle{Min: up(h.barAt.X, h.barAt.Y+barHeight), Max: up(h.barAt.X+barWidth, h.barAt.Y)}
	c.DrawImage(area, bar)
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	c.Stroke(area.Path())
	face := regular(tileNoteSize)
	end := strconv.FormatFloat(h.scale, 'g', 2, 64)
	below := h.barAt.Y + barHeight + 1.25*tileNoteSize
	for i, text := range []string{"−" + end, "0", "+" + end} {
		width := face.Width(text)
		drawText(c, face, up(h.barAt.X+barWidth*vg.Length(i)/2-width*vg.Length(i)/2, below), text, gray)
	}
	text := "blue takes away, orange adds"
	if h.Unit != "" {
		text = h.Unit + ": " + text
	}
	face, text = fit(face, printable(text), h.width-h.barAt.X-barWidth-10-margin)
	if h.width-h.barAt.X-barWidth-10-margin > 60 {
		drawText(c, face, up(h.barAt.X+barWidth+10, h.barAt.Y+barHeight/2+tileNoteSize*capHeight/2), text, gray)
	}
}
