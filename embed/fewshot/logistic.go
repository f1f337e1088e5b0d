package fewshot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/optimize"

	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// A LogisticModel is a trained logistic regression: the largest w_j . z + b_j decides.
type LogisticModel struct {
	W         [][]float64 // [way, dim]
	B         []float64   // [way], with the mean 0
	Objective float64     // the least sum that Logistic has found
}

// Logistic returns the W and b of
//
//	argmin sum_i -log softmax(W z_i + b)_{y_i} + (l2/2) ||W||^2
//
// with l2 more than 0, by L-BFGS. Errors: another l2, those of a Support, and a minimum that
// rounding does not let it reach.
//
// Source: Tian et al., arXiv 2003.11539, use it for few examples.
func Logistic(s Support, l2 float64) (LogisticModel, error) {
	if !(l2 > 0) || math.IsInf(l2, 1) {
		return LogisticModel{}, fmt.Errorf("fewshot: the penalty l2 is %v; allowed: more than 0", l2)
	}
	if err := s.check(nil); err != nil {
		return LogisticModel{}, err
	}
	scale := 0. // of the points, so that W and b have steps of one size
	for _, z := range s.Z {
		scale = max(scale, floats.Norm(z, 2))
	}
	if scale == 0 {
		scale = 1
	}
	points, basis := span(s.Z) // W lies in it, as the penalty leaves nothing beside it
	dim := len(points[0])
	x := make([][]float64, len(points))
	for i, z := range points {
		x[i] = append(floats.ScaleTo(make([]float64, dim), 1/scale, z), 1)
	}
	penalty := l2 / (scale * scale)
	rows := func(parameters []float64) [][]float64 { // [way, dim+1], the biases last
		rows := make([][]float64, s.Way)
		for j := range rows {
			rows[j] = parameters[j*(dim+1) : (j+1)*(dim+1)]
		}
		return rows
	}
	var (
		at  []float64                         // the parameters that sum and p are of
		sum float64                           // of -log softmax(W z_i + b)_{y_i}, over the points
		p   = make([]float64, len(s.Z)*s.Way) // softmax(W z_i + b)
	)
	evaluate := func(parameters []float64) {
		if floats.Equal(at, parameters) { // Func and Grad are called one after the other
			return
		}
		at, sum = append(at[:0], parameters...), 0
		weights := rows(parameters)
		for i, x := range x {
			p := p[i*s.Way : (i+1)*s.Way]
			for j, w := range weights {
				p[j] = floats.Dot(x, w)
			}
			largest, own := floats.Max(p), p[s.Labels[i]]
			for j := range p {
				p[j] = math.Exp(p[j] - largest)
			}
			exponentials := floats.Sum(p)
			floats.Scale(1/exponentials, p)
			sum += math.Log(exponentials) + largest - own
		}
	}
	problem := optimize.Problem{
		Func: func(parameters []float64) float64 {
			evaluate(parameters)
			total := sum
			for _, w := range rows(parameters) {
				total += penalty / 2 * floats.Dot(w[:dim], w[:dim])
			}
			return total
		},
		Grad: func(gradient, parameters []float64) {
			evaluate(parameters)
			clear(gradient)
			gradients := rows(gradient)
			for i, x := range x {
				for j := range gradients {
					derivative := p[i*s.Way+j]
					if j == int(s.Labels[i]) {
						derivative--
					}
					floats.AddScaled(gradients[j], derivative, x)
				}
			}
			for j, w := range rows(parameters) {
				floats.AddScaled(gradients[j][:dim], penalty, w[:dim])
			}
		},
	}
	start := make([]float64, s.Way*(dim+1))
	// Biases have no penalty, so that the sum is nearly flat along them: to know them to 1e-6, the
	// derivatives must be far below flat. It ends at the latest where rounding leaves no lower
	// value, which Minimize calls a failure.
	settings := optimize.Settings{GradientThreshold: flat / 1e4 * float64(len(x)), Converger: optimize.NeverTerminate{}}
	found, err := optimize.Minimize(problem, start, &settings, &optimize.LBFGS{})
	if found == nil || floats.Norm(found.Gradient, math.Inf(1)) > flat*float64(len(x)) {
		return LogisticModel{}, fmt.Errorf("fewshot: no logistic regression of %d points with l2 = %v: %w", len(x), l2, err)
	}
	model := LogisticModel{Objective: found.F}
	for _, w := range rows(found.X) {
		weights := floats.ScaleTo(make([]float64, dim), 1/scale, w[:dim])
		if basis != nil {
			coordinates := weights
			weights = make([]float64, len(s.Z[0]))
			for k, q := range basis {
				floats.AddScaled(weights, coordinates[k], q)
			}
		}
		model.W, model.B = append(model.W, weights), append(model.B, w[dim])
	}
	floats.AddConst(-floats.Sum(model.B)/float64(s.Way), model.B)
	return model, nil
}

// span returns the coordinates [n, n] of points [n, dim] in an orthonormal basis [n, dim] of a
// space in which they lie, or, if that is no smaller, the points and no basis.
func span(z [][]float64) (coordinates, basis [][]float64) {
	n, dim := len(z), len(z[0])
	if n >= dim {
		return z, nil
	}
	lq := blas64.General{Rows: n, Cols: dim, Stride: dim, Data: slices.Concat(z...)}
	tau, size := make([]float64, n), make([]float64, 1)
	lapack64.Gelqf(lq, tau, size, -1)
	work := make([]float64, int(size[0]))
	lapack64.Gelqf(lq, tau, work, len(work))
	coordinates, basis = make([][]float64, n), make([][]float64, n)
	for i := range z {
		coordinates[i], basis[i] = make([]float64, n), lq.Data[i*dim:(i+1)*dim]
		copy(coordinates[i], basis[i][:i+1])
	}
	lapack64.Orglq(lq, tau, work, len(work))
	return coordinates, basis
}

// flat is the largest derivative of Logistic's minimum, per point.
const flat = 1e-6

// classify returns the classes of queries [n, dim].
func (m LogisticModel) classify(query [][]float64) []int32 {
	return each(query, func(z []float64) int {
		return floats.MaxIdx(floats.AddTo(make([]float64, len(m.B)), vectors.Dots(z, m.W), m.B))
	})
}
