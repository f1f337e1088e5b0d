package embed

import (
	"math"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/openset"
	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/gomlx/core/graph"
)

// Each technique has the score that fits its geometry.
func TestKnownOfTechniques(t *testing.T) {
	want := map[string]string{
		"softmax": "max-logit", "softmax-normalized": "max-logit", "ring": "max-logit",
		"cosface": "max-logit", "arcface": "max-logit", "sphereface": "max-logit", "lsoftmax": "max-logit", "subcenter-arcface": "max-logit",
		"adacos": "max-cosine", "proxy-anchor": "max-cosine", "prototypes": "max-cosine",
		"supcon": "cosine-mean", "multi-similarity": "cosine-mean", "circle": "cosine-mean",
		"center": "nearest-mean", "center-normalized": "nearest-mean", "contrastive": "nearest-mean",
		"triplet-all": "nearest-mean", "triplet-hard": "nearest-mean", "triplet-semihard": "nearest-mean",
		"regression-raster": "nearest-vector", "regression-circle": "nearest-vector", "cac": "cac",
	}
	for _, technique := range Techniques() {
		if technique.Family != "" && technique.Known != want[technique.ID] {
			t.Errorf("%s: got %q, want %q", technique.ID, technique.Known, want[technique.ID])
		}
	}
	loss := func(h Head) *graph.Node { return losses.Softmax(h.Z, h.Weights(), h.Biases(), h.Labels) }
	embedtest.WantError(t, Register(Technique{ID: "other", Loss: loss, Known: "softness"}), `"other"`, `"softness"`, "allowed: own, ")
}

func TestRecognizer(t *testing.T) {
	result := mustFitSmall(t, small(), Options{})
	_, test := embedtest.SmallData()
	for _, score := range openset.Scores() {
		known, err := result.Known(score.Name, result.Test.Z)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "number of scores "+score.Name, len(known), result.Test.Len())
	}
	byDefault, err := result.Known("", result.Test.Z)
	if err != nil {
		t.Fatal(err)
	}
	maxLogit, err := result.Known("max-logit", result.Test.Z)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "score of softmax", byDefault, maxLogit)

	recognizer, err := result.Recognizer("", test, 0.75)
	if err != nil {
		t.Fatal(err)
	}
	decided, err := recognizer.Classify(result.Test.Z)
	if err != nil {
		t.Fatal(err)
	}
	unknown := 0
	for i, class := range decided {
		if int(class) == len(result.ClassNames) {
			unknown++
		} else if class != result.Test.Predicted[i] {
			t.Errorf("image %d: got class %d, want %d or unknown", i, class, result.Test.Predicted[i])
		}
	}
	if want := recognizer.Threshold.K - 1; unknown != want { // those below the K-th smallest score
		t.Errorf("%d of %d test images are unknown, want %d", unknown, test.Len(), want)
	}

	many := slices.Repeat(result.Test.Z, recognized/result.Test.Len()+1)
	if again, err := recognizer.Classify(many); err != nil || !slices.Equal(again, slices.Repeat(decided, len(many)/len(result.Test.Z))) {
		t.Errorf("of more than %d points, the same are decided otherwise, error %v", recognized, err)
	}

	_, err = result.Known("softness", result.Test.Z)
	embedtest.WantError(t, err, `"softness"`, "allowed: own, ")
	_, err = result.Known("", nil)
	embedtest.WantError(t, err, "0 coordinates")
	_, err = result.Known("", []float32{float32(math.NaN()), 0})
	embedtest.WantError(t, err, "NaN", "finite numbers")
	_, err = result.Recognizer("", nil, 0.9)
	embedtest.WantError(t, err, "no images")
	_, err = result.Recognizer("", test, 2)
	embedtest.WantError(t, err, "a share of 2")
	_, err = (&Result{}).Known("", []float32{0, 0})
	embedtest.WantError(t, err, ErrNoNetwork.Error())
	_, err = (&Recognizer{}).Classify([]float32{0, 0})
	embedtest.WantError(t, err, ErrNoNetwork.Error(), "made by hand")
}
