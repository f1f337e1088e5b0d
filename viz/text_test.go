package viz

import (
	"image/color"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Two ones stay apart in a small picture.
func TestOnes(t *testing.T) {
	c := vgimg.NewWith(vgimg.UseWH(60, 20), vgimg.UseDPI(72))
	drawText(c, regular(7), vg.Point{X: 5, Y: 5}, "1111", black)
	img := c.Image()
	ones, wasDark := 0, false
	for x := range img.Bounds().Dx() {
		darkest := 255
		for y := range img.Bounds().Dy() {
			darkest = min(darkest, int(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y))
		}
		dark := darkest < 128
		if dark && !wasDark {
			ones++
		}
		wasDark = dark
	}
	if ones != 4 {
		t.Errorf("%d ones of 4", ones)
	}
}

func TestWrap(t *testing.T) {
	face := regular(10)
	width := face.Width("failed in epoch")
	for _, test := range []struct {
		text  string
		lines int
		want  []string
	}{
		{"failed in epoch 2 again", 9, []string{"failed in epoch", "2 again"}},
		{"  failed ", 9, []string{"failed"}},
		{"", 9, nil},
	} {
		if got := wrap(face, test.text, width, test.lines); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
	for _, text := range []string{"one two three four five six seven eight nine ten", strings.Repeat("x", 100)} {
		got := wrap(face, text, width, 2)
		if len(got) > 2 || !strings.HasSuffix(got[len(got)-1], "…") {
			t.Errorf("%q: %q", text, got)
		}
	}
}
