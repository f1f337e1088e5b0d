package viz

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestGrid(t *testing.T) {
	s := blobs(20, 2, 2, 1)
	for _, test := range []struct{ panels, columns, want int }{
		{1, 0, 1}, {2, 0, 2}, {3, 0, 3}, {4, 0, 2}, {5, 0, 3}, {6, 0, 3}, {9, 0, 3}, {10, 0, 4}, {2, 5, 2}, {6, 2, 2},
	} {
		f := Figure{Panels: slices.Repeat([]Panel{s}, test.panels), Columns: test.columns}
		lay := newLayout(t, &f)
		lefts := make(map[vg.Length]bool)
		for i, p := range lay.cells {
			lefts[p.area.Min.X] = true
			if page := (vg.Rectangle{Max: vg.Point{X: lay.width, Y: lay.height}}); !inside(p.area, page) {
				t.Errorf("panel %d at %v is not on the page %v", i, p.area, page)
			}
			for j, q := range lay.cells[:i] {
				if overlap(p.area, q.area) {
					t.Errorf("panels %d and %d overlap", i, j)
				}
			}
		}
		if len(lefts) != test.want {
			t.Errorf("%d panels with Columns %d are in %d columns, want %d", test.panels, test.columns, len(lefts), test.want)
		}
	}
}

func TestGridLabels(t *testing.T) {
	s := blobs(20, 2, 2, 1)
	f := Figure{
		Title: "all", Panels: slices.Repeat([]Panel{s}, 5), Columns: 3,
		RowLabels: []string{"MNIST", "CIFAR-10"}, ColumnLabels: []string{"raw", "", "a column label far too long for the width of one panel, whatever its size"},
	}
	lay := newLayout(t, &f)
	plain := f
	plain.RowLabels, plain.ColumnLabels = nil, nil
	if without := newLayout(t, &plain); lay.width <= without.width || lay.height <= without.height {
		t.Errorf("no room for labels: %g x %g with, %g x %g without", lay.width, lay.height, without.width, without.height)
	}
	if len(lay.gridLabels) != 4 { // the empty one is not drawn
		t.Fatalf("%d labels", len(lay.gridLabels))
	}
	for _, label := range lay.gridLabels {
		for i, p := range lay.cells {
			middle := p.area.Min.Add(p.area.Max).Scale(0.5)
			row := f.RowLabels[i/3]
			if label.up && label.text == row && (math.Abs(float64(label.at.Y-middle.Y)) > 1e-6 || label.at.X > p.area.Min.X) {
				t.Errorf("row label %q is at %v, panel %d at %v", row, label.at, i, p.area)
			}
			column := f.ColumnLabels[i%3]
			if !label.up && label.text == column && (math.Abs(float64(label.at.X-middle.X)) > 1e-6 || label.at.Y < p.area.Max.Y) {
				t.Errorf("column label %q is at %v, panel %d at %v", column, label.at, i, p.area)
			}
			if label.at.X < 0 || label.at.Y > lay.height-margin {
				t.Errorf("label %q at %v is off the page", label.text, label.at)
			}
		}
	}
	img := lay.image(1)
	inked := func(r vg.Rectangle) bool {
		for y := int((lay.height - r.Max.Y) * 2); y < int((lay.height-r.Min.Y)*2); y++ {
			for x := int(r.Min.X * 2); x < int(r.Max.X*2); x++ {
				if color.RGBAModel.Convert(img.At(x, y)).(color.RGBA).R < 0x60 {
					return true
				}
			}
		}
		return false
	}
	first := lay.panel(0).area
	left := vg.Rectangle{Min: vg.Point{X: 0, Y: first.Min.Y}, Max: vg.Point{X: first.Min.X - lay.panel(0).left, Y: first.Max.Y}}
	above := vg.Rectangle{Min: vg.Point{X: first.Min.X, Y: first.Max.Y + 1}, Max: vg.Point{X: first.Max.X, Y: first.Max.Y + 14}}
	second := lay.panel(1).area
	empty := vg.Rectangle{Min: vg.Point{X: second.Min.X, Y: second.Max.Y + 1}, Max: vg.Point{X: second.Max.X, Y: second.Max.Y + 14}}
	if !inked(left) || !inked(above) || inked(empty) {
		t.Errorf("text at the left: %t, above: %t, above without a label: %t", inked(left), inked(above), inked(empty))
	}
	texts, _ := renderSVG(t, &f)
	if !slices.Contains(bodies(texts), "raw") || !slices.ContainsFunc(bodies(texts), func(s string) bool {
		return strings.HasPrefix(s, "a column") && strings.HasSuffix(s, "…")
	}) {
		t.Errorf("column labels in %q", bodies(texts))
	}
}
