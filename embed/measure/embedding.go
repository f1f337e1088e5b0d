package measure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed/internal/parallel"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// An Embedding holds images as points of the embedded space. Metrics refuses one whose
// slices do not fit together; the other methods panic, as an index out of range does.
type Embedding struct {
	Z         []float32 // [n, Dim]
	Dim       int
	Labels    []int32 // [n], the true classes, from 0 to Classes-1
	Predicted []int32 // [n], by the technique's own rule; nil: not classified
	Classes   int     // their number; classes without a point are allowed
}

// Len returns the number of points.
func (e Embedding) Len() int { return len(e.Labels) }

// Points returns the points [n][Dim].
func (e Embedding) Points() [][]float64 { return vectors.Rows(e.Z, e.Dim) }

// OnSphere returns the embedding on the unit sphere, where only directions are left: each
// point z is z / ||z||, rounded to float32. A point at the origin has no direction: it stays
// there, in the distance 1 of all others. Class means are those of the unit vectors, inside
// the sphere. Labels and Predicted are shared.
func (e Embedding) OnSphere() Embedding {
	z := make([]float32, 0, len(e.Z))
	for i := range e.Labels {
		point := e.at(i)
		length := max(norm(point), math.SmallestNonzeroFloat32)
		for _, x := range point {
			z = append(z, float32(x/length))
		}
	}
	e.Z = z
	return e
}

// Accuracy returns the share of points whose predicted class is the true one, 0 to 1. It
// is NaN without points, and where Predicted does not have one class per point.
func (e Embedding) Accuracy() float64 {
	if len(e.Predicted) != e.Len() {
		return math.NaN()
	}
	right := 0.
	for i, label := range e.Labels {
		if e.Predicted[i] == label {
			right++
		}
	}
	return right / float64(e.Len())
}

// Correct tells of each point [n] whether its predicted class is the true one. There must be
// one Predicted per point.
func (e Embedding) Correct() []bool {
	correct := make([]bool, e.Len())
	for i, label := range e.Labels {
		correct[i] = e.Predicted[i] == label
	}
	return correct
}

// Check returns the error of an embedding that can't be measured or drawn: of no points,
// of another number of coordinates or predicted classes than of labels, of classes that
// are not 0 to Classes-1, or of coordinates that are not finite. name says what the points
// are, as "test".
func (e Embedding) Check(name string) error {
	switch {
	case e.Len() == 0:
		return fmt.Errorf("measure: no %s points; allowed: 1 or more", name)
	case e.Dim < 1:
		return fmt.Errorf("measure: %s points have %d dimensions; allowed: 1 or more", name, e.Dim)
	case len(e.Z) != e.Len()*e.Dim:
		return fmt.Errorf("measure: %d coordinates of %d %s points; allowed: %d, with %d dimensions", len(e.Z), e.Len(), name, e.Len()*e.Dim, e.Dim)
	case len(e.Predicted) != 0 && len(e.Predicted) != e.Len():
		return fmt.Errorf("measure: %d predicted classes of %d %s points; allowed: as many, or none", len(e.Predicted), e.Len(), name)
	}
	for k, classes := range [][]int32{e.Labels, e.Predicted} {
		what := [...]string{"class", "predicted class"}[k]
		for i, class := range classes {
			if class < 0 || int(class) >= e.Classes {
				return fmt.Errorf("measure: the %s of %s point %d is %d; allowed: 0 to %d", what, name, i, class, e.Classes-1)
			}
		}
	}
	for i, z := range e.Z {
		if z-z != 0 {
			return fmt.Errorf("measure: coordinate %d of %s point %d is %v; allowed: finite numbers", i%e.Dim, name, i/e.Dim, z)
		}
	}
	return nil
}

// DistanceRatio returns how compact the classes are: the mean Euclidean distance of a
// point from the mean of its class, over the mean distance between the means of two
// classes,
//
//	(1/n) sum_i ||z_i - c_{y_i}||  /  mean_{j < k} ||c_j - c_k||
//
// over the classes that have points. It has no unit, and is 0 when each class is one
// point. It is NaN with fewer than two classes, and when they all have the same mean.
//
// Source: section II-E of the paper asks for classes that are compact and apart.
func (e Embedding) DistanceRatio() float64 {
	means, counts := e.Means(), e.counts()
	inter, pairs := 0., 0.
	for j := range e.Classes {
		for k := range j {
			if counts[j] > 0 && counts[k] > 0 {
				inter += floats.Distance(means[j], means[k], 2)
				pairs++
			}
		}
	}
	if inter == 0 {
		return math.NaN()
	}
	return stat.Mean(e.fromMeans(means), nil) / (inter / pairs)
}

// Silhouettes returns how much nearer each point [n] is to its own class than to the next
// one, on all cores:
//
//	(b-a) / max(a, b)
//
// a is the mean distance to the others of its class, b the lowest mean distance to the
// points of another class. It is -1 to 1, and 1 where classes are points apart from each
// other. The only point of a class has 0, and so has 0/0. All are NaN with fewer than two
// classes.
//
// Source: Rousseeuw, 1987, doi 10.1016/0377-0427(87)90125-7; as scikit-learn's
// silhouette_samples.
func (e Embedding) Silhouettes() []float64 {
	counts := e.counts()
	if n := e.Len(); n > 0 {
		e.at(n - 1) // panics here if there are too few coordinates: nobody can recover in a goroutine
	}
	scores := make([]float64, e.Len())
	parallel.For(e.Len(), func() func(i int) {
		sums := make([]float64, e.Classes) // of the distances to the points of each class
		return func(i int) {
			clear(sums)
			point, own := e.at(i), int(e.Labels[i])
			for j, label := range e.Labels {
				sums[label] += math.Sqrt(squaredDistance(point, e.Z[j*e.Dim:]))
			}
			a, b := sums[own]/float64(counts[own]-1), math.Inf(1)
			for class, sum := range sums {
				if class != own && counts[class] > 0 {
					b = min(b, sum/float64(counts[class]))
				}
			}
			switch {
			case math.IsInf(b, 1): // there is no other class
				scores[i] = math.NaN()
			case counts[own] > 1 && max(a, b) > 0:
				scores[i] = (b - a) / max(a, b)
			}
		}
	})
	return scores
}

// AngularSpread returns how far the points of a class spread around its direction: the
// mean angle, in radians, between a point and the mean of the unit vectors of its class.
// Points at the origin have no angle, and are left out, as are classes whose unit vectors
// add up to 0. It is NaN where no point is left.
//
// Source: section II-D of the paper asks for classes with small angles.
func (e Embedding) AngularSpread() float64 {
	directions := e.directions()
	total, n := 0., 0.
	for i, label := range e.Labels {
		if t := angle(e.at(i), directions[label]); !math.IsNaN(t) {
			total += t
			n++
		}
	}
	return total / n
}

// Means returns the mean embedding of each class [Classes, Dim]; zeros for a class without
// a point.
func (e Embedding) Means() [][]float64 {
	return e.means(func([]float64) float64 { return 1 })
}

// directions returns the mean unit vector of each class [Classes, Dim]; zeros where it is
// so short that only rounding gives it a direction.
func (e Embedding) directions() [][]float64 {
	directions := e.means(func(point []float64) float64 { return 1 / max(norm(point), math.SmallestNonzeroFloat32) })
	for _, direction := range directions {
		if norm(direction) < 1e-12 {
			clear(direction)
		}
	}
	return directions
}

// means returns the mean of the points of each class [Classes, Dim], each times its weight.
func (e Embedding) means(weight func(point []float64) float64) [][]float64 {
	means, counts := make([][]float64, e.Classes), e.counts()
	for class := range means {
		means[class] = make([]float64, e.Dim)
	}
	for i, label := range e.Labels {
		point := e.at(i)
		floats.AddScaled(means[label], weight(point), point)
	}
	for class, mean := range means {
		for d := range mean { // times 1/n, the mean of equal points would not be that point
			mean[d] /= float64(max(1, counts[class]))
		}
	}
	return means
}

// fromMeans returns the Euclidean distances [n] of the points from the mean of their class.
func (e Embedding) fromMeans(means [][]float64) []float64 {
	distances := make([]float64, e.Len())
	for i, label := range e.Labels {
		distances[i] = floats.Distance(e.at(i), means[label], 2)
	}
	return distances
}

// counts returns the number of points of each class.
func (e Embedding) counts() []int {
	counts := make([]int, e.Classes)
	for _, label := range e.Labels {
		counts[label]++
	}
	return counts
}

// at returns point i.
func (e Embedding) at(i int) []float64 {
	point := make([]float64, e.Dim)
	for j := range point {
		point[j] = float64(e.Z[i*e.Dim+j])
	}
	return point
}

func norm(x []float64) float64 { return floats.Norm(x, 2) }

// angle returns the angle between two vectors, in radians; NaN if one of them is 0. The
// arc cosine would lose small angles to rounding.
func angle(x, y []float64) float64 {
	x, y = floats.ScaleTo(make([]float64, len(x)), 1/norm(x), x), floats.ScaleTo(make([]float64, len(y)), 1/norm(y), y)
	return 2 * math.Atan2(floats.Distance(x, y, 2), norm(floats.AddTo(make([]float64, len(x)), x, y)))
}
