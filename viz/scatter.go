package viz

import (
	"fmt"
	"math"
	"slices"
)

// Scatter is one picture of an embedded space.
//
// Its JSON leaves out the arrays Points, Labels, Unknown, ClassVectors, Targets and Arrows:
// whoever stores a scatter stores them beside it, in a format for arrays. It leaves out
// Regions too, which is a function.
type Scatter struct {
	Title string `json:"title"` // above the panel; none if empty
	Note  string `json:"note"`  // a small line below the title, such as "test accuracy 98.4 %"

	Points     []float32 `json:"-"`           // [n, Dim], row by row
	Dim        int       `json:"dim"`         // 1 or more; above 3 two principal components are drawn
	Labels     []int32   `json:"-"`           // [n], the class of each point, which gives its colour
	ClassNames []string  `json:"class_names"` // [classes]

	Unknown []float32 `json:"-"` // [m, Dim], or nil: points of no class, drawn as dark rings

	ClassVectors []float32 `json:"-"` // [classes, Dim], or nil: rays from the origin in their directions
	Targets      []float32 `json:"-"` // [classes, Dim], or nil: black crosses

	Stars []Star `json:"stars,omitempty"` // points that are marked by name
	// Arrows [n, Dim], or nil, are vectors that begin at the points, such as minus the
	// gradient of a loss. All have one scale, by which the longest is a seventh as long as
	// the panel is wide; a corner of the panel says what its length is.
	Arrows []float32 `json:"-"`

	// Regions is the decision rule of a 2-D space, or nil: it returns the class of
	// each of the points [n, 2]. It is called once, with a point per pixel (640,000 in
	// a single panel). The region of each class is drawn behind everything else; the
	// number of classes stands for unknown, which is white. An error of the rule is
	// returned, wrapped, by the method that draws the figure.
	Regions func(points []float32) ([]int32, error) `json:"-"`

	// Sphere says that the points lie on the unit circle (2-D) or sphere, as those
	// of [Scatter.Projected] do, and draws it (in 1-D there is nothing to draw).
	// Points, also unknown ones, targets and stars must have norm 1 or 0.
	Sphere bool `json:"sphere"`

	// Camera is where a 3-D space is seen from; nil is DefaultCamera.
	Camera *Camera `json:"camera,omitempty"`

	// Missing says why there are no points, such as "not trained yet": the panel is
	// an empty frame with this text. All other fields but Title and Note are ignored,
	// and Points must be empty.
	Missing string `json:"missing,omitempty"`
}

// Projected returns the scatter projected onto the unit circle or sphere: each point,
// class vector, target and star is divided by its norm, unless that is 0, and Sphere is set.
// Arrows are left out. The arrays of s stay as they are.
//
// Regions is kept. It is still right for a rule that depends only on the direction of a
// point, as with normalized features; for any other rule, set it to nil.
func (s Scatter) Projected() Scatter {
	s.Points = normalized(s.Points, s.Dim)
	s.Unknown = normalized(s.Unknown, s.Dim)
	s.ClassVectors = normalized(s.ClassVectors, s.Dim)
	s.Targets = normalized(s.Targets, s.Dim)
	s.Stars = s.normalizedStars()
	s.Sphere, s.Arrows = true, nil
	return s
}

// Turned returns the scatter as it is seen when the camera goes on by some degrees around the
// third axis. Two views tell what is in front of what: NewFigure(s, s.Turned(90)).
func (s Scatter) Turned(degrees float64) Scatter {
	camera := DefaultCamera
	if s.Camera != nil {
		camera = *s.Camera
	}
	camera.Azimuth += degrees
	s.Camera = &camera
	return s
}

// normalized returns a copy of the rows, each divided by its norm. Rows whose norm is 0 or
// not finite are kept as they are.
func normalized(rows []float32, dim int) []float32 {
	rows = slices.Clone(rows)
	for i := range numRows(rows, dim) {
		row := rows[i*dim : (i+1)*dim]
		if n := norm(row); n > 0 && !math.IsInf(n, 0) {
			for j := range row {
				row[j] = float32(float64(row[j]) / n)
			}
		}
	}
	return rows
}

// numRows returns the number of whole rows with dim columns.
func numRows(rows []float32, dim int) int {
	if dim < 1 {
		return 0
	}
	return len(rows) / dim
}

// norm returns the Euclidean norm.
func norm(row []float32) float64 {
	var square float64
	for _, v := range row {
		square += float64(v) * float64(v)
	}
	return math.Sqrt(square)
}

// Validate reports the first thing that is wrong with the scatter, as an error that wraps one
// of this package's.
func (s Scatter) Validate() error {
	if s.Missing != "" {
		if len(s.Points) > 0 {
			return fmt.Errorf("field Missing is %q, with %d coordinates of points: %w", s.Missing, len(s.Points), ErrMissing)
		}
		return nil
	}
	if s.Dim < 1 {
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
	if len(s.Unknown)%s.Dim != 0 {
		return fmt.Errorf("%d coordinates of unknown points are not a multiple of Dim = %d: %w", len(s.Unknown), s.Dim, ErrLength)
	}
	points, unknown := array{"points", s.Points}, array{"unknown points", s.Unknown}
	vectors, targets := array{"class vectors", s.ClassVectors}, array{"targets", s.Targets}
	for _, a := range []array{vectors, targets} {
		if want := len(s.ClassNames) * s.Dim; a.values != nil && len(a.values) != want {
			return fmt.Errorf("%d coordinates of %s, not %d (%d classes in %d dimensions): %w",
				len(a.values), a.name, want, len(s.ClassNames), s.Dim, ErrLength)
		}
	}
	arrows := array{"arrows", s.Arrows}
	if s.Arrows != nil && len(s.Arrows) != len(s.Points) {
		return fmt.Errorf("%d coordinates of arrows for %d of points: %w", len(s.Arrows), len(s.Points), ErrLength)
	}
	if s.Arrows != nil && s.Sphere {
		return fmt.Errorf("arrows of %d points on the unit sphere: %w", len(s.Labels), ErrArrows)
	}
	for _, a := range []array{points, unknown, vectors, targets, arrows} {
		if err := a.check(s.Dim, finite, "have a NaN or Inf", ErrNotFinite); err != nil {
			return err
		}
	}
	if s.Sphere {
		for _, a := range []array{points, unknown, targets} {
			if err := a.check(s.Dim, onSphere, "are not on the unit sphere", ErrSphere); err != nil {
				return err
			}
		}
	}
	if err := s.checkStars(); err != nil {
		return err
	}
	if s.Regions != nil && s.Dim != 2 {
		return fmt.Errorf("field Regions with Dim = %d: %w", s.Dim, ErrRegions)
	}
	if c := s.Camera; c != nil && math.IsNaN(c.Azimuth-c.Azimuth+c.Elevation-c.Elevation) { // NaN or Inf
		return fmt.Errorf("camera %+v: %w", *c, ErrNotFinite)
	}
	return nil
}

// array is one of the arrays of a scatter.
type array struct {
	name   string
	values []float32
}

// check returns an error that wraps cause if rows of dim columns are not good: it says how
// many, what is wrong with them, and which is the first.
func (a array) check(dim int, good func(row []float32) bool, wrong string, cause error) error {
	first, bad := 0, 0
	for i := range numRows(a.values, dim) {
		if !good(a.values[i*dim : (i+1)*dim]) {
			if bad == 0 {
				first = i
			}
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d %s %s, first %s[%d] = %v: %w", bad, len(a.values)/dim, a.name, wrong,
		a.name, first, a.values[first*dim:(first+1)*dim], cause)
}

// finite reports whether no coordinate is NaN or Inf.
func finite(row []float32) bool { n := norm(row); return !math.IsNaN(n) && !math.IsInf(n, 0) }

// onSphere reports whether the norm is 1 or 0, up to the rounding of coordinates to 8 bits.
func onSphere(row []float32) bool { n := norm(row); return n == 0 || math.Abs(n-1) < 0.01 }
