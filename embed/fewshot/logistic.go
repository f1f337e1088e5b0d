package fewshot

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
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
// with l2 more than 0, by L-BFGS.
//
// Source: Tian et al., arXiv 2003.11539, use it for few examples.
func Logistic(s Support, l2 float64) (LogisticModel, error) {
	if !(l2 > 0) || math.IsInf(l2, 1) {
		return LogisticModel{}, fmt.Errorf("fewshot: the penalty l2 is %v; allowed: more than 0", l2)
	}
	if err := s.check(nil); err != nil {
		return LogisticModel{}, err
	}
	dim := len(s.Z[0])
	scale := 0. // of the points, so that W and b have steps of one size
	for _, z := range s.Z {
		scale = max(scale, floats.Norm(z, 2))
	}
	if scale == 0 {
		scale = 1
	}
	x := make([][]float64, len(s.Z))
	for i, z := range s.Z {
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
	problem := optimize.Problem{
		Func: func(parameters []float64) float64 {
			weights, total := rows(parameters), 0.
			for i, x := range x {
				logits := vectors.Dots(x, weights)
				total += floats.LogSumExp(logits) - logits[s.Labels[i]]
			}
			for _, w := range weights {
				total += penalty / 2 * floats.Dot(w[:dim], w[:dim])
			}
			return total
		},
		Grad: func(gradient, parameters []float64) {
			clear(gradient)
			weights, gradients := rows(parameters), rows(gradient)
			for i, x := range x {
				p := vectors.Softmax(vectors.Dots(x, weights))
				p[s.Labels[i]]--
				for j := range gradients {
					floats.AddScaled(gradients[j], p[j], x)
				}
			}
			for j, w := range weights {
				floats.AddScaled(gradients[j][:dim], penalty, w[:dim])
			}
		},
	}
	start := make([]float64, s.Way*(dim+1))
	// It ends where rounding leaves no lower value, which Minimize calls a failure.
	found, err := optimize.Minimize(problem, start, &optimize.Settings{GradientThreshold: 1e-10, Converger: optimize.NeverTerminate{}}, &optimize.LBFGS{})
	if found == nil || floats.Norm(found.Gradient, math.Inf(1)) > flat*float64(len(x)) {
		return LogisticModel{}, fmt.Errorf("fewshot: no logistic regression of %d points with l2 = %v: %w", len(x), l2, err)
	}
	model := LogisticModel{Objective: found.F}
	for _, w := range rows(found.X) {
		model.W, model.B = append(model.W, floats.ScaleTo(make([]float64, dim), 1/scale, w[:dim])), append(model.B, w[dim])
	}
	floats.AddConst(-floats.Sum(model.B)/float64(s.Way), model.B)
	return model, nil
}

// flat is the largest derivative of Logistic's minimum, per point.
const flat = 1e-6

// classify returns the classes of queries [n, dim].
func (m LogisticModel) classify(query [][]float64) []int32 {
	return each(query, func(z []float64) int {
		return floats.MaxIdx(floats.AddTo(make([]float64, len(m.B)), vectors.Dots(z, m.W), m.B))
	})
}
