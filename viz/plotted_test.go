package viz

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestEqualAxes(t *testing.T) {
	// A 3-4-5 triangle and the origin, off centre.
	s := Scatter{
		Dim: 2, Points: []float32{10, 20, 13, 20, 10, 24, 11, 21}, Labels: []int32{0, 1, 2, 3}, ClassNames: classNames(4),
	}
	at := dots(newLayout(t, NewFigure(s)).image(1), 4)
	right, up := at[1].Sub(at[0]), at[2].Sub(at[0])
	if right.Y != 0 || up.X != 0 || right.X <= 0 || up.Y >= 0 {
		t.Fatalf("directions: +x is %v, +y is %v pixels", right, up)
	}
	if x, y := float64(right.X)/3, float64(-up.Y)/4; math.Abs(x/y-1) > 0.01 || x < 100 {
		t.Errorf("%g pixels a unit in x, %g in y", x, y)
	}
	if d := at[3].Sub(at[0]); math.Abs(float64(d.X)-float64(right.X)/3) > 1 || math.Abs(float64(d.Y)-float64(up.Y)/4) > 1 {
		t.Errorf("(1, 1) lies %v off", d)
	}
}

func TestMissing(t *testing.T) {
	s := blobs(20, 2, 2, 1)
	missing := Scatter{Title: "ArcFace", Missing: "failed: NaN in epoch 2, " + strings.Repeat("and so on ", 100), Dim: 16, ClassNames: []string{"unused"}}
	f := NewFigure(s, missing)
	texts, images := renderSVG(t, f)
	if images != 1 {
		t.Errorf("%d images for one panel with points", images)
	}
	all := strings.Join(bodies(texts), "|")
	if !strings.Contains(all, "ArcFace") || !strings.Contains(all, "failed: NaN in") || strings.Contains(all, "unused") {
		t.Errorf("texts %q", bodies(texts))
	}
	area := newLayout(t, f).panel(1).area
	lines := 0
	for _, text := range texts {
		at := vg.Point{X: vg.Length(text.X), Y: -vg.Length(text.Y)}
		if at.X < area.Min.X || at.Y > area.Max.Y || at.Y < area.Min.Y {
			continue
		}
		lines++
		face := regular(text.size())
		if end := at.X + face.Width(text.Body); end > area.Max.X {
			t.Errorf("%q ends at %g beyond the frame at %g", text.Body, end, area.Max.X)
		}
	}
	if lines < 3 {
		t.Errorf("%d lines of text in the frame", lines)
	}
	// A figure of missing panels only has no legend.
	if lay := newLayout(t, NewFigure(Scatter{Missing: "not trained yet"})); len(lay.legend.items) != 0 {
		t.Errorf("legend %v", lay.legend.items)
	}
	writePNG(t, NewFigure(Scatter{Missing: "not trained yet"}))
}
