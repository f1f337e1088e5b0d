package openset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// clouds returns a space of two classes of n points each, around (-3, 0) and (3, 0): one
// narrow, one wide.
func clouds(n int) Space {
	random := rand.New(rand.NewPCG(1, 0))
	s := Space{Vectors: [][]float64{{-1, 0}, {1, 0}}, Logits: true}
	for i := range 2 * n {
		class := i % 2
		spread := 0.1 + 0.9*float64(class)
		s.Train = append(s.Train, []float64{6*float64(class) - 3 + spread*random.NormFloat64(), spread * random.NormFloat64()})
		s.Labels = append(s.Labels, int32(class))
	}
	return s
}

// pointsOf returns points with their logits.
func pointsOf(s Space, z ...[]float64) Points {
	p := Points{Z: z}
	for _, z := range z {
		p.Scores = append(p.Scores, vectors.Dots(z, s.Vectors))
	}
	return p
}

// All scores but those that say nothing on the clouds know a class mean better than a point
// between the classes.
func TestScores(t *testing.T) {
	s := clouds(200)
	for _, score := range Scores() {
		switch score.Name {
		case "max-cosine", "cosine-mean", "knn-direction": // the points have one direction
			continue
		case "nearest-vector": // the vectors are weights, and no points
			continue
		}
		got, err := score.Of(s, pointsOf(s, []float64{3, 0}, []float64{0.2, 0}))
		if err != nil {
			t.Fatal(err)
		}
		if got[0] <= got[1] {
			t.Errorf("%s: %v at a class mean, %v between the classes", score.Name, got[0], got[1])
		}
		one, err := score.Of(s, pointsOf(s, []float64{3, 0}))
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, score.Name+" of one point", one, got[:1])
	}
}

// The search by radii finds the distances that the search among all points does: a class without
// points, one point thrice, a radius of 0, points far outside; more dimensions than are summed up
// at once, or fewer.
func TestKNN(t *testing.T) {
	for _, dim := range []int{2, 8, 11} {
		random := rand.New(rand.NewPCG(uint64(dim), 0))
		at := func(class int, spread float64) []float64 {
			x := make([]float64, dim)
			for d := range x {
				x[d] = float64(class) + spread*random.NormFloat64()
			}
			return x
		}
		s := Space{Vectors: slices.Repeat([][]float64{make([]float64, dim)}, 5)}
		for i := range 300 {
			class := []int{0, 1, 3, 4}[i%4]
			spread := []float64{0.1, 1, 0, 0, 5}[class]
			s.Train, s.Labels = append(s.Train, at(class, spread)), append(s.Labels, int32(class))
		}
		copy(s.Train[4], s.Train[0])
		copy(s.Train[8], s.Train[0])
		z := [][]float64{s.Train[0], at(3, 0), at(100, 1), make([]float64, dim)}
		for range 50 {
			z = append(z, at(random.IntN(5), 2))
		}
		p := pointsOf(s, z...)
		for _, k := range []int{1, 3, 5, 100, 300} {
			got, err := KNN(k)(s, p)
			if err != nil {
				t.Fatal(err)
			}
			want := vectors.Each(z, func(z []float64) float64 {
				distances := vectors.Distances(z, s.Train)
				slices.Sort(distances)
				return -distances[k-1]
			})
			embedtest.CheckNear(t, fmt.Sprintf("%d-D, k = %d", dim, k), got, want, 1e-12)
		}
	}
}

// Where the softmax rounds to 1, the scores that are about what is left of it still have an order.
func TestCertain(t *testing.T) {
	s := clouds(200)
	for i := range s.Train {
		s.Train[i][0] *= 100
	}
	p := pointsOf(s, []float64{250, 0}, []float64{200, 0}, []float64{100, 0}) // 300 is the mean of the nearer class
	for _, name := range []string{"cac", "generalized-entropy"} {
		score, err := LookUp(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := score.Of(s, p)
		if err != nil {
			t.Fatal(err)
		}
		if !(got[0] > got[1] && got[1] > got[2]) {
			t.Errorf("%s: %v, want falling scores", name, got)
		}
	}
}

// Two points as far from the mean of their class, one in the narrow class, one in the wide one.
func TestClassMahalanobis(t *testing.T) {
	s := clouds(2000)
	p := pointsOf(s, []float64{-3, 1}, []float64{3, 1})
	got, err := classMahalanobis(s, p)
	if err != nil {
		t.Fatal(err)
	}
	within := (0.01 + 1) / 2 // the variances of both classes
	embedtest.CheckNear(t, "class Mahalanobis", got, []float64{-1 / (0.9*0.01 + 0.1*within), -1 / (0.9 + 0.1*within)}, 0.1)
}

// The mean distance of a Weibull distribution and its shape come back from a sample, and from
// the same sample in other units.
func TestFitWeibull(t *testing.T) {
	for _, want := range []distuv.Weibull{{K: 2, Lambda: 3}, {K: 40, Lambda: 1e-6}, {K: 0.7, Lambda: 1e6}} {
		var x []float64
		for i := range 2000 {
			x = append(x, want.Quantile((float64(i)+0.5)/2000))
		}
		got, err := fitWeibull(x)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckNear(t, "shape and scale", []float64{got.K / want.K, got.Lambda / want.Lambda}, []float64{1, 1}, 0.01)
	}
}

func TestScoreErrors(t *testing.T) {
	fault := func(change func(s *Space, p *Points), name string, words ...string) {
		t.Helper()
		s := clouds(10)
		p := pointsOf(s, []float64{1, 2})
		change(&s, &p)
		score, err := LookUp(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = score.Of(s, p)
		embedtest.WantError(t, err, append(words, "openset: ", "; allowed: ")...)
	}
	nan := math.NaN()
	for _, temperature := range []float64{0, -1, nan, math.Inf(1)} {
		s := clouds(10)
		_, err := Energy(temperature)(s, pointsOf(s, []float64{1, 2}))
		embedtest.WantError(t, err, "a temperature of", "allowed: more than 0")
	}
	_, err := KNN(1)(clouds(10), Points{Z: [][]float64{{1}}, Scores: [][]float64{{1, 2}}})
	embedtest.WantError(t, err, "1 numbers in point 0; allowed: 2")
	fault(func(s *Space, p *Points) { s.Vectors = s.Vectors[:1] }, "own", "1 class vectors", "2 or more")
	fault(func(s *Space, p *Points) { s.Train, s.Labels = nil, nil }, "own", "no training points")
	fault(func(s *Space, p *Points) { s.Labels = s.Labels[1:] }, "own", "19 classes of 20 training points")
	fault(func(s *Space, p *Points) { s.Predicted = s.Labels[1:] }, "own", "19 predicted classes")
	fault(func(s *Space, p *Points) { s.Labels[3] = 2 }, "own", "the class of training point 3 is 2", "0 to 1")
	fault(func(s *Space, p *Points) { p.Scores = nil }, "own", "class scores of 0 of 1 points")
	fault(func(s *Space, p *Points) { p.Z[0] = []float64{1} }, "own", "1 numbers in point 0", "2")
	fault(func(s *Space, p *Points) { p.Z[0][1] = nan }, "own", "NaN in point 0", "finite numbers")
	fault(func(s *Space, p *Points) { s.Train, s.Labels = s.Train[:4], s.Labels[:4] }, "knn", "the 5-th nearest of 4 training points", "1 to 4")
	fault(func(s *Space, p *Points) {
		for _, x := range s.Train {
			x[1] = 0
		}
	}, "mahalanobis", "too few dimensions")
	fault(func(s *Space, p *Points) { s.Predicted = make([]int32, 20) }, "openmax", "class 1", "2 or more training points")
	_, err = Score{Name: "own"}.Of(Space{}, Points{})
	embedtest.WantError(t, err, `"own"`, "no function")
	_, err = LookUp("softness")
	embedtest.WantError(t, err, `"softness"`, "max-logit")
}
