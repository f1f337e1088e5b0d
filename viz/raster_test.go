package viz

import (
	"image"
	"image/color"
	"math"
	"testing"
)

func TestStampArea(t *testing.T) {
	for _, radius := range []float64{0.5, 1, 2.375, 5} {
		for _, at := range [][2]float64{{8, 8}, {8.25, 8.5}, {8.75, 7.25}} {
			img := image.NewRGBA(image.Rect(0, 0, 16, 16))
			stamps{}.draw(img, []disc{{x: at[0], y: at[1], radius: radius, color: black}}, 1)
			var area, x, y float64
			for i := 3; i < len(img.Pix); i += 4 {
				a := float64(img.Pix[i]) / 255
				area += a
				x += a * (float64(i/4%16) + 0.5)
				y += a * (float64(i/4/16) + 0.5)
			}
			if want := math.Pi * radius * radius; math.Abs(area/want-1) > 0.03 {
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
	stamps{}.draw(img, []disc{{4.5, 4.5, 3, 1, first}, {4.5, 4.5, 3, 1, second}}, 0.6)
	got := color.NRGBAModel.Convert(img.At(4, 4)).(color.NRGBA)
	// 0.6 of the second over 0.6 of the first over nothing.
	alpha := 0.6 + 0.4*0.6
	want := func(a, b uint8) uint8 { return uint8((0.4*0.6*float64(a)+0.6*float64(b))/alpha + 0.5) }
	if !near(got.R, want(first.R, second.R)) || !near(got.G, want(first.G, second.G)) || !near(got.A, uint8(255*alpha)) {
		t.Errorf("blended to %v", got)
	}
}

func TestDiscsAtTheEdgeAreCut(t *testing.T) {
	whole := image.NewRGBA(image.Rect(0, 0, 30, 30))
	part := image.NewRGBA(image.Rect(0, 0, 10, 10))
	var there, here []disc
	for _, at := range [][2]float64{{0, 0}, {10, 3}, {-2, 11}, {5, -30}, {9.5, 9.5}} {
		there = append(there, disc{at[0] + 10, at[1] + 10, 4, 1, black})
		here = append(here, disc{at[0], at[1], 4, 1, black})
	}
	stamps{}.draw(whole, there, 0.5)
	stamps{}.draw(part, here, 0.5)
	for y := range 10 {
		for x := range 10 {
			if part.At(x, y) != whole.At(x+10, y+10) {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, part.At(x, y), whole.At(x+10, y+10))
			}
		}
	}
}

func TestCameraAxes(t *testing.T) {
	for _, c := range []Camera{{}, {-90, 90}, {-55, 22}, {130, -40}, {720, 10}} {
		right, up, towards := c.axes()
		for _, a := range []point{right, up, towards} {
			if math.Abs(a.norm()-1) > 1e-12 {
				t.Errorf("%v: axis %v is no unit vector", c, a)
			}
		}
		cross := point{
			right[1]*up[2] - right[2]*up[1], right[2]*up[0] - right[0]*up[2], right[0]*up[1] - right[1]*up[0],
		}
		if cross.sub(towards).norm() > 1e-12 {
			t.Errorf("%v: right x up = %v, want %v", c, cross, towards)
		}
		if up[2] < 0 {
			t.Errorf("%v: the third axis points down", c)
		}
	}
	// From above, the first two axes lie as in 2-D.
	right, up, _ := Camera{Azimuth: -90, Elevation: 90}.axes()
	if right.sub(point{1, 0, 0}).norm() > 1e-12 || up.sub(point{0, 1, 0}).norm() > 1e-12 {
		t.Errorf("from above: right %v, up %v", right, up)
	}
}

func TestNearPointsHideFarOnes(t *testing.T) {
	// Seen along the first axis, from both ends.
	s := Scatter{Dim: 3, Points: []float32{-1, 0, 0, 1, 0, 0}, Labels: []int32{0, 1}, ClassNames: names(2)}
	for azimuth, front := range map[float64]int{0: 1, 180: 0} {
		s.Camera = &Camera{Azimuth: azimuth}
		p := newLayout(t, NewFigure(s)).panels[0]
		img := p.raster(p.view(), 1)
		got := img.RGBAAt(img.Rect.Dx()/2, img.Rect.Dy()/2)
		if ciede2000(seen(got, machado["normal vision"]), seen(Color(front), machado["normal vision"])) > 15 {
			t.Errorf("from azimuth %g: %v in front, want class %d", azimuth, got, front)
		}
	}
}

func TestCubeFillsThePanel(t *testing.T) {
	for _, camera := range []Camera{defaultCamera, {0, 0}, {45, 89}, {200, -35}} {
		s := blobs(100, 3, 3, 1)
		s.Camera = &camera
		p := newLayout(t, NewFigure(s)).panels[0]
		v := p.view()
		seen := newBox()
		for i := range 8 {
			q := v(p.space.center.sub(cubeCorner(i).scale(-p.space.half)))
			seen.add(point{float64(q.X), float64(q.Y)})
			if q.X < p.area.Min.X || q.X > p.area.Max.X || q.Y < p.area.Min.Y || q.Y > p.area.Max.Y {
				t.Errorf("%v: corner %d at %v is outside of %v", camera, i, q, p.area)
			}
			if q.near < 0 || q.near > 1 {
				t.Errorf("%v: corner %d is near by %g", camera, i, q.near)
			}
		}
		if size := max(seen.hi[0]-seen.lo[0], seen.hi[1]-seen.lo[1]); size < 0.9*float64(p.side) {
			t.Errorf("%v: the cube takes %g of %g points", camera, size, p.side)
		}
	}
}
