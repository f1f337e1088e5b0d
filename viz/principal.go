package viz

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// projection maps a row of the embedded space to the drawn space: with axes to
// their coordinates from the mean of the points, without as it is.
type projection struct {
	axes   [][]float64
	center point
	shares []float64 // of the variance, by axis
}

// direction returns the linear part of the projection.
func (pr projection) direction(row []float32) (p point) {
	if pr.axes == nil {
		for j, v := range row {
			p[j] = float64(v)
		}
		return p
	}
	for j, axis := range pr.axes {
		for k, v := range row {
			p[j] += axis[k] * float64(v)
		}
	}
	return p
}

func (pr projection) place(row []float32) point { return pr.direction(row).sub(pr.center) }

// principal returns the projection of points to their first two principal
// components. Of the two directions of a component it takes the one whose
// largest coordinate is positive, so that the pictures of a training don't flip.
func principal(points []float32, dim int) (projection, error) {
	n := len(points) / dim
	mean := make([]float64, dim)
	for i, v := range points {
		mean[i%dim] += float64(v) / float64(n)
	}
	centered := mat.NewDense(n, dim, nil)
	for i, v := range points {
		centered.Set(i/dim, i%dim, float64(v)-mean[i%dim])
	}
	// The eigenvectors of the covariance matrix exist for a single point too, and
	// for many points they cost less than the singular vectors of the data.
	var covariance mat.SymDense
	covariance.SymOuterK(1/float64(n), centered.T())
	var eigen mat.EigenSym
	if !eigen.Factorize(&covariance, true) {
		return projection{}, errors.New("principal components: the eigenvalues did not converge")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil) // ascending
	var pr projection
	for j := range 2 {
		axis := mat.Col(nil, dim-1-j, &vectors)
		var largest float64
		for _, v := range axis {
			if math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		for k := range axis {
			axis[k] = math.Copysign(1, largest) * axis[k]
			pr.center[j] += axis[k] * mean[k]
		}
		pr.axes = append(pr.axes, axis)
		share := 0.
		if total := mat.Trace(&covariance); total > 0 {
			share = max(0, values[dim-1-j]) / total
		}
		pr.shares = append(pr.shares, share)
	}
	return pr, nil
}
