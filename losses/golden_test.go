package losses_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

type params map[string]float64

// golden holds the loss of each name in the golden files, given the parameters of a case.
var golden = map[string]func(p params) lossFn{
	"softmax":             func(params) lossFn { return softmax },
	"softmax_normalized":  func(params) lossFn { return normalizedSoftmax },
	"cosface":             func(p params) lossFn { return cosFace(p["s"], p["m"]) },
	"arcface":             func(p params) lossFn { return arcFace(p["s"], p["m"]) },
	"sphereface":          func(p params) lossFn { return sphereFace(int(p["m"]), noLambda) },
	"lsoftmax":            func(p params) lossFn { return lSoftmax(int(p["m"]), noLambda) },
	"center":              func(p params) lossFn { return center(p["lambda"]) },
	"contrastive":         func(p params) lossFn { return contrastive(p["m"]) },
	"triplet_all":         func(p params) lossFn { return tripletAll(p["m"], false) },
	"triplet_all_nonzero": func(p params) lossFn { return tripletAll(p["m"], true) },
	"triplet_hard":        func(p params) lossFn { return tripletHard(p["m"], false) },
	"triplet_semihard":    func(p params) lossFn { return tripletSemiHard(p["m"]) },
	"regression":          func(params) lossFn { return regression },
	"supcon":              func(p params) lossFn { return supCon(p["tau"]) },
	"multi-similarity":    func(p params) lossFn { return multiSimilarity(p["alpha"], p["beta"], p["base"]) },
	"proxy-anchor":        func(p params) lossFn { return proxyAnchor(p["m"], p["alpha"], p["alpha"], 0) },
	"circle":              func(p params) lossFn { return circle(p["m"], p["gamma"]) },
	"subcenter-arcface":   func(p params) lossFn { return subcenterArcFace(p["s"], p["m"]) },
	"adacos":              func(p params) lossFn { return adaCos(p["s_before"]) },
	"ring":                func(p params) lossFn { return ring(p["lambda"]) },
	"cac":                 func(p params) lossFn { return cac(p["lambda"]) },
	"prototypes":          func(params) lossFn { return prototypes(2) },
}

// array is an input in a golden file, of rank 1 to 3: a []float64 and so on.
type array struct{ value any }

func (a *array) UnmarshalJSON(data []byte) error {
	var row []float64
	var rows [][]float64
	var stack [][][]float64
	if json.Unmarshal(data, &row) == nil {
		a.value = row
		return nil
	}
	if json.Unmarshal(data, &rows) == nil {
		a.value = rows
		return nil
	}
	err := json.Unmarshal(data, &stack)
	a.value = stack
	return err
}

// goldenCase is one case of a golden file.
type goldenCase struct {
	Name   string
	Params params
	Inputs map[string]array
	Labels []int32
	Loss   float64
	Grad   map[string]*array // nil: the input is a constant
	After  *float64          `json:"s_after"` // the scale that AdaCos sets
}

// TestGolden compares mean losses and their gradients with those of an independent
// implementation, read from the folder that EMBEDSPACE_GOLDEN names (relative to the root of
// the module).
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
	for _, pattern := range []string{"losses_*.json", "beyond_*.json", "hidden_*.json"} {
		matches, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, matches...)
	}
	if len(files) == 0 {
		t.Fatalf("%s holds no losses_*.json, beyond_*.json or hidden_*.json", folder)
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
	loss, known := golden[c.Name]
	if !known {
		t.Fatalf("unknown loss %q, there are %v", c.Name, slices.Sorted(maps.Keys(golden)))
	}
	in := arrays{}
	for name, input := range c.Inputs {
		in[name] = input.value
	}
	onPlatforms(t, func(t *testing.T, p platform) {
		values, gradients := p.evaluator(t, loss(c.Params), slices.Sorted(maps.Keys(in))...)(in, c.Labels)
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
		if c.After != nil {
			after, _ := p.evaluator(t, nextScale(c.Params["s_before"]), "z", "W")(in, c.Labels)
			checkClose(t, "scale", after, []float64{*c.After}, p.tolerance)
		}
	})
}
