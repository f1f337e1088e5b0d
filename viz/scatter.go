package viz

import (
	"fmt"
	"math"
	"slices"
)

// Scatter is one picture of an embedded space.
//
// Its JSON leaves out the arrays Points, Labels, ClassVectors and Targets: whoever
// stores a scatter stores them beside it, in a format for arrays. It leaves out
// Regions too, which is a function.
type Scatter struct {
	Title string `json:"title"` // above the panel; none if empty
	Note  string `json:"note"`  // a small line below the title, such as "test accuracy 98.4 %"

	Points     []float32 `json:"-"`           // [n, Dim], row by row
	Dim        int       `json:"dim"`         // 1 or more; above 3 two principal components are drawn
	Labels     []int32   `json:"-"`           // [n], the class of each point, which gives its colour
	ClassNames []string  `json:"class_names"` // [classes]

	ClassVectors []float32 `json:"-"` // [classes, Dim], or nil: rays from the origin in their directions
	Targets      []float32 `json:"-"` // [classes, Dim], or nil: black crosses

	// Regions is the decision rule of a 2-D space, or nil: it returns the class of
	// each of the points [n, 2]. It is called once, with a point per pixel (640,000 in
	// a single panel). The region of each class is drawn behind everything else.
	Regions func(points []float32) ([]int32, error) `json:"-"`

	// Sphere says that the points lie on the unit circle (2-D) or sphere, as those
	// of [Scatter.Projected] do, and draws it (in 1-D there is nothing to draw).
	// Points and targets must have norm 1 or 0.
	Sphere bool `json:"sphere"`

	// Camera is where a 3-D space is seen from; nil is Camera{-55, 22}.
	Camera *Camera `json:"camera,omitempty"`

	// Missing says why there are no points, such as "not trained yet": the panel is
	// an empty frame with this text. All other fields but Title and Note are ignored,
	// and Points must be empty.
	Missing string `json:"missing,omitempty"`
}

// Projected returns the projection of the scatter to the unit circle or sphere:
// every point, class vector and target is divided by its norm (those at the
// origin stay there), and Sphere is set. The scatter itself stays as it is.
//
// Regions goes along. It is right there for a rule that depends on the direction
// only, as those of normalized features do; set it to nil for any other rule.
func (s Scatter) Projected() Scatter {
	s.Points = normalized(s.Points, s.Dim)
	s.ClassVectors = normalized(s.ClassVectors, s.Dim)
	s.Targets = normalized(s.Targets, s.Dim)
	s.Sphere = true
	return s
}

// normalized returns a copy of the rows, each divided by its norm. Rows whose
// norm is 0 or not finite stay as they are.
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

// numRows returns the number of whole rows of dim columns.
func numRows(rows []float32, dim int) int {
	if dim < 1 {
		return 0
	}
	return len(rows) / dim
}

func norm(row []float32) float64 {
	var square float64
	for _, v := range row {
		square += float64(v) * float64(v)
	}
	return math.Sqrt(square)
}

// validate reports the first thing that is wrong with the scatter.
func (s *Scatter) validate() error {
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
	type rows struct {
		name   string
		values []float32
	}
	for _, r := range []rows{{"class vectors", s.ClassVectors}, {"targets", s.Targets}} {
		if want := len(s.ClassNames) * s.Dim; r.values != nil && len(r.values) != want {
			return fmt.Errorf("%d coordinates of %s, not %d (%d classes in %d dimensions): %w",
				len(r.values), r.name, want, len(s.ClassNames), s.Dim, ErrLength)
		}
	}
	for _, r := range []rows{{"points", s.Points}, {"class vectors", s.ClassVectors}, {"targets", s.Targets}} {
		if i, n := s.offending(r.values, finite); n > 0 {
			return fmt.Errorf("%d of %d %s have a NaN or Inf, first %s[%d] = %v: %w", n, len(r.values)/s.Dim,
				r.name, r.name, i, r.values[i*s.Dim:(i+1)*s.Dim], ErrNotFinite)
		}
	}
	if s.Sphere {
		for _, r := range []rows{{"points", s.Points}, {"targets", s.Targets}} {
			if i, n := s.offending(r.values, onSphere); n > 0 {
				return fmt.Errorf("%d of %d %s are not on the unit sphere, first %s[%d] = %v (Projected puts them there): %w", n,
					len(r.values)/s.Dim, r.name, r.name, i, r.values[i*s.Dim:(i+1)*s.Dim], ErrSphere)
			}
		}
	}
	if s.Regions != nil && s.Dim != 2 {
		return fmt.Errorf("field Regions with Dim = %d: %w", s.Dim, ErrRegions)
	}
	if c := s.Camera; c != nil && math.IsNaN(c.Azimuth-c.Azimuth+c.Elevation-c.Elevation) { // NaN or Inf
		return fmt.Errorf("camera %+v: %w", *c, ErrNotFinite)
	}
	return nil
}

// offending returns the first row that is not good and the number of them.
func (s *Scatter) offending(rows []float32, good func(row []float32) bool) (first, n int) {
	for i := range numRows(rows, s.Dim) {
		if !good(rows[i*s.Dim : (i+1)*s.Dim]) {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	return first, n
}

func finite(row []float32) bool { n := norm(row); return !math.IsNaN(n) && !math.IsInf(n, 0) }

// onSphere leaves room for coordinates of 8 bits of precision.
func onSphere(row []float32) bool { n := norm(row); return n == 0 || math.Abs(n-1) < 0.01 }
