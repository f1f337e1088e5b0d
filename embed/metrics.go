package embed

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Means returns the mean embedding of each class [classes, Dim]; zeros for a class without
// a point.
func (e Embedding) Means(classes int) [][]float64 {
	return e.sum(classes, func(int) float64 { return 1 })
}

// directions returns the mean unit vector of each class [classes, Dim].
func (e Embedding) directions(classes int) [][]float64 {
	return e.sum(classes, func(i int) float64 { return 1 / max(norm(e.at(i)), math.SmallestNonzeroFloat32) })
}

// sum returns the mean of the points of each class [classes, Dim], each times its weight.
func (e Embedding) sum(classes int, weight func(i int) float64) [][]float64 {
	means, counts := make([][]float64, classes), make([]float64, classes)
	for class := range means {
		means[class] = make([]float64, e.Dim)
	}
	for i, label := range e.Labels {
		counts[label]++
		floats.AddScaled(means[label], weight(i), e.at(i))
	}
	for class, mean := range means {
		floats.Scale(1/max(1, counts[class]), mean)
	}
	return means
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

// DistanceRatio returns how compact the classes are: the mean Euclidean distance of a
// point from the mean of its class, over the mean distance between the means of two
// classes,
//
//	(1/n) sum_i ||z_i - c_{y_i}||  /  mean_{j < k} ||c_j - c_k||
//
// over the classes that have points. It has no unit, and is 0 when each class is one
// point. It is NaN with fewer than two classes.
//
// Source: section II-E of the paper asks for classes that are compact and apart.
func (e Embedding) DistanceRatio(classes int) float64 {
	means := e.Means(classes)
	present := make([]bool, classes)
	intra := 0.
	for i, label := range e.Labels {
		present[label] = true
		intra += floats.Distance(e.at(i), means[label], 2)
	}
	inter, pairs := 0., 0.
	for j := range classes {
		for k := range j {
			if present[j] && present[k] {
				inter += floats.Distance(means[j], means[k], 2)
				pairs++
			}
		}
	}
	return (intra / float64(e.Len())) / (inter / pairs)
}

// AngularSpread returns how far the points of a class spread around its direction: the
// mean angle, in radians, between a point and the mean of the unit vectors of its class.
//
// Source: section II-D of the paper asks for classes with small angles.
func (e Embedding) AngularSpread(classes int) float64 {
	directions := e.directions(classes)
	total := 0.
	for i, label := range e.Labels {
		point, direction := e.at(i), directions[label]
		cos := floats.Dot(point, direction) / (norm(point) * norm(direction))
		if !math.IsNaN(cos) {
			total += math.Acos(min(max(cos, -1), 1))
		}
	}
	return total / float64(e.Len())
}
