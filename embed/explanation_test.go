package embed

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// Attributions add up, on both backends, for kinds of quantities, gray images and colors.
func TestExplain(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, channels := range []int{1, 3} {
			train, test := embedtest.Patterns(24, 8, channels, 1), embedtest.Patterns(30, 8, channels, 2)
			result, err := Fit(t.Context(), smallOn(backend), train, test, quiet(Options{}))
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []Quantity{ScoreOver("left", "top"), DistanceTo("corner")} {
				e, err := result.Explain(test, 5, q)
				if err != nil {
					t.Fatal(err)
				}
				f := function(t, result, q)
				one, err := only(test, 5)
				if err != nil {
					t.Fatal(err)
				}
				values, err := f.Values([][]float64{numbers(one), make([]float64, 64*channels)})
				if err != nil {
					t.Fatal(err)
				}
				sum := 0.
				for _, a := range e.Pixels {
					sum += a
				}
				if want := values[0] - values[1]; math.Abs(sum-want) > 0.0101*math.Abs(want) {
					t.Errorf("%d channels, %s: the pixels add up to %v, want %v", channels, q, sum, want)
				}
				embedtest.CheckEqual(t, "pixels, attributions and map", [3]int{len(e.Pixels), len(e.Attribution.Integral.Attribution), len(e.Occlusion.Map)}, [3]int{64, 64 * channels, 64})
				embedtest.CheckEqual(t, "quantity", e.Quantity.String(), q.String())
			}
		}
	})
}

func TestDecide(t *testing.T) {
	train, test := embedtest.SmallData()
	for _, technique := range []string{"softmax", "triplet-all", "regression-circle"} {
		cfg := small()
		cfg.Technique = technique
		result := mustFitSmall(t, cfg, Options{})
		d, err := result.Decide(train, test, 4, "", "")
		if err != nil {
			t.Fatal(err)
		}
		predicted := result.ClassNames[result.Test.Predicted[4]]
		embedtest.CheckEqual(t, "label, predicted and class", []string{d.Label, d.Predicted, d.Sides[0].Class}, []string{"left", predicted, predicted})
		if other := d.Sides[1].Class; predicted != "left" && other != "left" || other == predicted {
			t.Errorf("the other class is %s", other)
		}
		scores, err := result.Scores(result.Test.Z[8:10])
		if err != nil {
			t.Fatal(err)
		}
		z := result.Test.Points()[4]
		for _, side := range d.Sides {
			class := slices.Index(result.ClassNames, side.Class)
			embedtest.CheckNear(t, "score", []float64{side.Score.Value}, []float64{float64(scores[class])}, 1e-4)
			nearest := math.Inf(1)
			for i, x := range result.Train.Points() {
				if result.Train.Labels[i] == int32(class) {
					nearest = min(nearest, math.Hypot(x[0]-z[0], x[1]-z[1]))
				}
			}
			embedtest.CheckEqual(t, "distance of the nearest", side.Nearest.Distance, nearest)
			embedtest.CheckEqual(t, "its class", side.Nearest.Class, int32(class))
			embedtest.CheckEqual(t, "its image", side.NearestImage, train.Image(side.Nearest.Index))
			place, err := result.place(class)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckNear(t, "distance", []float64{side.Distance}, []float64{math.Hypot(z[0]-place[0], z[1]-place[1])}, 1e-9)
		}
		embedtest.CheckNear(t, "difference", []float64{d.Difference.Value}, []float64{d.Sides[0].Score.Value - d.Sides[1].Score.Value}, 1e-4)
		if err := d.Gallery().Save(filepath.Join(t.TempDir(), "decision.png")); err != nil {
			t.Error(err)
		}
		chosen, err := result.Decide(train, test, 4, "corner", "top")
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "chosen sides", []string{chosen.Sides[0].Class, chosen.Sides[1].Class}, []string{"corner", "top"})
	}

	// Of a part of the training images, the same ones.
	cfg := small()
	cfg.Train = 16
	part := mustFitSmall(t, cfg, Options{})
	subset, err := train.Subset(16, part.Config.Seed)
	if err != nil {
		t.Fatal(err)
	}
	d, err := part.Decide(train, test, 0, "", "")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "nearest image", d.Sides[0].NearestImage, subset.Image(d.Sides[0].Nearest.Index))
}

// An image of a class that the Result does not have is compared with the second largest score.
func TestDecideUnknown(t *testing.T) {
	result := mustFitSmall(t, small(), Options{})
	train, test := embedtest.SmallData()
	other := *test
	other.ClassNames = []string{"spoon", "fork", "knife"}
	d, err := result.Decide(train, &other, 0, "", "")
	if err != nil {
		t.Fatal(err)
	}
	scores, err := result.Scores(result.Test.Z[:2])
	if err != nil {
		t.Fatal(err)
	}
	order := []int{0, 1, 2}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, float64(scores[b]-scores[a]))) })
	embedtest.CheckEqual(t, "label and sides", []string{d.Label, d.Sides[0].Class, d.Sides[1].Class},
		[]string{"spoon", result.ClassNames[order[0]], result.ClassNames[order[1]]})
}

func TestExplainRefuses(t *testing.T) {
	result := mustFitSmall(t, small(), Options{})
	train, test := embedtest.SmallData()
	explains := func(images *datasets.Dataset, i int, q Quantity) error {
		_, err := result.Explain(images, i, q)
		return err
	}
	decides := func(train *datasets.Dataset, i int, class, against string) error {
		_, err := result.Decide(train, test, i, class, against)
		return err
	}
	embedtest.WantError(t, explains(nil, 0, ScoreOf("top")), "no images")
	embedtest.WantError(t, explains(test, 30, ScoreOf("top")), "the index of an image is 30", "0 to 29")
	embedtest.WantError(t, explains(test, -1, ScoreOf("top")), "the index of an image is -1")
	embedtest.WantError(t, explains(embedtest.Patterns(3, 5, 1, 1), 0, ScoreOf("top")), "[5 5 1]", "[4 4 1]")
	embedtest.WantError(t, explains(test, 0, ScoreOf("bottom")), `class is "bottom"`)
	embedtest.WantError(t, decides(train, 30, "", ""), "the index of an image is 30")
	embedtest.WantError(t, decides(train, 0, "bottom", ""), `class is "bottom"`)
	embedtest.WantError(t, decides(train, 0, "top", "bottom"), `class is "bottom"`)
	embedtest.WantError(t, decides(train, 0, "top", "top"), "the other class", `"top"`)
	embedtest.WantError(t, decides(nil, 0, "", ""), "no training images")
	if err := decides(test, 0, "", ""); !errors.Is(err, ErrOtherRun) {
		t.Errorf("other images: error %v, want ErrOtherRun", err)
	}
	_, err := (&Result{}).Explain(test, 0, ScoreOf("top"))
	embedtest.WantError(t, err, ErrNoNetwork.Error())
	_, err = (&Result{}).Decide(train, test, 0, "", "")
	embedtest.WantError(t, err, ErrNoNetwork.Error())

	none := *result
	none.Train.Z, none.Train.Labels = nil, nil // as in Options.OnEpoch
	_, err = none.Decide(train, test, 0, "", "")
	embedtest.WantError(t, err, "has no training images")

	one, onlyTest := *train, *test
	one.ClassNames, onlyTest.ClassNames = []string{"all"}, []string{"all"}
	one.Labels, onlyTest.Labels = make([]int32, train.Len()), make([]int32, test.Len())
	one.Checksum, onlyTest.Checksum = "", ""
	cfg := small()
	cfg.Technique = "center"
	single, err := Fit(t.Context(), cfg, &one, &onlyTest, quiet(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = single.Decide(&one, &onlyTest, 0, "", "")
	embedtest.WantError(t, err, "the other class", "does not have")
}
