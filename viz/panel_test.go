package viz

import (
	"errors"
	"image"
	"image/color"
	"io"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// A stamped panel is one of another package: it fills its square with a colour.
type stamped struct {
	title string
	color color.Color
	err   error
	calls *int
}

func (s stamped) Heading() (title, note string) { return s.title, "" }

func (s stamped) Plot(at Place) (Drawing, error) {
	*s.calls++
	return filled{s.color, at.Area}, s.err
}

type filled struct {
	color color.Color
	area  vg.Rectangle
}

func (f filled) Draw(c vg.Canvas, _ float64) {
	c.SetColor(f.color)
	c.Fill(f.area.Path())
}

// TestPanels: panels of all kinds stand beside each other, each with its heading.
func TestPanels(t *testing.T) {
	calls := 0
	red := color.RGBA{R: 0xff, A: 0xff}
	scatter := blobs(50, 3, 2, 1)
	scatter.Title = "Points"
	curves := Curves{Title: "Loss", X: "epoch", Lines: []Line{falling("training", 1)}}
	thumbnails := Thumbnails{Title: "Mistakes", Note: "two of them", Images: []image.Image{image.NewGray(image.Rect(0, 0, 8, 8)), image.NewGray(image.Rect(0, 0, 8, 4))}}
	f := &Figure{Columns: 2, Panels: []Panel{scatter, curves, thumbnails, stamped{"Own", red, nil, &calls}}}
	texts, images := renderSVG(t, f)
	if images != 3 { // of the points and the thumbnails
		t.Errorf("%d images", images)
	}
	for _, want := range []string{"Points", "Loss", "epoch", "training", "Mistakes", "two of them", "Own"} {
		if !slices.Contains(bodies(texts), want) {
			t.Errorf("no text %q in %q", want, bodies(texts))
		}
	}
	lay := newLayout(t, f)
	area := lay.cells[3].area
	middle := area.Min.Add(area.Max).Scale(0.5)
	if got := lay.image(1).At(int(middle.X*2), int((lay.height-middle.Y)*2)); color.RGBAModel.Convert(got) != red {
		t.Errorf("the panel of another package is %v", got)
	}
	if calls != 2 {
		t.Errorf("Plot is called %d times for two pictures", calls)
	}
	broken := errors.New("broken")
	err := NewFigure(scatter, stamped{"Own", red, broken, &calls}).WritePNG(io.Discard)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), `panel 1 "Own"`) {
		t.Errorf("error %v", err)
	}
	for _, panel := range []Panel{nil, Curves{}, Thumbnails{}} {
		if err := NewFigure(panel).WritePNG(io.Discard); !errors.Is(err, ErrEmpty) {
			t.Errorf("%T: error %v", panel, err)
		}
	}
}

// TestCurvesInAPanel: with few lines or many, the curves stay in their place.
func TestCurvesInAPanel(t *testing.T) {
	for _, lines := range []int{1, 3, 8} {
		c := Curves{Title: "Loss", X: "epoch", Y: "loss"}
		for i := range lines {
			c.Lines = append(c.Lines, falling(strings.Repeat("x", i+1), 1))
		}
		f := NewFigure(c, c)
		lay := newLayout(t, f)
		texts, _ := renderSVG(t, f)
		for _, text := range texts {
			face := regular(text.size())
			x, end := vg.Length(text.X), vg.Length(text.X)+face.Width(text.Body)
			if x < 0 || end > lay.width {
				t.Errorf("%d lines: %q is from %g to %g on a page %g wide", lines, text.Body, x, end, lay.width)
			}
		}
	}
}

func TestThumbnails(t *testing.T) {
	gray := func(level uint8, width, height int) image.Image {
		img := image.NewGray(image.Rect(3, 4, 3+width, 4+height))
		for i := range img.Pix {
			img.Pix[i] = level
		}
		return img
	}
	th := Thumbnails{
		Images: []image.Image{gray(10, 8, 8), gray(60, 8, 8), gray(120, 4, 8), gray(180, 200, 300), gray(240, 1, 1)},
		Labels: []int32{0, 1, 2, 3, 12}, Captions: []string{"one", "two", "three", "four", "five"},
	}
	f := NewFigure(th)
	lay := newLayout(t, f)
	area := lay.cells[0].area
	img := lay.image(1)
	third := (area.Max.X - area.Min.X) / 3
	for i := range th.Images { // five in three columns
		at := vg.Point{X: area.Min.X + third*(vg.Length(i%3)+0.5), Y: area.Max.Y - third*(vg.Length(i/3)+0.4)}
		got := color.GrayModel.Convert(img.At(int(at.X*2), int((lay.height-at.Y)*2))).(color.Gray).Y
		if want := []uint8{10, 60, 120, 180, 240}[i]; !closeTo(got, want) {
			t.Errorf("image %d has gray level %d, want %d", i, got, want)
		}
	}
	texts, images := renderSVG(t, f)
	if images != 5 || !slices.Contains(bodies(texts), "three") {
		t.Errorf("%d images, texts %q", images, bodies(texts))
	}
	for says, change := range map[string]func(th *Thumbnails){
		"2 labels for 5 images":   func(th *Thumbnails) { th.Labels = th.Labels[:2] },
		"1 captions for 5 images": func(th *Thumbnails) { th.Captions = th.Captions[:1] },
		"label -1 of image 0":     func(th *Thumbnails) { th.Labels = []int32{-1, 0, 0, 0, 0} },
		"field Columns is -2":     func(th *Thumbnails) { th.Columns = -2 },
		"image 4 has no pixels":   func(th *Thumbnails) { th.Images = append(th.Images[:4:4], gray(0, 0, 1)) },
	} {
		broken := th
		change(&broken)
		if err := NewFigure(broken).WritePNG(io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one saying %q", err, says)
		}
	}
}
