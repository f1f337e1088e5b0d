package viz

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"
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
func principal(points []float32, dim int) (projection, error) {
	axes, shares, err := PrincipalAxes(points, dim, 2)
	if err != nil {
		return projection{}, err
	}
	pr := projection{axes: axes, shares: shares}
	mean := meanOf(points, dim)
	for j, axis := range axes {
		pr.center[j] = floats.Dot(axis, mean)
	}
	return pr, nil
}

// PrincipalAxes returns the first count principal components of points [n, dim], n at least
// 1 and count at most dim: as unit vectors [count, dim], with the share of the variance that
// each has. The coordinate of an axis with the largest magnitude is positive, so that the
// pictures of a training don't flip. The error is that of eigenvalues that do not converge.
func PrincipalAxes(points []float32, dim, count int) (axes [][]float64, shares []float64, err error) {
	n, mean := len(points)/dim, meanOf(points, dim)
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
		return nil, nil, errors.New("principal components: the eigenvalues did not converge")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil) // ascending
	for j := range count {
		axis := mat.Col(nil, dim-1-j, &vectors)
		var largest float64
		for _, v := range axis {
			if math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		floats.Scale(math.Copysign(1, largest), axis)
		axes = append(axes, axis)
		share := 0.
		if total := mat.Trace(&covariance); total > 0 {
			share = max(0, values[dim-1-j]) / total
		}
		shares = append(shares, share)
	}
	return axes, shares, nil
}

// meanOf returns the mean [dim] of points [n, dim].
func meanOf(points []float32, dim int) []float64 {
	mean := make([]float64, dim)
	for i, v := range points {
		mean[i%dim] += float64(v) / float64(len(points)/dim)
	}
	return mean
}
