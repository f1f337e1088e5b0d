package openset

import (
	"fmt"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// goldenTolerance is that of values that an independent implementation in float64 has.
const goldenTolerance = 1e-9

// goldenSample is the sample of a case.
type goldenSample struct {
	Name    string
	Known   embedtest.Numbers
	Correct []int
	Unknown embedtest.Numbers
}

func (g goldenSample) sample() Sample {
	s := Sample{Known: g.Known.Floats(), Unknown: g.Unknown.Floats()}
	for _, correct := range g.Correct {
		s.Correct = append(s.Correct, correct == 1)
	}
	return s
}

func TestUsesOpenSet(t *testing.T) {
	var golden struct {
		Cases []struct {
			goldenSample
			Accuracy              embedtest.Number
			AUROC                 embedtest.Number
			AUROCError            embedtest.Number `json:"auroc_standard_error"`
			AUPRKnown             embedtest.Number `json:"aupr_known"`
			AUPRUnknown           embedtest.Number `json:"aupr_unknown"`
			ThresholdAt95TPR      embedtest.Number `json:"threshold_at_95_tpr"`
			TPRAtThreshold        embedtest.Number `json:"tpr_at_threshold"`
			FPRAt95TPR            embedtest.Number `json:"fpr_at_95_tpr"`
			TNRAt95TPR            embedtest.Number `json:"tnr_at_95_tpr"`
			ThresholdAt95Detected embedtest.Number `json:"threshold_at_95_detected"`
			RejectedAt95Detected  embedtest.Number `json:"rejected_at_95_detected"`
			OSCR                  embedtest.Number
			CCRAtFPR10            embedtest.Number `json:"ccr_at_fpr_10"`
			CCRAtFPR1             embedtest.Number `json:"ccr_at_fpr_1"`
			BalancedAccuracy      embedtest.Number `json:"balanced_accuracy"`
		} `json:"open_set"`
		Errors   []goldenSample
		Openness []struct {
			Training int `json:"training_classes"`
			Test     int `json:"test_classes"`
			Scheirer float64
			Neal     float64
		}
	}
	embedtest.Uses(t, "openset.json", &golden)
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			m, err := c.sample().Measures()
			if err != nil {
				t.Fatal(err)
			}
			near := func(what string, got float64, want embedtest.Number) {
				t.Helper()
				embedtest.CheckNear(t, what, []float64{got}, []float64{float64(want)}, goldenTolerance)
			}
			near("accuracy", float64(m.Accuracy), c.Accuracy)
			near("AUROC", float64(m.AUROC), c.AUROC)
			near("standard error of AUROC", float64(m.AUROCError), c.AUROCError)
			near("AUPR of the known", float64(m.AUPRKnown), c.AUPRKnown)
			near("AUPR of the unknown", float64(m.AUPRUnknown), c.AUPRUnknown)
			near("TPR at the threshold", float64(m.TPRAtThreshold), c.TPRAtThreshold)
			near("FPR at 95 % TPR", float64(m.FPRAt95TPR), c.FPRAt95TPR)
			near("TNR at 95 % TPR", float64(1-m.FPRAt95TPR), c.TNRAt95TPR)
			near("rejected at 95 % detected", float64(m.RejectedAt95Detected), c.RejectedAt95Detected)
			near("OSCR", float64(m.OSCR), c.OSCR)
			near("CCR at 10 % FPR", float64(m.CCRAtFPR10), c.CCRAtFPR10)
			near("CCR at 1 % FPR", float64(m.CCRAtFPR1), c.CCRAtFPR1)
			near("balanced accuracy", float64(m.BalancedAccuracy), c.BalancedAccuracy)
			if m.ThresholdAt95TPR != float64(c.ThresholdAt95TPR) || m.ThresholdAt95Detected != float64(c.ThresholdAt95Detected) {
				t.Errorf("thresholds: got %v and %v, want %v and %v", m.ThresholdAt95TPR, m.ThresholdAt95Detected, c.ThresholdAt95TPR, c.ThresholdAt95Detected)
			}
		})
	}
	for _, c := range golden.Errors {
		t.Run(c.Name, func(t *testing.T) {
			_, err := c.sample().Measures()
			embedtest.WantError(t, err, "openset: ", "; allowed: ")
		})
	}
	for _, c := range golden.Openness {
		t.Run(fmt.Sprintf("%d of %d classes", c.Training, c.Test), func(t *testing.T) {
			got := []float64{Openness(c.Training, c.Test), OpennessNeal(c.Training, c.Test)}
			embedtest.CheckNear(t, "openness", got, []float64{c.Scheirer, c.Neal}, goldenTolerance)
		})
	}
}
