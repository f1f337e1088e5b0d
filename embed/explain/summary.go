package explain

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed/internal/parallel"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// A Summary describes points by a few of them, by their index.
type Summary struct {
	// Prototypes are typical points, in the order in which they were chosen, and Objective
	// the value of J with each of them.
	Prototypes []int
	Objective  []float64
	MMD2       float64 // the squared maximum mean discrepancy between points and prototypes

	// Witness is, at each point, the density of the points less that of the prototypes.
	Witness []float64
	// Criticisms are points that the prototypes do not speak for, where Witness is far from 0.
	Criticisms []int
}

// Summarize chooses prototypes and criticisms of points z [n, dim], such as those of a class,
// with the kernel
//
//	k(x, y) = exp(-gamma ||x - y||^2)
//
// Prototypes S are chosen one by one, each so that J is largest,
//
//	J(S) = 2/(n|S|) sum_{i, s in S} k(z_i, z_s) - 1/|S|^2 sum_{s, t in S} k(z_s, z_t)
//
// and MMD2 = 1/n^2 sum_{i, j} k(z_i, z_j) - J(S). Criticisms T are chosen one by one among all
// others, each so that
//
//	sum_{t in T} |w(z_t)| + log det K_T,  w(x) = 1/n sum_i k(x, z_i) - 1/|S| sum_{s in S} k(x, z_s)
//
// is largest; K_T is the kernel between them. It takes time on the order of n^2. Errors: no
// points, rows of different lengths, numbers that are not finite; less than 1 prototype or less
// than 0 criticisms, or more of both than points; a gamma that is not positive.
//
// Source: Kim, Khanna and Koyejo, MMD-critic, NIPS 2016.
func Summarize(z [][]float64, gamma float64, prototypes, criticisms int) (Summary, error) {
	if err := checkPoints(z); err != nil {
		return Summary{}, err
	}
	n := len(z)
	if prototypes < 1 || criticisms < 0 || prototypes+criticisms > n {
		return Summary{}, fmt.Errorf("explain: %d prototypes and %d criticisms of %d points; allowed: 1 or more and 0 or more, together no more than points", prototypes, criticisms, n)
	}
	if !(gamma > 0) || math.IsInf(gamma, 1) {
		return Summary{}, fmt.Errorf("explain: gamma is %v; allowed: more than 0", gamma)
	}
	kernel := func(i, j int) float64 {
		d := floats.Distance(z[i], z[j], 2)
		return math.Exp(-gamma * d * d)
	}
	density := make([]float64, n) // 1/n sum_i k(x, z_i)
	parallel.For(n, func() func(i int) {
		return func(i int) {
			for j := range z {
				density[i] += kernel(i, j)
			}
			density[i] /= float64(n)
		}
	})

	var s Summary
	chosen := make([]bool, n)
	toChosen := make([]float64, n) // sum_{s in S} k(x, z_s)
	var typical, among float64     // the two sums of J
	for len(s.Prototypes) < prototypes {
		size := float64(len(s.Prototypes) + 1)
		with := func(j int) float64 {
			return 2/size*(typical+density[j]) - (among+2*toChosen[j]+1)/(size*size)
		}
		best := argmax(chosen, with)
		s.Objective = append(s.Objective, with(best))
		typical, among = typical+density[best], among+2*toChosen[best]+1
		s.Prototypes, chosen[best] = append(s.Prototypes, best), true
		for i := range z {
			toChosen[i] += kernel(i, best)
		}
	}
	s.MMD2 = stat.Mean(density, nil) - s.Objective[prototypes-1]
	s.Witness = floats.AddScaledTo(make([]float64, n), density, -1/float64(prototypes), toChosen)

	// A Cholesky decomposition of K_T grows by a row with each criticism: log det K_T grows by
	// the logarithm of what is left of a point's own kernel, 1.
	left, rows := make([]float64, n), make([][]float64, n)
	for i := range left {
		left[i] = 1
	}
	for len(s.Criticisms) < criticisms {
		best := argmax(chosen, func(j int) float64 { return math.Abs(s.Witness[j]) + math.Log(max(0, left[j])) })
		s.Criticisms, chosen[best] = append(s.Criticisms, best), true
		if left[best] <= 0 { // K_T is singular: the point is there twice
			continue
		}
		root, row := math.Sqrt(left[best]), rows[best]
		for i := range z {
			if !chosen[i] {
				x := (kernel(i, best) - floats.Dot(rows[i], row)) / root
				rows[i], left[i] = append(rows[i], x), left[i]-x*x
			}
		}
	}
	return s, nil
}

// argmax returns the first index that is not taken whose value is largest.
func argmax(taken []bool, value func(i int) float64) int {
	best, largest := -1, math.Inf(-1)
	for i := range taken {
		if taken[i] {
			continue
		}
		if v := value(i); best < 0 || v > largest {
			best, largest = i, v
		}
	}
	return best
}

// Gamma returns a gamma for Summarize that fits the spread of points [n, dim],
//
//	1 / mean_{i, j} ||z_i - z_j||^2
//
// Errors: no points, rows of different lengths, numbers that are not finite, points that are all
// the same.
func Gamma(z [][]float64) (float64, error) {
	if err := checkPoints(z); err != nil {
		return 0, err
	}
	mean := vectors.Means(z, make([]int32, len(z)), 1)[0]
	total := 0.
	for _, x := range z {
		d := floats.Distance(x, mean, 2)
		total += d * d
	}
	if total == 0 {
		return 0, fmt.Errorf("explain: all %d points are the same; allowed: two or more points", len(z))
	}
	return float64(len(z)) / (2 * total), nil // the mean over pairs is twice the variance
}

// Medoid returns the index of the point with the least sum of distances from the points
// [n, dim]. Errors: no points, rows of different lengths, numbers that are not finite.
func Medoid(z [][]float64) (int, error) {
	if err := checkPoints(z); err != nil {
		return 0, err
	}
	sums := make([]float64, len(z))
	parallel.For(len(z), func() func(i int) {
		return func(i int) { sums[i] = floats.Sum(vectors.Distances(z[i], z)) }
	})
	return floats.MinIdx(sums), nil
}

// checkPoints returns an error unless there are points, of one length and finite.
func checkPoints(z [][]float64) error {
	if len(z) == 0 {
		return fmt.Errorf("explain: no points; allowed: 1 or more")
	}
	return checkRows("point", z, len(z[0]))
}
