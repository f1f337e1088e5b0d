package viz

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Star marks a point of an embedded space, such as where one image lies, or a class that was
// learned from a few.
type Star struct {
	Name  string    `json:"name"`  // beside the star; that of a class takes the place of its label
	Point []float32 `json:"point"` // [Dim]
}

// checkStars returns an error that wraps one of this package's if a star is not a point of the
// space.
func (s *Scatter) checkStars() error {
	var points []float32
	for i, star := range s.Stars {
		if len(star.Point) != s.Dim {
			return fmt.Errorf("star %d %q has %d coordinates, not %d: %w", i, star.Name, len(star.Point), s.Dim, ErrLength)
		}
		points = append(points, star.Point...)
	}
	if err := (array{"stars", points}).check(s.Dim, finite, "have a NaN or Inf", ErrNotFinite); err != nil {
		return err
	}
	if s.Sphere {
		return (array{"stars", points}).check(s.Dim, onSphere, "are not on the unit sphere", ErrSphere)
	}
	return nil
}

// normalizedStars returns the stars with their points divided by their norms.
func (s *Scatter) normalizedStars() []Star {
	stars := slices.Clone(s.Stars)
	for i := range stars {
		stars[i].Point = normalized(stars[i].Point, s.Dim)
	}
	return stars
}

// hasStar reports whether a star has that name.
func (s *Scatter) hasStar(name string) bool {
	return slices.ContainsFunc(s.Stars, func(star Star) bool { return star.Name == name })
}

// drawStars draws the stars with their names, and returns where they are.
func (p *plotted) drawStars(c vg.Canvas, v view) (taken []vg.Rectangle) {
	radius := 0.55 * p.labelSize
	for i, at := range p.content.stars {
		center := v(at).Point
		c.SetColor(white)
		c.Fill(star(center, 1.45*radius))
		c.SetColor(black)
		c.Fill(star(center, radius))
		taken = append(taken, around(center, 2*radius, 2*radius))

		face, text := fit(bold(p.labelSize), printable(p.scatter.Stars[i].Name), p.side/3)
		width, height := face.Width(text), p.labelSize*capHeight
		middle := center.Add(vg.Point{X: 1.6*radius + width/2})
		if middle.X+width/2 > p.area.Max.X-clearance/2 { // no room to the right
			middle.X = center.X - 1.6*radius - width/2
		}
		start := middle.Sub(vg.Point{X: width / 2, Y: height / 2})
		drawHalo(c, face, start, text)
		drawText(c, face, start, text, black)
		taken = append(taken, around(middle, width+clearance, height+clearance))
	}
	return taken
}

// star returns a star of five points in a circle.
func star(center vg.Point, radius vg.Length) (path vg.Path) {
	const inner = 0.45 // of the radius, where two points meet
	for i := range 10 {
		r := radius
		if i%2 == 1 {
			r *= inner
		}
		sin, cos := math.Sincos(math.Pi/2 + math.Pi/5*float64(i))
		corner := center.Add(vg.Point{X: r * vg.Length(cos), Y: r * vg.Length(sin)})
		if i == 0 {
			path.Move(corner)
		} else {
			path.Line(corner)
		}
	}
	path.Close()
	return path
}
