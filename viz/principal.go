package viz

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// projection maps the embedded space to the drawn space. The zero projection keeps the
// coordinates.
type projection struct {
	axes   [][]float64 // unit vectors
	center point       // the mean of the points along the axes, which becomes the origin
	shares []float64   // of the variance, by axis
}

// direction returns where the projection maps a vector.
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

// place returns where the projection maps a point.
func (pr projection) place(row []float32) point { return pr.direction(row).sub(pr.center) }

// principal returns the projection of points onto their first two principal components.
// The coordinate of an axis with the largest magnitude is positive, so that the pictures
// of a training don't flip.
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
	// Unlike the singular vectors of the data, the eigenvectors of the covariance matrix
	// exist for a single point too, and they are cheaper for many points.
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
