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
	"slices"
	"strconv"
	"strings"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Gallery shows images beside each other: neighbours, mistakes, a path from one class to
// another, what in an image speaks for a class. It is a picture of its own, or a [Panel] of a
// [Figure].
type Gallery struct {
	Title string // above all; none if empty
	Note  string // a small line below the title

	Columns      int      // of the grid; 0: all in one row, up to ten, and in a Figure about as many as rows
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
	return savePNG(path, func() ([]byte, error) { return g.png(maxSize) })
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
	hung := g.picture()
	return sharpest(limit, 1, func(sharpness float64) ([]byte, error) {
		c := vgimg.NewWith(vgimg.UseWH(hung.width, hung.height), vgimg.UseDPI(int(sharpness*dpi)))
		c.SetColor(white)
		c.Fill(vg.Rectangle{Max: vg.Point{X: hung.width, Y: hung.height}}.Path())
		hung.Draw(c, sharpness)
		var picture bytes.Buffer
		err := png.Encode(&picture, c.Image())
		return picture.Bytes(), err
	})
}

// picture returns the drawing of a valid gallery as a picture of its own.
func (g Gallery) picture() *hung {
	_, columns := g.grid()
	h := g.hang(gallerySizes{
		margin: margin, gap: 12, side: tileSide(columns), barWidth: 150, barHeight: 9,
		titleSize: 14, noteSize: legendTextSize, labelSize: 11, tileTitleSize: 9.5, tileNoteSize: 8,
	})
	h.corner.Y = h.height
	return h
}

// Heading returns Title and Note.
func (g Gallery) Heading() (title, note string) { return g.Title, g.Note }

// Plot is that of a [Panel].
func (g Gallery) Plot(at Place) (Drawing, error) {
	g.Title, g.Note = "", ""
	if g.Columns == 0 {
		g.Columns = int(math.Ceil(math.Sqrt(float64(len(g.Tiles)))))
	}
	if err := g.validate(); err != nil {
		return nil, err
	}
	width := at.Area.Max.X - at.Area.Min.X
	sizes := gallerySizes{
		gap: 0.03 * width, side: width, barWidth: 0.4 * width, barHeight: at.TextSize,
		labelSize: 1.3 * at.TextSize, tileTitleSize: 1.15 * at.TextSize, tileNoteSize: at.TextSize,
	}
	h := g.hang(sizes)
	for max(h.width, h.height) > width && sizes.side > 1 {
		const smaller = 0.98
		if sizes.side *= smaller; sizes.side < 4*sizes.tileNoteSize { // text takes more room than images
			sizes.labelSize *= smaller
			sizes.tileTitleSize *= smaller
			sizes.tileNoteSize *= smaller
		}
		h = g.hang(sizes)
	}
	h.corner, h.width = vg.Point{X: at.Area.Min.X, Y: at.Area.Max.Y}, width // for what the bar means
	return h, nil
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

// gallerySizes are the lengths of a gallery, in points.
type gallerySizes struct {
	margin, gap         vg.Length // around all, and between images
	side                vg.Length // the larger one of an image
	barWidth, barHeight vg.Length

	titleSize, noteSize, labelSize, tileTitleSize, tileNoteSize vg.Length // of the text
}

// tileSide returns the width of an image: the more columns, the smaller.
func tileSide(columns int) vg.Length {
	return snap(vg.Length(max(60, 190*math.Pow(float64(columns), -0.45))))
}

// hung is a gallery with every position and length decided, in points from its upper left
// corner, with y downwards.
type hung struct {
	Gallery
	gallerySizes
	corner        vg.Point // on the canvas
	width, height vg.Length
	top           vg.Length // of the labels of columns
	scale         float64   // 0 without an attribution
	tiles         []hungTile
	rowMiddles    []vg.Length
	columnMiddles []vg.Length
	barAt         vg.Point
}

// hungTile is a tile with its place.
type hungTile struct {
	Tile
	area  vg.Rectangle // of the image; Min is the upper left corner
	notes []string     // the lines of the note
}

// hang decides where everything goes.
func (g Gallery) hang(sizes gallerySizes) *hung {
	rows, columns := g.grid()
	h := &hung{Gallery: g, gallerySizes: sizes, scale: g.Scale}
	left, side := h.margin, h.side
	if g.RowLabels != nil {
		left += snap(h.labelSize * 1.5)
	}
	h.width = left + vg.Length(columns)*side + vg.Length(columns-1)*h.gap + h.margin
	y := h.margin
	if g.Title != "" {
		y += snap(h.titleSize * 1.6)
	}
	if g.Note != "" {
		y += snap(h.noteSize * 1.5)
	}
	h.top = y
	if g.ColumnLabels != nil {
		y += snap(h.labelSize * 1.5)
	}
	for column := range columns {
		h.columnMiddles = append(h.columnMiddles, left+vg.Length(column)*(side+h.gap)+side/2)
	}
	drawn := false
	for row := range rows {
		tiles := g.Tiles[row*columns : min((row+1)*columns, len(g.Tiles))]
		if slices.ContainsFunc(tiles, func(t Tile) bool { return t.Title != "" }) {
			y += snap(h.tileTitleSize * 1.4)
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
			x := left + vg.Length(column)*(side+h.gap) + (side-width)/2
			hungTile := hungTile{Tile: t, area: vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + width, Y: y + height}}}
			note := t.Note
			if t.Attribution != nil && t.Scale != 0 {
				note = strings.TrimPrefix(note+", ", ", ") + "colours up to ±" + strconv.FormatFloat(t.Scale, 'g', 2, 64)
			}
			if note != "" {
				hungTile.notes = wrap(regular(h.tileNoteSize), printable(note), side+h.gap/2, mostNoteLines)
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
		y += tallest + vg.Length(lines)*h.tileNoteSize*1.25
		if lines > 0 {
			y += 2
		}
		if row < rows-1 {
			y += snap(h.gap * 0.75)
		}
	}
	if !drawn {
		h.scale = 0
	}
	if h.scale > 0 {
		y += snap(h.gap)
		h.barAt = vg.Point{X: left, Y: y}
		y += snap(h.barHeight + 1.4*h.tileNoteSize)
		h.width = max(h.width, left+h.barWidth+h.margin)
	}
	h.height = y + h.margin
	return h
}

// largest returns the largest magnitude.
func largest(attribution []float64) float64 {
	return max(slices.Max(attribution), -slices.Min(attribution))
}

// up returns a place on the canvas, where y grows upwards.
func (h *hung) up(x, y vg.Length) vg.Point { return h.corner.Add(vg.Point{X: x, Y: -y}) }

// Draw draws the gallery.
func (h *hung) Draw(c vg.Canvas, sharpness float64) {
	y := h.margin
	if h.Title != "" {
		face, text := fit(bold(h.titleSize), printable(h.Title), h.width-2*h.margin)
		drawText(c, face, h.up(h.margin, y+h.titleSize*capHeight), text, ink)
		y += snap(h.titleSize * 1.6)
	}
	if h.Note != "" {
		face, text := fit(regular(h.noteSize), printable(h.Note), h.width-2*h.margin)
		drawText(c, face, h.up(h.margin, y+h.noteSize*capHeight), text, gray)
	}
	for column, text := range h.ColumnLabels {
		face, text := fit(bold(h.labelSize), printable(text), h.side+h.gap/2)
		drawText(c, face, h.up(h.columnMiddles[column]-face.Width(text)/2, h.top+h.labelSize*capHeight), text, ink)
	}
	for row, text := range h.RowLabels {
		face, text := fit(bold(h.labelSize), printable(text), 1.2*h.side)
		drawTextUp(c, face, h.up(h.margin+h.labelSize*capHeight, h.rowMiddles[row]), text, ink)
	}
	for _, t := range h.tiles {
		h.drawTile(c, t, sharpness)
	}
	if h.scale > 0 {
		h.drawBar(c)
	}
}

// drawTile draws an image with its title and note.
func (h *hung) drawTile(c vg.Canvas, t hungTile, sharpness float64) {
	width := t.area.Max.X - t.area.Min.X
	if t.Title != "" {
		face, text := fit(bold(h.tileTitleSize), printable(t.Title), width+h.gap/2)
		drawText(c, face, h.up(t.area.Min.X, t.area.Min.Y-0.4*h.tileTitleSize), text, ink)
	}
	for i, text := range t.notes {
		drawText(c, regular(h.tileNoteSize), h.up(t.area.Min.X, t.area.Max.Y+2+h.tileNoteSize*(1.25*vg.Length(i)+1)), text, gray)
	}
	if t.Image == nil {
		return
	}
	img := t.Image
	if t.Attribution != nil {
		img = attributed(img, t.Attribution, cmp.Or(t.Scale, h.scale))
	}
	area := vg.Rectangle{Min: h.up(t.area.Min.X, t.area.Max.Y), Max: h.up(t.area.Max.X, t.area.Min.Y)}
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
func (h *hung) drawBar(c vg.Canvas) {
	const steps = 101
	bar := image.NewRGBA(image.Rect(0, 0, steps, 1))
	for i := range steps {
		bar.SetRGBA(i, 0, diverging(white, 2*float64(i)/(steps-1)-1))
	}
	area := vg.Rectangle{Min: h.up(h.barAt.X, h.barAt.Y+h.barHeight), Max: h.up(h.barAt.X+h.barWidth, h.barAt.Y)}
	c.DrawImage(area, bar)
	c.SetColor(axisLine)
	c.SetLineWidth(0.5)
	c.Stroke(area.Path())
	face := regular(h.tileNoteSize)
	end := strconv.FormatFloat(h.scale, 'g', 2, 64)
	below := h.barAt.Y + h.barHeight + 1.25*h.tileNoteSize
	for i, text := range []string{"−" + end, "0", "+" + end} {
		width := face.Width(text)
		drawText(c, face, h.up(h.barAt.X+h.barWidth*vg.Length(i)/2-width*vg.Length(i)/2, below), text, gray)
	}
	text := "blue takes away, orange adds"
	if h.Unit != "" {
		text = h.Unit + ": " + text
	}
	face, text = fit(face, printable(text), h.width-h.barAt.X-h.barWidth-10-h.margin)
	if h.width-h.barAt.X-h.barWidth-10-h.margin > 60 {
		drawText(c, face, h.up(h.barAt.X+h.barWidth+10, h.barAt.Y+h.barHeight/2+h.tileNoteSize*capHeight/2), text, gray)
	}
}
