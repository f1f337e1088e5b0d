package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// shades returns a gray image of a size whose pixels become brighter.
func shades(width, height int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 255 / max(1, len(img.Pix)-1))
	}
	return img
}

func drawGallery(t testing.TB, g *Gallery) image.Image {
	t.Helper()
	var buf bytes.Buffer
	if err := g.WritePNG(&buf); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Each pixel of an image is where it belongs, with the colour that it has; with an attribution,
// in that of its sign.
func TestGalleryPixels(t *testing.T) {
	attribution := []float64{-4, -1, 0, 1, 2, 4}
	g := &Gallery{Tiles: []Tile{
		{Title: "plain", Note: "a note", Image: shades(3, 2)},
		{Title: "attributed", Image: shades(3, 2), Attribution: attribution},
	}}
	img, h := drawGallery(t, g), g.picture()
	at := func(tile, pixel int) color.RGBA {
		area := h.tiles[tile].area
		side := (area.Max.X - area.Min.X) / 3
		x, y := float64(area.Min.X)+(float64(pixel%3)+0.5)*float64(side), float64(area.Min.Y)+(float64(pixel/3)+0.5)*float64(side)
		return color.RGBAModel.Convert(img.At(int(x*dpi/72), int(y*dpi/72))).(color.RGBA)
	}
	for pixel := range 6 {
		want := uint8(pixel * 255 / 5)
		if got := at(0, pixel); !closeTo(got.R, want) || got.R != got.G || got.G != got.B {
			t.Errorf("pixel %d is %v, want gray %d", pixel, got, want)
		}
		got := at(1, pixel)
		warm := int(got.R) - int(got.B)
		if a := attribution[pixel]; a < 0 && warm >= 0 || a > 0 && warm <= 0 || a == 0 && warm != 0 {
			t.Errorf("the attribution %g is drawn as %v", a, got)
		}
	}
	for pixel, want := range map[int]color.RGBA{0: takesAway, 5: adds} {
		if got := at(1, pixel); !closeTo(got.R, want.R) || !closeTo(got.G, want.G) || !closeTo(got.B, want.B) {
			t.Errorf("the largest attribution is drawn as %v, want %v", got, want)
		}
	}
	if h.scale != 4 {
		t.Errorf("the scale is %v, want 4", h.scale)
	}
	g.Scale = 8
	if got := g.picture().scale; got != 8 {
		t.Errorf("the scale is %v, want the one that is given, 8", got)
	}
	g.Tiles = g.Tiles[:1]
	if got := g.picture().scale; got != 0 {
		t.Errorf("the scale is %v, want none without attributions", got)
	}
}

// Images of all shapes are whole and inside of the picture.
func TestGalleryLayout(t *testing.T) {
	for _, size := range [][2]int{{28, 28}, {3, 40}, {40, 3}, {1, 1}, {500, 300}} {
		for _, n := range []int{1, 2, 7, 23} {
			g := &Gallery{Title: "T", Note: "N", Columns: 5, RowLabels: make([]string, (n+4)/5)}
			for range n {
				g.Tiles = append(g.Tiles, Tile{Title: "a title that is much too long for so small an image", Note: strings.Repeat("many words ", 30), Image: shades(size[0], size[1])})
			}
			h := g.picture()
			for i, tile := range h.tiles {
				width, height := tile.area.Max.X-tile.area.Min.X, tile.area.Max.Y-tile.area.Min.Y
				if math.Abs(float64(width)*float64(size[1])-float64(height)*float64(size[0])) > 1e-6*float64(size[0]*size[1]) {
					t.Errorf("%v: the tile is %g x %g", size, width, height)
				}
				if tile.area.Min.X < margin || tile.area.Max.X > h.width-margin/2 || tile.area.Max.Y > h.height-margin/2 {
					t.Errorf("%v: tile %d is at %v, outside of %g x %g", size, i, tile.area, h.width, h.height)
				}
				if len(tile.notes) != mostNoteLines {
					t.Errorf("%d lines of a note", len(tile.notes))
				}
				for _, other := range h.tiles[:i] {
					if overlap(tile.area, other.area) {
						t.Errorf("%v: tiles overlap", size)
					}
				}
			}
			drawGallery(t, g)
		}
	}
}

// In a figure, a gallery is whole and inside of its square, with text of the figure's size where
// there is room for it.
func TestGalleryInAFigure(t *testing.T) {
	for _, size := range [][2]int{{28, 28}, {3, 40}, {40, 3}, {50, 30}} {
		for _, n := range []int{1, 5, 30} {
			g := Gallery{Title: "Mistakes", Note: "some of them", Unit: "score"}
			for i := range n {
				g.Tiles = append(g.Tiles, Tile{Title: "an image", Note: "a few words below it", Image: shades(size[0], size[1]), Frame: Color(i), Attribution: make([]float64, size[0]*size[1])})
				g.Tiles[i].Attribution[0] = 1
			}
			f := NewFigure(g, blobs(30, 3, 2, 1))
			lay := newLayout(t, f)
			area := lay.cells[0].area
			h := lay.cells[0].drawing.(*hung)
			room, right := area.Max.X-area.Min.X, vg.Length(0)
			for _, tile := range h.tiles {
				right = max(right, tile.area.Max.X)
			}
			if right > room || h.height > room || max(right, h.height) < 0.85*room {
				t.Errorf("%d images of %v: %g x %g in a square of %g", n, size, right, h.height, room)
			}
			if h.corner != (vg.Point{X: area.Min.X, Y: area.Max.Y}) || n < 30 && h.tileNoteSize != lay.style.tickSize {
				t.Errorf("%d images of %v: at %v with text of %g", n, size, h.corner, h.tileNoteSize)
			}
			lay.image(0.3)
			if rows := len(h.rowMiddles); rows > len(h.columnMiddles) || (rows+1)*rows < n {
				t.Errorf("%d images in %d rows", n, rows)
			}
			for _, tile := range h.tiles {
				low := h.up(tile.area.Max.X, tile.area.Max.Y)
				if low.X > area.Max.X || low.Y < area.Min.Y {
					t.Errorf("%d images of %v: one reaches to %v, outside of %v", n, size, low, area)
				}
			}
		}
	}
}

// Attributions of 0 have no scale, and are drawn as the pale image.
func TestGalleryOfZeros(t *testing.T) {
	g := &Gallery{Tiles: []Tile{{Image: shades(2, 2), Attribution: make([]float64, 4)}, {}}}
	drawGallery(t, g)
	pale := attributed(shades(2, 2), make([]float64, 4), 0)
	if first, last := pale.RGBAAt(0, 0), pale.RGBAAt(1, 1); first.R != darkGround || last.R != brightGround {
		t.Errorf("black is drawn as %v, white as %v", first, last)
	}
}

// The signs of attributions can be told apart with any colour vision, and from the ground.
func TestDivergingColors(t *testing.T) {
	for vision, observer := range machado {
		ground := color.RGBA{darkGround, darkGround, darkGround, 0xff}
		for _, pair := range [][2]color.RGBA{{adds, takesAway}, {adds, ground}, {takesAway, ground}, {diverging(white, 0.5), diverging(white, -0.5)}} {
			if d := ciede2000(labAs(pair[0], observer), labAs(pair[1], observer)); d < 20 {
				t.Errorf("%s: %v and %v differ by %.1f", vision, pair[0], pair[1], d)
			}
		}
	}
}

func TestGalleryIsDeterministic(t *testing.T) {
	g := &Gallery{Title: "T", RowLabels: []string{"a"}, ColumnLabels: []string{"b"}, Tiles: []Tile{{Image: shades(9, 9), Attribution: make([]float64, 81)}}}
	var first, second bytes.Buffer
	if err := errors.Join(g.WritePNG(&first), g.WritePNG(&second)); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("two pictures of one gallery differ, error %v", err)
	}
}

func TestGalleryErrors(t *testing.T) {
	nan := math.NaN()
	for says, test := range map[string]struct {
		gallery Gallery
		want    error
	}{
		"without tiles":                        {Gallery{}, ErrEmpty},
		"Columns is -1":                        {Gallery{Columns: -1, Tiles: make([]Tile, 1)}, ErrColumns},
		"Scale is NaN":                         {Gallery{Scale: nan, Tiles: make([]Tile, 1)}, ErrNotFinite},
		"Scale is -1":                          {Gallery{Scale: -1, Tiles: make([]Tile, 1)}, ErrNotFinite},
		`tile 1 "T": an image without pixels`:  {Gallery{Tiles: []Tile{{}, {Title: "T", Image: shades(0, 3)}}}, ErrEmpty},
		"an attribution without an image":      {Gallery{Tiles: []Tile{{Attribution: []float64{1}}}}, ErrEmpty},
		"3 attributions of an image of 2 x 2":  {Gallery{Tiles: []Tile{{Image: shades(2, 2), Attribution: []float64{1, 2, 3}}}}, ErrLength},
		"the attribution of pixel 1 is NaN":    {Gallery{Tiles: []Tile{{Image: shades(2, 1), Attribution: []float64{1, nan}}}}, ErrNotFinite},
		"2 row labels for a grid of 1 rows":    {Gallery{RowLabels: make([]string, 2), Tiles: make([]Tile, 1)}, ErrLength},
		"1 column labels for a grid of 1 rows": {Gallery{ColumnLabels: make([]string, 1), Tiles: make([]Tile, 3)}, ErrLength},
	} {
		err := test.gallery.WritePNG(io.Discard)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one saying %q", err, says)
		}
	}
	good := Gallery{Tiles: []Tile{{Image: shades(2, 2)}}}
	if err := good.Save("picture.jpg"); !errors.Is(err, ErrExtension) {
		t.Errorf("error %v, want ErrExtension", err)
	}
	path := filepath.Join(t.TempDir(), "picture.png")
	if err := good.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := (&Gallery{}).Save(path); !errors.Is(err, ErrEmpty) {
		t.Errorf("error %v, want ErrEmpty", err)
	}
	if content, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(content, []byte("\x89PNG")) {
		t.Errorf("the file after an error: %v", err)
	}
}

// A frame has its colour on all sides of its image, and no other image has it.
func TestGalleryFrame(t *testing.T) {
	g := &Gallery{Tiles: []Tile{{Image: shades(3, 3), Frame: Color(1)}, {Image: shades(3, 3)}}}
	img, h := drawGallery(t, g), g.picture()
	want := Color(1)
	for tile := range g.Tiles {
		area := h.tiles[tile].area
		middle := area.Min.Add(area.Max).Scale(0.5)
		for _, at := range []vg.Point{{X: area.Min.X, Y: middle.Y}, {X: area.Max.X, Y: middle.Y}, {X: middle.X, Y: area.Min.Y}, {X: middle.X, Y: area.Max.Y}} {
			found := false
			for d := -2; d <= 2; d++ {
				x, y := int(at.X*dpi/72), int(at.Y*dpi/72)
				for _, p := range []image.Point{{X: x + d, Y: y}, {X: x, Y: y + d}} {
					got := color.RGBAModel.Convert(img.At(p.X, p.Y)).(color.RGBA)
					found = found || closeTo(got.R, want.R) && closeTo(got.G, want.G) && closeTo(got.B, want.B)
				}
			}
			if found != (tile == 0) {
				t.Errorf("tile %d, at %v: a frame %v", tile, at, found)
			}
		}
	}
}
