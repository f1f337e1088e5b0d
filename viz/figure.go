package viz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is a grid of panels that share one style and one legend.
//
// If all scatters have the same class names, the legend lists them once, otherwise it
// has every distinct list of names but those that another one begins with, in the order of
// the panels. A list of more than 100 classes is only counted.
//
// A figure of scatters has a JSON form. It holds everything but the arrays and the
// decision rules of its panels, see [Scatter]. Whoever stores a figure stores the arrays
// as well, and puts them back after reading the JSON: until then its panels have no points.
type Figure struct {
	Title   string `json:"title"`   // above all panels; none if empty
	Columns int    `json:"columns"` // of the grid; 0 chooses by the number of panels

	RowLabels    []string `json:"row_labels"`    // one to the left of each row of the grid, or nil
	ColumnLabels []string `json:"column_labels"` // one above each column of the grid, or nil

	Panels []Panel `json:"panels"` // row by row, at least one
}

// MarshalJSON writes a figure of scatters; other panels are an error that wraps [ErrPanel].
func (f Figure) MarshalJSON() ([]byte, error) {
	for i, panel := range f.Panels {
		if _, ok := panel.(Scatter); !ok {
			return nil, fmt.Errorf("viz: JSON of a figure whose panel %d is a %T; allowed: Scatter: %w", i, panel, ErrPanel)
		}
	}
	type plain Figure
	return json.Marshal(plain(f))
}

// UnmarshalJSON reads what MarshalJSON has written.
func (f *Figure) UnmarshalJSON(encoded []byte) error {
	type plain Figure
	read := struct {
		*plain
		Panels []Scatter `json:"panels"`
	}{plain: (*plain)(f)}
	if err := json.Unmarshal(encoded, &read); err != nil {
		return err
	}
	f.Panels = nil
	for _, scatter := range read.Panels {
		f.Panels = append(f.Panels, scatter)
	}
	return nil
}

// NewFigure returns a figure of these panels, without a title.
func NewFigure(panels ...Panel) *Figure { return &Figure{Panels: panels} }

// maxSize is the largest size of a picture in bytes.
const maxSize = 3_000_000

// WritePNG writes the figure as a PNG of less than 3 MB, with 144 dots per inch. A panel
// of 10,000 points takes about 250 KB; a figure that would be too large has fewer dots
// per inch.
//
// It returns an error that wraps one of this package's errors for an invalid figure, and
// the error of w.
func (f *Figure) WritePNG(w io.Writer) error {
	picture, err := f.PNG(maxSize)
	if err != nil {
		return err
	}
	if _, err := w.Write(picture); err != nil {
		return fmt.Errorf("viz: write PNG: %w", err)
	}
	return nil
}

// PNG returns the figure as a PNG of less than limit bytes: with 144 dots per inch, or as many
// as the limit allows. It returns an error that wraps one of this package's errors for an
// invalid figure.
func (f *Figure) PNG(limit int) ([]byte, error) {
	lay, err := f.layout()
	if err != nil {
		return nil, err
	}
	picture, err := lay.png(limit)
	if err != nil {
		return nil, fmt.Errorf("viz: write PNG: %w", err)
	}
	return picture, nil
}

// savePNG writes a picture to a PNG file, which is replaced as a whole.
func savePNG(path string, picture func() ([]byte, error)) error {
	if strings.ToLower(filepath.Ext(path)) != ".png" {
		return fmt.Errorf("viz: save %q: extension must be .png: %w", path, ErrExtension)
	}
	content, err := picture()
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, content, 0o666); err != nil {
		return fmt.Errorf("viz: save %q: %w", path, err)
	}
	return nil
}

// minSharpness is the lowest sharpness. Below it nothing can be made out.
const minSharpness = 0.1

// sharpest returns a picture of less than limit bytes that is about as sharp as the limit
// allows, but not sharper than at first. If even the lowest sharpness takes more, it returns
// that picture.
func sharpest(limit int, sharpness float64, encode func(sharpness float64) ([]byte, error)) ([]byte, error) {
	for {
		picture, err := encode(sharpness)
		if err != nil || len(picture) < limit || sharpness == minSharpness {
			return picture, err
		}
		sharpness = max(minSharpness, sharpness*0.95*math.Sqrt(float64(limit)/float64(len(picture))))
	}
}

// png returns a PNG of less than limit bytes.
func (l *layout) png(limit int) ([]byte, error) {
	return sharpest(limit, 1, func(sharpness float64) ([]byte, error) {
		var picture bytes.Buffer
		err := png.Encode(&picture, l.image(sharpness))
		return picture.Bytes(), err
	})
}

// image returns the picture with sharpness times 144 pixels per inch.
func (l *layout) image(sharpness float64) image.Image {
	c := vgimg.NewWith(vgimg.UseWH(l.width, l.height), vgimg.UseDPI(int(sharpness*dpi)))
	l.draw(c, sharpness)
	return c.Image()
}

// WriteSVG writes the figure as an SVG of less than 3 MB, however many points it has.
// Rays, axes and text are vectors. The points of a panel are one embedded image, and its
// decision regions another; their resolution is lowered if the figure would be too large.
// Only the vectors of several hundred panels take more than 3 MB.
//
// It returns an error that wraps one of this package's errors for an invalid figure, and
// the error of w.
func (f *Figure) WriteSVG(w io.Writer) error {
	lay, err := f.layout()
	if err != nil {
		return err
	}
	svg, err := lay.svg(maxSize)
	if err != nil {
		return fmt.Errorf("viz: write SVG: %w", err)
	}
	if _, err := w.Write(svg); err != nil {
		return fmt.Errorf("viz: write SVG: %w", err)
	}
	return nil
}

// svg returns an SVG of less than limit bytes.
func (l *layout) svg(limit int) ([]byte, error) {
	return sharpest(limit, 1, func(sharpness float64) ([]byte, error) {
		c := vgsvg.New(l.width, l.height)
		l.draw(c, sharpness)
		var buf bytes.Buffer
		if _, err := c.WriteTo(&buf); err != nil {
			return nil, err
		}
		svg := buf.Bytes()
		// No text can match these patterns, as its quotes are escaped.
		svg = bytes.ReplaceAll(svg, []byte(haloStyle+`">`), []byte(fmt.Sprintf(
			`%s;stroke:#FFFFFF;stroke-width:%gem" aria-hidden="true">`, haloStyle, 2*haloWidth)))
		svg = bytes.ReplaceAll(svg, []byte(`style="font-family:Liberation Sans;`),
			[]byte(`style="font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`))
		svg = bytes.ReplaceAll(svg, []byte(`xlink:href="data:image/jpg;`), []byte(`xlink:href="data:image/png;`))
		svg = bytes.Replace(svg, []byte("<svg "), []byte(`<svg stroke-linejoin="round" `), 1)
		return svg, nil
	})
}

// Save writes the figure to a file, as [Figure.WritePNG] or [Figure.WriteSVG] does. The
// extension of the path chooses: ".png" or ".svg", in upper or lower case. Any other is an
// error that wraps [ErrExtension].
//
// The file is replaced as a whole: if there is an error, it stays as it was.
func (f *Figure) Save(path string) error {
	var writeTo func(io.Writer) error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		writeTo = f.WritePNG
	case ".svg":
		writeTo = f.WriteSVG
	default:
		return fmt.Errorf("viz: save %q: extension must be .png or .svg: %w", path, ErrExtension)
	}
	var picture bytes.Buffer
	if err := writeTo(&picture); err != nil {
		return err
	}
	if err := renameio.WriteFile(path, picture.Bytes(), 0o666); err != nil {
		return fmt.Errorf("viz: save %q: %w", path, err)
	}
	return nil
}
