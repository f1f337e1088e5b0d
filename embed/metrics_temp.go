package embed

import (
	"encoding/json"
	"math"
)

type Measure float64

func (m Measure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(m)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(m))
}

func (m *Measure) UnmarshalJSON(data []byte) error {
	value := math.NaN()
	err := json.Unmarshal(data, &value)
	*m = Measure(value)
	return err
}

type Touch struct {
	Classes [2]int  `json:"classes"`
	Share   float64 `json:"share"`
}

type Metrics struct {
	Accuracy       Measure `json:"accuracy"`
	NearestMean    Measure `json:"nearest_mean"`
	KNN            Measure `json:"knn"`
	RecallAt1      Measure `json:"recall_at_1"`
	MAPAtR         Measure `json:"map_at_r"`
	Silhouette     Measure `json:"silhouette"`
	DaviesBouldin  Measure `json:"davies_bouldin"`
	DistanceRatio  Measure `json:"distance_ratio"`
	AngularSpread  Measure `json:"angular_spread"`
	NeighbourAngle Measure `json:"neighbour_angle"`
	NormMean       Measure `json:"norm_mean"`
	NormVariation  Measure `json:"norm_variation"`
	Touching       []Touch `json:"touching"`
}

func (r *Result) Metrics() (Metrics, error) {
	n := len(r.ClassNames)
	return Metrics{Accuracy: Measure(r.Test.Accuracy()), DistanceRatio: Measure(r.Test.DistanceRatio(n)), AngularSpread: Measure(r.Test.AngularSpread(n)), Silhouette: Measure(math.NaN())}, nil
}
