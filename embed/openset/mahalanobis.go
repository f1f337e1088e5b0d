package openset

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// ownSpread is the weight of a class's own covariance in classMahalanobis; the rest is that
// within all classes.
const ownSpread = 0.9

func mahalanobis(s Space, p Points) ([]float64, error) {
	means := s.means(s.Train)
	within, err := invertible(covariance(s.fromMeans(means)))
	if err != nil {
		return nil, err
	}
	means = present(means)
	return vectors.Each(p.Z, func(z []float64) float64 { return -least(z, means, within) }), nil
}

func relativeMahalanobis(s Space, p Points) ([]float64, error) {
	means := s.means(s.Train)
	within, err := invertible(covariance(s.fromMeans(means)))
	if err != nil {
		return nil, err
	}
	one := Space{Train: s.Train, Labels: make([]int32, len(s.Train)), Vectors: s.Vectors[:1]} // all are of one class
	all := one.means(s.Train)
	whole, err := invertible(covariance(one.fromMeans(all)))
	if err != nil {
		return nil, err
	}
	means = present(means)
	return vectors.Each(p.Z, func(z []float64) float64 { return least(z, all, whole) - least(z, means, within) }), nil
}

func classMahalanobis(s Space, p Points) ([]float64, error) {
	means := s.means(s.Train)
	differences := s.fromMeans(means)
	within := covariance(differences)
	ofClass := make([][][]float64, len(means))
	for i, class := range s.Labels {
		ofClass[class] = append(ofClass[class], differences[i])
	}
	spreads := make([]*mat.TriDense, len(means))
	for class, differences := range ofClass {
		if differences == nil {
			continue
		}
		var shrunk, rest mat.SymDense
		shrunk.ScaleSym(ownSpread, covariance(differences))
		rest.ScaleSym(1-ownSpread, within)
		shrunk.AddSym(&shrunk, &rest)
		var err error
		if spreads[class], err = invertible(&shrunk); err != nil {
			return nil, fmt.Errorf("class %d: %w", class, err)
		}
	}
	return vectors.Each(p.Z, func(z []float64) float64 {
		smallest := math.Inf(1)
		for class, spread := range spreads {
			if spread != nil {
				smallest = min(smallest, least(z, means[class:class+1], spread))
			}
		}
		return -smallest
	}), nil
}

// least returns min_j (z - mu_j)' S^-1 (z - mu_j) = min_j ||L^-1 (z - mu_j)||^2, where S = L L'.
func least(z []float64, means [][]float64, l *mat.TriDense) float64 {
	smallest, difference := math.Inf(1), make([]float64, len(z))
	for _, mean := range means {
		floats.SubTo(difference, z, mean)
		blas64.Trsv(blas.NoTrans, l.RawTriangular(), blas64.Vector{N: len(z), Data: difference, Inc: 1})
		smallest = min(smallest, floats.Dot(difference, difference))
	}
	return smallest
}

// fromMeans returns the training points [m, dim] less the means of their classes.
func (s Space) fromMeans(means [][]float64) [][]float64 {
	differences := make([][]float64, len(s.Train))
	for i, x := range s.Train {
		differences[i] = floats.SubTo(make([]float64, len(x)), x, means[s.Labels[i]])
	}
	return differences
}

// covariance returns (1/n) sum_i x_i x_i' [dim, dim] of differences from means [n, dim].
func covariance(differences [][]float64) *mat.SymDense {
	n, dim := len(differences), len(differences[0])
	covariance := mat.NewSymDense(dim, nil)
	for _, x := range differences {
		covariance.SymRankOne(covariance, 1/float64(n), mat.NewVecDense(dim, x))
	}
	return covariance
}

// invertible returns the L of a covariance L L' that can be inverted.
func invertible(covariance *mat.SymDense) (*mat.TriDense, error) {
	var factors mat.Cholesky
	if !factors.Factorize(covariance) || math.IsInf(factors.Cond(), 1) {
		return nil, errors.New("the training points span too few dimensions for a covariance; allowed: points that differ in all dimensions")
	}
	var l mat.TriDense
	factors.LTo(&l)
	return &l, nil
}
