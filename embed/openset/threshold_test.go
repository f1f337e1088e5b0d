package openset

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// Over many calibrations, the share of new scores that are accepted has the mean that Share says.
func TestConformal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	var shares []float64
	var threshold Threshold
	for range 20_000 {
		scores := make([]float64, 30)
		for i := range scores {
			scores[i] = random.Float64()
		}
		var err error
		if threshold, err = Conformal(scores, 0.9); err != nil {
			t.Fatal(err)
		}
		shares = append(shares, 1-threshold.Score)
	}
	mean, _, _ := threshold.Share()
	embedtest.CheckNear(t, "mean share", []float64{stat.Mean(shares, nil)}, []float64{mean}, 0.002)
}

// A share that is next to nothing turns away all but what is above the largest score.
func TestConformalTiny(t *testing.T) {
	threshold, err := Conformal([]float64{1, 2}, 1e-12)
	if err != nil || threshold != (Threshold{2, 2, 2}) {
		t.Errorf("threshold %+v, error %v; want the largest score", threshold, err)
	}
}

func TestThresholdErrors(t *testing.T) {
	_, err := Conformal(nil, 0.9)
	embedtest.WantError(t, err, "no scores", "1 or more")
	_, err = Conformal([]float64{1, math.NaN()}, 0.9)
	embedtest.WantError(t, err, "calibration score 1 is NaN")
	for _, accept := range []float64{0, 1.1, math.NaN()} {
		_, err = Conformal([]float64{1}, accept)
		embedtest.WantError(t, err, "allowed: more than 0, up to 1")
	}
	_, err = ConformalPerClass([]float64{1}, []int32{2}, 2, 0.9)
	embedtest.WantError(t, err, "predicted class 0 is 2; allowed: 0 to 1")
	_, err = Decide([]int32{0}, []float64{1, 2}, 0, 2)
	embedtest.WantError(t, err, "1 predicted classes of 2 scores; allowed: as many")
	_, err = Decide([]int32{0}, []float64{math.NaN()}, 0, 2)
	embedtest.WantError(t, err, "image score 0 is NaN")
	_, err = Decide([]int32{0}, []float64{1}, math.NaN(), 2)
	embedtest.WantError(t, err, "the threshold is NaN")
	_, err = PValues(nil, []float64{1})
	embedtest.WantError(t, err, "no scores of known images", "1 or more")
	_, err = PValues([]float64{1}, []float64{math.NaN()})
	embedtest.WantError(t, err, "image score 0 is NaN")
	_, err = MeasureDecisions(nil, nil, 2)
	embedtest.WantError(t, err, "0 answers for 0 images", "1 or more")
	_, err = MeasureDecisions([]int32{3}, []int32{0}, 2)
	embedtest.WantError(t, err, "answered as 3; allowed: 0 to 2")
}
