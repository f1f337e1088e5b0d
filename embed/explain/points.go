// Package explain says why a network puts an image where it lies in an embedded space: by other
// images (Points: neighbours, outliers, counterfactuals, paths, influence; Summarize: prototypes
// and criticisms), and by the pixels of the image itself (Function: gradients, occlusion,
// deletion). It takes arrays and functions, and knows neither networks nor datasets.
//
// Distances are Euclidean. Of points at the same distance the first is nearer, of classes that
// fit as well the lowest wins.
package explain

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/internal/parallel"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// Points are images as points of an embedded space, such as those of the training.
type Points struct {
	Z      [][]float64 // [n][dim]
	Labels []int32     // [n], 0 or more
}

// A Neighbour is one of the Points, seen from another point.
type Neighbour struct {
	Index    int // of the point
	Class    int32
	Distance float64
}

// Nearest returns the n points that are nearest to z, the nearest first: of these classes, or of
// all where none is given. There are fewer where the classes have no more. Errors: n less than
// 1, classes without a point, arrays that do not fit together, numbers that are not finite.
func (p Points) Nearest(z []float64, n int, classes ...int32) ([]Neighbour, error) {
	if err := p.check(z); err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("explain: the %d nearest points; allowed: 1 or more", n)
	}
	var near []Neighbour
	for i, class := range p.Labels {
		if len(classes) == 0 || slices.Contains(classes, class) {
			near = append(near, Neighbour{i, class, floats.Distance(z, p.Z[i], 2)})
		}
	}
	if len(near) == 0 {
		return nil, fmt.Errorf("explain: no point of the classes %d; allowed: classes that have one, such as %d", classes, p.Labels[0])
	}
	slices.SortStableFunc(near, func(a, b Neighbour) int { return cmp.Compare(a.Distance, b.Distance) })
	return near[:min(n, len(near))], nil
}

// nearest returns the nearest of those points that are wanted; none: the index -1, the class -1
// and an infinite distance.
func (p Points) nearest(z []float64, wanted func(i int) bool) Neighbour {
	least := Neighbour{-1, -1, math.Inf(1)}
	for i, x := range p.Z {
		if wanted(i) {
			if d := floats.Distance(z, x, 2); d < least.Distance || least.Index < 0 {
				least = Neighbour{i, p.Labels[i], d}
			}
		}
	}
	return least
}

// outlierNeighbours is k of Outliers.
const outlierNeighbours = 5

// Outliers returns the n points of a class that are farthest from their fifth nearest point of
// the class, which is the Distance of each, the farthest first. A class with fewer than six
// points has the farthest point in the place of the fifth. Errors: n less than 1, a class with
// fewer than two points, those of Nearest.
//
// Source: Ramaswamy et al., 2000, doi 10.1145/342009.335437.
func (p Points) Outliers(class int32, n int) ([]Neighbour, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("explain: %d outliers; allowed: 1 or more", n)
	}
	own := p.of(class)
	if len(own) < 2 {
		return nil, fmt.Errorf("explain: class %d has %d points; allowed: 2 or more", class, len(own))
	}
	outliers, place := make([]Neighbour, len(own)), min(outlierNeighbours, len(own)-1)
	parallel.For(len(own), func() func(k int) {
		distances := make([]float64, len(own))
		return func(k int) {
			i := own[k]
			for other, j := range own {
				distances[other] = floats.Distance(p.Z[i], p.Z[j], 2)
			}
			slices.Sort(distances) // that from itself, 0, is the first
			outliers[k] = Neighbour{i, class, distances[place]}
		}
	})
	slices.SortStableFunc(outliers, func(a, b Neighbour) int { return cmp.Compare(b.Distance, a.Distance) })
	return outliers[:min(n, len(outliers))], nil
}

// A Pair is two points, each of another class.
type Pair struct {
	Points   [2]int // of the first class, of the second one
	Distance float64
}

// Closest returns where two classes touch: the closest pair of a point of class a and one of
// class b, then the closest pair of the other points, and so on, n of them or as many as there
// are. Errors: n less than 1, one class twice, those of Nearest.
func (p Points) Closest(a, b int32, n int) ([]Pair, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("explain: the %d closest pairs; allowed: 1 or more", n)
	}
	if a == b {
		return nil, fmt.Errorf("explain: pairs of class %d with itself; allowed: two classes", a)
	}
	first := p.of(a)
	if len(first) == 0 || len(p.of(b)) == 0 {
		return nil, fmt.Errorf("explain: %d points of class %d and %d of class %d; allowed: 1 or more of each", len(first), a, len(p.of(b)), b)
	}
	taken := map[int]bool{}
	partner := func(i int) Pair {
		other := p.nearest(p.Z[i], func(j int) bool { return p.Labels[j] == b && !taken[j] })
		return Pair{[2]int{i, other.Index}, other.Distance}
	}
	pairs := make([]Pair, len(first))
	parallel.For(len(first), func() func(k int) {
		return func(k int) { pairs[k] = partner(first[k]) }
	})
	var closest []Pair
	for len(closest) < min(n, len(first), len(p.of(b))) {
		k, pair := 0, Pair{Distance: math.Inf(1)}
		for other, candidate := range pairs {
			if candidate.Distance < pair.Distance && !taken[candidate.Points[0]] {
				k, pair = other, candidate
			}
		}
		if taken[pair.Points[1]] {
			pairs[k] = partner(pair.Points[0])
			continue
		}
		closest = append(closest, pair)
		taken[pair.Points[0]], taken[pair.Points[1]] = true, true
	}
	return closest, nil
}

// A Step is one of the points of a straight line.
type Step struct {
	Z       []float64
	Nearest Neighbour // the nearest image that there is
	Decided int32     // the class with the nearest mean
}

// Path returns the steps + 1 points of the straight line
//
//	z_s = from + s/steps (to - from),  s = 0, ..., steps
//
// each with the nearest of the Points. Errors: steps less than 1, those of Nearest.
func (p Points) Path(from, to []float64, steps int) ([]Step, error) {
	if err := p.check(from, to); err != nil {
		return nil, err
	}
	if steps < 1 {
		return nil, fmt.Errorf("explain: a path of %d steps; allowed: 1 or more", steps)
	}
	path, means := make([]Step, steps+1), p.means()
	for s := range path {
		z := floats.SubTo(make([]float64, len(from)), to, from)
		floats.AddScaledTo(z, from, float64(s)/float64(steps), z)
		if s == steps {
			copy(z, to) // without rounding
		}
		path[s] = Step{z, p.nearest(z, func(int) bool { return true }), int32(floats.MinIdx(distances(z, means)))}
	}
	return path, nil
}

// Distinct returns the steps of a path at which another image than before is the nearest: each
// image once.
func Distinct(path []Step) (steps []int) {
	seen := map[int]bool{}
	for s, step := range path {
		if !seen[step.Nearest.Index] {
			seen[step.Nearest.Index], steps = true, append(steps, s)
		}
	}
	return steps
}

// A Counterfactual is the image that would have to be looked at for another decision.
type Counterfactual struct {
	Other Neighbour // the nearest point of another class
	Own   Neighbour // the nearest other point of the own class; the index is -1 without one
	// Ratio is the distance of Own over that of Other: above 1, the nearest neighbour is of
	// another class. It is NaN where Own has none, and for 0/0.
	Ratio float64
}

// Counterfactual returns the counterfactual of point i. Errors: an index out of range, Points of
// one class only, those of Nearest.
func (p Points) Counterfactual(i int) (Counterfactual, error) {
	if err := p.check(); err != nil {
		return Counterfactual{}, err
	}
	if i < 0 || i >= len(p.Z) {
		return Counterfactual{}, fmt.Errorf("explain: point %d; allowed: 0 to %d", i, len(p.Z)-1)
	}
	own := p.Labels[i]
	c := Counterfactual{
		Other: p.nearest(p.Z[i], func(j int) bool { return p.Labels[j] != own }),
		Own:   p.nearest(p.Z[i], func(j int) bool { return p.Labels[j] == own && j != i }),
	}
	if c.Other.Index < 0 {
		return c, fmt.Errorf("explain: all points are of class %d; allowed: points of two or more classes", own)
	}
	c.Ratio = c.Own.Distance / c.Other.Distance
	if c.Own.Index < 0 {
		c.Ratio = math.NaN()
	}
	return c, nil
}

// An Influence says how much each point takes part in a decision by the nearest class mean.
type Influence struct {
	Predicted int32
	Margin    float64   // the second least distance from a class mean less the least
	Change    []float64 // [n], of Margin, when the point is left out of the mean of its class
}

// Influence returns the influence of the points on the decision for a query. A class with one
// point has no mean without it; where only one class is left then, the change is NaN. Errors:
// points of one class only, those of Nearest.
func (p Points) Influence(query []float64) (Influence, error) {
	if err := p.check(query); err != nil {
		return Influence{}, err
	}
	means := p.means()
	least := distances(query, means)
	counts := make([]float64, len(means))
	for _, class := range p.Labels {
		counts[class]++
	}
	in := Influence{Predicted: int32(floats.MinIdx(least)), Margin: margin(least), Change: make([]float64, len(p.Z))}
	if math.IsNaN(in.Margin) {
		return in, fmt.Errorf("explain: all points are of class %d; allowed: points of two or more classes", p.Labels[0])
	}
	for i, class := range p.Labels {
		before := least[class]
		least[class] = math.Inf(1)
		if n := counts[class]; n > 1 {
			mean := floats.AddScaledTo(make([]float64, len(query)), floats.ScaleTo(make([]float64, len(query)), n, means[class]), -1, p.Z[i])
			floats.Scale(1/(n-1), mean)
			least[class] = floats.Distance(query, mean, 2)
		}
		in.Change[i] = margin(least) - in.Margin
		least[class] = before
	}
	return in, nil
}

// margin returns the second least distance less the least; NaN where no two are finite.
func margin(distances []float64) float64 {
	least, second := math.Inf(1), math.Inf(1)
	for _, d := range distances {
		if d < least {
			least, second = d, least
		} else {
			second = min(second, d)
		}
	}
	if math.IsInf(second, 1) {
		return math.NaN()
	}
	return second - least
}

// distances returns ||z - c_j||; infinite for a class without a mean.
func distances(z []float64, means [][]float64) []float64 {
	return vectors.Each(means, func(mean []float64) float64 {
		if mean == nil {
			return math.Inf(1)
		}
		return floats.Distance(z, mean, 2)
	})
}

// means returns the mean of each class, nil for a class without a point.
func (p Points) means() [][]float64 {
	return vectors.Means(p.Z, p.Labels, int(slices.Max(p.Labels))+1)
}

// of returns the points of a class.
func (p Points) of(class int32) (indices []int) {
	for i, label := range p.Labels {
		if label == class {
			indices = append(indices, i)
		}
	}
	return indices
}

// check returns an error unless the points, and others in the same space, fit together.
func (p Points) check(others ...[]float64) error {
	if len(p.Z) == 0 || len(p.Labels) != len(p.Z) {
		return fmt.Errorf("explain: %d classes of %d points; allowed: as many, 1 or more", len(p.Labels), len(p.Z))
	}
	for i, class := range p.Labels {
		if class < 0 {
			return fmt.Errorf("explain: the class of point %d is %d; allowed: 0 or more", i, class)
		}
	}
	dim := len(p.Z[0])
	return errors.Join(checkRows("point", p.Z, dim), checkRows("query", others, dim))
}

// checkRows returns an error unless each row has that many finite numbers, 1 or more.
func checkRows(what string, rows [][]float64, width int) error {
	for i, row := range rows {
		if len(row) != width || width == 0 {
			return fmt.Errorf("explain: %s %d has %d dimensions; allowed: %d", what, i, len(row), max(1, width))
		}
		if err := checkFinite(fmt.Sprintf("%s %d", what, i), row); err != nil {
			return err
		}
	}
	return nil
}

// checkFinite returns an error unless all numbers are finite.
func checkFinite(what string, numbers []float64) error {
	for i, x := range numbers {
		if x-x != 0 {
			return fmt.Errorf("explain: number %d of %s is %v; allowed: finite numbers", i, what, x)
		}
	}
	return nil
}
