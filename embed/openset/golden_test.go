package openset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
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
	if len(golden.Cases) == 0 {
		t.Fatal("no cases")
	}
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

func TestUsesScores(t *testing.T) {
	var golden struct {
		Scores []struct {
			Name    string
			Kind    string
			K       int
			Train   [][]float64
			Labels  []int32 `json:"train_labels"`
			Z       [][]float64
			W       [][]float64
			Targets [][]float64
			Own     [][]float64 `json:"own_scores"`
			Scores  map[string]embedtest.Numbers
		}
	}
	embedtest.Uses(t, "openset.json", &golden)
	if len(golden.Scores) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range golden.Scores {
		t.Run(c.Name, func(t *testing.T) {
			logits := c.Kind == "softmax" || c.Kind == "lsoftmax" || c.Kind == "center" || c.Kind == "normalized"
			space := Space{Train: c.Train, Labels: c.Labels, Vectors: c.W, Logits: logits}
			if c.Kind == "normalized" {
				space.Vectors = vectors.Units(c.W)
			}
			for name, want := range c.Scores {
				of := map[string]func(Space, Points) ([]float64, error){
					"gen_01":           generalizedEntropy,
					"negative_entropy": negativeEntropy,
					"energy_10":        Energy(10),
					"knn":              KNN(c.K),
					"knn_1":            KNN(1),
					"knn_direction":    KNNDirection(c.K),
					"nearest_target": func(s Space, p Points) ([]float64, error) {
						s.Vectors = c.Targets
						return nearestVector(s, p)
					},
				}[name]
				if of == nil {
					score, err := LookUp(strings.ReplaceAll(name, "_", "-"))
					if err != nil {
						t.Fatal(err)
					}
					of = score.of
				}
				got, err := Score{Name: name, of: of}.Of(space, Points{c.Z, c.Own})
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckNear(t, name, got, want.Floats(), goldenTolerance)
			}
		})
	}
}

func TestUsesThreshold(t *testing.T) {
	var golden struct {
		Conformal []struct {
			Name                string
			Scores              embedtest.Numbers
			Accept              float64
			K                   int
			Threshold, Expected embedtest.Number
			Low                 embedtest.Number `json:"low_95"`
			High                embedtest.Number `json:"high_95"`
			AcceptedHere        float64          `json:"accepted_here"`
		}
		Tolerance []struct {
			N, K               int
			Accept, Confidence float64
		}
		PerClass []struct {
			Name       string
			Scores     embedtest.Numbers
			Predicted  []int32
			Classes    int
			Accept     float64
			Thresholds embedtest.Numbers
		} `json:"per_class"`
		PValue []struct {
			Name        string
			Calibration embedtest.Numbers
			Scores      embedtest.Numbers
			P           []float64
		} `json:"p_value"`
		Share []struct {
			Name          string
			Hits, N       int
			Wilson, Exact []float64
		}
		Decisions []struct {
			Name             string
			Classes          int
			Labels           []int32
			Predicted        []int32
			Scores           embedtest.Numbers
			UnknownPredicted []int32           `json:"unknown_predicted"`
			UnknownScores    embedtest.Numbers `json:"unknown_scores"`
			Threshold        embedtest.Number
			Decided          []int32
			KnownAccepted    embedtest.Number `json:"known_accepted"`
			KnownRight       embedtest.Number `json:"known_right"`
			UnknownRejected  embedtest.Number `json:"unknown_rejected"`
			Accuracy         embedtest.Number
			MacroF1          embedtest.Number `json:"macro_f1"`
		}
	}
	embedtest.Uses(t, "threshold.json", &golden)
	if len(golden.Conformal) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range golden.Conformal {
		t.Run(c.Name, func(t *testing.T) {
			got, err := Conformal(c.Scores.Floats(), c.Accept)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "threshold", got, Threshold{float64(c.Threshold), c.K, len(c.Scores)})
			accepted := 0.
			for _, score := range c.Scores {
				if float64(score) >= got.Score {
					accepted++
				}
			}
			mean, low, high := got.Share()
			embedtest.CheckNear(t, "share of accepted, its mean and interval", []float64{accepted / float64(len(c.Scores)), mean, low, high},
				[]float64{c.AcceptedHere, float64(c.Expected), float64(c.Low), float64(c.High)}, goldenTolerance)
		})
	}
	for _, c := range golden.Tolerance {
		t.Run(fmt.Sprintf("tolerance of %v with %v by %d", c.Accept, c.Confidence, c.N), func(t *testing.T) {
			embedtest.CheckEqual(t, "rank", ToleranceRank(c.N, c.Accept, c.Confidence), c.K)
		})
	}
	for _, c := range golden.PerClass {
		t.Run(c.Name, func(t *testing.T) {
			thresholds, err := ConformalPerClass(c.Scores.Floats(), c.Predicted, c.Classes, c.Accept)
			if err != nil {
				t.Fatal(err)
			}
			var got []float64
			for _, threshold := range thresholds {
				got = append(got, threshold.Score)
			}
			embedtest.CheckEqual(t, "thresholds", got, c.Thresholds.Floats())
		})
	}
	for _, c := range golden.PValue {
		t.Run(c.Name, func(t *testing.T) {
			p, err := PValues(c.Calibration.Floats(), c.Scores.Floats())
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckNear(t, "p", p, c.P, goldenTolerance)
		})
	}
	for _, c := range golden.Share {
		t.Run(c.Name, func(t *testing.T) {
			low, high := Wilson(c.Hits, c.N)
			embedtest.CheckNear(t, "Wilson", []float64{low, high}, c.Wilson, goldenTolerance)
			low, high = ClopperPearson(c.Hits, c.N)
			embedtest.CheckNear(t, "Clopper-Pearson", []float64{low, high}, c.Exact, goldenTolerance)
		})
	}
	for _, c := range golden.Decisions {
		t.Run(c.Name, func(t *testing.T) {
			predicted := slices.Concat(c.Predicted, c.UnknownPredicted)
			labels := slices.Concat(c.Labels, slices.Repeat([]int32{int32(c.Classes)}, len(c.UnknownPredicted)))
			decided, err := Decide(predicted, slices.Concat(c.Scores, c.UnknownScores).Floats(), float64(c.Threshold), c.Classes)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "decided", decided, c.Decided)
			d, err := MeasureDecisions(decided, labels, c.Classes)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckNear(t, "known accepted, known right, unknown rejected, accuracy, macro F1",
				[]float64{float64(d.KnownAccepted), float64(d.KnownRight), float64(d.UnknownRejected), float64(d.Accuracy), float64(d.MacroF1)},
				embedtest.Numbers{c.KnownAccepted, c.KnownRight, c.UnknownRejected, c.Accuracy, c.MacroF1}.Floats(), goldenTolerance)
		})
	}
}
