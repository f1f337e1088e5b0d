package explain

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// line are points on a line, of two classes and a third one far off.
var line = Points{
	Z:      [][]float64{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}, {99, 0}},
	Labels: []int32{0, 0, 0, 0, 1, 1, 1, 2},
}

func indices(neighbours []Neighbour) (all []int) {
	for _, n := range neighbours {
		all = append(all, n.Index)
	}
	return all
}

func TestNearest(t *testing.T) {
	near := must(line.Nearest([]float64{2.5, 1}, 3))(t)
	embedtest.CheckEqual(t, "nearest", indices(near), []int{2, 3, 1}) // 2 and 3 are as near
	embedtest.CheckEqual(t, "the nearest", near[0], Neighbour{2, 0, math.Hypot(0.5, 1)})
	embedtest.CheckEqual(t, "of class 1", indices(must(line.Nearest([]float64{2.5, 1}, 9, 1))(t)), []int{4, 5, 6})
	embedtest.CheckEqual(t, "of two classes", indices(must(line.Nearest([]float64{6, 0}, 4, 1, 2))(t)), []int{6, 5, 4, 7})
}

func TestOutliers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	var p Points
	for i := range 60 {
		p.Z, p.Labels = append(p.Z, []float64{random.NormFloat64(), random.NormFloat64()}), append(p.Labels, int32(i%2))
	}
	p.Z[14], p.Z[20] = []float64{30, 0}, []float64{31, 0} // far from the others, near to each other
	outliers := must(p.Outliers(0, 3))(t)
	got := indices(outliers[:2])
	slices.Sort(got)
	embedtest.CheckEqual(t, "outliers", got, []int{14, 20})
	// By hand: the distance from the fifth of the others of the class.
	var distances []float64
	for i, z := range p.Z {
		if p.Labels[i] == 0 && i != outliers[2].Index {
			distances = append(distances, math.Hypot(z[0]-p.Z[outliers[2].Index][0], z[1]-p.Z[outliers[2].Index][1]))
		}
	}
	slices.Sort(distances)
	embedtest.CheckNear(t, "distance", []float64{outliers[2].Distance}, distances[4:5], 1e-12)
	few := must(line.Outliers(1, 9))(t) // the ends are the farthest from each other
	embedtest.CheckEqual(t, "outliers of three points", indices(few), []int{4, 6, 5})
	embedtest.CheckEqual(t, "distance of one of three", few[0].Distance, 2.)
}

func TestClosest(t *testing.T) {
	p := Points{Z: [][]float64{{0}, {1}, {2}, {4}, {-9}}, Labels: []int32{0, 0, 1, 1, 1}}
	// 0 and 1 are both nearest to 2, which stands in one pair only.
	embedtest.CheckEqual(t, "closest", must(p.Closest(0, 1, 3))(t), []Pair{{[2]int{1, 2}, 1}, {[2]int{0, 3}, 4}})
	embedtest.CheckEqual(t, "the other way", must(p.Closest(1, 0, 3))(t), []Pair{{[2]int{2, 1}, 1}, {[2]int{3, 0}, 4}})
	embedtest.CheckEqual(t, "one pair", must(p.Closest(1, 0, 1))(t), []Pair{{[2]int{2, 1}, 1}})
}

// A path is in one cell of the nearest point after the other, and its steps are equal.
func TestPath(t *testing.T) {
	path := must(line.Path([]float64{0, 0}, []float64{6, 0}, 12))(t)
	embedtest.CheckEqual(t, "ends", [][]float64{path[0].Z, path[12].Z}, [][]float64{{0, 0}, {6, 0}})
	embedtest.CheckEqual(t, "distinct", Distinct(path), []int{0, 2, 4, 6, 8, 10, 12})
	embedtest.CheckEqual(t, "decided before and behind the middle of the means", []int32{path[6].Decided, path[7].Decided}, []int32{0, 1})
	same := must(line.Path([]float64{1, 1}, []float64{1, 1}, 3))(t)
	embedtest.CheckEqual(t, "images of a path that goes nowhere", Distinct(same), []int{0})
}

// Leaving a point out is the decision without it; the points of a class that is far away do not
// matter.
func TestInfluence(t *testing.T) {
	query := []float64{3.6, 0}
	got := must(line.Influence(query))(t)
	embedtest.CheckEqual(t, "predicted", got.Predicted, int32(1))
	embedtest.CheckEqual(t, "change by the last class", got.Change[7], 0.)
	for i := range line.Z[:7] {
		without := Points{slices.Delete(slices.Clone(line.Z), i, i+1), slices.Delete(slices.Clone(line.Labels), i, i+1)}
		again := must(without.Influence(query))(t)
		embedtest.CheckNear(t, "change", []float64{got.Change[i]}, []float64{again.Margin - got.Margin}, 1e-12)
	}
	two := Points{[][]float64{{0}, {1}, {5}}, []int32{0, 0, 1}}
	if change := must(two.Influence([]float64{2}))(t).Change; !math.IsNaN(change[2]) || math.IsNaN(change[0]) {
		t.Errorf("changes are %v, want NaN for the only point of a class, and for no other", change)
	}
}

func TestCounterfactual(t *testing.T) {
	got := must(line.Counterfactual(3))(t)
	embedtest.CheckEqual(t, "counterfactual", got, Counterfactual{Other: Neighbour{4, 1, 1}, Own: Neighbour{2, 0, 1}, Ratio: 1})
	alone := must(line.Counterfactual(7))(t)
	if alone.Own.Index != -1 || !math.IsNaN(alone.Ratio) || alone.Other.Index != 6 {
		t.Errorf("the only point of a class has %+v, want no other of its class, and no ratio", alone)
	}
}

func TestSummarize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	var z [][]float64 // two heaps
	for i := range 40 {
		z = append(z, []float64{10*float64(i%2) + random.NormFloat64(), random.NormFloat64()})
	}
	s := must(Summarize(z, 0.1, 2, 1))(t)
	if s.Prototypes[0]%2 == s.Prototypes[1]%2 {
		t.Errorf("prototypes %d, want one of each heap", s.Prototypes)
	}
	for i, w := range s.Witness { // the first criticism is where the prototypes are most wrong
		if !slices.Contains(s.Prototypes, i) && math.Abs(w) > math.Abs(s.Witness[s.Criticisms[0]]) {
			t.Errorf("the witness at %d is %v, at the criticism %d %v", i, w, s.Criticisms[0], s.Witness[s.Criticisms[0]])
		}
	}
	all := must(Summarize(z, 0.1, len(z), 0))(t)
	embedtest.CheckNear(t, "discrepancy and witness of all points", append(all.Witness, all.MMD2), make([]float64, len(z)+1), 1e-12)

	copies := [][]float64{{0}, {0}, {0}, {0}}
	s = must(Summarize(copies, 1, 1, 3))(t)
	embedtest.CheckEqual(t, "criticisms of copies", s.Criticisms, []int{1, 2, 3})

	gamma := must(Gamma(z))(t)
	sum := 0.
	for _, x := range z {
		for _, y := range z {
			sum += math.Pow(math.Hypot(x[0]-y[0], x[1]-y[1]), 2)
		}
	}
	embedtest.CheckNear(t, "gamma", []float64{gamma}, []float64{float64(len(z)*len(z)) / sum}, 1e-12)
}

func TestPointsRefuse(t *testing.T) {
	nan := math.NaN()
	z := []float64{0, 0}
	one := Points{Z: [][]float64{{0, 0}}, Labels: []int32{0}}
	fails := func(err error, words ...string) {
		t.Helper()
		embedtest.WantError(t, err, words...)
	}
	nearest := func(p Points, z []float64, n int, classes ...int32) error {
		_, err := p.Nearest(z, n, classes...)
		return err
	}
	fails(nearest(Points{}, z, 1), "0 classes of 0 points", "1 or more")
	fails(nearest(Points{line.Z, line.Labels[1:]}, z, 1), "7 classes of 8 points")
	fails(nearest(Points{[][]float64{{0, 0}, {nan, 0}}, []int32{0, 1}}, z, 1), "point 1 is NaN", "finite")
	fails(nearest(Points{[][]float64{{0, 0}, {1}}, []int32{0, 1}}, z, 1), "point 1 has 1 dimensions; allowed: 2")
	fails(nearest(Points{[][]float64{{}}, []int32{0}}, nil, 1), "0 dimensions; allowed: 1")
	fails(nearest(Points{[][]float64{{0, 0}}, []int32{-1}}, z, 1), "class of point 0 is -1")
	fails(nearest(line, []float64{1}, 1), "query 0 has 1 dimensions")
	fails(nearest(line, []float64{1, math.Inf(1)}, 1), "query 0 is +Inf")
	fails(nearest(line, z, 0), "the 0 nearest")
	fails(nearest(line, z, 1, 3, 4), "no point of the classes [3 4]")
	_, err := line.Outliers(0, 0)
	fails(err, "0 outliers")
	_, err = line.Outliers(2, 1)
	fails(err, "class 2 has 1 points; allowed: 2 or more")
	_, err = line.Outliers(5, 1)
	fails(err, "class 5 has 0 points")
	_, err = line.Closest(0, 0, 1)
	fails(err, "class 0 with itself")
	_, err = line.Closest(0, 5, 1)
	fails(err, "0 of class 5")
	_, err = line.Closest(0, 1, 0)
	fails(err, "the 0 closest")
	_, err = line.Path(z, z, 0)
	fails(err, "a path of 0 steps")
	_, err = line.Path(z, []float64{nan, 0}, 1)
	fails(err, "query 1 is NaN")
	_, err = line.Counterfactual(8)
	fails(err, "point 8; allowed: 0 to 7")
	_, err = one.Counterfactual(0)
	fails(err, "all points are of class 0")
	_, err = one.Influence(z)
	fails(err, "all points are of class 0")

	_, err = Summarize(nil, 1, 1, 0)
	fails(err, "no points")
	_, err = Summarize(line.Z, 1, 0, 0)
	fails(err, "0 prototypes")
	_, err = Summarize(line.Z, 1, 5, 4)
	fails(err, "5 prototypes and 4 criticisms of 8 points")
	_, err = Summarize(line.Z, nan, 1, 0)
	fails(err, "gamma is NaN")
	_, err = Summarize([][]float64{{0}, {nan}}, 1, 1, 0)
	fails(err, "point 1 is NaN")
	_, err = Gamma([][]float64{{2}, {2}})
	fails(err, "all 2 points are the same")
	_, err = Medoid(nil)
	fails(err, "no points")
}
