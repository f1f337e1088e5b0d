package viz

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
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
	p := newLayout(t, f).panel(0)
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

// TestLeaders: the points of class 0 are on both sides of a denser class. The name of class 0
// would stand on the points of the other; a line leads from it to its own.
func TestLeaders(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	s := Scatter{Dim: 2, ClassNames: []string{"split", "middle"}}
	add := func(class int32, x float64, n int) {
		for range n {
			s.Labels = append(s.Labels, class)
			s.Points = append(s.Points, float32(x+0.3*rng.NormFloat64()), float32(0.3*rng.NormFloat64()))
		}
	}
	add(0, -5, 100)
	add(0, 5, 100)
	add(1, 0, 400)
	p := newLayout(t, NewFigure(s)).panel(0)
	v := p.view()
	crowd := p.crowd(v)
	home := crowd.home(0)
	left, right := hypot(home.Sub(v(point{-5}).Point)), hypot(home.Sub(v(point{5}).Point))
	if min(left, right) > 0.1*p.side {
		t.Errorf("class 0 is at home at %v", home)
	}
	middle := around(v(point{}).Point, 30, 10)
	if !crowd.isAstray(middle, 0) || crowd.isAstray(middle, 1) || crowd.isAstray(around(p.area.Min, 1, 1), 0) {
		t.Error("who is astray in the middle: class 0 alone, and nobody where there are no points")
	}
	lines := func(s Scatter) int {
		var svg bytes.Buffer
		if err := NewFigure(s).WriteSVG(&svg); err != nil {
			t.Fatal(err)
		}
		clr := darker(Color(0))
		return strings.Count(svg.String(), fmt.Sprintf("stroke:#%02X%02X%02X", clr.R, clr.G, clr.B))
	}
	if n := lines(s); n != 1 {
		t.Errorf("%d lines in the colour of class 0", n)
	}
	apart := s
	apart.Labels = slices.Repeat([]int32{0}, len(s.Labels))
	if n := lines(apart); n != 0 {
		t.Errorf("%d lines where the name is on its own points", n)
	}
}

// TestRaysOnACircle: each ray carries the name of its class, which stands outside, too.
func TestRaysOnACircle(t *testing.T) {
	s := atAngles(0, 120, 240)
	s.Labels, s.ClassNames = []int32{0, 1, 2}, []string{"right", "up", "down"}
	s.ClassVectors = []float32{0, 1, -1, -1, 1, -1} // not where the points are
	f := NewFigure(s)
	p := newLayout(t, f).panel(0)
	v := p.view()
	center, rim := v(point{}).Point, v(point{1}).X-v(point{}).Point.X
	texts, _ := renderSVG(t, f)
	for class, name := range s.ClassNames {
		inside, outside := 0, 0
		for _, text := range texts {
			if text.Body != name || !strings.Contains(text.Font, "bold") {
				continue
			}
			face := bold(text.size())
			at := vg.Point{X: vg.Length(text.X) + face.Width(name)/2, Y: -vg.Length(text.Y) + text.size()*capHeight/2}.Sub(center)
			if hypot(at) > rim {
				outside++
				continue
			}
			inside++
			direction := p.content.rays[class]
			cos := (float64(at.X)*direction[0] + float64(at.Y)*direction[1]) / float64(hypot(at))
			if cos < 0.99 {
				t.Errorf("%q is not on its ray", name)
			}
		}
		if inside != 1 || outside != 1 {
			t.Errorf("%q is %d times on a ray and %d times outside", name, inside, outside)
		}
	}
}
