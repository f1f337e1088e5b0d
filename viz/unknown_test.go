package viz

import (
	"errors"
	"image/color"
	"math"
	"slices"
	"testing"
)

// strangers returns a scatter of one point, with unknown points.
func strangers(unknown ...float32) Scatter {
	return Scatter{Dim: 2, Points: []float32{-1, 0, 1, 0}, Labels: []int32{0, 1}, ClassNames: classNames(2), Unknown: unknown}
}

// An unknown point is a ring: ink around it, and what is below it in its middle.
func TestUnknownIsARing(t *testing.T) {
	for _, dim := range []int{2, 3} {
		s := strangers(0, 0.5)
		if dim == 3 {
			s = Scatter{Dim: 3, Points: []float32{-1, 0, 0, 1, 0, 0}, Labels: []int32{0, 1}, ClassNames: classNames(2), Unknown: []float32{0, 0.5, 0}}
		}
		lay := newLayout(t, NewFigure(s))
		img := lay.image(1)
		at := lay.panel(0).view()(point{0, 0.5, 0})
		x, y := int(at.X*dpi/72), int((lay.height-at.Y)*dpi/72)
		dark, light := 0, 0
		reach := int(3 * float64(lay.panel(0).radius()) * dpi / 72)
		for dy := -reach; dy <= reach; dy++ {
			for dx := -reach; dx <= reach; dx++ {
				c := color.GrayModel.Convert(img.At(x+dx, y+dy)).(color.Gray)
				if c.Y < 110 {
					dark++
				}
				if dx*dx+dy*dy < reach*reach/36 && c.Y > 200 {
					light++
				}
			}
		}
		if dark < 8 || light == 0 {
			t.Errorf("in %d-D, %d pixels are dark and %d in the middle light", dim, dark, light)
		}
	}
}

func TestUnknownLegend(t *testing.T) {
	for _, test := range []struct {
		scatter Scatter
		want    bool
	}{{strangers(0, 1), true}, {strangers(), false}} {
		texts, _ := renderSVG(t, NewFigure(test.scatter))
		if got := slices.Contains(bodies(texts), "unknown"); got != test.want {
			t.Errorf("with %v, unknown is in the legend: %v", test.scatter.Unknown, got)
		}
	}
	for _, item := range NewFigure(strangers(0, 1)).legend(400, 2).items {
		if item.text == "unknown" && item.indent != 2*markWidth {
			t.Errorf("at twice the size, the mark of unknown is %v wide; want %v", item.indent, 2*markWidth)
		}
	}
}

// Unknown points widen the picture, and those that are far out are counted.
func TestUnknownFrame(t *testing.T) {
	near, far := spaceOf(t, strangers(0, 0.9)), strangers(0, 0.9, 0, 300)
	if without := spaceOf(t, strangers()); near.half <= without.half && near.center == without.center {
		t.Error("an unknown point does not widen the picture")
	}
	if got := spaceOf(t, far); got != near {
		t.Errorf("an unknown point far out widens the picture to %+v", got)
	}
	lay := newLayout(t, NewFigure(far))
	if got := lay.panel(0).outside; got != 1 {
		t.Errorf("%d points outside, want 1", got)
	}
}

func TestUnknownRefused(t *testing.T) {
	onCircle := strangers(0, 1)
	onCircle.Sphere = true
	if err := onCircle.Validate(); err != nil {
		t.Error(err)
	}
	onCircle.Unknown[1] = 2
	for name, test := range map[string]struct {
		scatter Scatter
		want    error
	}{
		"half a point": {strangers(1, 2, 3), ErrLength}, "NaN": {strangers(0, float32(math.NaN())), ErrNotFinite}, "off the circle": {onCircle, ErrSphere},
	} {
		if err := test.scatter.Validate(); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
	}
	if got := strangers(3, 4).Projected().Unknown; !slices.Equal(got, []float32{0.6, 0.8}) {
		t.Errorf("projected to %v", got)
	}
}
