package viz

import (
	"fmt"
	"math"
	"slices"
)

// Scatter is one picture of an embedded space.
type Scatter struct {
	Title string // above the panel; none if empty
	Note  string // a small line below the title, such as "test accuracy 98.4 %"

	Points     []float32 // [n, Dim], row by row
	Dim        int       // 2 or 3
	Labels     []int32   // [n], the class of each point, which gives its colour
	ClassNames []string  // [classes]

	ClassVectors []float32 // [classes, Dim], or nil: rays from the origin in their directions
	Targets      []float32 // [classes, Dim], or nil: black crosses

	Camera *Camera // where a 3-D space is seen from; nil is Camera{-55, 22}
}

// point is a place in the embedded space; the third coordinate is 0 in 2-D.
type point [3]float64

func (p point) norm() float64 { return math.Sqrt(p.dot(p)) }

func (p point) dot(q point) float64 { return p[0]*q[0] + p[1]*q[1] + p[2]*q[2] }

func (p point) scale(s float64) point { return point{s * p[0], s * p[1], s * p[2]} }

func (p point) sub(q point) point { return point{p[0] - q[0], p[1] - q[1], p[2] - q[2]} }

// at returns row i of an array of Dim columns.
func (s *Scatter) at(rows []float32, i int) (p point) {
	for j, v := range rows[i*s.Dim : (i+1)*s.Dim] {
		p[j] = float64(v)
	}
	return p
}

// validate reports the first thing that is wrong with the scatter.
func (s *Scatter) validate() error {
	if s.Dim != 2 && s.Dim != 3 {
		return fmt.Errorf("dimension Dim = %d: %w", s.Dim, ErrDim)
	}
	if len(s.Points) == 0 {
		return fmt.Errorf("no points: %w", ErrEmpty)
	}
	if len(s.ClassNames) == 0 {
		return fmt.Errorf("no class names: %w", ErrEmpty)
	}
	if len(s.Points)%s.Dim != 0 {
		return fmt.Errorf("%d coordinates are not a multiple of Dim = %d: %w", len(s.Points), s.Dim, ErrLength)
	}
	if n := len(s.Points) / s.Dim; len(s.Labels) != n {
		return fmt.Errorf("%d labels for %d points: %w", len(s.Labels), n, ErrLength)
	}
	for i, label := range s.Labels {
		if label < 0 || int(label) >= len(s.ClassNames) {
			return fmt.Errorf("label %d of point %d, of %d classes: %w", label, i, len(s.ClassNames), ErrLabel)
		}
	}
	for _, rows := range []struct {
		name   string
		values []float32
	}{{"class vectors", s.ClassVectors}, {"targets", s.Targets}} {
		if want := len(s.ClassNames) * s.Dim; rows.values != nil && len(rows.values) != want {
			return fmt.Errorf("%d coordinates of %s, not %d (%d classes in %d dimensions): %w",
				len(rows.values), rows.name, want, len(s.ClassNames), s.Dim, ErrLength)
		}
	}
	for _, rows := range []struct {
		name   string
		values []float32
	}{{"points", s.Points}, {"class vectors", s.ClassVectors}, {"targets", s.Targets}} {
		count, first := 0, 0
		for i := range len(rows.values) / s.Dim {
			if p := s.at(rows.values, i); math.IsNaN(p.norm()) || math.IsInf(p.norm(), 0) {
				if count == 0 {
					first = i
				}
				count++
			}
		}
		if count > 0 {
			return fmt.Errorf("%d of %d %s have a NaN or Inf, first %s[%d] = %v: %w", count, len(rows.values)/s.Dim,
				rows.name, rows.name, first, rows.values[first*s.Dim:(first+1)*s.Dim], ErrNotFinite)
		}
	}
	if c := s.Camera; c != nil && math.IsNaN(c.Azimuth-c.Azimuth+c.Elevation-c.Elevation) { // NaN or Inf
		return fmt.Errorf("camera %+v: %w", *c, ErrNotFinite)
	}
	return nil
}

// space is the part of the embedded space that is drawn: a square or cube.
type space struct {
	dim    int
	center point
	half   float64 // half its width
	ray    float64 // length of the rays
}

func (sp space) holds(p point) bool {
	for j := range sp.dim {
		if math.Abs(p[j]-sp.center[j]) > sp.half {
			return false
		}
	}
	return true
}

// padding is the share of its half width by which a space is wider than what it
// holds, and labelRoom the share between a ray and the edge that is left for
// the ray's label.
const (
	padding   = 0.06
	labelRoom = 0.10
)

// space returns the part of the embedded space that is drawn, as documented at
// the package.
func (s *Scatter) space() space {
	core := newBox()
	for _, rows := range s.byClass() {
		for j := range s.Dim {
			values := make([]float64, len(rows))
			for i, row := range rows {
				values[i] = float64(s.Points[row*s.Dim+j])
			}
			slices.Sort(values)
			trim := 0
			if len(values) >= 5 {
				trim = 1 + len(values)/50
			}
			core.lo[j] = min(core.lo[j], values[trim])
			core.hi[j] = max(core.hi[j], values[len(values)-1-trim])
		}
	}
	var reach float64
	for j := range s.Dim {
		reach = max(reach, (core.hi[j]-core.lo[j])/2)
	}
	sp := space{dim: s.Dim}
	shown := newBox()
	var norms []float64
	for i := range s.Labels {
		p := s.at(s.Points, i)
		if reach == 0 || core.near(p, reach, s.Dim) {
			shown.add(p)
			norms = append(norms, p.norm())
		}
	}
	for i := range len(s.Targets) / s.Dim {
		shown.add(s.at(s.Targets, i))
	}
	if s.ClassVectors != nil {
		shown.add(point{})
		slices.Sort(norms)
		sp.ray = norms[(len(norms)-1)*99/100]
		s.addRays(&shown, sp.ray)
	}

	var size float64 // of the coordinates, below which a width is rounding
	for j := range s.Dim {
		sp.center[j] = (shown.lo[j] + shown.hi[j]) / 2
		sp.half = max(sp.half, (shown.hi[j]-shown.lo[j])/2)
		size = max(size, math.Abs(sp.center[j]))
	}
	if sp.half <= 1e-6*size {
		sp.half = 0.1 * size
	}
	if sp.half == 0 {
		sp.half = 1
	}
	sp.half *= 1 + padding
	return sp
}

// addRays enlarges the box towards the ends of the rays with their labels, but
// not by more than labelRoom.
func (s *Scatter) addRays(b *box, length float64) {
	var room float64
	for j := range s.Dim {
		room = max(room, labelRoom*(b.hi[j]-b.lo[j])/2)
	}
	limit := *b
	for i := range s.ClassNames {
		w := s.at(s.ClassVectors, i)
		if w.norm() == 0 {
			continue
		}
		tip := w.scale((1 + labelRoom) * length / w.norm())
		for j := range s.Dim {
			tip[j] = min(max(tip[j], limit.lo[j]-room), limit.hi[j]+room)
		}
		b.add(tip)
	}
}

// cut returns the length of a ray from the origin that leaves room for a label
// before the edge of the space.
func (sp space) cut(direction point) float64 {
	length := sp.ray
	for j := range sp.dim {
		edge := sp.center[j] + math.Copysign((1-labelRoom)*sp.half, direction[j])
		if direction[j] != 0 {
			length = min(length, edge/direction[j])
		}
	}
	return max(0, length)
}

// byClass returns the rows of the points of each class that has any.
func (s *Scatter) byClass() map[int32][]int {
	rows := make(map[int32][]int)
	for i, label := range s.Labels {
		rows[label] = append(rows[label], i)
	}
	return rows
}

// box is an axis-parallel box, empty at first.
type box struct{ lo, hi point }

func newBox() box {
	inf := math.Inf(1)
	return box{lo: point{inf, inf, inf}, hi: point{-inf, -inf, -inf}}
}

func (b *box) add(p point) {
	for j := range p {
		b.lo[j], b.hi[j] = min(b.lo[j], p[j]), max(b.hi[j], p[j])
	}
}

// near reports whether p lies no further than reach outside of the box.
func (b *box) near(p point, reach float64, dim int) bool {
	for j := range dim {
		if p[j] < b.lo[j]-reach || p[j] > b.hi[j]+reach {
			return false
		}
	}
	return true
}
