// Package measure tells numbers from embedded spaces: how well their classes can be told
// apart, and how compact they are. It takes arrays, and knows neither networks nor
// datasets.
package measure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Metrics compare embedded spaces: they mean the same for every technique. Distances are
// Euclidean, angles in radians, shares 0 to 1. What has no value is NaN, and null in JSON.
//
// Distances are measured twice, in the space as it is and on the unit sphere, as
// Embedding.OnSphere has the points. Losses that see directions only leave lengths to
// chance, and with them distances in the space. On the sphere nothing changes when points
// are scaled, each by a positive factor of its own.
//
// Only the norm has the unit of the space; all else stays when the space is rotated or
// scaled, and distances in the space also when it is moved.
type Metrics struct {
	// Accuracy is by the technique's own rule. It is NaN for points that have no
	// Predicted.
	Accuracy Measure `json:"accuracy"`

	Distances           // in the space
	OnSphere  Distances `json:"on_sphere"`

	AngularSpread Measure `json:"angular_spread"` // see Embedding.AngularSpread
	// NeighbourAngle is the mean over the classes of the angle between the direction of
	// the class, as in AngularSpread, and the nearest direction of another. NaN with
	// fewer than two classes that have a direction.
	NeighbourAngle Measure `json:"neighbour_angle"`

	NormMean Measure `json:"norm_mean"` // mean of ||z||
	// NormVariation is the coefficient of variation of ||z||: its standard deviation
	// (over n, not n-1) over its mean. It is 0 when all points are on a sphere around the
	// origin, NaN when all are the origin.
	NormVariation Measure `json:"norm_variation"`
}

// UnmarshalJSON implements json.Unmarshaler. Distances on the sphere that are not there,
// as in files from before they were measured, are NaN, and Touching nil.
func (m *Metrics) UnmarshalJSON(data []byte) error {
	type plain Metrics // without this method
	nan := Measure(math.NaN())
	m.OnSphere = Distances{nan, nan, nan, nan, nan, nan, nan, nil}
	return json.Unmarshal(data, (*plain)(m))
}

// Distances are the metrics that come from Euclidean distances.
//
// Points are classified and found by a reference, the training images, and never by other
// test points. Of reference points at the same distance, the one that comes first is the
// nearer one.
type Distances struct {
	// NearestMeanAccuracy is the accuracy by the nearest of the reference's class means.
	// Of means at the same distance, that of the lower class is nearer.
	NearestMeanAccuracy Measure `json:"nearest_mean_accuracy"`
	// KNNAccuracy is the accuracy by the class of most of the 5 nearest reference points. Of
	// classes with as many, the one with the nearest point wins.
	KNNAccuracy Measure `json:"knn_accuracy"`

	// RecallAt1 is the share of points whose nearest reference point is of their class.
	// Points of classes that the reference lacks can't be found, and are left out here
	// and in MAPAtR, but are wrong for accuracies. It is NaN where no points are left.
	RecallAt1 Measure `json:"recall_at_1"`
	// MAPAtR is the mean over the points of
	//
	//	(1/R) sum_{i=1}^R P(i)
	//
	// with R the number of reference points of the point's class, and P(i) the share of
	// its i nearest that are of its class if the i-th is, else 0. It is 1 when all of
	// the class are nearer than all others. NaN as RecallAt1.
	//
	// Source: Musgrave et al., arXiv 2003.08505.
	MAPAtR Measure `json:"map_at_r"`

	Silhouette Measure `json:"silhouette"` // mean of Embedding.Silhouettes
	// DaviesBouldin is the mean over the classes of
	//
	//	max_{k != j} (s_j + s_k) / ||c_j - c_k||
	//
	// with c the class means and s the mean distances of the points from them. It is 0
	// when classes are points apart from each other, and has no upper bound. Pairs with
	// the same mean are left out. NaN where none is left, and with fewer than two
	// classes.
	//
	// Source: Davies and Bouldin, 1979, doi 10.1109/TPAMI.1979.4766909; as
	// scikit-learn's davies_bouldin_score, which says 0 where no pair is left.
	DaviesBouldin Measure `json:"davies_bouldin"`
	DistanceRatio Measure `json:"distance_ratio"` // see Embedding.DistanceRatio

	// Touching has the pairs of classes that touch, those that overlap most first.
	Touching []Touch `json:"touching"`
}

// A Touch is a pair of classes that touch: at least 1 % of the points of one of them have
// their nearest reference point in the other. It means the same in all dimensions, at all
// scales and for all shapes of classes. In a class of 100 points or fewer, one is enough.
type Touch struct {
	Classes [2]int  `json:"classes"` // the lower one first
	Share   float64 `json:"share"`   // the larger one of the two shares
}

// A Measure is a number that may have no value: NaN in Go, null in JSON, which has no NaN.
type Measure float64

// MarshalJSON implements json.Marshaler.
func (m Measure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(m)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(m))
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Measure) UnmarshalJSON(data []byte) error {
	value := math.NaN()
	err := json.Unmarshal(data, &value) // null changes nothing
	*m = Measure(value)
	return err
}

const (
	nearestVoters = 5    // k of Distances.KNNAccuracy
	touchingShare = 0.01 // the least Touch.Share
)

// Metrics measures an embedding by a reference, on all cores: 10,000 points by 60,000 of
// the reference take seconds. The number of cores doesn't change a bit of the result.
// Classes without a point are allowed. Errors name what isn't: no points, other
// dimensions than the reference has, slices that don't fit together, classes out of
// range, and coordinates that are not finite.
func (e Embedding) Metrics(reference Embedding) (Metrics, error) {
	if err := e.Check("test"); err != nil {
		return Metrics{}, err
	}
	if err := reference.Check("reference"); err != nil {
		return Metrics{}, err
	}
	if e.Dim != reference.Dim {
		return Metrics{}, fmt.Errorf("measure: test points have %d dimensions; allowed: %d, as the reference points", e.Dim, reference.Dim)
	}
	if e.Classes != reference.Classes {
		return Metrics{}, fmt.Errorf("measure: test points have %d classes; allowed: %d, as the reference points", e.Classes, reference.Classes)
	}
	norms := make([]float64, e.Len())
	for i := range norms {
		norms[i] = norm(e.at(i))
	}
	mean, deviation := stat.PopMeanStdDev(norms, nil)
	return Metrics{
		Accuracy:       Measure(e.Accuracy()),
		Distances:      e.distances(reference),
		OnSphere:       e.OnSphere().distances(reference.OnSphere()),
		AngularSpread:  Measure(e.AngularSpread()),
		NeighbourAngle: Measure(e.neighbourAngle()),
		NormMean:       Measure(mean),
		NormVariation:  Measure(deviation / mean),
	}, nil
}

// distances returns Metrics.Distances.
func (e Embedding) distances(reference Embedding) Distances {
	counts := reference.counts()
	retrievals := e.retrieve(reference, min(nearestVoters, reference.Len()), counts)
	var voted, findable, found, precision float64
	for i, r := range retrievals {
		label := e.Labels[i]
		if r.vote == label {
			voted++
		}
		if counts[label] == 0 {
			continue
		}
		findable++
		if r.nearest == label {
			found++
		}
		precision += r.precision
	}
	return Distances{
		NearestMeanAccuracy: Measure(e.nearestMean(reference)),
		KNNAccuracy:         Measure(voted / float64(e.Len())),
		RecallAt1:           Measure(found / findable),
		MAPAtR:              Measure(precision / findable),
		Silhouette:          Measure(stat.Mean(e.Silhouettes(), nil)),
		DaviesBouldin:       Measure(e.daviesBouldin()),
		DistanceRatio:       Measure(e.DistanceRatio()),
		Touching:            e.touching(retrievals),
	}
}

// nearestMean returns Distances.NearestMeanAccuracy.
func (e Embedding) nearestMean(reference Embedding) float64 {
	means, counts := reference.Means(), reference.counts()
	right := 0.
	for i, label := range e.Labels {
		point, nearest, least := e.at(i), -1, math.Inf(1)
		for class, mean := range means {
			if counts[class] == 0 {
				continue
			}
			if distance := floats.Distance(point, mean, 2); distance < least {
				nearest, least = class, distance
			}
		}
		if nearest == int(label) {
			right++
		}
	}
	return right / float64(e.Len())
}

// touching returns Distances.Touching.
func (e Embedding) touching(retrievals []retrieval) []Touch {
	strays := map[[2]int]int{} // points of the first class that are nearest to the second
	for i, r := range retrievals {
		if r.nearest != e.Labels[i] {
			strays[[2]int{int(e.Labels[i]), int(r.nearest)}]++
		}
	}
	shares, counts := map[[2]int]float64{}, e.counts()
	for pair, n := range strays {
		share := float64(n) / float64(counts[pair[0]])
		slices.Sort(pair[:])
		shares[pair] = max(shares[pair], share)
	}
	touching := []Touch{}
	for pair, share := range shares {
		if share >= touchingShare {
			touching = append(touching, Touch{pair, share})
		}
	}
	slices.SortFunc(touching, func(a, b Touch) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), slices.Compare(a.Classes[:], b.Classes[:]))
	})
	return touching
}

// daviesBouldin returns Distances.DaviesBouldin.
func (e Embedding) daviesBouldin() float64 {
	means, counts := e.Means(), e.counts()
	spreads := make([]float64, e.Classes)
	for i, distance := range e.fromMeans(means) {
		spreads[e.Labels[i]] += distance
	}
	for class := range spreads {
		spreads[class] /= float64(counts[class])
	}
	total, present, apart := 0., 0., false
	for j := range e.Classes {
		if counts[j] == 0 {
			continue
		}
		present++
		worst := 0.
		for k := range e.Classes {
			if distance := floats.Distance(means[j], means[k], 2); counts[k] > 0 && distance > 0 {
				worst, apart = max(worst, (spreads[j]+spreads[k])/distance), true
			}
		}
		total += worst
	}
	if !apart {
		return math.NaN()
	}
	return total / present
}

// neighbourAngle returns Metrics.NeighbourAngle.
func (e Embedding) neighbourAngle() float64 {
	directions := slices.DeleteFunc(e.directions(), func(d []float64) bool { return norm(d) == 0 })
	total := 0.
	for j, direction := range directions {
		nearest := math.Inf(1)
		for k, other := range directions {
			if j != k {
				nearest = min(nearest, angle(direction, other))
			}
		}
		total += nearest
	}
	if len(directions) < 2 {
		return math.NaN()
	}
	return total / float64(len(directions))
}
