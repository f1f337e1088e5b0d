package losses_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/gomlx/core/graph"
)

// golden builds the loss of each name in the golden files, for the parameters of
// the case.
var golden = map[string]func(in nodes, params map[string]float64) *graph.Node{
	"softmax":            func(in nodes, _ map[string]float64) *graph.Node { return softmax(in) },
	"softmax_normalized": func(in nodes, _ map[string]float64) *graph.Node { return normalizedSoftmax(in) },
	"cosface": func(in nodes, params map[string]float64) *graph.Node {
		return losses.CosFace(in["z"], in["W"], in["labels"], graph.Scalar(in["z"].Graph(), in["z"].DType(), params["s"]), params["m"])
	},
	"arcface": func(in nodes, params map[string]float64) *graph.Node {
		return losses.ArcFace(in["z"], in["W"], in["labels"], graph.Scalar(in["z"].Graph(), in["z"].DType(), params["s"]), params["m"])
	},
	"sphereface": func(in nodes, params map[string]float64) *graph.Node {
		return losses.SphereFace(in["z"], in["W"], in["labels"], int(params["m"]), nil)
	},
	"lsoftmax": func(in nodes, params map[string]float64) *graph.Node {
		return losses.LSoftmax(in["z"], in["W"], in["labels"], int(params["m"]), nil)
	},
	"center": func(in nodes, params map[string]float64) *graph.Node {
		return losses.Center(in["z"], in["centers"], in["labels"], params["lambda"])
	},
	"contrastive": func(in nodes, params map[string]float64) *graph.Node {
		return losses.Contrastive(in["z"], in["labels"], params["m"])
	},
	"triplet_all": func(in nodes, params map[string]float64) *graph.Node {
		loss, _ := losses.TripletAll(in["z"], in["labels"], params["m"], false)
		return loss
	},
	"triplet_all_nonzero": func(in nodes, params map[string]float64) *graph.Node {
		loss, _ := losses.TripletAll(in["z"], in["labels"], params["m"], true)
		return loss
	},
	"triplet_hard": func(in nodes, params map[string]float64) *graph.Node {
		loss, _ := losses.TripletHard(in["z"], in["labels"], params["m"], false)
		return loss
	},
	"triplet_semihard": func(in nodes, params map[string]float64) *graph.Node {
		loss, _ := losses.TripletSemiHard(in["z"], in["labels"], params["m"])
		return loss
	},
	"regression": func(in nodes, params map[string]float64) *graph.Node {
		return losses.Regression(in["z"], in["targets"], in["labels"])
	},
}

// array is an input in a golden file: a [][]float64 or, of rank 1, a []float64.
type array struct{ value any }

func (a *array) UnmarshalJSON(data []byte) error {
	var row []float64
	if json.Unmarshal(data, &row) == nil {
		a.value = row
		return nil
	}
	var rows [][]float64
	err := json.Unmarshal(data, &rows)
	a.value = rows
	return err
}

// goldenCase is one case of a golden file.
type goldenCase struct {
	Name   string
	Params map[string]float64
	Inputs map[string]array
	Labels []int32
	Loss   float64
	Grad   map[string]*array // nil: the input is a constant
}

// TestGolden compares the mean loss and its gradients with those of an independent
// implementation, from the folder that EMBEDSPACE_GOLDEN names (relative to the
// module's root).
func TestGolden(t *testing.T) {
	folder, named := os.LookupEnv("EMBEDSPACE_GOLDEN")
	if !named {
		folder = "../shared/golden"
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", folder)
	}
	if _, err := os.Stat(folder); err != nil && !named {
		t.Skipf("no golden files: %v (EMBEDSPACE_GOLDEN names their folder)", err)
	}
	var files []string
	for _, pattern := range []string{"losses_*.json", "hidden_*.json"} {
		matches, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, matches...)
	}
	if len(files) == 0 {
		t.Fatalf("%s holds neither losses_*.json nor hidden_*.json", folder)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var content struct{ Cases []goldenCase }
			if err := json.Unmarshal(data, &content); err != nil {
				t.Fatal(err)
			}
			if len(content.Cases) == 0 {
				t.Fatal("no cases")
			}
			for _, c := range content.Cases {
				name := c.Name
				for _, param := range slices.Sorted(maps.Keys(c.Params)) {
					name += fmt.Sprintf(",%s=%g", param, c.Params[param])
				}
				t.Run(name, func(t *testing.T) { testGoldenCase(t, c) })
			}
		})
	}
}

func testGoldenCase(t *testing.T, c goldenCase) {
	build, known := golden[c.Name]
	if !known {
		t.Fatalf("unknown loss %q, there are %v", c.Name, slices.Sorted(maps.Keys(golden)))
	}
	in := arrays{}
	for name, input := range c.Inputs {
		in[name] = input.value
	}
	onPlatforms(t, func(t *testing.T, p platform) {
		loss := func(in nodes) *graph.Node { return build(in, c.Params) }
		values, gradients := p.evaluator(t, loss, slices.Sorted(maps.Keys(in))...)(in, c.Labels)
		checkClose(t, "loss", []float64{mean(values)}, []float64{c.Loss}, p.tolerance)
		for name, want := range c.Grad {
			if want == nil {
				continue
			}
			var gradient []float64
			for _, x := range elements(want.value) {
				gradient = append(gradient, *x)
			}
			checkClose(t, "gradient of "+name, gradients[name], gradient, p.tolerance)
		}
	})
}
