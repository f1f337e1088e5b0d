package viz

import (
	"fmt"
	"math"
	"slices"
)

// content is what is drawn of a scatter, in the drawn dimensions.
type content struct {
	dim     int // 2 or 3; 1 until the strip is laid out
	points  []point
	labels  []int32   // of the points
	norms   []float64 // of the points, in the embedded space
	unknown []point
	arrows  []point // of the points; nil without
	origin  point
	rays    []point // the class vectors at length 1, shorter if they point out of the picture; nil without
	targets []point
	stars   []point
	classes int       // their number
	shares  []float64 // of the variance, by principal component; nil without
}

// content returns what is drawn of the scatter: in more than 3 dimensions its first two
// principal components.
func (s Scatter) content() (content, error) {
	pr, err := s.projection()
	if err != nil {
		return content{}, err
	}
	return s.along(pr), nil
}

// projection returns how the scatter is drawn: in more than 3 dimensions along its first two
// principal components.
func (s Scatter) projection() (projection, error) {
	if s.Dim <= 3 {
		return projection{}, nil
	}
	return principal(s.Points, s.Dim)
}

// along returns what a projection draws of the scatter.
func (s Scatter) along(pr projection) content {
	c := content{dim: s.Dim, labels: s.Labels, classes: len(s.ClassNames)}
	if pr.axes != nil {
		c.dim, c.shares, c.origin = len(pr.axes), pr.shares, pr.place(make([]float32, s.Dim))
	}
	row := func(rows []float32, i int) []float32 { return rows[i*s.Dim : (i+1)*s.Dim] }
	for i := range s.Labels {
		c.points = append(c.points, pr.place(row(s.Points, i)))
		c.norms = append(c.norms, norm(row(s.Points, i)))
		if s.Arrows != nil {
			c.arrows = append(c.arrows, pr.direction(row(s.Arrows, i)))
		}
	}
	for i := range numRows(s.Unknown, s.Dim) {
		c.unknown = append(c.unknown, pr.place(row(s.Unknown, i)))
	}
	for i := range numRows(s.ClassVectors, s.Dim) {
		w := row(s.ClassVectors, i)
		direction := pr.direction(w)
		if n := norm(w); n > 0 {
			direction = direction.scale(1 / n)
		}
		c.rays = append(c.rays, direction)
	}
	for i := range numRows(s.Targets, s.Dim) {
		c.targets = append(c.targets, pr.place(row(s.Targets, i)))
	}
	for _, star := range s.Stars {
		c.stars = append(c.stars, pr.place(star.Point))
	}
	return c
}

// dropOutside drops the points outside the space, and returns their number.
func (c *content) dropOutside(sp space) (dropped int) {
	kept := *c
	kept.points, kept.labels, kept.norms, kept.unknown, kept.arrows = nil, nil, nil, nil, nil
	for i, p := range c.points {
		if sp.contains(p) {
			kept.points = append(kept.points, p)
			kept.labels = append(kept.labels, c.labels[i])
			kept.norms = append(kept.norms, c.norms[i])
			if c.arrows != nil {
				kept.arrows = append(kept.arrows, c.arrows[i])
			}
		}
	}
	for _, p := range c.unknown {
		if sp.contains(p) {
			kept.unknown = append(kept.unknown, p)
		}
	}
	dropped = len(c.points) - len(kept.points) + len(c.unknown) - len(kept.unknown)
	*c = kept
	return dropped
}

// space is the part of the embedded space that is drawn: a square or cube.
type space struct {
	dim       int
	center    point
	half      float64 // of the width
	rayLength float64 // 0 without rays
}

// A Frame is the part of an embedded space that a picture shows: a square or cube.
type Frame struct {
	Center [3]float64 `json:"center"`
	Half   float64    `json:"half"` // of its width
	Ray    float64    `json:"ray"`  // the length of class vectors; 0 without
}

// Frame returns what a picture of the scatter shows: see the documentation of the package.
// The scatter has 2 or 3 dimensions.
func (s Scatter) Frame() (Frame, error) {
	if err := s.Validate(); err != nil {
		return Frame{}, err
	}
	if s.Dim != 2 && s.Dim != 3 {
		return Frame{}, fmt.Errorf("the frame of a scatter with Dim = %d; allowed: 2, 3: %w", s.Dim, ErrDim)
	}
	c, err := s.content()
	if err != nil {
		return Frame{}, err
	}
	sp := c.space()
	return Frame{sp.center, sp.half, sp.rayLength}, nil
}

func (sp space) contains(p point) bool {
	for j := range sp.dim {
		if math.Abs(p[j]-sp.center[j]) > sp.half {
			return false
		}
	}
	return true
}

// Shares of half the width of a space.
const (
	padding   = 0.06 // around what the space holds
	labelRoom = 0.10 // between the end of a ray and the edge, for the label
)

// core returns the box of the points without the outermost of each class, see the
// documentation of the package.
func (c *content) core() box {
	core := newBox()
	for _, indices := range c.byClass() {
		for j := range c.dim {
			values := make([]float64, len(indices))
			for k, i := range indices {
				values[k] = c.points[i][j]
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
	return core
}

// space returns the part of the embedded space that is drawn, see the documentation of
// the package.
func (c *content) space() space {
	core := c.core()
	var reach float64
	for j := range c.dim {
		reach = max(reach, (core.hi[j]-core.lo[j])/2)
	}
	if !slices.ContainsFunc(c.points, func(p point) bool { return core.near(p, reach, c.dim) }) {
		reach = 0 // of a few points in 3-D, each may be an outlier in one of the coordinates
	}
	sp := space{dim: c.dim}
	shown := newBox()
	var norms []float64
	for i, p := range c.points {
		if reach == 0 || core.near(p, reach, c.dim) {
			shown.add(p)
			norms = append(norms, c.norms[i])
		}
	}
	for _, p := range c.unknown {
		if reach == 0 || core.near(p, reach, c.dim) {
			shown.add(p)
		}
	}
	for _, p := range slices.Concat(c.targets, c.stars) {
		shown.add(p)
	}
	if c.rays != nil {
		shown.add(c.origin)
		slices.Sort(norms)
		sp.rayLength = norms[(len(norms)-1)*99/100]
		c.addRays(&shown, sp.rayLength)
	}

	var size float64 // of the coordinates: a much smaller width is rounding
	for j := range c.dim {
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
	if c.arrows != nil {
		sp.half *= arrowRoom
	}
	return sp
}

// addRays enlarges the box for the ends of the rays and their labels, but not by more
// than labelRoom.
func (c *content) addRays(b *box, rayLength float64) {
	var room float64
	for j := range c.dim {
		room = max(room, labelRoom*(b.hi[j]-b.lo[j])/2)
	}
	limit := *b
	for _, direction := range c.rays {
		if direction == (point{}) {
			continue
		}
		tip := c.origin.add(direction.scale((1 + labelRoom) * rayLength))
		for j := range c.dim {
			tip[j] = min(max(tip[j], limit.lo[j]-room), limit.hi[j]+room)
		}
		b.add(tip)
	}
}

// cut returns the length of a ray from a point: rayLength, or less where its label would
// find no room before the edge of the space.
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

// byClass returns the indices of the points of each class that has any.
func (c *content) byClass() map[int32][]int {
	indices := make(map[int32][]int)
	for i, class := range c.labels {
		indices[class] = append(indices[class], i)
	}
	return indices
}

// box is a box whose sides are parallel to the axes.
type box struct{ lo, hi point }

// newBox returns an empty box.
func newBox() box {
	inf := math.Inf(1)
	return box{lo: point{inf, inf, inf}, hi: point{-inf, -inf, -inf}}
}

// add enlarges the box so that it holds p.
func (b *box) add(p point) {
	for j := range p {
		b.lo[j], b.hi[j] = min(b.lo[j], p[j]), max(b.hi[j], p[j])
	}
}

// near reports whether p is in the box or at most reach outside of it, in each of the
// first dim coordinates.
func (b *box) near(p point, reach float64, dim int) bool {
	for j := range dim {
		if p[j] < b.lo[j]-reach || p[j] > b.hi[j]+reach {
			return false
		}
	}
	return true
}
