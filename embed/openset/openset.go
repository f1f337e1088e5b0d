// Package openset tells known images from unknown ones by their embeddings: scores of how
// known a point is (Scores), measures of how well a score tells (Sample), and thresholds that
// accept a wished share of the known (Conformal). It takes arrays, and knows neither networks
// nor datasets.
//
// Of each score, larger is more known. A point is accepted where its score is at least a
// threshold. Scores may be infinite, and are never NaN; -0 is 0.
package openset

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed/measure"
)

// A Sample holds the scores of test images: of the known classes, and of unknown ones.
type Sample struct {
	Known   []float64 // [m]
	Correct []bool    // [m], whether the class of the known image is found
	Unknown []float64 // [n]
}

// Measures tell how well a score tells known images from unknown ones. All but the thresholds
// are shares, 0 to 1; pairs are of a known image and an unknown one. They take the time of
// sorting the scores.
type Measures struct {
	Accuracy measure.Measure `json:"accuracy"` // of the known, none of them rejected

	// AUROC is the share of the pairs with a higher score of the known image; ties count half.
	AUROC measure.Measure `json:"auroc"`
	// AUROCError is its standard error over images, NaN with fewer than two known or unknown.
	//
	// Source: DeLong et al., 1988, doi 10.2307/2531595.
	AUROCError measure.Measure `json:"auroc_error"`

	// AUPRKnown is the average precision: over the distinct scores from the largest, the sum
	// of the rise of recall times the precision, as scikit-learn's average_precision_score.
	AUPRKnown   measure.Measure `json:"aupr_known"`
	AUPRUnknown measure.Measure `json:"aupr_unknown"` // the same to find the unknown, by low scores

	// ThresholdAt95TPR is the largest of the known scores that accepts 95 % of the known or more,
	// TPRAtThreshold the share that it accepts, and FPRAt95TPR that of the unknown.
	ThresholdAt95TPR float64         `json:"-"` // which may be infinite
	TPRAtThreshold   measure.Measure `json:"tpr_at_threshold"`
	FPRAt95TPR       measure.Measure `json:"fpr_at_95_tpr"`

	// ThresholdAt95Detected is the smallest of the unknown scores with 95 % of the unknown at
	// or below it, RejectedAt95Detected the share of the known there: what OpenOOD calls
	// FPR@95 (arXiv 2306.09301).
	ThresholdAt95Detected float64         `json:"-"` // which may be infinite
	RejectedAt95Detected  measure.Measure `json:"rejected_at_95_detected"`

	// OSCR is the area under the share of the known that are accepted and correct, over the
	// share of the unknown that are accepted. It is the mean over the pairs of AUROC, where
	// pairs with a wrong class count 0, so it is at most AUROC, and at most Accuracy.
	//
	// Source: Dhamija et al., arXiv 1811.04110; the area: Vaze et al., arXiv 2110.06207.
	OSCR measure.Measure `json:"oscr"`
	// CCRAtFPR10 is the share of the known that are accepted and correct, with at most 10 %
	// of the unknown accepted; CCRAtFPR1 with at most 1 %.
	CCRAtFPR10 measure.Measure `json:"ccr_at_fpr_10"`
	CCRAtFPR1  measure.Measure `json:"ccr_at_fpr_1"`

	// BalancedAccuracy is the largest mean, over thresholds, of the share of the known that is
	// accepted and that of the unknown that is rejected.
	BalancedAccuracy measure.Measure `json:"balanced_accuracy"`
}

// A CurvePoint says what a threshold accepts, as shares.
type CurvePoint struct {
	Threshold float64
	TPR       float64 // of the known
	CCR       float64 // of the known, those that are accepted and correct
	FPR       float64 // of the unknown
}

// Curve returns what the distinct scores accept as thresholds, from the largest, after a first
// point that accepts nothing: TPR over FPR is the ROC curve, CCR over FPR that of OSCR.
// Errors are those of Measures.
func (s Sample) Curve() ([]CurvePoint, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	m, n := float64(len(s.Known)), float64(len(s.Unknown))
	curve := []CurvePoint{{Threshold: math.Inf(1)}}
	for _, step := range s.steps() {
		curve = append(curve, CurvePoint{step.score, step.known / m, step.correct / m, step.unknown / n})
	}
	return curve, nil
}

// Measures measures the sample. Errors: no known or no unknown image, a score that is not a
// number, and another number of Correct than of Known.
func (s Sample) Measures() (Measures, error) {
	if err := s.check(); err != nil {
		return Measures{}, err
	}
	var (
		m, n          = float64(len(s.Known)), float64(len(s.Unknown))
		steps         = s.steps()
		last          = steps[len(steps)-1]
		auroc, oscr   float64
		known, found  float64   // average precisions
		below, above  []float64 // of each step: the shares of unknown below, of known above
		atKnown       []float64 // how many known scores each step has
		atUnknown     []float64
		ccr10, ccr1   float64
		balanced      = 0.5 // of rejecting all
		tpr, detected = -1, -1
	)
	before := step{}
	for i, now := range steps {
		rise, correct, fall := now.known-before.known, now.correct-before.correct, now.unknown-before.unknown
		auroc += fall * (before.known + rise/2)
		oscr += fall * (before.correct + correct/2)
		known += rise * now.known / (now.known + now.unknown)
		found += fall * (n - before.unknown) / (n - before.unknown + m - before.known)
		below, atKnown = append(below, (n-now.unknown+fall/2)/n), append(atKnown, rise)
		above, atUnknown = append(above, (before.known+rise/2)/m), append(atUnknown, fall)
		if tpr < 0 && now.known >= share95(m) {
			tpr = i
		}
		if fall > 0 && n-before.unknown >= share95(n) {
			detected = i
		}
		if now.unknown <= math.Floor(n/10) {
			ccr10 = now.correct / m
		}
		if now.unknown <= math.Floor(n/100) {
			ccr1 = now.correct / m
		}
		balanced = max(balanced, (now.known/m+1-now.unknown/n)/2)
		before = now
	}
	deviation := math.NaN()
	if m > 1 && n > 1 {
		deviation = math.Sqrt(stat.Variance(below, atKnown)/m + stat.Variance(above, atUnknown)/n)
	}
	rejected := m
	if detected > 0 {
		rejected -= steps[detected-1].known
	}
	return Measures{
		Accuracy:              measure.Measure(last.correct / m),
		AUROC:                 measure.Measure(auroc / (m * n)),
		AUROCError:            measure.Measure(deviation),
		AUPRKnown:             measure.Measure(known / m),
		AUPRUnknown:           measure.Measure(found / n),
		ThresholdAt95TPR:      steps[tpr].score,
		TPRAtThreshold:        measure.Measure(steps[tpr].known / m),
		FPRAt95TPR:            measure.Measure(steps[tpr].unknown / n),
		ThresholdAt95Detected: steps[detected].score,
		RejectedAt95Detected:  measure.Measure(rejected / m),
		OSCR:                  measure.Measure(oscr / (m * n)),
		CCRAtFPR10:            measure.Measure(ccr10),
		CCRAtFPR1:             measure.Measure(ccr1),
		BalancedAccuracy:      measure.Measure(balanced),
	}, nil
}

// share95 returns the smallest whole number that is 95 % of n or more.
func share95(n float64) float64 { return math.Ceil(n * 95 / 100) }

// A step is a threshold with the number of images that it accepts.
type step struct{ score, known, correct, unknown float64 }

// steps returns the distinct scores as thresholds, from the largest.
func (s Sample) steps() []step {
	var each []step // of one image
	for i, score := range s.Known {
		image := step{score: score, known: 1}
		if s.Correct[i] {
			image.correct = 1
		}
		each = append(each, image)
	}
	for _, score := range s.Unknown {
		each = append(each, step{score: score, unknown: 1})
	}
	slices.SortFunc(each, func(a, b step) int { return cmp.Compare(b.score, a.score) })
	steps, total := each[:0], step{}
	for i, image := range each {
		total = step{image.score, total.known + image.known, total.correct + image.correct, total.unknown + image.unknown}
		if i+1 == len(each) || each[i+1].score != image.score {
			steps = append(steps, total)
		}
	}
	return steps
}

func (s Sample) check() error {
	switch {
	case len(s.Known) == 0:
		return fmt.Errorf("openset: no scores of known images; allowed: 1 or more")
	case len(s.Unknown) == 0:
		return fmt.Errorf("openset: no scores of unknown images; allowed: 1 or more")
	case len(s.Correct) != len(s.Known):
		return fmt.Errorf("openset: %d of %d known images are said to be correct or not; allowed: all", len(s.Correct), len(s.Known))
	}
	if err := checkScores("known", s.Known); err != nil {
		return err
	}
	return checkScores("unknown", s.Unknown)
}

// checkScores returns an error if one of some scores is NaN.
func checkScores(what string, scores []float64) error {
	if i := slices.IndexFunc(scores, math.IsNaN); i >= 0 {
		return fmt.Errorf("openset: %s score %d is NaN; allowed: numbers, also infinite ones", what, i)
	}
	return nil
}

// Openness returns how open a test is, 0 to 1, by the numbers of classes in training and in
// the test, those of the training among them: 1 - sqrt(2 training / (training + test)).
//
// Source: Scheirer et al., 2013, doi 10.1109/TPAMI.2012.256.
func Openness(training, test int) float64 {
	return 1 - math.Sqrt(2*float64(training)/float64(training+test))
}

// OpennessNeal returns it as papers on 6 known of 10 classes have it, with 22.54 %:
// 1 - sqrt(training / test).
//
// Source: Neal et al., ECCV 2018, doi 10.1007/978-3-030-01231-1_38.
func OpennessNeal(training, test int) float64 {
	return 1 - math.Sqrt(float64(training)/float64(test))
}
