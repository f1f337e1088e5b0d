package embed

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Config says what is trained and how. A zero field means its default (see
// Defaults).
type Config struct {
	Technique string             `json:"technique"`
	Dataset   string             `json:"dataset"` // for Fit, which gets the images, no more than their name
	Dim       int                `json:"dim"`     // dimensions of the embedded space
	Epochs    int                `json:"epochs"`  // passes over the training images
	Train     int                `json:"train"`   // training images, a stratified subset; 0: all
	Batch     int                `json:"batch"`   // images per step
	Seed      int64              `json:"seed"`
	Backend   string             `json:"backend"` // see OpenBackend
	Devices   int                `json:"devices"` // that train together, each on its part of a batch
	Params    map[string]float64 `json:"params"`  // of the technique

	Extractor    string  `json:"extractor"`     // see Extractors
	Activation   string  `json:"activation"`    // in front of the embedding: linear, sigmoid, relu, selu
	Padding      string  `json:"padding"`       // of the convolutions: same, valid
	LearningRate float64 `json:"learning_rate"` // the highest of the schedule
}

// A Default is what a run takes where a Config says nothing, or what is fixed.
type Default struct {
	Name    string
	Default string
	Allowed string // the words, or the interval, that are allowed
	Reason  string // for the default
}

// PresetEnv names the environment variable that changes defaults: with the value
// "smoke", a run whose Config does not say otherwise takes 1 epoch of 512 images.
const PresetEnv = "EMBEDSPACE_PRESET"

// The defaults that are numbers or words.
const (
	defaultTechnique    = "softmax"
	defaultDataset      = "mnist-sample"
	defaultDim          = 2
	sampleEpochs        = 10
	fullEpochs          = 5
	defaultBatch        = 128
	defaultSeed         = 1
	defaultDevices      = 1
	defaultExtractor    = "paper"
	defaultActivation   = "linear"
	defaultPadding      = "valid"
	defaultLearningRate = 0.008
	smokeEpochs         = 1
	smokeTrain          = 512
)

// Defaults is the table of what the paper leaves open and of what was chosen. The
// parameters of the techniques are in Technique.Params.
var Defaults = []Default{
	{"technique", defaultTechnique, "the ID of a technique", "the loss the paper starts from"},
	{"dataset", defaultDataset, "the name of a dataset", "real digits that need no download"},
	{"dim", fmt.Sprint(defaultDim), "1 or more", "the paper's figures"},
	{"epochs", fmt.Sprintf("%d on a sample, %d on full data", sampleEpochs, fullEpochs), "1 or more", "MNIST in 2-D levels off there"},
	{"train", "all", "0 (all) or more", "a number that is compared uses all images"},
	{"batch", fmt.Sprint(defaultBatch), "1 to the number of training images", "the usual size"},
	{"seed", fmt.Sprint(defaultSeed), "any integer but 0", "a run repeats by default"},
	{"devices", fmt.Sprint(defaultDevices), "the divisors of batch; 1 on pure Go", "XLA for a CPU uses all cores with one device"},
	{"backend", "GOMLX_BACKEND, else the fastest there is", "xla:cuda, xla:cpu, go", "the order of the list is that of their speed"},
	{"extractor", defaultExtractor, "paper, and what a program registers", "the network of Fig. 1"},
	{"activation", defaultActivation, "linear, sigmoid, relu, selu", "section II-B: linear is the base of all that follows"},
	{"padding", defaultPadding, "same, valid", "2.7 times fewer operations than same, and as accurate on MNIST"},
	{"learning-rate", fmt.Sprint(defaultLearningRate), "more than 0, at most 1", "softmax in 2-D converges slowly at the usual 0.001: 10 epochs of the sample end at 73 %, and at 96 % from 0.005 on; triplet-hard and triplet-semihard take 0.002, as they collapse or blow up at more"},
	{"optimizer", "Adam (0.9, 0.999, epsilon 1e-7)", "fixed", "the usual choice; the paper names none"},
	{"schedule", "one cycle", "fixed", "the rate rises from 1/25 over the first quarter and falls to zero, both along a cosine (arXiv 1708.07120): the epochs that are given are used up"},
	{"pixels", "0 to 1", "fixed", "the usual form; no statistics of a dataset come in"},
	{"kernel", "3 x 3", "fixed", "the usual size; the paper names none"},
	{"pooling", "maximum of 2 x 2", "fixed", "the usual kind; the paper names none"},
	{"initialization", "He; Xavier for FC(dim); biases 0, those of FC(dim) before relu 1", "fixed", "keep the variance through relu and through linear layers; one of two units before relu that start around zero is often dead"},
	{"targets", "raster: 1 apart; circle and sphere: radius 1", "fixed", "it only sets the size of the picture"},
	{"centers where the nearest decides", "running means, 0.5 of the way in each batch; after an epoch the means of 2,000 training images, at the end of all", "fixed", "the loss does not use them: only the accuracies of the epochs depend on it"},
	{"initial norm of class weights", fmt.Sprint(initialNorm), "fixed", "short weights turn towards their class, where weights of norm 1 stay near their random directions"},
	{"learning rate of class weights behind sigmoid", fmt.Sprint(sigmoidClassRate, " times the learning rate"), "fixed", "embeddings in a square of side 1 need long class weights, for scores that differ; at the rate of all else, the points are pressed into the corners of the square first, and 10 classes of the sample end below 40 %"},
}

// WithDefaults returns the Config with its zero fields filled in. The error names
// the first field whose value is not allowed, with what is.
func (c Config) WithDefaults() (Config, error) {
	switch preset := os.Getenv(PresetEnv); preset {
	case "smoke":
		setDefault(&c.Epochs, smokeEpochs)
		setDefault(&c.Train, smokeTrain)
	case "":
	default:
		return c, fmt.Errorf("embed: %s is %q; allowed: smoke, or not set", PresetEnv, preset)
	}
	setDefault(&c.Technique, defaultTechnique)
	setDefault(&c.Dataset, defaultDataset)
	setDefault(&c.Dim, defaultDim)
	if strings.HasSuffix(c.Dataset, "-sample") {
		setDefault(&c.Epochs, sampleEpochs)
	}
	setDefault(&c.Epochs, fullEpochs)
	setDefault(&c.Batch, defaultBatch)
	setDefault(&c.Seed, defaultSeed)
	setDefault(&c.Devices, defaultDevices)
	setDefault(&c.Extractor, defaultExtractor)
	setDefault(&c.Activation, defaultActivation)
	setDefault(&c.Padding, defaultPadding)
	technique, err := LookUp(c.Technique)
	if err != nil {
		return c, err
	}
	setDefault(&c.LearningRate, technique.LearningRate)
	setDefault(&c.LearningRate, defaultLearningRate)
	params := map[string]float64{}
	for _, param := range technique.Params {
		params[param.Name] = param.Default
		if value, given := c.Params[param.Name]; given {
			if err := param.check(value); err != nil {
				return c, err
			}
			params[param.Name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if !has(params, name) {
			return c, unknownParam(name, technique)
		}
	}
	c.Params = params
	return c, c.check()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check returns an error for the first field, of those that are named or of all,
// whose value is not allowed.
func (c Config) check(names ...string) error {
	for _, field := range []struct {
		name    string
		value   any
		ok      bool
		allowed string
	}{
		{"dim", c.Dim, c.Dim >= 1, "1 or more"},
		{"epochs", c.Epochs, c.Epochs >= 1, "1 or more"},
		{"train", c.Train, c.Train >= 0, "0 (all) or more"},
		{"batch", c.Batch, c.Batch >= 1, "1 or more"},
		{"devices", c.Devices, c.Devices >= 1 && c.Batch%c.Devices == 0, fmt.Sprintf("the divisors of batch, %d", c.Batch)},
		{"extractor", c.Extractor, slices.Contains(Extractors(), c.Extractor), strings.Join(Extractors(), ", ")},
		{"activation", c.Activation, has(activations, c.Activation), strings.Join(slices.Sorted(maps.Keys(activations)), ", ")},
		{"padding", c.Padding, c.Padding == "same" || c.Padding == "valid", "same, valid"},
		{"learning-rate", c.LearningRate, c.LearningRate > 0 && c.LearningRate <= 1, "more than 0, at most 1"},
	} {
		if !field.ok && (len(names) == 0 || slices.Contains(names, field.name)) {
			return fmt.Errorf("embed: %s is %#v; allowed: %s", field.name, field.value, field.allowed)
		}
	}
	return nil
}

func has[K comparable, V any](m map[K]V, key K) bool {
	_, ok := m[key]
	return ok
}

// Set sets a parameter of the run by its name: extractor, activation, padding,
// learning-rate, or one of the technique's (see Technique.Params), whose names WithDefaults checks.
// The error names the value and what is allowed.
func (c *Config) Set(name, value string) error {
	switch name {
	case "extractor":
		c.Extractor = value
		return c.check(name)
	case "activation":
		c.Activation = value
		return c.check(name)
	case "padding":
		c.Padding = value
		return c.check(name)
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("embed: %s is %q; allowed: a number", name, value)
	}
	if name == "learning-rate" {
		c.LearningRate = number
		return c.check(name)
	}
	params := maps.Clone(c.Params)
	if params == nil {
		params = map[string]float64{}
	}
	params[name] = number
	c.Params = params
	return nil
}

func unknownParam(name string, technique Technique) error {
	names := []string{"extractor", "activation", "padding", "learning-rate"}
	for _, param := range technique.Params {
		names = append(names, param.Name)
	}
	return fmt.Errorf("embed: technique %q has no parameter %q; there are: %s", technique.ID, name, strings.Join(names, ", "))
}
