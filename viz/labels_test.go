package viz

import (
	"image"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestLabelsDoNotOverlap(t *testing.T) {
	same := Scatter{Dim: 2, ClassNames: classNames(10)}
	for i := range 10 {
		same.Labels = append(same.Labels, int32(i))
		same.Points = append(same.Points, 1, 1)
	}
	crowded := blobs(2000, 100, 2, 0.1)
	rays := blobs(1000, 10, 3, 1)
	rays.ClassNames = []string{
		"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
	rays.ClassVectors = make([]float32, 30)
	for i := range rays.ClassVectors {
		rays.ClassVectors[i] = float32(i%7) - 3
	}
	for _, s := range []Scatter{same, crowded, rays} {
		texts, _ := renderSVG(t, NewFigure(s))
		var labels []svgText
		var boxes []vg.Rectangle
		for _, text := range texts {
			if strings.Contains(text.Font, "bold") {
				labels = append(labels, text)
				at := vg.Point{X: vg.Length(text.X), Y: -vg.Length(text.Y)}
				face := bold(text.size())
				boxes = append(boxes, vg.Rectangle{
					Min: at, Max: at.Add(vg.Point{X: face.Width(text.Body), Y: text.size() * capHeight}),
				})
			}
		}
		if len(s.ClassNames) == 10 && len(labels) != 10 || len(labels) < 60 && len(s.ClassNames) == 100 {
			t.Errorf("%d labels: %q", len(labels), bodies(labels))
		}
		for i := range boxes {
			for j := range i {
				if overlap(boxes[i], boxes[j]) {
					t.Errorf("labels %q and %q overlap", labels[i].Body, labels[j].Body)
				}
			}
		}
	}
}

func TestLabelsLeaveSmallClassesVisible(t *testing.T) {
	s := Scatter{Dim: 2, Points: []float32{3, 4}, Labels: []int32{0}, ClassNames: []string{"a long name"}}
	if at := dots(newLayout(t, NewFigure(s)).image(1), 1); at[0] == (image.Point{}) {
		t.Error("the only point is hidden")
	}
}

func TestLabelsLeaveHillsVisible(t *testing.T) {
	s := atAngles(0, 0, 180)
	s.Labels, s.ClassNames = []int32{0, 0, 1}, []string{"T-shirt/top", "Ankle boot"}
	f := NewFigure(s, s, s, s) // small panels, in which the names don't fit beyond the hills
	p := newLayout(t, f).panels[0]
	v := p.view()
	labels := 0
	texts, _ := renderSVG(t, f)
	for _, text := range texts {
		if !strings.Contains(text.Font, "bold") {
			continue
		}
		labels++
		face := bold(text.size())
		at := vg.Point{X: vg.Length(text.X), Y: -vg.Length(text.Y)}
		rect := vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: face.Width(text.Body), Y: text.size() * capHeight})}
		for _, x := range []float64{-spreadFoot - spreadHeight/2, spreadFoot + spreadHeight/2} {
			if hill := v(point{x, 0}).Point; overlap(rect, around(hill, 1, 1)) {
				t.Errorf("%q at %v covers the hill at %v", text.Body, rect, hill)
			}
		}
	}
	if labels != 8 {
		t.Errorf("%d labels", labels)
	}
}
