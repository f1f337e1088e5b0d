package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/embed/embedtest"
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
	embedtest.CheckEqual(t, "the default Config", got, Config{
		Technique: "softmax", Dataset: "mnist-sample", Dim: 2, Epochs: sampleEpochs, Batch: 128, Seed: 1, Devices: 1,
		Extractor: "paper", Activation: "linear", Padding: "valid", LearningRate: defaultLearningRate,
	})
	full, err := Config{Dataset: "mnist"}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "epochs on full data", full.Epochs, 5)
	again, err := full.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "a complete Config with defaults", again, full)
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
	embedtest.CheckEqual(t, "parameters", complete.Params, Params{"margin": 0.05, "scale": 30.})
	embedtest.CheckEqual(t, "parameters of the Config that was completed", cfg.Params, Params{"scale": 30.})
}

// TestTableOfDefaults compares the table that is shown with what is used.
func TestTableOfDefaults(t *testing.T) {
	table := map[string]string{}
	for _, param := range Defaults() {
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
		"technique": sample.Technique, "dataset": sample.Dataset, "dim": sample.Dim, "seed": sample.Seed,
		"batch":      fmt.Sprintf("%d; on data of your own halved to %d at least, until an epoch has %d steps, and a batch at most %d pixels", sample.Batch, leastBatch, epochSteps, batchPixels),
		"devices":    sample.Devices,
		"activation": sample.Activation, "padding": sample.Padding, "learning-rate": fmt.Sprint(sample.LearningRate, "; 0.002 for triplet-hard and triplet-semihard"),
		"epochs": fmt.Sprintf("%d on a sample, %d on full data; on data of your own as many as give %d steps, but at least %d",
			sample.Epochs, full.Epochs, ownSteps, full.Epochs),
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
		"technique":         {Config{Technique: "sofmax"}, []string{`"sofmax"`, "prototypes, with-params"}},
		"dim":               {Config{Dim: -1}, []string{"dim is -1", "1 or more"}},
		"epochs":            {Config{Epochs: -2}, []string{"epochs is -2", "1 or more"}},
		"train":             {Config{Train: -3}, []string{"train is -3", "0 (all) or more"}},
		"batch":             {Config{Batch: -4}, []string{"batch is -4", "1 to the number of training images"}},
		"devices":           {Config{Devices: -1}, []string{"devices is -1", "allowed"}},
		"devices and batch": {Config{Devices: 3, Batch: 128}, []string{"devices is 3", "divisors of batch, 128"}},
		"activation":        {Config{Activation: "tanh"}, []string{`activation is "tanh"`, "linear, relu, selu, sigmoid"}},
		"padding":           {Config{Padding: "zero"}, []string{`padding is "zero"`, "same, valid"}},
		"learning rate":     {Config{LearningRate: 1.5}, []string{"learning-rate is 1.5", "more than 0, at most 1"}},
		"negative rate":     {Config{LearningRate: -0.1}, []string{"learning-rate is -0.1", "more than 0, at most 1"}},
		"rate not a number": {Config{LearningRate: math.NaN()}, []string{"learning-rate is NaN", "more than 0, at most 1"}},
		"parameter": {Config{Technique: "with-params", Params: Params{"lambda": 1}},
			[]string{"with-params", `"lambda"`, "allowed: margin, scale, technique,"}},
		"parameter not finite": {Config{Technique: "with-params", Params: Params{"scale": math.Inf(1)}},
			[]string{"scale is +Inf", "whole numbers, 1 or more"}},
		"parameter not whole": {Config{Technique: "with-params", Params: Params{"scale": 1.5}},
			[]string{"scale is 1.5", "whole numbers, 1 or more"}},
		"parameter too large": {Config{Technique: "with-params", Params: Params{"margin": 2}},
			[]string{"margin is 2", "0 to 1"}},
		"extractor": {Config{Extractor: "resnet"}, []string{`extractor is "resnet"`, "allowed: paper"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.cfg.WithDefaults()
			embedtest.WantError(t, err, test.words...)
			_, err = fitSmall(t.Context(), test.cfg, Options{})
			embedtest.WantError(t, err, test.words...)
			_, err = Train(t.Context(), test.cfg, quiet(Options{}))
			embedtest.WantError(t, err, test.words...)
			_, err = Bench(test.cfg, 1)
			embedtest.WantError(t, err, test.words...)
			_, err = Layers(test.cfg, 28, 28, 1)
			embedtest.WantError(t, err, test.words...)
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
	embedtest.CheckEqual(t, "Config", cfg, Config{Activation: "relu", Padding: "same", LearningRate: 0.001, Params: Params{"margin": 0.2}})

	earlier := cfg
	if err := cfg.Set("margin", "0.3"); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "margin of an earlier copy", earlier.Params["margin"], 0.2)
}

// TestSetInAnyOrder: what two fields say together is checked at the end.
func TestSetInAnyOrder(t *testing.T) {
	for _, pairs := range [][][2]string{
		{{"devices", "3"}, {"batch", "96"}}, {{"batch", "96"}, {"devices", "3"}}, {{"batch", "128"}, {"devices", "3"}, {"batch", "96"}},
	} {
		var cfg Config
		for _, pair := range pairs {
			if err := cfg.Set(pair[0], pair[1]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := cfg.WithDefaults(); err != nil {
			t.Error(err)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	for _, pair := range [][2]string{{"learning-rate", "fast"}, {"dim", "two"}, {"dim", "2.5"}, {"seed", "now"}} {
		var cfg Config
		embedtest.WantError(t, cfg.Set(pair[0], pair[1]), pair[0], `"`+pair[1]+`"`, "allowed")
	}
	for _, value := range []string{"0,2", "", "wide", "NaN", "1e999"} {
		cfg := Config{Technique: "cosface"}
		if err := cfg.Set("margin", value); err != nil {
			t.Fatal(err)
		}
		_, err := cfg.WithDefaults()
		embedtest.WantError(t, err, "margin is", "allowed: 0 to 1")
	}
	// A zero field means its default: an explicit zero must not be taken for it.
	for _, pair := range [][2]string{{"learning-rate", "0"}, {"activation", ""}, {"padding", ""}, {"dim", "0"}, {"epochs", "0"}, {"batch", "0"}, {"seed", "0"}, {"dataset", ""}, {"technique", ""}} {
		var cfg Config
		err := cfg.Set(pair[0], pair[1])
		if err == nil {
			_, err = cfg.WithDefaults()
		}
		embedtest.WantError(t, err, pair[0], "allowed")
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
		embedtest.CheckEqual(t, name+": epochs", got.Epochs, test.epochs)
		embedtest.CheckEqual(t, name+": train", got.Train, test.train)
		embedtest.CheckEqual(t, name+": learning rate", got.LearningRate, defaultLearningRate)
	}

	t.Setenv(PresetEnv, "smok")
	_, err := Config{}.WithDefaults()
	embedtest.WantError(t, err, PresetEnv, `"smok"`, "smoke")
}

func TestTechniques(t *testing.T) {
	seen := map[string]bool{}
	for _, technique := range Techniques() {
		if seen[technique.ID] {
			t.Errorf("%q is registered twice", technique.ID)
		}
		seen[technique.ID] = true
		for field, value := range map[string]string{
			"Title": technique.Title, "Section": technique.Section, "Figure or Source": technique.Figure + technique.Source,
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
	ids := map[Family][]string{}
	for _, technique := range Techniques() {
		ids[technique.Family] = append(ids[technique.Family], technique.ID)
		if (technique.Family == After) != (technique.Source != "") || (technique.Family == Paper) != (technique.Figure != "") {
			t.Errorf("%s of the family %q has the figure %q and the source %q", technique.ID, technique.Family, technique.Figure, technique.Source)
		}
	}
	embedtest.CheckEqual(t, "techniques of the paper", ids[Paper], []string{
		"softmax", "softmax-normalized", "cosface", "arcface", "sphereface", "lsoftmax", "center", "center-normalized",
		"contrastive", "triplet-all", "triplet-hard", "triplet-semihard", "regression-raster", "regression-circle",
	})
	embedtest.CheckEqual(t, "techniques after it", ids[After], []string{
		"subcenter-arcface", "adacos", "ring", "supcon", "multi-similarity", "circle", "proxy-anchor", "cac", "prototypes",
	})
	embedtest.CheckEqual(t, "first one after it", Techniques()[14].ID, "subcenter-arcface")
}

// TestTechniquesIsACopy: what is handed out can be changed without a change for others.
func TestTechniquesIsACopy(t *testing.T) {
	want, err := Config{Technique: "center"}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(technique Technique) {
		for i := range technique.Params {
			p := &technique.Params[i]
			p.Name, p.Default = "other", 0.
			for j := range p.Words {
				p.Words[j] = "other"
			}
		}
	}
	all := Techniques()
	for i := range all {
		spoil(all[i])
		all[i].ID = "other"
	}
	one, err := LookUp("center")
	if err != nil {
		t.Fatal(err)
	}
	spoil(one)
	own := withParams
	own.Params = slices.Clone(withParams.Params)
	before := registry.techniques
	t.Cleanup(func() { registry.techniques = before })
	if err := Register(own); err != nil {
		t.Fatal(err)
	}
	spoil(own)
	if _, err := (Config{Technique: "with-params", Params: Params{"scale": 20}}).WithDefaults(); err != nil {
		t.Error(err)
	}
	table := Defaults()
	table[0].Default = "other"
	got, err := Config{Technique: "center"}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "defaults", got, want)
	embedtest.CheckEqual(t, "table", Defaults()[0].Default, "softmax")
}

// TestRegistriesAreLocked is for the race detector.
func TestRegistriesAreLocked(t *testing.T) {
	before := registry.techniques
	t.Cleanup(func() { registry.techniques = before; clear(extractors.byName) })
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			technique := withParams
			technique.ID = fmt.Sprint("concurrent-", i)
			if err := Register(technique); err != nil {
				t.Error(err)
			}
			if err := RegisterExtractor(fmt.Sprint("concurrent-", i), func(_ *model.Scope, x *graph.Node) *graph.Node { return x }); err != nil {
				t.Error(err)
			}
			if _, err := (Config{Technique: technique.ID, Extractor: fmt.Sprint("concurrent-", i)}).WithDefaults(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestChanges: what differs from the defaults is said in words.
func TestChanges(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		want []string
	}{
		{Config{}, nil},
		{Config{Activation: "relu"}, []string{"activation=relu"}},
		{Config{Technique: "center", Params: Params{"update": "wen", "alpha": 1, "lambda": 0.1}}, []string{"alpha=1", "update=wen"}},
		{Config{Technique: "center", Params: Params{"biases": "trained"}}, []string{"biases=trained"}},
		{Config{Technique: "triplet-all", Params: Params{"mean-over": "all"}}, []string{"mean-over=all"}},
		{Config{Technique: "contrastive", Params: Params{"margin": float32(0.5)}}, []string{"margin=0.5"}},
		{Config{Technique: "contrastive", Params: Params{"margin": int64(1)}}, nil},
	} {
		embedtest.CheckEqual(t, "changes before the defaults", test.cfg.Changes(), test.want)
		cfg, err := test.cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "changes", cfg.Changes(), test.want)
		encoded, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var decoded Config
		if err := json.Unmarshal(encoded, &decoded); err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "Config from JSON", decoded, cfg)
	}
}

// TestOwnData: batch and epochs of data that is none of package datasets' follow from the
// number of images and their size, and are said.
func TestOwnData(t *testing.T) {
	for _, test := range []struct {
		cfg           Config
		images, side  int
		batch, epochs int
	}{
		{Config{}, 10, 28, 10, 300},
		{Config{}, 24, 28, 16, 300},
		{Config{}, 120, 28, 16, 43},
		{Config{}, 300, 28, 64, 75},
		{Config{}, 600, 28, 128, 75},
		{Config{Batch: 8}, 24, 28, 8, 100},
		{Config{Epochs: 2}, 24, 28, 16, 2},
		{Config{}, 128 * 100, 128, 128, 5},
		{Config{}, 128 * 100, 129, 64, 5},
		{Config{}, 128 * 100, 224, 32, 5},
		{Config{}, 128 * 100, 1000, 16, 5},
		{Config{Batch: 128}, 128 * 100, 224, 128, 5},
	} {
		cfg := test.cfg
		cfg.Dataset = "own"
		cfg, err := cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		cfg = cfg.forImages(test.images, test.side*test.side)
		embedtest.CheckEqual(t, fmt.Sprintf("batch and epochs of %d images of %d x %d", test.images, test.side, test.side), [2]int{cfg.Batch, cfg.Epochs}, [2]int{test.batch, test.epochs})
	}
	train, test := embedtest.SmallData()
	var log strings.Builder
	result, err := Fit(t.Context(), Config{Padding: "same", Batch: 8, Backend: "go"}, train, test, Options{Progress: &log})
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "dataset", result.Config.Dataset, "patterns")
	train.Name = ""
	result, err = Fit(t.Context(), Config{Padding: "same", Batch: 8, Epochs: 1, Backend: "go"}, train, test, quiet(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "dataset without a name", result.Config.Dataset, "own")
	if speed, err := Bench(Config{Dataset: "own", Backend: "go"}, 1); err != nil || speed.Batch != defaultBatch {
		t.Errorf("bench of own data: batch %d, error %v", speed.Batch, err)
	}
	_, err = Bench(Config{Backend: "go", Batch: 1 << 30}, 1)
	embedtest.WantError(t, err, "batch is 1073741824", "memory expected")
	if want := "24 training images, batch 8: 100 epochs, 300 steps in all\n"; !strings.HasPrefix(log.String(), want) {
		t.Errorf("the progress is %q, want it to begin with %q", log.String(), want)
	}
}

func TestLookUpUnknown(t *testing.T) {
	_, err := LookUp("soft-max")
	embedtest.WantError(t, err, `"soft-max"`, "allowed: softmax, softmax-normalized")
	if !errors.Is(err, ErrUnknown) {
		t.Errorf("%v is not ErrUnknown", err)
	}
	_, err = Config{Dim: -1}.WithDefaults()
	var value *ValueError
	if !errors.As(err, &value) || value.Name != "dim" || value.Value != -1 {
		t.Errorf("%v is no ValueError of dim", err)
	}
}

// TestName: techniques, data, dimensions, seeds, activations and parameters give different
// names, and defaults that are written out give the same.
func TestName(t *testing.T) {
	for want, cfg := range map[string]Config{
		"softmax-mnist-sample-2d-s1":                    {},
		"softmax-mnist-sample-2d-s1-activation-relu":    {Activation: "relu"},
		"softmax-folder-pets-size=9x9-2d-s1":            {Dataset: "folder:a/pets:size=9x9"},
		"cosface-mnist-3d-s2":                           {Technique: "cosface", Dataset: "mnist", Dim: 3, Seed: 2, Params: Params{"margin": 0.05}},
		"cosface-mnist-sample-2d-s1-margin-0.2":         {Technique: "cosface", Params: Params{"margin": 0.2}},
		"triplet-hard-mnist-sample-2d-s1-mining-strict": {Technique: "triplet-hard", Params: Params{"mining": "strict"}},
	} {
		cfg, err := cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "name", cfg.Name(), want)
	}
}
