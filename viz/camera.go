package viz

import "math"

// Camera is where a 3-D space is seen from, in degrees.
type Camera struct {
	Azimuth   float64 `json:"azimuth"`   // around the third axis, from the first towards the second
	Elevation float64 `json:"elevation"` // above the plane of the first two axes
}

// DefaultCamera is where a 3-D space is seen from if a scatter does not say it.
var DefaultCamera = Camera{Azimuth: -55, Elevation: 22}

// axes returns three unit vectors: to the right and up on the page, and towards the
// viewer.
func (c Camera) axes() (right, up, towards point) {
	sinA, cosA := math.Sincos(c.Azimuth * math.Pi / 180)
	sinE, cosE := math.Sincos(c.Elevation * math.Pi / 180)
	return point{-sinA, cosA, 0},
		point{-sinE * cosA, -sinE * sinA, cosE},
		point{cosE * cosA, cosE * sinA, sinE}
}

// viewerDistance is how far the viewer is from the centre, in units of half the width of
// the space.
const viewerDistance = 7

// view3D returns a mild perspective in which the cube around the space, or the unit
// sphere, fills the area.
func (p *plotted) view3D() view {
	right, up, towards := p.camera.axes()
	project := func(u point) (x, y, depth float64) {
		depth = u.dot(towards)
		k := viewerDistance / (viewerDistance - depth)
		return k * u.dot(right), k * u.dot(up), depth
	}
	var lo, hi [2]float64
	for corner := range 8 {
		x, y, _ := project(cubeCorner(corner))
		lo[0], hi[0] = min(lo[0], x), max(hi[0], x)
		lo[1], hi[1] = min(lo[1], y), max(hi[1], y)
	}
	const share = 0.95 // of the area; the rest is room for tick labels
	k := 2 * share / max(hi[0]-lo[0], hi[1]-lo[1])
	reach := math.Sqrt(3)
	if p.scatter.Sphere {
		lo, hi, reach = [2]float64{}, [2]float64{}, 1/globeHalf
		k = math.Sqrt(viewerDistance*viewerDistance-reach*reach) / viewerDistance // the outline has the radius reach
	}
	return func(q point) spot {
		x, y, depth := project(q.sub(p.space.center).scale(1 / p.space.half))
		return spot{
			Point: p.onArea(k*(x-(lo[0]+hi[0])/2), k*(y-(lo[1]+hi[1])/2)),
			near:  (depth/reach + 1) / 2,
		}
	}
}
