package viz

import (
	"math"
	"testing"
)

func TestCameraAxes(t *testing.T) {
	for _, c := range []Camera{{}, {-90, 90}, {-55, 22}, {130, -40}, {720, 10}} {
		right, up, towards := c.axes()
		for _, a := range []point{right, up, towards} {
			if math.Abs(a.norm()-1) > 1e-12 {
				t.Errorf("%v: axis %v is no unit vector", c, a)
			}
		}
		product := point{
			right[1]*up[2] - right[2]*up[1], right[2]*up[0] - right[0]*up[2], right[0]*up[1] - right[1]*up[0],
		}
		if product.sub(towards).norm() > 1e-12 {
			t.Errorf("%v: right x up = %v, want %v", c, product, towards)
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

func TestCubeFillsThePanel(t *testing.T) {
	for _, camera := range []Camera{DefaultCamera, {0, 0}, {45, 89}, {200, -35}} {
		s := blobs(100, 3, 3, 1)
		s.Camera = &camera
		p := newLayout(t, NewFigure(s)).panel(0)
		v := p.view()
		extent := newBox()
		for i := range 8 {
			q := v(p.space.center.sub(cubeCorner(i).scale(-p.space.half)))
			extent.add(point{float64(q.X), float64(q.Y)})
			if q.X < p.area.Min.X || q.X > p.area.Max.X || q.Y < p.area.Min.Y || q.Y > p.area.Max.Y {
				t.Errorf("%v: corner %d at %v is outside of %v", camera, i, q, p.area)
			}
			if q.near < 0 || q.near > 1 {
				t.Errorf("%v: corner %d is near by %g", camera, i, q.near)
			}
		}
		if size := max(extent.hi[0]-extent.lo[0], extent.hi[1]-extent.lo[1]); size < 0.9*float64(p.side) {
			t.Errorf("%v: the cube takes %g of %g points", camera, size, p.side)
		}
	}
}

func TestTurned(t *testing.T) {
	s := blobs(10, 2, 3, 1)
	if got := s.Turned(90).Camera; *got != (Camera{DefaultCamera.Azimuth + 90, DefaultCamera.Elevation}) || s.Camera != nil {
		t.Errorf("turned to %v, before %v", got, s.Camera)
	}
	s.Camera = &Camera{10, 20}
	if got := s.Turned(-30).Camera; *got != (Camera{-20, 20}) || *s.Camera != (Camera{10, 20}) {
		t.Errorf("turned to %v, before %v", got, s.Camera)
	}
}
