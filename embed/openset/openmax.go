package openset

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// openMax returns 1 less OpenMax's probability of unknown. F_j is the Weibull distribution of
// the 20 largest distances of the training points of class j that are classified right, from
// their mean. From the class of the largest logit on, the i-th (from 0) of C classes loses a
// part of its logit to the class of the unknown:
//
//	u_j = (C-i)/C F_j(||z - mu_j||),  l_j <- l_j (1 - u_j),  l_unknown = sum_j l_j u_j
//
// The softmax of these is the probability. Distances are those of embeddings, where the
// publication has those of logits; the Weibull distribution starts at 0.
//
// Source: Bendale and Boult, arXiv 1511.06233.
func openMax(s Space, p Points) ([]float64, error) {
	classified := s
	if len(s.Predicted) != 0 {
		classified.Train, classified.Labels = nil, nil
		for i, class := range s.Labels {
			if s.Predicted[i] == class {
				classified.Train, classified.Labels = append(classified.Train, s.Train[i]), append(classified.Labels, class)
			}
		}
	}
	means := classified.means(classified.Train)
	ofClass := make([][]float64, len(means))
	for i, class := range classified.Labels {
		ofClass[class] = append(ofClass[class], floats.Distance(classified.Train[i], means[class], 2))
	}
	tails := make([]distuv.Weibull, len(means))
	for class, distances := range ofClass {
		slices.Sort(distances)
		var err error
		if tails[class], err = fitWeibull(distances[max(0, len(distances)-weibullTail):]); err != nil {
			return nil, fmt.Errorf("class %d: %w", class, err)
		}
	}
	logits, scores := s.logits(p), make([]float64, len(p.Z))
	for i, l := range logits {
		order := make([]int, len(l))
		floats.ArgsortStable(floats.ScaleTo(make([]float64, len(l)), -1, l), order)
		revised := append(slices.Clone(l), 0)
		for rank, class := range order {
			share := float64(len(l)-rank) / float64(len(l)) * tails[class].CDF(floats.Distance(p.Z[i], means[class], 2))
			revised[class] -= share * l[class]
			revised[len(l)] += share * l[class]
		}
		scores[i] = 1 - vectors.Softmax(revised)[len(l)]
	}
	return scores, nil
}

// fitWeibull returns the Weibull distribution of the largest likelihood of positive numbers x in order:
// its shape k solves
//
//	sum_i x_i^k ln x_i / sum_i x_i^k - 1/k = mean of ln x
//
// and its scale is the k-th root of the mean of x^k.
func fitWeibull(x []float64) (distuv.Weibull, error) {
	if len(x) < 2 || x[0] <= 0 || x[0] == x[len(x)-1] {
		return distuv.Weibull{}, errors.New("too few distances for a Weibull distribution; allowed: 2 or more training points that are classified right, at different distances from their mean")
	}
	logs, largest := make([]float64, len(x)), x[len(x)-1]
	for i := range x {
		logs[i] = math.Log(x[i] / largest)
	}
	mean := stat.Mean(logs, nil)
	powers := make([]float64, len(x))
	excess := func(k float64) float64 { // of the left side over the right one; rises with k
		for i, log := range logs {
			powers[i] = math.Exp(k * log)
		}
		return stat.Mean(logs, powers) - 1/k - mean
	}
	low, high := 0., 1.
	for excess(high) < 0 {
		low, high = high, 2*high
	}
	for range 60 { // bits
		if k := (low + high) / 2; excess(k) < 0 {
			low = k
		} else {
			high = k
		}
	}
	excess(high) // sets the powers
	return distuv.Weibull{K: high, Lambda: largest * math.Pow(stat.Mean(powers, nil), 1/high)}, nil
}
