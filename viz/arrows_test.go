package viz

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// nine returns nine points of three classes with an arrow each.
func nine() Scatter {
	return Scatter{
		Points: []float32{1, 0, 1.2, .3, .8, -.2, -.5, .9, -.7, .6, -.3, 1, -.4, -.8, -.6, -1, .2, -.7},
		Dim:    2, Labels: []int32{0, 0, 0, 1, 1, 1, 2, 2, 2}, ClassNames: []string{"0", "1", "2"},
		Arrows: []float32{3, 0, 0, 4, 0, 0, -5, 12, 1, 1, .1, 0, -1, -1, 2, -2, -3, 1},
	}
}

// TestArrows: the longest arrow has its share of the panel, and none leaves it.
func TestArrows(t *testing.T) {
	scatter := nine()
	lay, err := NewFigure(scatter).layout()
	if err != nil {
		t.Fatal(err)
	}
	p := lay.panel(0)
	if got := p.content.longestArrow(); got != 13 {
		t.Errorf("the longest arrow is %g, want 13", got)
	}
	scale := 2 * arrowShare * p.space.half / 13
	for i, arrow := range p.content.arrows {
		tip := p.content.points[i].add(arrow.scale(scale))
		if !p.space.contains(tip) {
			t.Errorf("arrow %d ends at %v, outside of the space", i, tip)
		}
	}
	longest := p.view()(p.content.arrows[3].scale(scale)).Sub(p.view()(point{}).Point)
	if got := float64(hypot(longest) / p.side); math.Abs(got-arrowShare) > 1e-9 {
		t.Errorf("the longest arrow has %g of the width, want %g", got, arrowShare)
	}
	var svg bytes.Buffer
	if err := NewFigure(scatter).WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{">longest arrow: 13<", ">arrow<"} {
		if !strings.Contains(svg.String(), text) {
			t.Errorf("the picture does not have %q", text)
		}
	}
}

// TestArrowsOfAnyKind: no length at all, and one or more than three dimensions, can be drawn.
func TestArrowsOfAnyKind(t *testing.T) {
	for _, dim := range []int{1, 2, 3, 6} {
		for _, length := range []float32{0, 1e-30, 1} {
			scatter := nine()
			scatter.Dim, scatter.Labels = dim, slices.Repeat(scatter.Labels, 2)[:len(scatter.Points)/dim]
			for i := range scatter.Arrows {
				scatter.Arrows[i] *= length
			}
			if err := NewFigure(scatter).WritePNG(&bytes.Buffer{}); err != nil {
				t.Errorf("%d-D, length %g: %v", dim, length, err)
			}
		}
	}
}

// TestArrowsThatDoNotFit are errors.
func TestArrowsThatDoNotFit(t *testing.T) {
	short, bad, sphere := nine(), nine(), nine()
	short.Arrows = short.Arrows[1:]
	bad.Arrows[4] = float32(math.NaN())
	sphere.Sphere = true
	for _, c := range []struct {
		scatter Scatter
		want    error
	}{{short, ErrLength}, {bad, ErrNotFinite}, {sphere, ErrArrows}} {
		if err := c.scatter.Validate(); !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
	if p := nine().Projected(); p.Arrows != nil || p.Validate() != nil {
		t.Errorf("projected, arrows are %v (%v)", p.Arrows, p.Validate())
	}
}
