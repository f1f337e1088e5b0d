package viz

import (
	"image"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestSpreadOfOneDirection(t *testing.T) {
	for _, degrees := range []float64{90, 0, 359.5, 180, -45} {
		s := atAngles(degrees, degrees, degrees)
		got := newLayout(t, NewFigure(s)).panel(0).spreads()[0]
		for k := range got {
			off := math.Remainder(float64(k)/2-degrees, 360)
			if want := math.Exp(-off * off / (2 * 2 * 2)); math.Abs(got[k]-want) > 1e-3 {
				t.Fatalf("one direction at %g: density %g at %g degrees, want %g", degrees, got[k], float64(k)/2, want)
			}
		}
	}
}

func TestSpreadIsTheStandardDeviation(t *testing.T) {
	// Normal with deviation 10, smoothed by 2: normal with deviation sqrt(104).
	rng := rand.New(rand.NewPCG(1, 1))
	var degrees []float64
	for range 200_000 {
		degrees = append(degrees, 30+10*rng.NormFloat64())
	}
	got := newLayout(t, NewFigure(atAngles(degrees...))).panel(0).spreads()[0]
	for k := range got {
		off := math.Remainder(float64(k)/2-30, 360)
		if want := math.Exp(-off * off / (2 * 104)); math.Abs(got[k]-want) > 0.05 {
			t.Fatalf("density %g at %g degrees, want %g", got[k], float64(k)/2, want)
		}
	}
}

func TestHills(t *testing.T) {
	shape := func(high ...int) *spread {
		s := new(spread)
		for _, k := range high {
			s[k] = 1
		}
		return s
	}
	faint := shape(5)
	faint[100] = 0.1 // a fragment
	var everywhere spread
	for k := range everywhere {
		everywhere[k] = 0.5
	}
	for _, test := range []struct {
		s    *spread
		want []arc
	}{
		{shape(5, 6, 7, 300), []arc{{5, 7}, {300, 300}}},
		{shape(718, 719, 0, 1), []arc{{718, 721}}},
		{shape(0), []arc{{720, 720}}},
		{&everywhere, []arc{{0, 720}}},
		{shape(), nil},
		{faint, []arc{{5, 5}}},
	} {
		got := test.s.hills(0.03, 0.15)
		for i := range got { // an arc may start a turn later
			turn := got[i].from / 720 * 720
			if len(test.want) > i && test.want[i].from < 720 {
				got[i].from, got[i].to = got[i].from-turn, got[i].to-turn
			}
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("hills %v, want %v", got, test.want)
		}
	}
}

func TestCircle(t *testing.T) {
	s := atAngles(0, 0, 120)
	s.ClassNames, s.Labels = classNames(3), []int32{0, 0, 1}
	s.Points = append(s.Points, 0, 0) // stays at the origin
	s.Labels = append(s.Labels, 2)
	lay := newLayout(t, NewFigure(s))
	img := lay.image(1)
	for _, degrees := range []float64{45, 200, 300} {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		if got := pixel(lay, img, 0, point{cos, sin}); got.R > 0xd0 {
			t.Errorf("no circle at %g degrees: %v", degrees, got)
		}
		if got := pixel(lay, img, 0, point{0.97 * cos, 0.97 * sin}); got.R < 0xe0 {
			t.Errorf("within the circle at %g degrees: %v", degrees, got)
		}
	}
	// The hills have the colour of their class and cover the grid lines.
	want := mix(white, Color(0), 0xa0/255.)
	if got := pixel(lay, img, 0, point{1.12, 0.02}); !closeTo(got.R, want.R) || !closeTo(got.G, want.G) || !closeTo(got.B, want.B) {
		t.Errorf("hill of class 0 is %v, want %v", got, want)
	}
	if got := pixel(lay, img, 0, point{1.12 * math.Cos(1), 1.12 * math.Sin(1)}); got != white {
		t.Errorf("%v between the hills", got)
	}
	texts, _ := renderSVG(t, NewFigure(s))
	center := lay.panel(0).view()(point{}).Point
	radius := lay.panel(0).view()(point{1}).X - center.X
	for _, text := range texts {
		if !strings.Contains(text.Font, "bold") || text.Body == "2" {
			continue
		}
		d := vg.Point{X: vg.Length(text.X), Y: -vg.Length(text.Y)}.Sub(center)
		if r := math.Hypot(float64(d.X), float64(d.Y)) / float64(radius); r < 1.15 {
			t.Errorf("label %q is at %.2f of the circle's radius", text.Body, r)
		}
	}
}

func TestGlobe(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	s := Scatter{Dim: 3, ClassNames: classNames(2), ClassVectors: []float32{0, 0, 9, -3, 0, 0}}
	for range 1000 {
		s.Points = append(s.Points, float32(rng.NormFloat64()), float32(rng.NormFloat64()), float32(rng.NormFloat64()))
		s.Labels = append(s.Labels, 0)
	}
	for _, camera := range []Camera{DefaultCamera, {0, 0}, {100, -80}} {
		s.Camera = &camera
		p := newLayout(t, NewFigure(s.Projected())).panel(0)
		if p.outside > 0 {
			t.Errorf("%d points outside", p.outside)
		}
		v := p.view()
		outline := p.side / 2 / globeHalf
		var widest vg.Length
		for _, q := range p.content.points {
			at := v(q)
			d := at.Sub(v(point{}).Point)
			widest = max(widest, vg.Length(math.Hypot(float64(d.X), float64(d.Y))))
			if at.near < -1e-6 || at.near > 1+1e-6 {
				t.Errorf("%v is near by %g", q, at.near)
			}
		}
		if widest > outline*1.0001 || widest < outline*0.98 {
			t.Errorf("%v: the points reach %g, the outline is at %g", camera, widest, outline)
		}
	}
	// The rays end on the sphere, whatever their direction.
	p := newLayout(t, NewFigure(s.Projected())).panel(0)
	for _, direction := range p.content.rays {
		if length := p.space.cut(p.content.origin, direction); length != 1 {
			t.Errorf("ray in direction %v is %g long", direction, length)
		}
	}
}

// The far side of a globe is visible through the near one, but fainter.
func TestGlobeDepth(t *testing.T) {
	s := Scatter{Dim: 3, Points: []float32{1, 0, 0}, Labels: []int32{0}, ClassNames: classNames(1), Sphere: true}
	contrast := func(azimuth float64) float64 {
		s.Camera = &Camera{Azimuth: azimuth}
		p := newLayout(t, NewFigure(s)).panel(0)
		img := p.raster(p.view(), 1)
		if img.Rect != image.Rect(0, 0, 800, 800) {
			t.Fatalf("image of %v", img.Rect)
		}
		got := img.RGBAAt(400, 400)
		return ciede2000(labAs(got, machado["normal vision"]), labAs(white, machado["normal vision"]))
	}
	if near, far := contrast(0), contrast(180); far > 0.7*near || far < 5 {
		t.Errorf("contrast %.1f on the near side, %.1f on the far side", near, far)
	}
}

func TestSphereOfMoreDimensions(t *testing.T) {
	s := blobs(1000, 4, 5, 1)
	s.ClassVectors = make([]float32, 4*5)
	s.ClassVectors[2], s.ClassVectors[8] = 1, -4
	p := newLayout(t, NewFigure(s.Projected())).panel(0)
	for _, q := range p.content.points {
		if r := q.sub(p.content.origin).norm(); r > 1.0001 {
			t.Errorf("%v is %g from the origin", q, r)
		}
	}
	if p.outside > 0 {
		t.Errorf("%d points outside", p.outside)
	}
}
