package viz

import (
	"fmt"
	"image"
	"math"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
)

// Thumbnails are images beside each other, such as those that are decided wrongly: a [Panel]
// of a [Figure].
type Thumbnails struct {
	Title string // above the panel; none if empty
	Note  string // a small line below the title

	Images   []image.Image // at least one, row by row
	Labels   []int32       // [n], the class of each, in whose colour it has a frame; nil: no frames
	Captions []string      // [n], a few words below each; nil: none
	Columns  int           // of the grid; 0 chooses by the number of images
}

// Heading returns Title and Note.
func (t Thumbnails) Heading() (title, note string) { return t.Title, t.Note }

// Plot is that of a [Panel].
func (t Thumbnails) Plot(at Place) (Drawing, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	if t.Columns == 0 {
		t.Columns = int(math.Ceil(math.Sqrt(float64(len(t.Images)))))
	}
	return plottedThumbnails{t, at}, nil
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

// plottedThumbnails are thumbnails about to be drawn.
type plottedThumbnails struct {
	Thumbnails
	at Place
}

// Draw draws the thumbnails.
func (t plottedThumbnails) Draw(c vg.Canvas, sharpness float64) {
	rows := (len(t.Images) + t.Columns - 1) / t.Columns
	area := t.at.Area
	cell := (area.Max.X - area.Min.X) / vg.Length(max(t.Columns, rows))
	var caption vg.Length
	if t.Captions != nil {
		caption = 1.5 * t.at.TextSize
	}
	side := 0.88*cell - caption
	face := regular(t.at.TextSize)
	for i, img := range t.Images {
		center := vg.Point{
			X: area.Min.X + cell*(vg.Length(i%t.Columns)+0.5),
			Y: area.Max.Y - cell*(vg.Length(i/t.Columns)+0.5) + caption/2,
		}
		bounds := img.Bounds()
		scale := side / vg.Length(max(bounds.Dx(), bounds.Dy()))
		rect := around(center, scale*vg.Length(bounds.Dx()), scale*vg.Length(bounds.Dy()))
		c.DrawImage(rect, enlarged(img, float64(scale)*dpi/72*sharpness))
		if t.Labels != nil {
			c.SetColor(Color(int(t.Labels[i])))
			c.SetLineWidth(0.06 * side)
			c.Stroke(rect.Path())
		}
		if t.Captions != nil {
			face, text := fit(face, printable(t.Captions[i]), 0.96*cell)
			drawText(c, face, vg.Point{X: center.X - face.Width(text)/2, Y: rect.Min.Y - 0.06*side - t.at.TextSize}, text, gray)
		}
	}
}

// enlarged returns an image with about so many pixels for each of its own, whose edges stay
// sharp; the image itself where that is less than one.
func enlarged(img image.Image, scale float64) image.Image {
	k := int(math.Round(scale))
	if k <= 1 {
		return img
	}
	bounds := img.Bounds()
	large := image.NewRGBA(image.Rect(0, 0, k*bounds.Dx(), k*bounds.Dy()))
	draw.NearestNeighbor.Scale(large, large.Rect, img, bounds, draw.Src, nil)
	return large
}
