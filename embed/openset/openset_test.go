package openset

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// The pairs by hand: 3 beats all; the 1 that is wrong beats one and ties with one.
var byHand = Sample{Known: []float64{3, 1}, Correct: []bool{true, false}, Unknown: []float64{2, 1, 0, 0}}

func TestMeasures(t *testing.T) {
	m, err := byHand.Measures()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckNear(t, "accuracy, AUROC, OSCR, FPR at 95 % TPR, CCR at 10 % FPR",
		[]float64{float64(m.Accuracy), float64(m.AUROC), float64(m.OSCR), float64(m.FPRAt95TPR), float64(m.CCRAtFPR10)},
		[]float64{1. / 2, (4 + 2.5) / 8, 4. / 8, 2. / 4, 1. / 2}, 1e-12)
	curve, err := byHand.Curve()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "curve", curve, []CurvePoint{
		{math.Inf(1), 0, 0, 0}, {3, .5, .5, 0}, {2, .5, .5, .25}, {1, 1, .5, .5}, {0, 1, .5, 1}})

	infinite, err := Sample{Known: []float64{math.Inf(1)}, Correct: []bool{true}, Unknown: []float64{math.Inf(-1)}}.Measures()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(infinite); err != nil {
		t.Error(err)
	}
}

// Without ties and with them, the areas are those of gonum's ROC curve.
func TestAreas(t *testing.T) {
	for _, distinct := range []int{5, 1_000_000} {
		random := rand.New(rand.NewPCG(1, 0))
		var s Sample
		var scores []float64
		var isKnown []bool
		for range 500 {
			known, unknown := float64(random.IntN(distinct))*1.2, float64(random.IntN(distinct))
			s.Known, s.Correct, s.Unknown = append(s.Known, known), append(s.Correct, true), append(s.Unknown, unknown)
			scores, isKnown = append(scores, known, unknown), append(isKnown, true, false)
		}
		m, err := s.Measures()
		if err != nil {
			t.Fatal(err)
		}
		stat.SortWeightedLabeled(scores, isKnown, nil)
		tpr, fpr, _ := stat.ROC(nil, scores, isKnown, nil)
		area := integrate.Trapezoidal(fpr, tpr)
		embedtest.CheckNear(t, "AUROC and OSCR", []float64{float64(m.AUROC), float64(m.OSCR)}, []float64{area, area}, 1e-12)
	}
}

func TestSampleErrors(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		sample Sample
		words  string
	}{
		{Sample{Unknown: []float64{1}}, "no scores of known images; allowed: 1 or more"},
		{Sample{Known: []float64{1}, Correct: []bool{true}}, "no scores of unknown images; allowed: 1 or more"},
		{Sample{Known: []float64{1, 2}, Correct: []bool{true}, Unknown: []float64{1}}, "1 of 2 known images are said to be correct or not; allowed: all"},
		{Sample{Known: []float64{1}, Correct: []bool{true}, Unknown: []float64{1, nan}}, "unknown score 1 is NaN; allowed: numbers"},
	} {
		_, err := c.sample.Measures()
		embedtest.WantError(t, err, c.words)
		_, err = c.sample.Curve()
		embedtest.WantError(t, err, c.words)
	}
}
