package viz

import (
	"math"
	"slices"
)

// content is what of a scatter is drawn, in the dimensions of the picture.
type content struct {
	dim     int // 2 or 3; 1 before the strip is laid out
	points  []point
	labels  []int32   // of points
	norms   []float64 // of points, in the embedded space
	origin  point
	rays    []point // the class vectors divided by their norms, or nil; 0 has no ray
	targets []point
	classes int
	shares  []float64 // of the variance, by principal component; nil if there are none
}

// content brings the scatter to at most 3 dimensions.
func (s *Scatter) content() (content, error) {
	pr := projection{}
	d := content{dim: s.Dim, labels: s.Labels, classes: len(s.ClassNames)}
	if s.Dim > 3 {
		var err error
		if pr, err = principal(s.Points, s.Dim); err != nil {
			return d, err
		}
		d.dim, d.shares, d.origin = 2, pr.shares, pr.place(make([]float32, s.Dim))
	}
	row := func(rows []float32, i int) []float32 { return rows[i*s.Dim : (i+1)*s.Dim] }
	for i := range s.Labels {
		d.points = append(d.points, pr.place(row(s.Points, i)))
		d.norms = append(d.norms, norm(row(s.Points, i)))
	}
	for i := range numRows(s.ClassVectors, s.Dim) {
		w := row(s.ClassVectors, i)
		direction := pr.direction(w)
		if n := norm(w); n > 0 {
			direction = direction.scale(1 / n)
		}
		d.rays = append(d.rays, direction)
	}
	for i := range numRows(s.Targets, s.Dim) {
		d.targets = append(d.targets, pr.place(row(s.Targets, i)))
	}
	return d, nil
}

// keep drops the points that are not inside, and returns their number.
func (d *content) keep(keep func(point) bool) (dropped int) {
	kept := *d
	kept.points, kept.labels, kept.norms = nil, nil, nil
	for i, p := range d.points {
		if keep(p) {
			kept.points = append(kept.points, p)
			kept.labels = append(kept.labels, d.labels[i])
			kept.norms = append(kept.norms, d.norms[i])
		}
	}
	dropped = len(d.points) - len(kept.points)
	*d = kept
	return dropped
}

// space is the part of the space that is drawn: a square or cube.
type space struct {
	dim       int
	center    point
	half      float64 // half its width
	rayLength float64 // length of the rays
}

func (sp space) contains(p point) bool {
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

// space returns the part of the space that is drawn, as documented at the
// package.
func (d *content) space() space {
	core := newBox()
	for _, rows := range d.byClass() {
		for j := range d.dim {
			values := make([]float64, len(rows))
			for i, row := range rows {
				values[i] = d.points[row][j]
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
	for j := range d.dim {
		reach = max(reach, (core.hi[j]-core.lo[j])/2)
	}
	sp := space{dim: d.dim}
	shown := newBox()
	var norms []float64
	for i, p := range d.points {
		if reach == 0 || core.near(p, reach, d.dim) {
			shown.add(p)
			norms = append(norms, d.norms[i])
		}
	}
	for _, p := range d.targets {
		shown.add(p)
	}
	if d.rays != nil {
		shown.add(d.origin)
		slices.Sort(norms)
		sp.rayLength = norms[(len(norms)-1)*99/100]
		d.addRays(&shown, sp.rayLength)
	}

	var size float64 // of the coordinates, below which a width is rounding
	for j := range d.dim {
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
func (d *content) addRays(b *box, length float64) {
	var room float64
	for j := range d.dim {
		room = max(room, labelRoom*(b.hi[j]-b.lo[j])/2)
	}
	limit := *b
	for _, direction := range d.rays {
		if direction == (point{}) {
			continue
		}
		tip := d.origin.add(direction.scale((1 + labelRoom) * length))
		for j := range d.dim {
			tip[j] = min(max(tip[j], limit.lo[j]-room), limit.hi[j]+room)
		}
		b.add(tip)
	}
}

// cut returns the length of a ray from a point that leaves room for a label
// before the edge of the space.
func (sp space) cut(from, direction point) float64 {
	length := sp.rayLength
	for j := range sp.dim {
		edge := sp.center[j] + math.Copysign((1-labelRoom)*sp.half, direction[j])
		if direction[j] != 0 {
			length = min(length, (edge-from[j])/direction[j])
		}
	}
	return max(0, length)
}

// byClass returns the rows of the points of each class that has any.
func (d *content) byClass() map[int32][]int {
	rows := make(map[int32][]int)
	for i, label := range d.labels {
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
