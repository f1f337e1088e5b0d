package fewshot

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/embedspace/embedspace/embed/internal/parallel"
)

// Episodes is a protocol: how episodes are drawn from points.
type Episodes struct {
	Way     int    // classes of an episode
	Shot    int    // points of each class in the support
	Queries int    // of each class
	Count   int    // of episodes
	Seed    uint64 // the same seed draws the same episodes, for all embeddings of the same images
}

// Known are classes that are known before an episode: each stands with its mean in the support,
// and their points are queries, too, as many of each class as of a new one.
//
// Source: Hariharan and Girshick, arXiv 1606.02819, have known and new classes together.
type Known struct {
	Means  [][]float64 // [classes, dim]; for a method of cosines, of the unit vectors
	Z      [][]float64 // [n, dim], other points than the means are of
	Labels []int32     // [n], 0 to the number of means less 1
}

// An Accuracy is the share of the queries of an episode whose class is found.
type Accuracy struct {
	All, New, Known float64 // over the queries of all classes, the new, the known; Known is NaN without any
}

// Harmonic returns the harmonic mean of the accuracies of new and known classes, which is 0
// where either is: what generalized few-shot learning compares by.
//
// Source: Schonfeld et al., arXiv 1812.01784.
func (a Accuracy) Harmonic() float64 {
	if a.New+a.Known == 0 {
		return 0
	}
	return 2 * a.New * a.Known / (a.New + a.Known)
}

// Measure returns the accuracies of each method [methods][Count], with points z [n, dim] of new
// classes [n], on all cores. known is empty for new classes alone. Errors: numbers below 1, more
// classes or points than there are, coordinates that are not finite.
func (e Episodes) Measure(z [][]float64, labels []int32, known Known, methods ...Method) ([][]Accuracy, error) {
	if err := e.check(z, labels, known); err != nil {
		return nil, err
	}
	places, knownPlaces := placesOf(labels), placesOf(known.Labels)
	classes := slices.Sorted(maps.Keys(places))
	accuracies := make([][]Accuracy, len(methods))
	for m := range accuracies {
		accuracies[m] = make([]Accuracy, e.Count)
	}
	failures := make([]error, e.Count)
	parallel.For(e.Count, func() func(i int) {
		return func(i int) {
			random := rand.New(rand.NewPCG(e.Seed, uint64(i)))
			support := Support{Way: e.Way + len(known.Means)}
			var query [][]float64
			var want []int32
			for class, which := range random.Perm(len(classes))[:e.Way] {
				own := places[classes[which]]
				for n, j := range random.Perm(len(own))[:e.Shot+e.Queries] {
					if point := z[own[j]]; n < e.Shot {
						support.Z, support.Labels = append(support.Z, point), append(support.Labels, int32(class))
					} else {
						query, want = append(query, point), append(want, int32(class))
					}
				}
			}
			ofNew := len(query)
			for class, mean := range known.Means {
				class := int32(class)
				support.Z, support.Labels = append(support.Z, mean), append(support.Labels, int32(e.Way)+class)
				own := knownPlaces[class]
				for _, j := range random.Perm(len(own))[:e.Queries] {
					query, want = append(query, known.Z[own[j]]), append(want, int32(e.Way)+class)
				}
			}
			for m, method := range methods {
				got, err := method.Classify(support, query)
				if err != nil {
					failures[i] = fmt.Errorf("%w (episode %d, %s)", err, i, method.Name)
					return
				}
				accuracies[m][i] = Accuracy{accuracy(got, want), accuracy(got[:ofNew], want[:ofNew]), accuracy(got[ofNew:], want[ofNew:])}
			}
		}
	})
	return accuracies, cmp.Or(failures...)
}

// placesOf returns where the points of each class are.
func placesOf(labels []int32) map[int32][]int {
	places := map[int32][]int{}
	for i, class := range labels {
		places[class] = append(places[class], i)
	}
	return places
}

// accuracy returns the share of classes that are as wanted, NaN of none.
func accuracy(got, want []int32) float64 {
	right := 0.
	for i := range want {
		if got[i] == want[i] {
			right++
		}
	}
	return right / float64(len(want))
}

func (e Episodes) check(z [][]float64, labels []int32, known Known) error {
	for _, n := range []struct {
		name  string
		value int
	}{{"classes", e.Way}, {"points of the support per class", e.Shot}, {"queries per class", e.Queries}, {"episodes", e.Count}} {
		if n.value < 1 {
			return fmt.Errorf("fewshot: %d %s; allowed: 1 or more", n.value, n.name)
		}
	}
	if len(labels) != len(z) || len(known.Labels) != len(known.Z) {
		return fmt.Errorf("fewshot: %d classes of %d new points, %d of %d known ones; allowed: as many", len(labels), len(z), len(known.Labels), len(known.Z))
	}
	places := placesOf(labels)
	if e.Way > len(places) {
		return fmt.Errorf("fewshot: episodes of %d classes; allowed: up to %d, as there are", e.Way, len(places))
	}
	for class, own := range places {
		if len(own) < e.Shot+e.Queries {
			return fmt.Errorf("fewshot: class %d has %d points; allowed: %d or more, for support and queries", class, len(own), e.Shot+e.Queries)
		}
	}
	places = placesOf(known.Labels)
	for class := range places {
		if class < 0 || int(class) >= len(known.Means) {
			return fmt.Errorf("fewshot: a known point is of class %d; allowed: 0 to %d", class, len(known.Means)-1)
		}
	}
	for class := range known.Means {
		if n := len(places[int32(class)]); n < e.Queries {
			return fmt.Errorf("fewshot: known class %d has %d points; allowed: %d or more, for queries", class, n, e.Queries)
		}
	}
	return nil
}

// An Interval is a mean with its 95 % interval, mean +- half width. Of differences between two
// methods in the same episodes, it tells whether one is better.
type Interval struct {
	Mean             float64
	Deviation        float64 // standard deviation s, over n-1; NaN for one value, as the widths
	HalfWidth        float64 // 1.96 s / sqrt(n), as papers have it for 600 episodes
	StudentHalfWidth float64 // with Student's t in place of 1.96: for few values, as splits and seeds
}

// NewInterval returns the interval of values, NaN without any.
func NewInterval(values []float64) Interval {
	mean, deviation := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	student := math.NaN()
	if n > 1 {
		student = distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975)
	}
	of := stat.StdErr(deviation, n)
	return Interval{mean, deviation, 1.96 * of, student * of}
}
