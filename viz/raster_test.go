package viz

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

func TestStampArea(t *testing.T) {
	for _, ring := range []struct{ radius, hole float64 }{{0.5, 0}, {1, 0}, {2.375, 0}, {5, 0}, {2, 1}, {5, 4}} {
		radius := ring.radius
		for _, at := range [][2]float64{{8, 8}, {8.25, 8.5}, {8.75, 7.25}} {
			img := image.NewRGBA(image.Rect(0, 0, 16, 16))
			stamps{}.draw(img, []disc{{x: at[0], y: at[1], radius: radius, hole: ring.hole, color: black}}, 1)
			var area, x, y float64
			for i := 3; i < len(img.Pix); i += 4 {
				a := float64(img.Pix[i]) / 255
				area += a
				x += a * (float64(i/4%16) + 0.5)
				y += a * (float64(i/4/16) + 0.5)
			}
			if want := math.Pi * (radius*radius - ring.hole*ring.hole); math.Abs(area/want-1) > 0.03 {
				t.Errorf("radius %g at %v: area %g, want %g", radius, at, area, want)
			}
			if x, y = x/area, y/area; math.Abs(x-at[0]) > 0.06 || math.Abs(y-at[1]) > 0.06 {
				t.Errorf("radius %g at %v: centre (%g, %g)", radius, at, x, y)
			}
		}
	}
}

func TestBlendIsOver(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 9, 9))
	first, second := color.RGBA{200, 10, 50, 255}, color.RGBA{20, 250, 90, 255}
	stamps{}.draw(img, []disc{{x: 4.5, y: 4.5, radius: 3, color: first}, {x: 4.5, y: 4.5, radius: 3, color: second}}, 0.6)
	got := color.NRGBAModel.Convert(img.At(4, 4)).(color.NRGBA)
	// 0.6 of the second over 0.6 of the first over nothing.
	alpha := 0.6 + 0.4*0.6
	want := func(a, b uint8) uint8 { return uint8((0.4*0.6*float64(a)+0.6*float64(b))/alpha + 0.5) }
	if !closeTo(got.R, want(first.R, second.R)) || !closeTo(got.G, want(first.G, second.G)) || !closeTo(got.A, uint8(255*alpha)) {
		t.Errorf("blended to %v", got)
	}
}

func TestDiscsAtTheEdgeAreCut(t *testing.T) {
	whole := image.NewRGBA(image.Rect(0, 0, 30, 30))
	part := image.NewRGBA(image.Rect(0, 0, 10, 10))
	var shifted, discs []disc
	for _, at := range [][2]float64{{0, 0}, {10, 3}, {-2, 11}, {5, -30}, {9.5, 9.5}} {
		shifted = append(shifted, disc{x: at[0] + 10, y: at[1] + 10, radius: 4, color: black})
		discs = append(discs, disc{x: at[0], y: at[1], radius: 4, color: black})
	}
	stamps{}.draw(whole, shifted, 0.5)
	stamps{}.draw(part, discs, 0.5)
	for y := range 10 {
		for x := range 10 {
			if part.At(x, y) != whole.At(x+10, y+10) {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, part.At(x, y), whole.At(x+10, y+10))
			}
		}
	}
}

func TestNoClassHidesAnother(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	s := Scatter{Dim: 2, ClassNames: classNames(2)}
	for class := range int32(2) { // all of class 0 come first
		for range 20_000 {
			s.Labels = append(s.Labels, class)
			s.Points = append(s.Points, rng.Float32(), rng.Float32())
		}
	}
	lay := newLayout(t, NewFigure(s))
	p := lay.panel(0)
	img := p.raster(p.view(), 1)
	var first, second int // pixels nearer to the colour of class 0 and 1
	for i := 0; i < len(img.Pix); i += 4 {
		if img.Pix[i+3] > 200 {
			d := func(c color.RGBA) float64 {
				return math.Abs(float64(img.Pix[i])-float64(c.R)) + math.Abs(float64(img.Pix[i+2])-float64(c.B))
			}
			if d(Color(0)) < d(Color(1)) {
				first++
			} else {
				second++
			}
		}
	}
	if share := float64(first) / float64(first+second); share < 0.4 || share > 0.6 {
		t.Errorf("%.2f of the pixels have the colour of class 0", share)
	}
}

func TestNearPointsHideFarOnes(t *testing.T) {
	// Seen along the first axis, from both ends.
	s := Scatter{Dim: 3, Points: []float32{-1, 0, 0, 1, 0, 0}, Labels: []int32{0, 1}, ClassNames: classNames(2)}
	for azimuth, front := range map[float64]int{0: 1, 180: 0} {
		s.Camera = &Camera{Azimuth: azimuth}
		p := newLayout(t, NewFigure(s)).panel(0)
		img := p.raster(p.view(), 1)
		got := img.RGBAAt(img.Rect.Dx()/2, img.Rect.Dy()/2)
		if ciede2000(labAs(got, machado["normal vision"]), labAs(Color(front), machado["normal vision"])) > 15 {
			t.Errorf("from azimuth %g: %v in front, want class %d", azimuth, got, front)
		}
	}
}

func BenchmarkRaster(b *testing.B) {
	lay := newLayout(b, NewFigure(blobs(60_000, 10, 2, 1)))
	p := lay.panel(0)
	for b.Loop() {
		p.raster(p.view(), 1)
	}
}
