package explain

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

const goldenTolerance = 1e-9

// A goldenNetwork is z = A2 tanh(A1 x + c1) + c2; without A1: A2 x + c2.
type goldenNetwork struct {
	A1, A2 [][]float64
	C1, C2 []float64
}

// goldenParams are those of the scalars of z.
type goldenParams struct {
	T            []float64
	W            [][]float64
	B            []float64
	Class, Other int
}

// embed returns z and the derivatives dz/dx [dim][pixels].
func (n goldenNetwork) embed(x []float64) (z []float64, jacobian [][]float64) {
	affine := func(a [][]float64, c, x []float64) []float64 {
		return floats.AddTo(make([]float64, len(c)), vectors.Dots(x, a), c)
	}
	if n.A1 == nil {
		return affine(n.A2, n.C2, x), n.A2
	}
	hidden := affine(n.A1, n.C1, x)
	for i := range hidden {
		hidden[i] = math.Tanh(hidden[i])
	}
	for _, row := range n.A2 {
		derivative := make([]float64, len(x))
		for i, h := range hidden {
			floats.AddScaled(derivative, row[i]*(1-h*h), n.A1[i])
		}
		jacobian = append(jacobian, derivative)
	}
	return affine(n.A2, n.C2, hidden), jacobian
}

// scalar returns a scalar of z by its kind, and its gradient by z.
func (p goldenParams) scalar(kind string, z []float64) (value float64, gradient []float64) {
	scaled := func(factor float64, x []float64) []float64 { return floats.ScaleTo(make([]float64, len(x)), factor, x) }
	logits := floats.AddTo(make([]float64, len(p.B)), vectors.Dots(z, p.W), p.B)
	probabilities := vectors.Softmax(logits)
	mean := make([]float64, len(z)) // of the class weights, by their probabilities
	for j, w := range p.W {
		floats.AddScaled(mean, probabilities[j], w)
	}
	toMean := floats.SubTo(make([]float64, len(z)), p.W[p.Class], mean)
	fromTarget := floats.SubTo(make([]float64, len(z)), z, p.T)
	distance := floats.Norm(fromTarget, 2)
	switch kind {
	case "logit":
		return logits[p.Class], p.W[p.Class]
	case "logit_difference":
		return logits[p.Class] - logits[p.Other], floats.SubTo(make([]float64, len(z)), p.W[p.Class], p.W[p.Other])
	case "log_softmax":
		return math.Log(probabilities[p.Class]), toMean
	case "softmax":
		return probabilities[p.Class], scaled(probabilities[p.Class], toMean)
	case "distance":
		return distance, scaled(1/max(distance, math.SmallestNonzeroFloat64), fromTarget)
	case "squared_distance":
		return distance * distance, scaled(2, fromTarget)
	case "cosine":
		norm, unit, target := floats.Norm(z, 2), vectors.Unit(z), vectors.Unit(p.T)
		cos := floats.Dot(unit, target)
		return cos, scaled(1/max(norm, math.SmallestNonzeroFloat64), floats.AddScaledTo(make([]float64, len(z)), target, -cos, unit))
	}
	panic("no golden scalar " + strconv.Quote(kind))
}

// function returns the scalar as a Function.
func (n goldenNetwork) function(kind string, params goldenParams) Function {
	return Function{
		Values: func(images [][]float64) ([]float64, error) {
			return vectors.Each(images, func(x []float64) float64 {
				z, _ := n.embed(x)
				value, _ := params.scalar(kind, z)
				return value
			}), nil
		},
		Gradients: func(images [][]float64) (gradients [][]float64, err error) {
			for _, x := range images {
				z, jacobian := n.embed(x)
				_, byZ := params.scalar(kind, z)
				gradient := make([]float64, len(x))
				for d, row := range jacobian {
					floats.AddScaled(gradient, byZ[d], row)
				}
				gradients = append(gradients, gradient)
			}
			return gradients, nil
		},
	}
}

func TestUsesAttribution(t *testing.T) {
	var golden struct {
		Attribution []struct {
			Name               string
			Kind               string
			Height, Width      int
			Net                goldenNetwork
			Params             goldenParams
			X, Baseline, Z     []float64
			Value              float64
			BaselineValue      float64 `json:"baseline_value"`
			Gradient           []float64
			GradientTimesInput []float64 `json:"gradient_times_input"`
			Integrated         []float64 `json:"integrated_gradients"`
			Midpoint           map[string]struct {
				Attribution []float64
				Sum, Gap    float64
			}
			Occlusion struct {
				Size, Stride  int
				Fill          float64
				Rows, Columns int
				Drops, Map    []float64
			}
			Deletion      []float64
			DeletionArea  float64 `json:"deletion_area"`
			Insertion     []float64
			InsertionArea float64 `json:"insertion_area"`
		}
	}
	embedtest.Uses(t, "attribution.json", &golden)
	if len(golden.Attribution) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range golden.Attribution {
		t.Run(c.Name, func(t *testing.T) {
			near := func(what string, got, want []float64) {
				t.Helper()
				embedtest.CheckNear(t, what, got, want, goldenTolerance)
			}
			z, _ := c.Net.embed(c.X)
			near("z", z, c.Z)
			f := c.Net.function(c.Kind, c.Params)
			near("gradient", must(f.Gradient(c.X))(t), c.Gradient)
			near("gradient times input", must(f.GradientTimesInput(c.X, c.Baseline))(t), c.GradientTimesInput)
			for nodes, want := range c.Midpoint {
				n := must(strconv.Atoi(nodes))(t)
				got := must(f.IntegratedGradients(c.X, c.Baseline, n))(t)
				near(nodes+" nodes: attribution", got.Attribution, want.Attribution)
				near(nodes+" nodes: sum, gap, values, nodes", []float64{got.Sum, got.Gap, got.Value, got.Baseline, float64(got.Nodes)},
					[]float64{want.Sum, want.Gap, c.Value, c.BaselineValue, float64(n)})
			}
			// Three times the nodes have a ninth of the error: the exact integral follows.
			few, many := must(f.IntegratedGradients(c.X, c.Baseline, 1<<13))(t).Attribution, must(f.IntegratedGradients(c.X, c.Baseline, 3<<13))(t).Attribution
			exact := floats.ScaleTo(make([]float64, len(few)), -1./8, few)
			near("integral", floats.AddScaledTo(exact, exact, 9./8, many), c.Integrated)
			chosen, err := f.IntegratedGradients(c.X, c.Baseline, 0)
			if allowed := 0.01 * math.Abs(c.Value-c.BaselineValue); (math.Abs(chosen.Gap) > allowed) != (err != nil) {
				t.Errorf("%d nodes were chosen: the gap is %v, want at most %v; error %v", chosen.Nodes, chosen.Gap, allowed, err)
			}

			occlusion := must(f.Occlude(c.X, [3]int{c.Height, c.Width, 1}, Window{c.Occlusion.Size, c.Occlusion.Stride, c.Occlusion.Fill}))(t)
			embedtest.CheckEqual(t, "rows and columns", [2]int{occlusion.Rows, occlusion.Columns}, [2]int{c.Occlusion.Rows, c.Occlusion.Columns})
			near("drops", occlusion.Drops, c.Occlusion.Drops)
			near("map of drops", occlusion.Map, c.Occlusion.Map)

			deletion := must(f.Deletion(c.X, c.Baseline, c.Integrated))(t)
			insertion := must(f.Insertion(c.X, c.Baseline, c.Integrated))(t)
			near("deletion", deletion, c.Deletion)
			near("insertion", insertion, c.Insertion)
			near("areas", []float64{Area(deletion), Area(insertion)}, []float64{c.DeletionArea, c.InsertionArea})
		})
	}
}

// must returns a function that fails a test with the error, or returns the value.
func must[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestUsesNeighbours(t *testing.T) {
	type points struct {
		Name   string
		Z      [][]float64
		Labels []int32
	}
	var golden struct {
		Path []struct {
			points
			A, B, Steps int
			Line        [][]float64
			Nearest     []int
			Distance    []float64
			KeptSteps   []int `json:"kept_steps"`
			Kept        []int
			Decided     []int32
		}
		Counterfactual []struct {
			points
			NearestOther []int             `json:"nearest_other_class"`
			NearestSame  embedtest.Numbers `json:"nearest_same_class"`
			Ratio        embedtest.Numbers
		}
		Prototypes []struct {
			points
			Gamma      float64
			Prototypes []int
			Objective  []float64
			MMD2       float64
			Witness    []float64
			Criticisms []int
			Medoid     int
		}
		Influence []struct {
			points
			Query     [][]float64
			Predicted []int32
			Margin    []float64
			Change    []embedtest.Numbers
		}
	}
	embedtest.Uses(t, "attribution.json", &golden)
	near := func(t *testing.T, what string, got, want []float64) {
		t.Helper()
		embedtest.CheckNear(t, what, got, want, goldenTolerance)
	}
	for _, c := range golden.Path {
		t.Run("path, "+c.Name, func(t *testing.T) {
			path := must(Points{c.Z, c.Labels}.Path(c.Z[c.A], c.Z[c.B], c.Steps))(t)
			var nearest []int
			var distance []float64
			var decided []int32
			for s, step := range path {
				near(t, "point", step.Z, c.Line[s])
				nearest, distance, decided = append(nearest, step.Nearest.Index), append(distance, step.Nearest.Distance), append(decided, step.Decided)
			}
			embedtest.CheckEqual(t, "nearest", nearest, c.Nearest)
			near(t, "distance", distance, c.Distance)
			embedtest.CheckEqual(t, "decided", decided, c.Decided)
			kept := Distinct(path)
			embedtest.CheckEqual(t, "kept steps", kept, c.KeptSteps)
			for i, s := range kept {
				embedtest.CheckEqual(t, "kept", path[s].Nearest.Index, c.Kept[i])
			}
		})
	}
	for _, c := range golden.Counterfactual {
		t.Run("counterfactual, "+c.Name, func(t *testing.T) {
			var ratio []float64
			for i := range c.Z {
				got := must(Points{c.Z, c.Labels}.Counterfactual(i))(t)
				embedtest.CheckEqual(t, "nearest of another class", got.Other.Index, c.NearestOther[i])
				if want := float64(c.NearestSame[i]); !(float64(got.Own.Index) == want || math.IsNaN(want) && got.Own.Index < 0) {
					t.Errorf("nearest of the own class: got %d, want %v", got.Own.Index, want)
				}
				ratio = append(ratio, got.Ratio)
			}
			near(t, "ratio", ratio, c.Ratio.Floats())
		})
	}
	for _, c := range golden.Prototypes {
		t.Run("prototypes, "+c.Name, func(t *testing.T) {
			got := must(Summarize(c.Z, c.Gamma, len(c.Prototypes), len(c.Criticisms)))(t)
			embedtest.CheckEqual(t, "prototypes", got.Prototypes, c.Prototypes)
			near(t, "objective", got.Objective, c.Objective)
			near(t, "squared discrepancy", []float64{got.MMD2}, []float64{c.MMD2})
			near(t, "witness", got.Witness, c.Witness)
			if !slices.Equal(got.Criticisms, c.Criticisms) {
				t.Errorf("criticisms: got %d, want %d", got.Criticisms, c.Criticisms)
			}
			embedtest.CheckEqual(t, "medoid", must(Medoid(c.Z))(t), c.Medoid)
		})
	}
	for _, c := range golden.Influence {
		t.Run("influence, "+c.Name, func(t *testing.T) {
			for i, query := range c.Query {
				got := must(Points{c.Z, c.Labels}.Influence(query))(t)
				embedtest.CheckEqual(t, "predicted", got.Predicted, c.Predicted[i])
				near(t, "margin", []float64{got.Margin}, []float64{c.Margin[i]})
				near(t, "change", got.Change, c.Change[i].Floats())
			}
		})
	}
}
