package viz

import (
	"errors"
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
	gallery := Gallery{Title: "Mistakes", Note: "two of them", Tiles: []Tile{{Image: shades(8, 8), Title: "a 4"}, {Image: shades(8, 4)}}}
	f := &Figure{Columns: 2, Panels: []Panel{scatter, curves, gallery, stamped{"Own", red, nil, &calls}}}
	texts, images := renderSVG(t, f)
	if images != 3 { // of the points and the gallery
		t.Errorf("%d images", images)
	}
	for _, want := range []string{"Points", "Loss", "epoch", "training", "Mistakes", "two of them", "a 4", "Own"} {
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
	for _, panel := range []Panel{nil, Curves{}, Gallery{}} {
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
