package viz

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Thumbnails are images beside each other, such as those that are decided wrongly.
type Thumbnails struct {
	Title string // above all; none if empty

	Images   []image.Image // at least one, row by row
	Labels   []int32       // [n], the class of each, in whose colour it has a frame; nil: no frames
	Captions []string      // [n], a few words below each; nil: none
	Columns  int           // of the grid; 0 chooses by the number of images
}

// Lengths of thumbnails, in points.
const (
	thumbnailCell    vg.Length = 50
	thumbnailSide    vg.Length = 42
	thumbnailCaption vg.Length = 7.5
)

// Show displays the thumbnails below the running cell of a GoNB notebook, as [Figure.Show]
// does. Errors wrap [ErrNotebook], [ErrEmpty], [ErrLength], [ErrColumns] or [ErrLabel].
func (t Thumbnails) Show() error { return display("", t.png) }

// png returns the thumbnails as a PNG.
func (t Thumbnails) png() ([]byte, error) {
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	columns := t.Columns
	if columns == 0 {
		columns = int(math.Ceil(math.Sqrt(float64(len(t.Images)))))
	}
	row, top := thumbnailCell, margin
	if t.Captions != nil {
		row += 1.4 * thumbnailCaption
	}
	if t.Title != "" {
		top += 1.6 * figureTitleSize
	}
	rows := (len(t.Images) + columns - 1) / columns
	width, height := thumbnailCell*vg.Length(columns)+2*margin, row*vg.Length(rows)+top+margin
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: width, Y: height}}.Path())
	if t.Title != "" {
		face, text := fit(bold(0.8*figureTitleSize), printable(t.Title), width-2*margin)
		drawText(c, face, vg.Point{X: margin + (thumbnailCell-thumbnailSide)/2, Y: height - margin - 0.8*figureTitleSize*capHeight}, text, ink)
	}
	for i, img := range t.Images {
		center := vg.Point{
			X: margin + thumbnailCell*(vg.Length(i%columns)+0.5),
			Y: height - top - row*vg.Length(i/columns) - thumbnailCell/2,
		}
		bounds := img.Bounds()
		scale := thumbnailSide / vg.Length(max(bounds.Dx(), bounds.Dy()))
		rect := around(center, scale*vg.Length(bounds.Dx()), scale*vg.Length(bounds.Dy()))
		c.DrawImage(rect, enlarged(img, int(math.Round(float64(scale)*dpi/72))))
		if t.Labels != nil {
			c.SetColor(Color(int(t.Labels[i])))
			c.SetLineWidth(2)
			c.Stroke(rect.Path())
		}
		if t.Captions != nil {
			face, text := fit(regular(thumbnailCaption), printable(t.Captions[i]), thumbnailCell)
			drawText(c, face, vg.Point{X: center.X - face.Width(text)/2, Y: rect.Min.Y - 1.5*thumbnailCaption}, text, gray)
		}
	}
	var picture bytes.Buffer
	err := png.Encode(&picture, c.Image())
	return picture.Bytes(), err
}

// validate reports the first thing that is wrong with the thumbnails.
func (t Thumbnails) validate() error {
	n := len(t.Images)
	switch {
	case n == 0:
		return fmt.Errorf("no images: %w", ErrEmpty)
	case t.Labels != nil && len(t.Labels) != n:
		return fmt.Errorf("%d labels for %d images: %w", len(t.Labels), n, ErrLength)
	case t.Captions != nil && len(t.Captions) != n:
		return fmt.Errorf("%d captions for %d images: %w", len(t.Captions), n, ErrLength)
	case t.Columns < 0:
		return fmt.Errorf("field Columns is %d: %w", t.Columns, ErrColumns)
	}
	for i, img := range t.Images {
		if img == nil || img.Bounds().Empty() {
			return fmt.Errorf("image %d has no pixels: %w", i, ErrEmpty)
		}
	}
	for i, label := range t.Labels {
		if label < 0 {
			return fmt.Errorf("label %d of image %d: %w", label, i, ErrLabel)
		}
	}
	return nil
}

// enlarged returns an image with k x k pixels for each of its own, whose edges stay sharp.
func enlarged(img image.Image, k int) image.Image {
	if k <= 1 {
		return img
	}
	bounds := img.Bounds()
	large := image.NewRGBA(image.Rect(0, 0, k*bounds.Dx(), k*bounds.Dy()))
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			pixel := image.NewUniform(img.At(bounds.Min.X+x, bounds.Min.Y+y))
			draw.Draw(large, image.Rect(k*x, k*y, k*x+k, k*y+k), pixel, image.Point{}, draw.Src)
		}
	}
	return large
}
