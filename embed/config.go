package embed

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/embedspace/embedspace/datasets"
)

// A Config says what is trained and how. A zero field means its default (see Defaults).
type Config struct {
	Technique string `json:"technique"`
	Dataset   string `json:"dataset"` // for Fit, which gets the images, no more than their name
	Dim       int    `json:"dim"`     // dimensions of the embedded space
	Epochs    int    `json:"epochs"`  // passes over the training images
	Train     int    `json:"train"`   // training images, a stratified subset; 0: all
	Batch     int    `json:"batch"`   // images per step
	Seed      int64  `json:"seed"`
	Backend   string `json:"backend"` // see backends.Open
	Devices   int    `json:"devices"` // that train together, each on its part of a batch
	Params    Params `json:"params"`  // of the technique

	Extractor    string  `json:"extractor"`     // see Extractors
	Activation   string  `json:"activation"`    // in front of the embedding: linear, sigmoid, relu, selu
	Padding      string  `json:"padding"`       // of the convolutions: same, valid
	LearningRate float64 `json:"learning_rate"` // the highest of the schedule
}

// Params are the parameters of a technique by their names: numbers, of any type, and words
// (string). See Technique.Params for what is allowed.
type Params map[string]any

// A Default is what a training takes where a Config says nothing, or a choice that is
// fixed.
type Default struct {
	Name    string // of the field, as on the command line
	Means   string // what the field says; empty: the choice is fixed
	Default string
	Allowed string // the words, or the interval
	Reason  string // for the default
}

// PresetEnv names the environment variable that changes defaults: with the value
// "smoke", a training whose Config does not say otherwise takes 1 epoch of 512 images.
const PresetEnv = "EMBEDSPACE_PRESET"

// The defaults that are numbers or words.
const (
	defaultTechnique    = "softmax"
	defaultDataset      = "mnist-sample"
	defaultDim          = 2
	sampleEpochs        = 10
	fullEpochs          = 5
	ownSteps            = 300
	defaultBatch        = 128
	leastBatch          = 16
	epochSteps          = 4
	batchPixels         = 1 << 21
	defaultSeed         = 1
	defaultDevices      = 1
	defaultExtractor    = "paper"
	defaultActivation   = "linear"
	defaultPadding      = "valid"
	defaultLearningRate = 0.008
	smokeEpochs         = 1
	smokeTrain          = 512
)

// A setting is a field of a Config with its default.
type setting struct {
	Default
	field   func(c *Config) any   // its address
	ok      func(c Config) bool   // whether its value is allowed
	allowed func(c Config) string // what is allowed with this Config; nil: Default.Allowed
}

// settings are the fields of a Config but Params. Set, the check of a Config, Defaults and
// the flags of the command line are made from this table.
var settings = []setting{
	{
		Default{"technique", "loss that shapes the space", defaultTechnique, "the ID of a technique", "the loss the paper starts from"},
		func(c *Config) any { return &c.Technique },
		func(c Config) bool { _, err := LookUp(c.Technique); return err == nil },
		func(Config) string { return strings.Join(techniqueIDs(), ", ") },
	}, {
		Default{"dataset", "images to embed", defaultDataset, "the name of a dataset, folder:PATH (class folders of images), idx:PATH (IDX files), see datasets.Load", "real digits that need no download"},
		func(c *Config) any { return &c.Dataset },
		func(c Config) bool { return c.Dataset != "" },
		nil,
	}, {
		Default{"dim", "dimensions of the embedded space", fmt.Sprint(defaultDim), "1 or more", "the paper's figures"},
		func(c *Config) any { return &c.Dim },
		func(c Config) bool { return c.Dim >= 1 },
		nil,
	}, {
		Default{"epochs", "passes over the training images",
			fmt.Sprintf("%d on a sample, %d on full data; on data of your own as many as give %d steps, but at least %d", sampleEpochs, fullEpochs, ownSteps, fullEpochs),
			"1 or more", "MNIST in 2-D levels off after that many; a few hundred images need about 300 steps to get there"},
		func(c *Config) any { return &c.Epochs },
		func(c Config) bool { return c.Epochs >= 1 },
		nil,
	}, {
		Default{"train", "training images, a stratified subset", "all", "0 (all) or more", "a number that is compared uses all images"},
		func(c *Config) any { return &c.Train },
		func(c Config) bool { return c.Train >= 0 },
		nil,
	}, {
		Default{"batch", "images per step", fmt.Sprintf("%d; on data of your own halved to %d at least, until an epoch has %d steps, and a batch at most %d pixels", defaultBatch, leastBatch, epochSteps, batchPixels),
			"1 to the number of training images", "the usual size; with 120 images of MNIST, 300 steps of 16 images reach 71 %, and 300 steps of 120 images 60 % in four times the time; 32 color images of 224 x 224 take 3 GiB on XLA for a CPU, 128 of them 5"},
		func(c *Config) any { return &c.Batch },
		func(c Config) bool { return c.Batch >= 1 },
		nil,
	}, {
		Default{"seed", "seed of the random numbers", fmt.Sprint(defaultSeed), "any whole number but 0", "a training repeats by default"},
		func(c *Config) any { return &c.Seed },
		func(c Config) bool { return c.Seed != 0 },
		nil,
	}, {
		Default{"backend", "what computes", "that in GOMLX_BACKEND, else the first that can be opened", "xla:cuda, xla:cpu, go", "the order of the list is that of their speed"},
		func(c *Config) any { return &c.Backend },
		func(Config) bool { return true },
		nil,
	}, {
		Default{"devices", "GPUs, or devices of XLA for a CPU, that train together, each on its part of a batch", fmt.Sprint(defaultDevices), "the divisors of batch; 1 on pure Go", "XLA for a CPU uses all cores with one device"},
		func(c *Config) any { return &c.Devices },
		func(c Config) bool { return c.Devices >= 1 },
		nil,
	}, {
		Default{"extractor", "network in front of the embedding layer", defaultExtractor, "paper, and what a program registers", "the network of Fig. 1"},
		func(c *Config) any { return &c.Extractor },
		func(c Config) bool { return slices.Contains(Extractors(), c.Extractor) },
		func(Config) string { return strings.Join(Extractors(), ", ") },
	}, {
		Default{"activation", "activation of the embedding layer", defaultActivation, "linear, relu, selu, sigmoid", "section II-B: linear is the base of all that follows"},
		func(c *Config) any { return &c.Activation },
		func(c Config) bool { return has(activations, c.Activation) },
		nil,
	}, {
		Default{"padding", "padding of the convolutions", defaultPadding, "same, valid", "2.7 times fewer operations than same, and as accurate on MNIST"},
		func(c *Config) any { return &c.Padding },
		func(c Config) bool { return c.Padding == "same" || c.Padding == "valid" },
		nil,
	}, {
		Default{"learning-rate", "highest learning rate of the schedule", fmt.Sprint(defaultLearningRate, "; 0.002 for triplet-hard and triplet-semihard"), "more than 0, at most 1", "softmax in 2-D converges slowly at the usual 0.001: 10 epochs of the sample end at 73 %, and at 96 % from 0.005 on; strictly mined triplets collapse or blow up above 0.002, and soft ones are as good there"},
		func(c *Config) any { return &c.LearningRate },
		func(c Config) bool { return c.LearningRate > 0 && c.LearningRate <= 1 },
		nil,
	},
}

// fixed are the choices that the paper leaves open and that no Config changes.
var fixed = []Default{
	{"optimizer", "", "Adam (0.9, 0.999, epsilon 1e-7)", "fixed", "the usual choice; the paper names none"},
	{"schedule", "", "one cycle", "fixed", "the rate rises from 1/25 over the first quarter and falls to zero, both along a cosine (arXiv 1708.07120): the epochs that are given are used up"},
	{"pixels", "", "0 to 1", "fixed", "the usual form; no statistics of a dataset come in"},
	{"kernel", "", "3 x 3", "fixed", "the usual size; the paper names none"},
	{"pooling", "", "maximum of 2 x 2", "fixed", "the usual kind; the paper names none"},
	{"initialization", "", "He; Xavier for FC(dim), in more than 3-D times sqrt(3/dim) where classes have targets; biases 0, those of FC(dim) before relu 1", "fixed", "keep the variance through relu and through linear layers; from far outside the targets, regression learns first to be smaller, and units die of it (circle, 20,000 images of CIFAR-10 in 64-D, 3 epochs: 29 % instead of 55); one of two units before relu that start around zero is often dead"},
	{"targets", "", "raster: 1 apart; circle and sphere: radius 1", "fixed", "it only sets the size of the picture"},
	{"centers where the nearest decides", "", "running means, 0.5 of the way in each batch; after an epoch the means of 2,000 training images, at the end of all", "fixed", "the loss does not use them: only the accuracies of the epochs depend on it"},
	{"initial norm of class weights", "", fmt.Sprint(initialNorm), "fixed", "short weights turn towards their class, where weights of norm 1 stay near their random directions"},
	{"learning rate of class weights behind sigmoid", "", fmt.Sprint(sigmoidClassRate, " times the learning rate"), "fixed", "embeddings in a square of side 1 need long class weights, for scores that differ; at the rate of all else, the points are pressed into the corners of the square first, and 10 classes of the sample end below 40 %"},
}

// Defaults returns the table of what the paper leaves open and of what was chosen: the
// fields of a Config, then what is fixed. The parameters of the techniques are in
// Technique.Params.
func Defaults() (table []Default) {
	for _, s := range settings {
		table = append(table, s.Default)
	}
	return append(table, fixed...)
}

// WithDefaults returns the Config with its zero fields filled in. For data of your own,
// whose name is none of datasets.Names, Batch and Epochs depend on the number and the size of
// the training images and stay zero: Fit fills them in. The error names the first field whose value is
// not allowed, with what is.
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
	setDefault(&c.Seed, defaultSeed)
	setDefault(&c.Devices, defaultDevices)
	setDefault(&c.Extractor, defaultExtractor)
	setDefault(&c.Activation, defaultActivation)
	setDefault(&c.Padding, defaultPadding)
	if !c.isOwnData() {
		if strings.HasSuffix(c.Dataset, "-sample") {
			setDefault(&c.Epochs, sampleEpochs)
		}
		setDefault(&c.Epochs, fullEpochs)
		setDefault(&c.Batch, defaultBatch)
	}
	technique, err := LookUp(c.Technique)
	if err != nil {
		return c, err
	}
	setDefault(&c.LearningRate, technique.LearningRate)
	setDefault(&c.LearningRate, defaultLearningRate)
	if c.Params, err = technique.complete(c.Params); err != nil {
		return c, err
	}
	return c, c.check()
}

// isOwnData tells whether the images are none of package datasets' own.
func (c Config) isOwnData() bool {
	return c.Dataset != "" && !slices.Contains(datasets.Names(), c.Dataset)
}

// forImages returns the Config with what depends on the number of training images and on the
// pixels of each.
func (c Config) forImages(n, pixels int) Config {
	batch := defaultBatch
	for batch > leastBatch && (n/batch < epochSteps || batch*pixels > batchPixels) {
		batch /= 2
	}
	setDefault(&c.Batch, min(batch, n))
	steps := max(1, n/c.Batch)
	setDefault(&c.Epochs, max(fullEpochs, (ownSteps+steps-1)/steps))
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check returns an error for the first field whose value is not allowed. Epochs and Batch
// of own data may be zero: see forImages.
func (c Config) check() error {
	for _, s := range settings {
		isOpen := c.isOwnData() && (s.Name == "epochs" && c.Epochs == 0 || s.Name == "batch" && c.Batch == 0)
		if isOpen {
			continue
		}
		if err := s.check(c); err != nil {
			return err
		}
	}
	if c.Batch%c.Devices != 0 {
		return &ValueError{"devices", c.Devices, fmt.Sprintf("the divisors of batch, %d", c.Batch)}
	}
	return nil
}

// checkField returns an error unless the value of the field of that name is allowed.
func (c Config) checkField(name string) error {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.Name == name })
	return settings[i].check(c)
}

// check returns an error unless the value of the field is allowed.
func (s setting) check(c Config) error {
	if s.ok(c) {
		return nil
	}
	allowed := s.Allowed
	if s.allowed != nil {
		allowed = s.allowed(c)
	}
	return &ValueError{s.Name, reflect.ValueOf(s.field(&c)).Elem().Interface(), allowed}
}

func has[K comparable, V any](m map[K]V, key K) bool {
	_, ok := m[key]
	return ok
}

// Set sets a field by its name in Defaults, or a parameter of the technique (see
// Technique.Params), whose names and values WithDefaults checks. The error names the value
// and what is allowed.
func (c *Config) Set(name, value string) error {
	for _, s := range settings {
		if s.Name == name {
			return c.setField(s, value)
		}
	}
	params := maps.Clone(c.Params)
	if params == nil {
		params = Params{}
	}
	if number, err := strconv.ParseFloat(value, 64); err == nil {
		params[name] = number
	} else {
		params[name] = value
	}
	c.Params = params
	return nil
}

// setField sets a field from text.
func (c *Config) setField(s setting, text string) error {
	changed := *c
	var err error
	switch field := s.field(&changed).(type) {
	case *string:
		*field = text
	case *int:
		*field, err = strconv.Atoi(text)
	case *int64:
		*field, err = strconv.ParseInt(text, 10, 64)
	case *float64:
		*field, err = strconv.ParseFloat(text, 64)
	}
	if err != nil {
		return &ValueError{s.Name, text, s.Allowed}
	}
	if err := s.check(changed); err != nil {
		return err
	}
	*c = changed
	return nil
}

// Changes returns what makes the Config another one than its technique's defaults, as
// "name=value": the activation, and parameters in the order of Technique.Params.
func (c Config) Changes() (changes []string) {
	if c.Activation != "" && c.Activation != defaultActivation {
		changes = append(changes, "activation="+c.Activation)
	}
	technique, err := LookUp(c.Technique)
	if err != nil {
		return changes
	}
	for _, param := range technique.Params {
		if value, ok := c.Params[param.Name]; ok && asNumber(value) != param.Default {
			changes = append(changes, fmt.Sprintf("%s=%v", param.Name, value))
		}
	}
	return changes
}

// Name returns a name of the training for files and pictures: TECHNIQUE-DATASET-DIMd-sSEED, and
// Changes. DATASET is folder-pets for folder:a/pets. Config.WithDefaults comes first. Epochs,
// Train, Batch, Backend, Extractor, Padding and LearningRate have no place in it.
func (c Config) Name() string {
	dataset := c.Dataset
	if kind, path, ok := strings.Cut(dataset, ":"); ok {
		dataset = kind + "-" + filepath.Base(strings.ReplaceAll(path, ":", "-"))
	}
	name := fmt.Sprintf("%s-%s-%dd-s%d", c.Technique, dataset, c.Dim, c.Seed)
	for _, change := range c.Changes() {
		name += "-" + strings.ReplaceAll(change, "=", "-")
	}
	return name
}
