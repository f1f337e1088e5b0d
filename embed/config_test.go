package embed

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// withParams is a technique that has parameters.
var withParams = Technique{
	ID: "with-params",
	Params: []Param{
		{Name: "margin", Default: 0.05, Min: 0, Max: 1, Reason: "the paper's"},
		{Name: "scale", Default: 16, Min: 1, Max: math.Inf(1), Whole: true, Reason: "trains"},
	},
	Loss: func(h Head) *graph.Node { return h.Z },
}

func TestDefaults(t *testing.T) {
	got, err := Config{}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Params) != 0 {
		t.Errorf("softmax has no parameters, got %v", got.Params)
	}
	got.Params = nil
	checkEqual(t, "the default Config", got, Config{
		Technique: "softmax", Dataset: "mnist-sample", Dim: 2, Epochs: sampleEpochs, Batch: 128, Seed: 1, Devices: 1,
		Extractor: "paper", Activation: "linear", Padding: "valid", LearningRate: defaultLearningRate,
	})
	full, err := Config{Dataset: "mnist"}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	checkEqual(t, "epochs on full data", full.Epochs, 5)
	again, err := full.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	checkEqual(t, "a complete Config with defaults", again, full)
}

func TestDefaultsOfParams(t *testing.T) {
	register(t, withParams)
	cfg := Config{Technique: "with-params"}
	if err := cfg.Set("scale", "30"); err != nil {
		t.Fatal(err)
	}
	complete, err := cfg.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	checkEqual(t, "parameters", complete.Params, map[string]float64{"margin": 0.05, "scale": 30})
	checkEqual(t, "parameters of the Config that was completed", cfg.Params, map[string]float64{"scale": 30})
}

// TestTableOfDefaults compares the table that is shown with what is used.
func TestTableOfDefaults(t *testing.T) {
	table := map[string]string{}
	for _, param := range Defaults {
		if param.Name == "" || param.Default == "" || param.Allowed == "" || param.Reason == "" {
			t.Errorf("a row of Defaults is incomplete: %+v", param)
		}
		if _, twice := table[param.Name]; twice {
			t.Errorf("Defaults has %s twice", param.Name)
		}
		table[param.Name] = param.Default
	}
	sample, err := Config{}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	full, err := Config{Dataset: "mnist"}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for name, used := range map[string]any{
		"technique": sample.Technique, "dataset": sample.Dataset, "dim": sample.Dim, "batch": sample.Batch, "seed": sample.Seed,
		"devices":    sample.Devices,
		"activation": sample.Activation, "padding": sample.Padding, "learning-rate": sample.LearningRate,
		"epochs": fmt.Sprintf("%d on a sample, %d on full data", sample.Epochs, full.Epochs),
	} {
		if table[name] != fmt.Sprint(used) {
			t.Errorf("the table says %s is %q, the Config takes %v", name, table[name], used)
		}
	}
}

func TestBadConfig(t *testing.T) {
	register(t, withParams)
	for name, test := range map[string]struct {
		cfg   Config
		words []string
	}{
		"technique":         {Config{Technique: "sofmax"}, []string{`"sofmax"`, "regression-circle, with-params"}},
		"dim":               {Config{Dim: -1}, []string{"dim is -1", "1 or more"}},
		"epochs":            {Config{Epochs: -2}, []string{"epochs is -2", "1 or more"}},
		"train":             {Config{Train: -3}, []string{"train is -3", "0 (all) or more"}},
		"batch":             {Config{Batch: -4}, []string{"batch is -4", "1 or more"}},
		"devices":           {Config{Devices: -1}, []string{"devices is -1", "divisors of batch, 128"}},
		"devices and batch": {Config{Devices: 3}, []string{"devices is 3", "divisors of batch, 128"}},
		"activation":        {Config{Activation: "tanh"}, []string{`activation is "tanh"`, "linear, relu, selu, sigmoid"}},
		"padding":           {Config{Padding: "zero"}, []string{`padding is "zero"`, "same, valid"}},
		"learning rate":     {Config{LearningRate: 1.5}, []string{"learning-rate is 1.5", "more than 0, at most 1"}},
		"negative rate":     {Config{LearningRate: -0.1}, []string{"learning-rate is -0.1", "more than 0, at most 1"}},
		"rate not a number": {Config{LearningRate: math.NaN()}, []string{"learning-rate is NaN", "more than 0, at most 1"}},
		"parameter": {Config{Technique: "with-params", Params: map[string]float64{"lambda": 1}},
			[]string{`"with-params"`, `"lambda"`, "extractor, activation, padding, learning-rate, margin, scale"}},
		"parameter not finite": {Config{Technique: "with-params", Params: map[string]float64{"scale": math.Inf(1)}},
			[]string{"scale is +Inf", "whole numbers, 1 or more"}},
		"parameter not whole": {Config{Technique: "with-params", Params: map[string]float64{"scale": 1.5}},
			[]string{"scale is 1.5", "whole numbers, 1 or more"}},
		"parameter too large": {Config{Technique: "with-params", Params: map[string]float64{"margin": 2}},
			[]string{"margin is 2", "0 to 1"}},
		"extractor": {Config{Extractor: "resnet"}, []string{`extractor is "resnet"`, "allowed: paper"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.cfg.WithDefaults()
			wantError(t, err, test.words...)
			_, err = fitSmall(t.Context(), test.cfg, Options{})
			wantError(t, err, test.words...)
			_, err = Train(t.Context(), test.cfg, quiet(Options{}))
			wantError(t, err, test.words...)
			_, err = Bench(test.cfg, 1)
			wantError(t, err, test.words...)
			_, err = Layers(test.cfg, 28, 28, 1)
			wantError(t, err, test.words...)
		})
	}
}

func TestSet(t *testing.T) {
	var cfg Config
	for name, value := range map[string]string{"activation": "relu", "padding": "same", "learning-rate": "1e-3", "margin": "0.2"} {
		if err := cfg.Set(name, value); err != nil {
			t.Errorf("Set(%q, %q): %v", name, value, err)
		}
	}
	checkEqual(t, "Config", cfg, Config{Activation: "relu", Padding: "same", LearningRate: 0.001, Params: map[string]float64{"margin": 0.2}})

	earlier := cfg
	if err := cfg.Set("margin", "0.3"); err != nil {
		t.Fatal(err)
	}
	checkEqual(t, "margin of an earlier copy", earlier.Params["margin"], 0.2)
}

func TestSetRefuses(t *testing.T) {
	for _, pair := range [][2]string{{"learning-rate", "fast"}, {"margin", "0,2"}, {"margin", ""}} {
		var cfg Config
		err := cfg.Set(pair[0], pair[1])
		wantError(t, err, pair[0], `"`+pair[1]+`"`, "a number")
	}
	// A zero field means its default: an explicit zero must not be taken for it.
	for _, pair := range [][2]string{{"learning-rate", "0"}, {"activation", ""}, {"padding", ""}} {
		var cfg Config
		err := cfg.Set(pair[0], pair[1])
		if err == nil {
			_, err = cfg.WithDefaults()
		}
		wantError(t, err, pair[0], "allowed")
	}
}

func TestPreset(t *testing.T) {
	t.Setenv(PresetEnv, "smoke")
	for name, test := range map[string]struct {
		cfg           Config
		epochs, train int
	}{
		"defaults":        {Config{}, 1, 512},
		"full data":       {Config{Dataset: "mnist"}, 1, 512},
		"explicit epochs": {Config{Epochs: 3}, 3, 512},
		"explicit train":  {Config{Train: 100, Batch: 10}, 1, 100},
	} {
		got, err := test.cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		checkEqual(t, name+": epochs", got.Epochs, test.epochs)
		checkEqual(t, name+": train", got.Train, test.train)
		checkEqual(t, name+": learning rate", got.LearningRate, defaultLearningRate)
	}

	t.Setenv(PresetEnv, "smok")
	_, err := Config{}.WithDefaults()
	wantError(t, err, PresetEnv, `"smok"`, "smoke")
}

func TestTechniques(t *testing.T) {
	seen := map[string]bool{}
	for _, technique := range Techniques() {
		if seen[technique.ID] {
			t.Errorf("%q is registered twice", technique.ID)
		}
		seen[technique.ID] = true
		for field, value := range map[string]string{
			"Title": technique.Title, "Section": technique.Section, "Figure": technique.Figure,
			"Equation": technique.Equation, "Notebook": technique.Notebook,
		} {
			if strings.TrimSpace(value) == "" {
				t.Errorf("%s has no %s", technique.ID, field)
			}
		}
		for _, param := range technique.Params {
			if param.Name == "" || param.check(param.Default) != nil || param.Reason == "" {
				t.Errorf("%s: a parameter is incomplete: %+v", technique.ID, param)
			}
		}
		if _, err := (Config{Technique: technique.ID}).WithDefaults(); err != nil {
			t.Errorf("the defaults of %s: %v", technique.ID, err)
		}
		found, err := LookUp(technique.ID)
		if err != nil || found.Title != technique.Title {
			t.Errorf("LookUp(%q) = %q, %v", technique.ID, found.Title, err)
		}
	}
	for _, id := range []string{
		"softmax", "softmax-normalized", "cosface", "arcface", "sphereface", "lsoftmax", "center", "center-normalized",
		"contrastive", "triplet-all", "triplet-hard", "triplet-semihard", "regression-raster", "regression-circle",
	} {
		if !seen[id] {
			t.Errorf("%s is not registered", id)
		}
	}
}

// TestTechniquesAreShown: each technique of the paper is in a notebook, in a row of the
// README and in the overview.
func TestTechniquesAreShown(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	overview, err := ReadFigure("../docs/results/overview/overview.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, technique := range Techniques() {
		notebook, err := os.ReadFile("../notebooks/" + technique.Notebook + ".ipynb")
		if err != nil {
			t.Errorf("%s: %v", technique.ID, err)
		}
		if !strings.Contains(string(notebook), technique.ID) {
			t.Errorf("%s is not in the notebook %s", technique.ID, technique.Notebook)
		}
		row := false
		for line := range strings.Lines(string(readme)) {
			row = row || strings.HasPrefix(line, "|") && strings.Contains(line, "`"+technique.ID+"`") &&
				strings.Contains(line, "notebooks/"+technique.Notebook+".ipynb")
		}
		if !row {
			t.Errorf("%s has no row in the README", technique.ID)
		}
		if !slices.Contains(overview.RowLabels, technique.Title) {
			t.Errorf("%s is not in the overview", technique.ID)
		}
	}
	for i, panel := range overview.Panels {
		if panel.Missing != "" {
			t.Errorf("panel %d of the overview is %s", i, panel.Missing)
		}
	}
}

func TestTechniquesIsACopy(t *testing.T) {
	all := Techniques()
	all[0].ID = "other"
	if _, err := LookUp("softmax"); err != nil {
		t.Error(err)
	}
}

func TestLookUpUnknown(t *testing.T) {
	_, err := LookUp("soft-max")
	wantError(t, err, `"soft-max"`, "softmax, softmax-normalized")
}
