package fewshot

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// clouds returns n points of each class around (10 class, 5).
func clouds(classes, n int, spread float64) (z [][]float64, labels []int32) {
	random := rand.New(rand.NewPCG(1, 0))
	for i := range classes * n {
		class := i % classes
		z = append(z, []float64{10*float64(class) + spread*random.NormFloat64(), 5 + spread*random.NormFloat64()})
		labels = append(labels, int32(class))
	}
	return z, labels
}

func TestMethods(t *testing.T) {
	z, labels := clouds(3, 4, 0.1)
	for _, method := range Methods() {
		got, err := method.Classify(Support{z, labels, 3}, [][]float64{{0, 5}, {10, 5}, {20, 5}})
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, method.Name, got, []int32{0, 1, 2})
		one, err := method.Classify(Support{z[:1], labels[:1], 1}, [][]float64{{0, 0}})
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, method.Name+" of one point", one, []int32{0})
	}
}

// The same problem in other units has the same biases and classes.
func TestLogistic(t *testing.T) {
	z, labels := clouds(3, 20, 8)
	for _, scale := range []float64{1e-4, 1, 1e4} {
		s := Support{Labels: labels, Way: 3}
		for _, z := range z {
			s.Z = append(s.Z, floats.ScaleTo(make([]float64, 2), scale, z))
		}
		unscaled, err := Logistic(Support{z, labels, 3}, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		scaled, err := Logistic(s, 0.5*scale*scale)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckNear(t, "biases in other units", scaled.B, unscaled.B, 1e-5)
		embedtest.CheckEqual(t, "classes", scaled.classify(s.Z), unscaled.classify(z))
	}
	// In more dimensions than points, one of them twice, the minimum is where the derivatives are 0.
	wide := Support{[][]float64{{3, 0, 1, 0, 2, 1}, {3, 0, 1, 0, 2, 1}, {0, 1, 0, -2, 1, 0}, {0, 0, 0, 0, 0, 0}}, []int32{0, 0, 1, 2}, 3}
	model, err := Logistic(wide, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	for j, w := range model.W {
		derivative := floats.ScaleTo(make([]float64, len(w)), 0.5, w)
		for i, z := range wide.Z {
			p := vectors.Softmax(floats.AddTo(make([]float64, 3), vectors.Dots(z, model.W), model.B))[j]
			if wide.Labels[i] == int32(j) {
				p--
			}
			floats.AddScaled(derivative, p, z)
		}
		embedtest.CheckNear(t, "derivative", derivative, make([]float64, len(w)), 1e-6)
	}
	_, err = Logistic(Support{z, labels, 3}, 0)
	embedtest.WantError(t, err, "the penalty l2 is 0; allowed: more than 0")
}

func TestEpisodes(t *testing.T) {
	z, labels := clouds(5, 20, 4)
	episodes := Episodes{Way: 3, Shot: 2, Queries: 5, Count: 40, Seed: 7}
	measure := func(known Known) [][]Accuracy {
		t.Helper()
		accuracies, err := episodes.Measure(z, labels, known, Methods()...)
		if err != nil {
			t.Fatal(err)
		}
		return accuracies
	}
	first := measure(Known{})
	for m, method := range Methods() {
		if got := first[m]; len(got) != 40 || got[0].All != got[0].New || !math.IsNaN(got[0].Known) {
			t.Errorf("%s: got %v", method.Name, got)
		}
	}
	for m, again := range measure(Known{}) {
		for i := range again {
			if again[i].All != first[m][i].All {
				t.Errorf("the same seed gives other episodes: %v, %v", again[i], first[m][i])
			}
		}
	}
	// A known class far away is always found, and takes none of the new points.
	far := Known{Means: [][]float64{{0, 1000}}, Labels: make([]int32, 5)}
	for range 5 {
		far.Z = append(far.Z, []float64{0, 999})
	}
	for _, got := range measure(far)[0] { // prototype
		embedtest.CheckNear(t, "all of 3 new classes and a known one", []float64{got.All, got.Known}, []float64{(3*got.New + 1) / 4, 1}, 1e-12)
		embedtest.CheckNear(t, "harmonic mean", []float64{got.Harmonic()}, []float64{2 * got.New / (got.New + 1)}, 1e-12)
	}
	if got := (Accuracy{}).Harmonic(); got != 0 {
		t.Errorf("harmonic mean of nothing found: got %v, want 0", got)
	}
}

func TestErrors(t *testing.T) {
	z, labels := clouds(2, 4, 1)
	classify := func(s Support, query [][]float64, words ...string) {
		t.Helper()
		for _, method := range Methods() {
			_, err := method.Classify(s, query)
			embedtest.WantError(t, err, append(words, "fewshot: ", "; allowed: ")...)
		}
	}
	classify(Support{nil, nil, 2}, nil, "0 classes of 0 points")
	classify(Support{z, labels[1:], 2}, nil, "7 classes of 8 points")
	classify(Support{z, labels, 3}, nil, "class 2 has no points")
	classify(Support{z, labels, 1}, nil, "the class of point 1 is 1", "0 to 0")
	classify(Support{z, labels, -1}, nil, "-1 classes", "1 or more")
	classify(Support{z, labels, 2}, [][]float64{{1}}, "query 0 has 1 dimensions", "2")
	classify(Support{z, labels, 2}, [][]float64{{1, math.NaN()}}, "NaN in query 0")
	_, err := Method{classify: Nearest(9)}.Classify(Support{z, labels, 2}, z)
	embedtest.WantError(t, err, "the 9 nearest of 8 points; allowed: 1 to 8")
	_, err = Method{Name: "own"}.Classify(Support{z, labels, 2}, z)
	embedtest.WantError(t, err, `"own"`, "no function")

	measure := func(e Episodes, known Known, words ...string) {
		t.Helper()
		_, err := e.Measure(z, labels, known, Methods()...)
		embedtest.WantError(t, err, append(words, "fewshot: ", "; allowed: ")...)
	}
	measure(Episodes{Way: 2, Shot: 0, Queries: 1, Count: 1}, Known{}, "0 points of the support")
	measure(Episodes{Way: 3, Shot: 1, Queries: 1, Count: 1}, Known{}, "episodes of 3 classes", "up to 2")
	measure(Episodes{Way: 2, Shot: 3, Queries: 2, Count: 1}, Known{}, "has 4 points", "5 or more")
	measure(Episodes{Way: 2, Shot: 1, Queries: 1, Count: 1}, Known{Means: [][]float64{{0, 0}}}, "known class 0 has 0 points")
	measure(Episodes{Way: 2, Shot: 1, Queries: 1, Count: 1}, Known{Labels: []int32{0}}, "1 of 0 known ones")
	measure(Episodes{Way: 2, Shot: 1, Queries: 1, Count: 1}, Known{Means: [][]float64{{0, 0}}, Z: z, Labels: labels}, "a known point is of class 1", "0 to 0")
	z[3][0] = math.Inf(1)
	measure(Episodes{Way: 2, Shot: 2, Queries: 2, Count: 1}, Known{}, "+Inf in ", "episode 0")
}

func TestInterval(t *testing.T) {
	for _, values := range [][]float64{nil, {0.5}} {
		if got := NewInterval(values); !math.IsNaN(got.HalfWidth) || !math.IsNaN(got.StudentHalfWidth) {
			t.Errorf("%d values: got %v, want no widths", len(values), got)
		}
	}
}
