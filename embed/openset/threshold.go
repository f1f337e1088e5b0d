package openset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/embedspace/embedspace/embed/measure"
)

// A Threshold accepts a wished share of the known: those with a score of at least Score.
type Threshold struct {
	Score float64 // -Inf accepts all
	K, N  int     // Score is the K-th smallest of N scores; K 0: -Inf
}

// Conformal returns the threshold that accepts a share of the known, 0 to 1 without 0 itself,
// by the scores of n known images that neither trained the space nor test it:
//
//	the k-th smallest, k = floor((1 - accept)(n + 1))
//
// A new known image is accepted with a probability of at least accept, whatever the
// distribution of the scores. Errors: no scores, NaN among them, and another share.
//
// Source: split conformal prediction, Papadopoulos et al., 2002, doi 10.1007/3-540-36755-1_29.
func Conformal(scores []float64, accept float64) (Threshold, error) {
	if len(scores) == 0 {
		return Threshold{}, errors.New("openset: no scores to choose a threshold by; allowed: 1 or more")
	}
	if err := checkScores("calibration", scores); err != nil {
		return Threshold{}, err
	}
	if !(accept > 0 && accept <= 1) {
		return Threshold{}, fmt.Errorf("openset: a threshold that accepts a share of %v; allowed: more than 0, up to 1", accept)
	}
	return conformal(scores, accept), nil
}

func conformal(scores []float64, accept float64) Threshold {
	n := len(scores)
	k := min(n, int(math.Round((1-accept)*float64(n+1)*1e9)/1e9)) // (1 - 0.95) * 20 is a bit less than 1
	if k == 0 {
		return Threshold{math.Inf(-1), 0, n}
	}
	return Threshold{slices.Sorted(slices.Values(scores))[k-1], k, n}
}

// ConformalPerClass returns a threshold for each class, by the scores of the images that are
// predicted as that class; one of a class with too few accepts all. Errors are those of
// Conformal, and of classes that are not 0 to classes-1 or not as many as scores.
func ConformalPerClass(scores []float64, predicted []int32, classes int, accept float64) ([]Threshold, error) {
	if _, err := Conformal(scores, accept); err != nil {
		return nil, err
	}
	if err := checkPredicted(predicted, scores, classes); err != nil {
		return nil, err
	}
	ofClass := make([][]float64, classes)
	for i, class := range predicted {
		ofClass[class] = append(ofClass[class], scores[i])
	}
	thresholds := make([]Threshold, classes)
	for class, scores := range ofClass {
		thresholds[class] = conformal(scores, accept)
	}
	return thresholds, nil
}

// Share returns which share of the known a threshold accepts: the mean over samples of N
// scores, (N+1-K)/(N+1), and the 2.5 and 97.5 % points, those of Beta(N+1-K, K). Without equal
// scores they hold for every distribution.
func (t Threshold) Share() (mean, low, high float64) {
	if t.K == 0 {
		return 1, 1, 1
	}
	accepted := distuv.Beta{Alpha: float64(t.N + 1 - t.K), Beta: float64(t.K)}
	return accepted.Mean(), accepted.Quantile(0.025), accepted.Quantile(0.975)
}

// ToleranceRank returns the largest k for which the k-th smallest of n scores accepts a share
// of the known with a confidence, both between 0 and 1; 0 where there is none:
//
//	P(Beta(n+1-k, k) <= accept) <= 1 - confidence
//
// Source: Wilks, 1941, doi 10.1214/aoms/1177731788.
func ToleranceRank(n int, accept, confidence float64) int {
	return sort.Search(n, func(k int) bool { // whether k+1 is too large
		return distuv.Beta{Alpha: float64(n - k), Beta: float64(k + 1)}.CDF(accept) > 1-confidence
	})
}

// PValues returns for each score how likely a known image has one as low, by the scores of n
// known images: (1 + number of those that are as low or lower) / (n + 1). Conformal rejects
// where that is at most 1 - accept. Errors: no scores of known images, NaN among the scores.
func PValues(calibration, scores []float64) ([]float64, error) {
	if len(calibration) == 0 {
		return nil, errors.New("openset: no scores of known images; allowed: 1 or more")
	}
	if err := errors.Join(checkScores("calibration", calibration), checkScores("image", scores)); err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(calibration))
	values := make([]float64, len(scores))
	for i, score := range scores {
		lower := sort.Search(len(sorted), func(j int) bool { return sorted[j] > score })
		values[i] = float64(1+lower) / float64(len(sorted)+1)
	}
	return values, nil
}

// Decide returns the predicted classes [n] of images whose score is at least a threshold; the
// others are unknown, which is the class after the last one, classes. Errors: a score that is
// NaN, as is the threshold; predicted classes that are not 0 to classes-1 or not as many as scores.
func Decide(predicted []int32, scores []float64, threshold float64, classes int) ([]int32, error) {
	if math.IsNaN(threshold) {
		return nil, errors.New("openset: the threshold is NaN; allowed: a number, or an infinite one")
	}
	if err := checkScores("image", scores); err != nil {
		return nil, err
	}
	if err := checkPredicted(predicted, scores, classes); err != nil {
		return nil, err
	}
	decided := slices.Clone(predicted)
	for i, score := range scores {
		if score < threshold {
			decided[i] = int32(classes)
		}
	}
	return decided, nil
}

func checkPredicted(predicted []int32, scores []float64, classes int) error {
	if len(predicted) != len(scores) {
		return fmt.Errorf("openset: %d predicted classes of %d scores; allowed: as many", len(predicted), len(scores))
	}
	for i, class := range predicted {
		if class < 0 || int(class) >= classes {
			return fmt.Errorf("openset: predicted class %d is %d; allowed: 0 to %d", i, class, classes-1)
		}
	}
	return nil
}

// Decisions tell how Decide answers, as shares. What has no images is NaN.
type Decisions struct {
	KnownAccepted   measure.Measure `json:"known_accepted"`
	KnownRight      measure.Measure `json:"known_right"` // accepted, and their class found
	UnknownRejected measure.Measure `json:"unknown_rejected"`
	Accuracy        measure.Measure `json:"accuracy"` // over all images, where the unknown are a class
	// MacroF1 is the mean over the classes that have images, with the unknown as one, of
	// 2 found / (images + answers), found the images of the class with that answer.
	MacroF1 measure.Measure `json:"macro_f1"`
}

// MeasureDecisions compares what Decide answers with the true classes, where the unknown have
// the class classes. Errors: no images, another number of answers, other classes.
func MeasureDecisions(decided, labels []int32, classes int) (Decisions, error) {
	if len(labels) == 0 || len(decided) != len(labels) {
		return Decisions{}, fmt.Errorf("openset: %d answers for %d images; allowed: as many, 1 or more", len(decided), len(labels))
	}
	images, answers, found := make([]float64, classes+1), make([]float64, classes+1), make([]float64, classes+1)
	accepted := 0. // of the known
	for i, label := range labels {
		if low, high := min(label, decided[i]), max(label, decided[i]); low < 0 || int(high) > classes {
			return Decisions{}, fmt.Errorf("openset: image %d is of class %d and answered as %d; allowed: 0 to %d", i, label, decided[i], classes)
		}
		images[label]++
		answers[decided[i]]++
		if decided[i] == label {
			found[label]++
		}
		if int(label) < classes && int(decided[i]) < classes {
			accepted++
		}
	}
	known, right := floats.Sum(images[:classes]), floats.Sum(found[:classes])
	var f1 []float64
	for class, n := range images {
		if n > 0 {
			f1 = append(f1, 2*found[class]/(n+answers[class]))
		}
	}
	return Decisions{
		KnownAccepted:   measure.Measure(accepted / known),
		KnownRight:      measure.Measure(right / known),
		UnknownRejected: measure.Measure(found[classes] / images[classes]),
		Accuracy:        measure.Measure(floats.Sum(found) / float64(len(labels))),
		MacroF1:         measure.Measure(stat.Mean(f1, nil)),
	}, nil
}

// Wilson returns the 95 % interval of a share of which n trials had hits, 1 or more trials.
//
// Source: Wilson, 1927, doi 10.1080/01621459.1927.10502953.
func Wilson(hits, n int) (low, high float64) {
	z, share, trials := distuv.UnitNormal.Quantile(0.975), float64(hits)/float64(n), float64(n)
	center := share + z*z/(2*trials)
	half := z * math.Sqrt(share*(1-share)/trials+z*z/(4*trials*trials))
	scale := 1 + z*z/trials
	return max(0, (center-half)/scale), min(1, (center+half)/scale)
}

// ClopperPearson returns an interval that has the share in at least 95 % of all samples.
//
// Source: Clopper and Pearson, 1934, doi 10.1093/biomet/26.4.404.
func ClopperPearson(hits, n int) (low, high float64) {
	high = 1
	if hits > 0 {
		low = distuv.Beta{Alpha: float64(hits), Beta: float64(n - hits + 1)}.Quantile(0.025)
	}
	if hits < n {
		high = distuv.Beta{Alpha: float64(hits + 1), Beta: float64(n - hits)}.Quantile(0.975)
	}
	return low, high
}
