// Package targets places one point per class in an embedded space, for the regression of
// section II-G of the paper.
package targets

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Raster returns one target per class [classes, dim] on the points of a regular grid
// with distance 1 between neighbours, the smallest of equal sides that has room for
// all, around the origin. With 10 classes that is 4 x 3 points in 2-D, of which the
// first 10 are taken row by row. No class, or no dimension, is an error.
//
// Source: section II-G of the paper, Fig. 7.
func Raster(classes, dim int) ([][]float64, error) {
	if err := checkTargets(classes, dim, 1); err != nil {
		return nil, err
	}
	sides := make([]int, dim)
	for i := range sides {
		sides[i] = 1
	}
	for room := 1; room < classes; {
		smallest := slices.Index(sides, slices.Min(sides))
		room = room / sides[smallest] * (sides[smallest] + 1)
		sides[smallest]++
	}
	targets := make([][]float64, classes)
	for class := range targets {
		targets[class] = make([]float64, dim)
		rest := class
		for i, side := range sides {
			targets[class][i] = float64(rest % side)
			rest /= side
		}
	}
	return centered(targets), nil
}

// Circle returns one target per class [classes, dim], evenly spaced on the unit circle
// in 2-D, and on the unit sphere from 3-D on (see Sphere). In 1-D there is no circle:
// that is an error, and so is no class.
//
// Source: section II-G of the paper, Fig. 7.
func Circle(classes, dim int) ([][]float64, error) {
	if dim != 2 {
		return Sphere(classes, dim)
	}
	if err := checkTargets(classes, dim, 2); err != nil {
		return nil, err
	}
	targets := make([][]float64, classes)
	for class := range targets {
		sin, cos := math.Sincos(2 * math.Pi * float64(class) / float64(classes))
		targets[class] = []float64{cos, sin}
	}
	return targets, nil
}

// Sphere returns one target per class [classes, dim] on the unit sphere: evenly spaced in
// 2-D (see Circle), by the Fibonacci spiral in 3-D; from 4-D on a Simplex of up to dim+1
// classes, and else points that have repelled each other for 500 rounds. Those of 3-D on
// are spread well, not best. dim is 2 or more; another one, or no class, is an error.
//
// Source: section II-G of the paper names the circle; Gonzalez, arXiv 0912.4540, the spiral.
func Sphere(classes, dim int) ([][]float64, error) {
	if err := checkTargets(classes, dim, 2); err != nil {
		return nil, err
	}
	switch {
	case dim == 2:
		return Circle(classes, dim)
	case dim == 3:
		return fibonacci(classes), nil
	case classes <= dim+1:
		return Simplex(classes, dim)
	default:
		return repelled(classes, dim), nil
	}
}

// fibonacci returns points on the unit sphere: equal steps in height, and the golden
// angle between one and the next.
func fibonacci(n int) [][]float64 {
	golden := math.Pi * (3 - math.Sqrt(5))
	points := make([][]float64, n)
	for i := range points {
		height := 1 - (2*float64(i)+1)/float64(n)
		radius := math.Sqrt(1 - height*height)
		sin, cos := math.Sincos(golden * float64(i))
		points[i] = []float64{radius * cos, radius * sin, height}
	}
	return points
}

// repelled returns points on the unit sphere that have moved away from each other, with
// a force that falls with the square of the distance. It always returns the same.
func repelled(n, dim int) [][]float64 {
	random := rand.New(rand.NewPCG(uint64(n), uint64(dim)))
	points := make([][]float64, n)
	for i := range points {
		points[i] = make([]float64, dim)
		for j := range points[i] {
			points[i][j] = random.NormFloat64()
		}
		floats.Scale(1/floats.Norm(points[i], 2), points[i])
	}
	const rounds = 500
	for round := range rounds {
		step := 0.1 * (1 - float64(round)/rounds)
		forces := make([][]float64, n)
		for i := range points {
			forces[i] = make([]float64, dim)
			for j := range points {
				if i != j {
					difference := floats.SubTo(make([]float64, dim), points[i], points[j])
					floats.AddScaled(forces[i], math.Pow(floats.Norm(difference, 2)+1e-9, -3), difference)
				}
			}
		}
		for i, force := range forces {
			floats.AddScaled(points[i], step/(floats.Norm(force, 2)+1e-9), force)
			floats.Scale(1/floats.Norm(points[i], 2), points[i])
		}
	}
	return points
}

// Simplex returns one target per class [classes, dim] on the unit sphere, all at the same
// distance from each other. There is room for dim+1 classes; more, or none, are an error.
//
// Source: our own choice, for the open question of section II-G of the paper.
func Simplex(classes, dim int) ([][]float64, error) {
	if err := checkTargets(classes, dim, 1); err != nil {
		return nil, err
	}
	if classes > dim+1 {
		return nil, fmt.Errorf("targets: simplex of %d classes in %d dimensions; allowed: at most %d classes", classes, dim, dim+1)
	}
	targets := make([][]float64, classes)
	for class := range targets {
		targets[class] = make([]float64, dim)
	}
	if classes == 1 {
		targets[0][0] = 1
	}
	// Coordinate by coordinate: the next class gets what is left of its norm, and
	// those after it what makes the cosine -1/(classes-1).
	for i := range classes - 1 {
		used := floats.Dot(targets[i], targets[i])
		targets[i][i] = math.Sqrt(1 - used)
		for j := i + 1; j < classes; j++ {
			targets[j][i] = (-1/float64(classes-1) - floats.Dot(targets[i][:i], targets[j][:i])) / targets[i][i]
		}
	}
	return targets, nil
}

// Assign returns the targets [classes, dim] in another order, in which classes that are
// near to each other in one space get targets that are near to each other: it looks for the
// order with the highest correlation between the distances of the targets and those of
// points [classes, any], one per class, such as the class means of another embedding
// (see Embedding.Means). Swaps of two classes go on, from many starts, until none helps.
// It always returns the same. The error says that there are not as many points as targets.
//
// Source: our own choice, for the open question of section II-G of the paper.
func Assign(targets, points [][]float64) ([][]float64, error) {
	n := len(targets)
	if len(points) != n {
		return nil, fmt.Errorf("targets: %d targets and %d points; allowed: as many", n, len(points))
	}
	between := func(rows [][]float64) [][]float64 {
		all := make([][]float64, n)
		for i := range all {
			all[i] = make([]float64, n)
			for j := range all[i] {
				all[i][j] = floats.Distance(rows[i], rows[j], 2)
			}
		}
		return all
	}
	ofTargets, ofPoints := between(targets), between(points)
	// With the same numbers in every order, the correlation grows with this sum.
	agreement := func(order []int) (sum float64) {
		for i := range order {
			for j := range i {
				sum += ofTargets[order[i]][order[j]] * ofPoints[i][j]
			}
		}
		return sum
	}
	const starts = 50
	var best []int
	random := rand.New(rand.NewPCG(uint64(n), 0))
	for range starts {
		order := random.Perm(n)
		for score, better := agreement(order), true; better; {
			better = false
			for i := range order {
				for j := range i {
					order[i], order[j] = order[j], order[i]
					if swapped := agreement(order); swapped > score*(1+1e-12) {
						score, better = swapped, true
					} else {
						order[i], order[j] = order[j], order[i]
					}
				}
			}
		}
		if best == nil || agreement(order) > agreement(best) {
			best = order
		}
	}
	assigned := make([][]float64, n)
	for class, target := range best {
		assigned[class] = targets[target]
	}
	return assigned, nil
}

// centered moves points so that their mean is the origin.
func centered(points [][]float64) [][]float64 {
	mean := make([]float64, len(points[0]))
	for _, point := range points {
		floats.AddScaled(mean, 1/float64(len(points)), point)
	}
	for _, point := range points {
		floats.Sub(point, mean)
	}
	return points
}

func checkTargets(classes, dim, least int) error {
	if classes < 1 || dim < least {
		return fmt.Errorf("targets: targets of %d classes in %d dimensions; allowed: 1 class or more, %d dimensions or more", classes, dim, least)
	}
	return nil
}
