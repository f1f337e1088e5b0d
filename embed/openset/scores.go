package openset

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/internal/parallel"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// A Space is a trained embedded space, by which points are scored.
type Space struct {
	Train     [][]float64 // embeddings of training images [m, dim]
	Labels    []int32     // [m], their classes, 0 to the number of Vectors less 1
	Predicted []int32     // [m], by the technique's own rule; none: all are right
	Vectors   [][]float64 // what stands for each class: weights, centers or targets [classes, dim]
	// Logits says that class scores are logits. Where they are cosines or distances, the
	// logits l are z . v_j / ||v_j|| with the class vectors v.
	Logits bool
}

// Points are to be scored.
type Points struct {
	Z      [][]float64 // [n, dim]
	Scores [][]float64 // [n, classes], by the technique's own rule: the largest decides
}

// A Score tells how known points are: larger is more known.
type Score struct {
	Name    string
	Formula string // of a point z; l are its logits, p their softmax, v class vectors, mu class means of the training points
	Source  string
	Natural string // where its geometry fits

	of func(s Space, p Points) ([]float64, error)
}

// Of returns the scores [n] of points. Class means are those of the classes that have training
// points. Errors: no training point; points, classes and scores that do not fit together;
// coordinates and class scores that are not finite; what a score needs more, as a covariance that
// can be inverted.
func (score Score) Of(s Space, p Points) ([]float64, error) {
	if score.of == nil {
		return nil, fmt.Errorf("openset: score %q has no function; allowed: those of Scores", score.Name)
	}
	if err := s.check(p); err != nil {
		return nil, err
	}
	scores, err := score.of(s, p)
	if err != nil {
		return nil, fmt.Errorf("openset: %s: %w", score.Name, err)
	}
	return scores, checkScores(score.Name, scores)
}

const (
	neighbours   = 5   // k of the k-th nearest training point, as in measure.Distances.KNNAccuracy
	entropyPower = 0.1 // gamma of generalized entropy, as published
	weibullTail  = 20  // the largest distances of a class that OpenMax takes, as published
)

// Scores returns the scores.
func Scores() []Score {
	return []Score{
		{"own", "max_j of the class scores", "", "all: the technique's own rule", own},
		{"margin", "largest less second of the class scores", "", "contrastive, triplet: nearer to one class than to the next", margin},
		{"max-logit", "max_j l_j", "arXiv 1911.11132, 2110.06207", "softmax, angular margins: direction and norm", maxLogit},
		{"max-softmax", "max_j p_j", "arXiv 1610.02136", "softmax", maxSoftmax},
		{"energy", "log sum_j exp(l_j)", "arXiv 2010.03759", "softmax", Energy(1)},
		{"entropy", "sum_j p_j log p_j", "arXiv 2012.06575", "softmax", negativeEntropy},
		{"generalized-entropy", "-sum_j p_j^0.1 (1 - p_j)^0.1", "Liu et al., GEN, CVPR 2023", "softmax", generalizedEntropy},
		{"max-cosine", "max_j cos(z, v_j), 0 at the origin", "arXiv 1905.10628", "losses that see directions only", maxCosine},
		{"cosine-mean", "max_j cos(z, mean of the unit vectors of class j)", "arXiv 1905.10628", "losses of cosines of pairs", cosineMean},
		{"norm", "||z||", "arXiv 1811.04110", "softmax: the unknown stay near the origin", norm},
		{"nearest-mean", "-min_j ||z - mu_j||", "arXiv 1703.05175", "center, contrastive, triplet", nearestMean},
		{"nearest-vector", "-min_j ||z - v_j||", "", "regression: the nearest target", nearestVector},
		{"cac", "-min_j d_j (1 - softmin(d)_j), d_j = ||z - mu_j||", "arXiv 2004.02434", "cac", cac},
		{"knn", "-distance of the 5th nearest training point", "arXiv 2204.06507", "all: classes of any shape", KNN(neighbours)},
		{"knn-direction", "the same of z/||z||", "arXiv 2204.06507", "losses that see directions only", KNNDirection(neighbours)},
		{"mahalanobis", "-min_j (z - mu_j)' S^-1 (z - mu_j), S the covariance within classes", "arXiv 1807.03888", "center: classes of one shape", mahalanobis},
		{"class-mahalanobis", "the same with 0.9 S_j + 0.1 S, S_j the covariance of class j", "doi 10.1080/01621459.1989.10478752", "softmax: each class has its own spread", classMahalanobis},
		{"relative-mahalanobis", "-min_j (M_j - M_0), M_j as in mahalanobis, M_0 by mean and covariance of all", "arXiv 2106.09022", "angular margins", relativeMahalanobis},
		{"fdbd", "mean_{j != y} (l_y - l_j) / ||w_y - w_j|| / ||z - mean||, y the class of the largest logit, w the weights of the logits, mean that of the training points", "arXiv 2312.11536", "softmax: distance from the decision boundaries", fdbd},
		{"openmax", "1 - the probability of unknown, by Weibull distributions of the distances from mu_j", "arXiv 1511.06233", "softmax", openMax},
	}
}

// LookUp returns the score of that name. The error lists the names.
func LookUp(name string) (Score, error) {
	var names []string
	for _, score := range Scores() {
		if score.Name == name {
			return score, nil
		}
		names = append(names, score.Name)
	}
	return Score{}, fmt.Errorf("openset: unknown score %q; allowed: %s", name, strings.Join(names, ", "))
}

func own(_ Space, p Points) ([]float64, error) { return vectors.Each(p.Scores, floats.Max), nil }

func margin(_ Space, p Points) ([]float64, error) {
	return vectors.Each(p.Scores, func(row []float64) float64 {
		sorted := slices.Sorted(slices.Values(row))
		return sorted[len(row)-1] - sorted[len(row)-2]
	}), nil
}

func maxLogit(s Space, p Points) ([]float64, error) {
	return vectors.Each(s.logits(p), floats.Max), nil
}

func maxSoftmax(s Space, p Points) ([]float64, error) {
	return vectors.Each(s.logits(p), func(l []float64) float64 { return floats.Max(vectors.Softmax(l)) }), nil
}

// Energy returns the score t log sum_j exp(l_j / t) at a temperature t, more than 0: that of Score
// with t = 1. Its errors are those of Score.Of, and another temperature.
//
// Source: Liu et al., arXiv 2010.03759.
func Energy(t float64) func(Space, Points) ([]float64, error) {
	return func(s Space, p Points) ([]float64, error) {
		if !(t > 0) || math.IsInf(t, 1) {
			return nil, fmt.Errorf("openset: a temperature of %v; allowed: more than 0", t)
		}
		if err := s.check(p); err != nil {
			return nil, err
		}
		return vectors.Each(s.logits(p), func(l []float64) float64 {
			return t * floats.LogSumExp(floats.ScaleTo(make([]float64, len(l)), 1/t, l))
		}), nil
	}
}

func negativeEntropy(s Space, p Points) ([]float64, error) {
	return vectors.Each(s.logits(p), func(l []float64) float64 {
		sum, total := floats.LogSumExp(l), 0.
		for _, x := range l {
			total += math.Exp(x-sum) * (x - sum)
		}
		return total
	}), nil
}

func generalizedEntropy(s Space, p Points) ([]float64, error) {
	return vectors.Each(s.logits(p), func(l []float64) float64 {
		total := 0.
		others := complements(l)
		for j, p := range vectors.Softmax(l) {
			total -= math.Pow(p*others[j], entropyPower)
		}
		return total
	}), nil
}

// complements returns 1 - p_j of the softmax p of l. That of the largest is the sum of the others:
// 1 - p would be 0 where p is rounded to 1.
func complements(l []float64) []float64 {
	largest, rest := floats.MaxIdx(l), 0.
	e := make([]float64, len(l))
	for j, x := range l {
		e[j] = math.Exp(x - l[largest])
		if j != largest {
			rest += e[j]
		}
	}
	for j := range e {
		e[j] = 1 - e[j]/(1+rest)
	}
	e[largest] = rest / (1 + rest)
	return e
}

func maxCosine(s Space, p Points) ([]float64, error) {
	directions := vectors.Units(s.Vectors)
	return vectors.Each(p.Z, func(z []float64) float64 { return floats.Max(vectors.Dots(vectors.Unit(z), directions)) }), nil
}

func cosineMean(s Space, p Points) ([]float64, error) {
	directions := vectors.Units(present(s.means(vectors.Units(s.Train))))
	return vectors.Each(p.Z, func(z []float64) float64 { return floats.Max(vectors.Dots(vectors.Unit(z), directions)) }), nil
}

func norm(_ Space, p Points) ([]float64, error) {
	return vectors.Each(p.Z, func(z []float64) float64 { return floats.Norm(z, 2) }), nil
}

func nearestMean(s Space, p Points) ([]float64, error) {
	return nearest(p.Z, present(s.means(s.Train))), nil
}

func nearestVector(s Space, p Points) ([]float64, error) { return nearest(p.Z, s.Vectors), nil }

func cac(s Space, p Points) ([]float64, error) {
	means := present(s.means(s.Train))
	return vectors.Each(p.Z, func(z []float64) float64 {
		distances := vectors.Distances(z, means)
		others := complements(floats.ScaleTo(make([]float64, len(means)), -1, distances))
		return -floats.Min(floats.MulTo(others, distances, others))
	}), nil
}

// KNN returns the score -||z - x||, x the k-th nearest training point. Its errors are those of
// Score.Of, and a k that is not 1 to the number of training points.
//
// Source: Sun et al., arXiv 2204.06507.
func KNN(k int) func(Space, Points) ([]float64, error) {
	return func(s Space, p Points) ([]float64, error) { return s.kthNearest(k, p) }
}

// KNNDirection returns that of the unit vectors of all points, as published; the origin stays.
func KNNDirection(k int) func(Space, Points) ([]float64, error) {
	return func(s Space, p Points) ([]float64, error) {
		s.Train, p.Z = vectors.Units(s.Train), vectors.Units(p.Z)
		return s.kthNearest(k, p)
	}
}

// A member is a training point with its distance from the mean of its class.
type member struct {
	x      []float64
	radius float64
}

// kthNearest returns the score of KNN. A point x of class j is no nearer to z than
// | ||z - mu_j|| - ||x - mu_j|| |: the search in a class goes from equal radii outward, and ends
// where all others are too far.
func (s Space) kthNearest(k int, p Points) ([]float64, error) {
	if err := s.check(p); err != nil {
		return nil, err
	}
	if k < 1 || k > len(s.Train) {
		return nil, fmt.Errorf("the %d-th nearest of %d training points; allowed: 1 to %[2]d", k, len(s.Train))
	}
	means := s.means(s.Train)
	classes := make([][]member, len(means))
	for i, x := range s.Train {
		class := s.Labels[i]
		classes[class] = append(classes[class], member{x, floats.Distance(x, means[class], 2)})
	}
	classes = slices.DeleteFunc(classes, func(members []member) bool { return members == nil })
	means = present(means)
	for _, members := range classes {
		slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(a.radius, b.radius) })
		for i, m := range members { // in memory in this order, too
			members[i].x = slices.Clone(m.x)
		}
	}
	scores := make([]float64, len(p.Z))
	parallel.For(len(p.Z), func() func(i int) {
		near := make([]float64, k) // the least squared distances, the smallest first
		return func(i int) {
			for place := range near {
				near[place] = math.Inf(1)
			}
			radii := vectors.Distances(p.Z[i], means)
			first := floats.MinIdx(radii) // most of the nearest are of the class of the nearest mean
			for j := range classes {
				class := (first + j) % len(classes)
				searchOutward(classes[class], p.Z[i], radii[class], near)
			}
			scores[i] = -math.Sqrt(near[k-1])
		}
	})
	return scores, nil
}

// searchOutward puts the squared distances of members from z into near where they are less.
func searchOutward(members []member, z []float64, radius float64, near []float64) {
	above, _ := slices.BinarySearchFunc(members, radius, func(m member, radius float64) int { return cmp.Compare(m.radius, radius) })
	below, last := above-1, len(near)-1
	for farthest := math.Sqrt(near[last]); below >= 0 || above < len(members); {
		next := above
		if above == len(members) || below >= 0 && radius-members[below].radius < members[above].radius-radius {
			next = below
			below--
		} else {
			above++
		}
		m := members[next]
		if math.Abs(radius-m.radius) >= farthest {
			return
		}
		if squared := squaredDistance(z, m.x, near[last]); squared < near[last] {
			place, _ := slices.BinarySearch(near, squared)
			copy(near[place+1:], near[place:])
			near[place] = squared
			farthest = math.Sqrt(near[last])
		}
	}
}

// squaredDistance returns ||x - y||^2, or a part of it that is bound or more. Eight squares are
// added in pairs: a sum one by one would wait for each.
func squaredDistance(x, y []float64, bound float64) float64 {
	squared := 0.
	for ; len(x) >= 8 && len(y) >= 8 && squared < bound; x, y = x[8:], y[8:] {
		a, b, c, d := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		e, f, g, h := x[4]-y[4], x[5]-y[5], x[6]-y[6], x[7]-y[7]
		squared += ((a*a + b*b) + (c*c + d*d)) + ((e*e + f*f) + (g*g + h*h))
	}
	if squared >= bound {
		return squared
	}
	for i := range x {
		squared += (x[i] - y[i]) * (x[i] - y[i])
	}
	return squared
}

func fdbd(s Space, p Points) ([]float64, error) {
	mean := make([]float64, len(s.Train[0]))
	for _, x := range s.Train {
		floats.AddScaled(mean, 1/float64(len(s.Train)), x)
	}
	weights, scores := s.weights(), make([]float64, len(p.Z))
	for i, l := range s.logits(p) {
		y, total := floats.MaxIdx(l), 0.
		for j, w := range weights {
			if j != y {
				total += (l[y] - l[j]) / floats.Distance(weights[y], w, 2)
			}
		}
		scores[i] = total / float64(len(l)-1) / floats.Distance(p.Z[i], mean, 2)
	}
	return scores, nil
}

// logits returns the logits [n, classes] of points: see Space.Logits.
func (s Space) logits(p Points) [][]float64 {
	if s.Logits {
		return p.Scores
	}
	logits, weights := make([][]float64, len(p.Z)), s.weights()
	for i, z := range p.Z {
		logits[i] = vectors.Dots(z, weights)
	}
	return logits
}

// weights returns the weights of the logits, but for biases.
func (s Space) weights() [][]float64 {
	if s.Logits {
		return s.Vectors
	}
	return vectors.Units(s.Vectors)
}

// means returns the mean of x [m, dim] for each class; nil for a class without a point.
func (s Space) means(x [][]float64) [][]float64 { return vectors.Means(x, s.Labels, len(s.Vectors)) }

// present returns the means of the classes that have points.
func present(means [][]float64) [][]float64 {
	return slices.DeleteFunc(slices.Clone(means), func(mean []float64) bool { return mean == nil })
}

func (s Space) check(p Points) error {
	switch {
	case len(s.Vectors) < 2:
		return fmt.Errorf("openset: %d class vectors; allowed: 2 or more", len(s.Vectors))
	case len(s.Train) == 0:
		return errors.New("openset: no training points; allowed: 1 or more")
	case len(s.Labels) != len(s.Train):
		return fmt.Errorf("openset: %d classes of %d training points; allowed: as many", len(s.Labels), len(s.Train))
	case len(s.Predicted) != 0 && len(s.Predicted) != len(s.Train):
		return fmt.Errorf("openset: %d predicted classes of %d training points; allowed: as many, or none", len(s.Predicted), len(s.Train))
	case len(p.Scores) != len(p.Z):
		return fmt.Errorf("openset: class scores of %d of %d points; allowed: of all", len(p.Scores), len(p.Z))
	}
	for i, class := range s.Labels {
		if class < 0 || int(class) >= len(s.Vectors) {
			return fmt.Errorf("openset: the class of training point %d is %d; allowed: 0 to %d", i, class, len(s.Vectors)-1)
		}
	}
	dim := len(s.Vectors[0])
	return errors.Join(checkRows("class vector", s.Vectors, dim), checkRows("training point", s.Train, dim),
		checkRows("point", p.Z, dim), checkRows("class scores of point", p.Scores, len(s.Vectors)))
}

// checkRows returns an error unless each row has that many finite numbers.
func checkRows(what string, rows [][]float64, width int) error {
	for i, row := range rows {
		if len(row) != width {
			return fmt.Errorf("openset: %d numbers in %s %d; allowed: %d", len(row), what, i, width)
		}
		for _, x := range row {
			if x-x != 0 {
				return fmt.Errorf("openset: %v in %s %d; allowed: finite numbers", x, what, i)
			}
		}
	}
	return nil
}

// nearest returns -min_j ||z_i - x_j|| [n].
func nearest(z, x [][]float64) []float64 {
	return vectors.Each(z, func(z []float64) float64 { return -floats.Min(vectors.Distances(z, x)) })
}
