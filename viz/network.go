package viz

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Network is a picture of a network: what an image becomes on its way to the embedding, layer
// by layer from left to right, as in Fig. 1 of the paper. What a convolution returns is a
// block: its height and width are those of the layer's output, its thickness grows with the
// logarithm of the channels. A vector is a bar, which grows with the logarithm of its length,
// and up to three numbers are circles.
type Network struct {
	Title  string // above all; none if empty
	Layers []Layer
	Image  image.Image // takes the place of the first block, if it is not nil
}

// Layer is what a network returns at one place.
type Layer struct {
	Name       string // of what computes it
	Output     []int  // its shape: height, width and channels, or one length
	Parameters int    // of what computes it
}

// Save writes the picture to a PNG file of less than 3 MB, which is replaced as a whole. Errors
// wrap [ErrExtension], [ErrEmpty] or [ErrLength].
func (n *Network) Save(path string) error {
	return savePNG(path, func() ([]byte, error) { return n.png(maxSize) })
}

// Show displays the picture below the running cell of a GoNB notebook, as [Figure.Show] does.
// Errors wrap [ErrNotebook], or are those of Save.
func (n *Network) Show() error {
	return displayPNG("", func() ([]byte, error) { return n.png(notebookSize) })
}

// png returns the picture as a PNG of less than limit bytes.
func (n *Network) png(limit int) ([]byte, error) {
	if err := n.validate(); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	height := networkHeight
	if n.Title != "" {
		height += snap(networkTitleSize * 1.6)
	}
	width := 2*margin + vg.Length(len(n.Layers))*layerWidth
	return sharpest(limit, 1, func(sharpness float64) ([]byte, error) {
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(int(sharpness*dpi)))
		n.draw(c, height, sharpness)
		var picture bytes.Buffer
		err := png.Encode(&picture, c.Image())
		return picture.Bytes(), err
	})
}

// validate reports the first thing that is wrong with the network.
func (n *Network) validate() error {
	if len(n.Layers) == 0 {
		return fmt.Errorf("a network without layers: %w", ErrEmpty)
	}
	for _, l := range n.Layers {
		if len(l.Output) != 1 && len(l.Output) != 3 {
			return fmt.Errorf("layer %q: field Output has %d numbers; allowed: 1 or 3: %w", l.Name, len(l.Output), ErrLength)
		}
		for _, size := range l.Output {
			if size < 1 {
				return fmt.Errorf("layer %q: field Output is %v; allowed: 1 or more: %w", l.Name, l.Output, ErrLength)
			}
		}
	}
	if n.Image != nil && n.Image.Bounds().Empty() {
		return fmt.Errorf("an image without pixels: %w", ErrEmpty)
	}
	return nil
}

// Lengths of the picture of a network, in points.
const (
	networkTitleSize vg.Length = 14
	layerNameSize    vg.Length = 9.5
	layerNoteSize    vg.Length = 8
	layerWidth       vg.Length = 104 // from one layer to the next
	tallestBlock     vg.Length = 92  // front and upper face
	networkHeight              = 2*margin + tallestBlock + 3.6*layerNameSize
	oblique                    = 0.35 // of a width that leads away from the reader, on the paper
)

var (
	blockFront = color.RGBA{0xc6, 0xdb, 0xef, 0xff}
	blockUpper = color.RGBA{0xe3, 0xee, 0xf8, 0xff}
	blockSide  = color.RGBA{0x9e, 0xc3, 0xe2, 0xff}
	blockEdge  = color.RGBA{0x3b, 0x6f, 0x9e, 0xff}
)

// draw draws the picture on a canvas of that height, where y grows upwards.
func (n *Network) draw(c vg.Canvas, height vg.Length, sharpness float64) {
	width := 2*margin + vg.Length(len(n.Layers))*layerWidth
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: width, Y: height}}.Path())
	if n.Title != "" {
		face, text := fit(bold(networkTitleSize), printable(n.Title), width-2*margin)
		drawText(c, face, vg.Point{X: margin, Y: height - margin - networkTitleSize*capHeight}, text, ink)
	}
	middle := margin + 3.6*layerNameSize + tallestBlock/2
	largest := 1
	for _, l := range n.Layers {
		if len(l.Output) == 3 {
			largest = max(largest, l.Output[0], l.Output[1])
		}
	}
	unit := tallestBlock / (1 + oblique) / vg.Length(largest)
	var end vg.Length // of the layer before
	for i, l := range n.Layers {
		center := vg.Point{X: margin + (vg.Length(i)+0.5)*layerWidth, Y: middle}
		var half vg.Length // of what is drawn
		if i == 0 && n.Image != nil {
			bounds := n.Image.Bounds()
			side := tallestBlock / vg.Length(max(bounds.Dx(), bounds.Dy()))
			area := around(center, side*vg.Length(bounds.Dx()), side*vg.Length(bounds.Dy()))
			half = (area.Max.X - area.Min.X) / 2
			c.DrawImage(area, scaledTo(n.Image, int(2*float64(half)*dpi/72*sharpness+0.5)))
			c.SetColor(axisLine)
			c.SetLineWidth(0.5)
			c.Stroke(area.Path())
		} else {
			half = l.draw(c, center, unit)
		}
		if i > 0 {
			drawArrow(c, vg.Point{X: end + 4, Y: middle}, vg.Point{X: center.X - half - 4, Y: middle}, 1)
		}
		end = center.X + half
		l.label(c, center.X)
	}
}

// draw draws the output of the layer and returns half of its width on the paper; unit is the
// length of a row or column.
func (l Layer) draw(c vg.Canvas, center vg.Point, unit vg.Length) vg.Length {
	if len(l.Output) == 1 && l.Output[0] <= 3 {
		const radius, step = 7, 22
		for i := range l.Output[0] {
			at := center.Add(vg.Point{Y: step * (vg.Length(l.Output[0]-1)/2 - vg.Length(i))})
			paint(c, circle(at, radius), blockFront)
		}
		return radius
	}
	size := vg.Point{X: 9, Y: min(tallestBlock, 11*vg.Length(math.Log2(float64(l.Output[0]))))} // of the front, of a vector
	var depth vg.Length
	if len(l.Output) == 3 {
		size = vg.Point{X: 4 + 5*vg.Length(math.Log2(float64(l.Output[2]))), Y: unit * vg.Length(l.Output[0])}
		depth = unit * vg.Length(l.Output[1]) * oblique
	}
	away := vg.Point{X: depth, Y: depth}
	lower := center.Sub(size.Add(away).Scale(0.5))
	right, upper := lower.Add(vg.Point{X: size.X}), lower.Add(vg.Point{Y: size.Y})
	corner := lower.Add(size)
	paint(c, closed(lower, right, corner, upper), blockFront)
	if depth > 0 {
		paint(c, closed(upper, corner, corner.Add(away), upper.Add(away)), blockUpper)
		paint(c, closed(right, right.Add(away), corner.Add(away), corner), blockSide)
	}
	return (size.X + depth) / 2
}

// label writes below the layer what computes it, its shape, and its parameters.
func (l Layer) label(c vg.Canvas, x vg.Length) {
	var shape []string
	for _, size := range l.Output {
		shape = append(shape, strconv.Itoa(size))
	}
	lines := []string{printable(l.Name), strings.Join(shape, " × ")}
	if l.Parameters > 0 {
		lines = append(lines, strconv.Itoa(l.Parameters)+" parameters")
	}
	for i, text := range lines {
		face, clr := regular(layerNoteSize), color.Color(gray)
		if i == 0 {
			face, clr = bold(layerNameSize), ink
		}
		face, text = fit(face, text, layerWidth-4)
		drawText(c, face, vg.Point{X: x - face.Width(text)/2, Y: margin + (2.5-1.2*vg.Length(i))*layerNameSize}, text, clr)
	}
}

// closed returns the polygon with those corners.
func closed(corners ...vg.Point) vg.Path {
	p := line(corners...)
	p.Close()
	return p
}

// paint fills a face of a block and draws its edge.
func paint(c vg.Canvas, p vg.Path, fill color.Color) {
	c.SetColor(fill)
	c.Fill(p)
	c.SetColor(blockEdge)
	c.SetLineWidth(0.75)
	c.Stroke(p)
}
