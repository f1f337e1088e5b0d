package fewshot

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/embed/openset"
)

const (
	goldenTolerance = 1e-9
	solverTolerance = 1e-6
)

// goldenAnswer is what a method says about the queries of a case.
type goldenAnswer struct {
	Predicted []int32
	Accuracy  float64
}

func TestUsesFewShot(t *testing.T) {
	type answer = goldenAnswer
	var golden struct {
		FewShot []struct {
			Name             string
			Way              int
			Support          [][]float64
			SupportLabels    []int32 `json:"support_labels"`
			Query            [][]float64
			QueryLabels      []int32 `json:"query_labels"`
			Prototypes       [][]float64
			SquaredDistances [][]float64 `json:"squared_distances"`
			Probabilities    [][]float64
			Prototype        *answer
			PrototypeCosine  *answer `json:"prototype_cosine"`
			CosineOfMean     *answer `json:"prototype_cosine_of_mean"`
			Nearest          *answer
			Nearest3         *answer `json:"nearest_3"`
			Nearest5         *answer `json:"nearest_5"`
			Logistic         *struct {
				answer
				L2        float64
				Objective float64
				W         [][]float64
				B         []float64
			}
			Unknown *struct {
				Query       [][]float64
				AUROC, OSCR float64
			}
		} `json:"few_shot"`
		Interval []struct {
			Name       string
			Accuracies []float64
			Mean       float64
			Deviation  embedtest.Number `json:"standard_deviation"`
			HalfWidth  embedtest.Number `json:"half_width_95"`
			StudentT   embedtest.Number `json:"half_width_95_t"`
		}
		Paired []struct {
			Name      string
			A, B      []float64
			Mean      float64
			HalfWidth embedtest.Number `json:"half_width_95"`
		}
	}
	embedtest.Uses(t, "fewshot.json", &golden)
	if len(golden.FewShot) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range golden.FewShot {
		t.Run(c.Name, func(t *testing.T) {
			support := Support{c.Support, c.SupportLabels, c.Way}
			checkRowsNear(t, "prototypes", support.Prototypes(), c.Prototypes)
			squared := support.SquaredDistances(c.Query)
			checkRowsNear(t, "squared distances", squared, c.SquaredDistances)
			var probabilities [][]float64
			for _, row := range squared {
				probabilities = append(probabilities, vectors.Softmax(floats.ScaleTo(make([]float64, c.Way), -1, row)))
			}
			checkRowsNear(t, "probabilities", probabilities, c.Probabilities)

			check := func(method Method, want *answer) {
				t.Helper()
				if want == nil {
					return
				}
				got, err := method.Classify(support, c.Query)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckEqual(t, method.Name, got, want.Predicted)
				embedtest.CheckNear(t, "accuracy by "+method.Name, []float64{accuracy(got, c.QueryLabels)}, []float64{want.Accuracy}, goldenTolerance)
			}
			methods := map[string]Method{}
			for _, method := range Methods() {
				methods[method.Name] = method
			}
			check(methods["prototype"], c.Prototype)
			check(methods["prototype-cosine"], c.PrototypeCosine)
			check(Method{Name: "cosine of mean", classify: cosineOfMean}, c.CosineOfMean)
			check(methods["nearest"], c.Nearest)
			check(Method{Name: "3 nearest", classify: Nearest(3)}, c.Nearest3)
			check(Method{Name: "5 nearest", classify: Nearest(5)}, c.Nearest5)

			if want := c.Logistic; want != nil {
				model, err := Logistic(support, want.L2)
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckNear(t, "objective", []float64{model.Objective}, []float64{want.Objective}, solverTolerance)
				embedtest.CheckNear(t, "b", model.B, want.B, solverTolerance)
				for j, row := range model.W {
					embedtest.CheckNear(t, "W", row, want.W[j], solverTolerance)
				}
				got := model.classify(c.Query)
				embedtest.CheckEqual(t, "logistic", got, want.Predicted)
				embedtest.CheckNear(t, "accuracy by logistic", []float64{accuracy(got, c.QueryLabels)}, []float64{want.Accuracy}, goldenTolerance)
			}
			if want := c.Unknown; want != nil {
				known := func(query [][]float64) []float64 {
					return vectors.Each(support.SquaredDistances(query), func(row []float64) float64 { return -math.Sqrt(floats.Min(row)) })
				}
				sample := openset.Sample{Known: known(c.Query), Unknown: known(want.Query)}
				for i, class := range c.Prototype.Predicted {
					sample.Correct = append(sample.Correct, class == c.QueryLabels[i])
				}
				m, err := sample.Measures()
				if err != nil {
					t.Fatal(err)
				}
				embedtest.CheckNear(t, "AUROC and OSCR", []float64{float64(m.AUROC), float64(m.OSCR)}, []float64{want.AUROC, want.OSCR}, goldenTolerance)
			}
		})
	}
	for _, c := range golden.Interval {
		t.Run(c.Name, func(t *testing.T) {
			got := NewInterval(c.Accuracies)
			embedtest.CheckNear(t, "mean, deviation, half widths", []float64{got.Mean, got.Deviation, got.HalfWidth, got.StudentHalfWidth},
				[]float64{c.Mean, float64(c.Deviation), float64(c.HalfWidth), float64(c.StudentT)}, goldenTolerance)
		})
	}
	for _, c := range golden.Paired {
		t.Run("paired, "+c.Name, func(t *testing.T) {
			got := NewInterval(floats.SubTo(make([]float64, len(c.A)), c.A, c.B))
			embedtest.CheckNear(t, "mean and half width", []float64{got.Mean, got.HalfWidth}, []float64{c.Mean, float64(c.HalfWidth)}, goldenTolerance)
		})
	}
}

func checkRowsNear(t *testing.T, what string, got, want [][]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d rows, want %d", what, len(got), len(want))
	}
	for i := range want {
		embedtest.CheckNear(t, what, got[i], want[i], goldenTolerance)
	}
}
