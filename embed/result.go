package embed

import (
	"archive/zip"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/internal/project"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz"
	"github.com/embedspace/embedspace/viz/explorer"
)

// DataInfo identifies the images of a run.
type DataInfo struct {
	Train         string `json:"train"` // name of the training images
	Test          string `json:"test"`
	TrainImages   int    `json:"train_images"`
	TestImages    int    `json:"test_images"`
	TrainChecksum string `json:"train_checksum"` // see datasets.Dataset
	TestChecksum  string `json:"test_checksum"`
	Canonical     bool   `json:"canonical"` // both are those of the original publication
	Shape         [3]int `json:"shape"`     // height, width, channels
}

// NewDataInfo describes training and test images.
func NewDataInfo(train, test *datasets.Dataset) DataInfo {
	info := DataInfo{
		Train: train.Name, Test: test.Name, TrainImages: train.Len(), TestImages: test.Len(),
		TrainChecksum: checksum(train), TestChecksum: checksum(test),
		Shape: [3]int{train.Height, train.Width, train.Channels},
	}
	info.Canonical = train.Canonical && test.Canonical && info.TrainChecksum == train.Checksum && info.TestChecksum == test.Checksum
	return info
}

// checksum returns the checksum of a dataset. Its field may be that of what it was copied from.
func checksum(data *datasets.Dataset) string { return data.ComputeChecksum() }

// A Result is a trained embedding with what was measured on it. It is for one goroutine at a time.
type Result struct {
	Config       Config // with its defaults filled in
	Data         DataInfo
	ClassNames   []string
	Train, Test  measure.Embedding // Train is empty in Options.OnEpoch
	ClassVectors []float32         // [classes, Dim], see Technique.ClassVectors
	History      []Epoch
	Trace        *explorer.Trace // nil without Options.Trace

	net     *network
	learned learned
	version int    // see trainingVersion
	options string // see trainingState
}

// learned is what WithClass has learned: the last classes, and the last images of Train.
type learned struct {
	classes int
	images  []image.Image
}

// technique returns the technique that shaped the space, with the rule that decides.
func (r *Result) technique() (Technique, error) {
	if r.net == nil {
		return LookUp(r.Config.Technique)
	}
	return r.net.technique, nil
}

// Seconds returns the time of training, without evaluation.
func (r *Result) Seconds() float64 {
	total := 0.
	for _, epoch := range r.History {
		total += epoch.Seconds
	}
	return total
}

// ImagesPerSecond returns the training images per second, without evaluation.
func (r *Result) ImagesPerSecond() float64 {
	images := 0.
	for _, epoch := range r.History {
		images += epoch.ImagesPerSecond * epoch.Seconds
	}
	return images / r.Seconds()
}

// Embed returns the embedding of new images, with the classes that the technique's own
// rule predicts. They must have the shape of the training images; their labels may be of
// other classes, and matter for measures only. A Result that was made by hand has
// ErrNoNetwork.
func (r *Result) Embed(images *datasets.Dataset) (measure.Embedding, error) {
	if err := r.checkImages(images); err != nil {
		return measure.Embedding{}, err
	}
	e, err := r.net.embedAll(images)
	if err != nil {
		return measure.Embedding{}, err
	}
	e.Predicted, err = r.net.classify(e.Z)
	return e, err
}

// checkImages returns an error unless there is a network, and images of its shape.
func (r *Result) checkImages(images *datasets.Dataset) error {
	if r.net == nil {
		return r.noNetwork()
	}
	if images == nil {
		return errors.New("embed: no images; allowed: a dataset with at least one image")
	}
	if err := images.Validate(); err != nil {
		return err
	}
	if shape := [3]int{images.Height, images.Width, images.Channels}; shape != r.net.shape {
		return fmt.Errorf("embed: images are %v (height, width, channels); allowed: %v, as in training", shape, r.net.shape)
	}
	return nil
}

// Classify returns the classes [n] that the technique's own rule predicts for points z
// [n, Dim] of the embedded space, at least one. It is the Regions of a viz.Scatter. A Result
// that was made by hand has ErrNoNetwork.
func (r *Result) Classify(z []float32) ([]int32, error) {
	if err := r.checkPoints(z); err != nil {
		return nil, err
	}
	return r.net.classify(z)
}

// Scores returns the class scores [n, classes] of points z [n, Dim] of the embedded space, at
// least one: the largest is that of the class that Classify returns. Their scale is the
// technique's. A Result that was made by hand has ErrNoNetwork.
func (r *Result) Scores(z []float32) ([]float32, error) {
	if err := r.checkPoints(z); err != nil {
		return nil, err
	}
	return r.net.scores(z)
}

// checkPoints returns an error unless there is a network for points z [n, Dim].
func (r *Result) checkPoints(z []float32) error {
	if r.net == nil {
		return r.noNetwork()
	}
	if len(z) == 0 || len(z)%r.Config.Dim != 0 {
		return fmt.Errorf("embed: %d coordinates of points; allowed: a multiple of %d, the dimensions", len(z), r.Config.Dim)
	}
	return nil
}

func (r *Result) noNetwork() error {
	return fmt.Errorf("embed: %w: this Result was made by hand, or read by LoadArrays; allowed: those of Train, Fit and Load", ErrNoNetwork)
}

// Metrics measures the embedding of the test images, with that of the training images as
// reference: see measure.Embedding.Metrics. A Result of Options.OnEpoch has no training
// images, which is an error.
func (r *Result) Metrics() (measure.Metrics, error) { return r.Test.Metrics(r.Train) }

// Scatter returns the picture of the test embedding: with class weights as rays, targets as
// crosses, and classes of WithClass as stars. Its Regions are Classify, if you set them.
func (r *Result) Scatter() viz.Scatter {
	scatter := viz.Scatter{
		Title:      r.Config.Technique,
		Note:       r.Config.Dataset,
		Points:     r.Test.Z,
		Dim:        r.Test.Dim,
		Labels:     r.Test.Labels,
		ClassNames: r.ClassNames,
	}
	if accuracy := r.Test.Accuracy(); !math.IsNaN(accuracy) {
		scatter.Note += fmt.Sprintf(", test accuracy %.1f %%", 100*accuracy)
	}
	technique, err := r.technique()
	if err != nil {
		return scatter
	}
	scatter.Title = technique.Title
	for class := len(r.ClassNames) - r.learned.classes; class < len(r.ClassNames); class++ {
		scatter.Stars = append(scatter.Stars, viz.Star{Name: r.ClassNames[class], Point: r.classVector(class)})
	}
	technique.addVectors(&scatter, r.ClassVectors)
	return scatter
}

// classVector returns the class vector [Dim] of a class.
func (r *Result) classVector(class int) []float32 {
	return r.ClassVectors[class*r.Config.Dim : (class+1)*r.Config.Dim]
}

// addVectors adds class vectors to a picture: class weights as rays, targets as crosses.
func (t Technique) addVectors(scatter *viz.Scatter, vectors []float32) {
	switch t.kind() {
	case Weights:
		scatter.ClassVectors = vectors
	case Targets:
		scatter.Targets = vectors
	}
}

// FolderEnv names the environment variable of the folder that holds Results by
// name; without it, that is out/results in the module around the working folder.
const FolderEnv = "EMBEDSPACE_OUT"

// Folder returns the folder of a Result: a name without a path separator stands for
// a folder of that name in the folder of Results (see FolderEnv), anything else is
// a path.
func Folder(name string) string {
	if strings.ContainsRune(name, filepath.Separator) || name == "." || name == ".." {
		return name
	}
	if folder := os.Getenv(FolderEnv); folder != "" {
		return filepath.Join(folder, name)
	}
	return filepath.Join(project.Root(), "out", "results", name)
}

// The files of a saved Result, beside its checkpoint.
const (
	configFile    = "config.json"
	metricsFile   = "metrics.json"
	embeddingFile = "embedding.npz"
	traceFile     = "trace.npz" // with Options.Trace only
)

// A summary is the content of metrics.json.
type summary struct {
	Accuracy        measure.Measure `json:"accuracy"` // of the test images, by the technique's own rule
	Seconds         float64         `json:"seconds"`
	ImagesPerSecond float64         `json:"images_per_second"`
	History         []Epoch         `json:"history"`
	Data            DataInfo        `json:"data"`
	ClassNames      []string        `json:"class_names"`
}

// Save writes the Result into a folder (see Folder), file by file and each of them whole:
// config.json, metrics.json, embedding.npz (z, label, predicted, train_z, train_label,
// train_predicted, class_vectors) and checkpoint.npz; with a Trace also trace.npz (epochs,
// losses, indices, points, predicted, class_vectors). The checkpoint comes last: a training that
// was interrupted before it resumes. A Result that was made by hand has ErrNoNetwork; that of
// WithClass or Options.OnEpoch is an error.
func (r *Result) Save(name string) error {
	if r.net == nil {
		return r.noNetwork()
	}
	if r.learned.classes > 0 {
		return errLearned
	}
	if r.Train.Len() == 0 {
		return errNoTraining
	}
	folder := Folder(name)
	state := trainingState{Version: r.version, Config: r.Config, Data: r.Data, Epoch: len(r.History), Seconds: r.Seconds(), History: r.History, Options: r.options}
	if err := store.WriteNpz(filepath.Join(folder, embeddingFile), store.Arrays{
		"z":               store.Matrix(r.Test.Z, r.Config.Dim),
		"label":           store.Vector(r.Test.Labels),
		"predicted":       store.Vector(r.Test.Predicted),
		"train_z":         store.Matrix(r.Train.Z, r.Config.Dim),
		"train_label":     store.Vector(r.Train.Labels),
		"train_predicted": store.Vector(r.Train.Predicted),
		"class_vectors":   store.Matrix(r.ClassVectors, r.Config.Dim),
	}, zip.Store); err != nil {
		return err
	}
	if err := saveTrace(folder, r.Trace, state); err != nil {
		return err
	}
	if err := store.WriteJSON(filepath.Join(folder, metricsFile), summary{
		measure.Measure(r.Test.Accuracy()), r.Seconds(), r.ImagesPerSecond(), r.History, r.Data, r.ClassNames,
	}); err != nil {
		return err
	}
	if err := store.WriteJSON(filepath.Join(folder, configFile), r.Config); err != nil {
		return err
	}
	return saveCheckpoint(folder, r.net, state)
}

// check returns the error of a Result that can't be measured or drawn.
func (r *Result) check() error {
	if err := errors.Join(r.Test.Check("test"), r.Train.Check("training")); err != nil {
		return err
	}
	if got, want := len(r.ClassVectors), len(r.ClassNames)*r.Config.Dim; got != want {
		return fmt.Errorf("%d coordinates of class vectors; allowed: %d, for %d classes in %d dimensions", got, want, len(r.ClassNames), r.Config.Dim)
	}
	for i, x := range r.ClassVectors {
		if x-x != 0 {
			return fmt.Errorf("coordinate %d of class vector %d is %v; allowed: finite numbers", i%r.Config.Dim, i/r.Config.Dim, x)
		}
	}
	return nil
}

// Load reads a Result that was saved in a folder (see Folder). Its technique and extractor
// must be registered. It can predict, but not train on: Fit resumes from the same folder. It opens
// the default backend (see backends.Open), whatever that of its Config. Arrays may be of
// float64 and int64, too, as other programs write them.
//
// Errors: those of LoadArrays; ErrNoResult, also without a checkpoint; ErrUnfinished; ErrOtherRun,
// for a checkpoint that is not the Result's; ErrUnknown, for its technique; those of
// backends.Open.
func Load(name string) (*Result, error) {
	r, variables, frozen, err := read(Folder(name))
	if err != nil {
		return nil, err
	}
	backend, err := backends.Open("", os.Stderr)
	if err != nil {
		return nil, err
	}
	if r.net, err = newNetwork(r.Config, backend, r.Data.Shape, len(r.ClassNames)); err != nil {
		return nil, err
	}
	return r, r.net.restore(variables, frozen)
}

// read reads a Result from a folder, without a network, and the variables to restore one.
func read(folder string) (r *Result, variables store.Arrays, frozen []string, err error) {
	fail := func(err error) (*Result, store.Arrays, []string, error) { return nil, nil, nil, err }
	if r, err = readArrays(folder); err != nil {
		return fail(err)
	}
	if err := needFiles(folder, checkpointFile); err != nil {
		return fail(err)
	}
	variables, state, err := loadCheckpoint(folder)
	if err != nil {
		return fail(err)
	}
	if err := sameRun(state, trainingState{Config: r.Config, Data: r.Data}); err != nil {
		return fail(fmt.Errorf("embed: the result in %s has a checkpoint of %w", folder, err))
	}
	if state.Open || state.Epoch < r.Config.Epochs {
		return fail(fmt.Errorf("embed: the training in %s is %w, after %d of %d epochs: resume it first", folder, ErrUnfinished, state.Epoch, r.Config.Epochs))
	}
	r.version, r.options = state.Version, state.Options
	return r, variables, state.Frozen, nil
}

// LoadArrays reads a Result as Load does, but without its network, for which it opens no
// backend: it can be measured and drawn, and what embeds or classifies has ErrNoNetwork.
//
// Errors: ErrNoResult; arrays of other types, of lengths that do not fit, of classes without a
// name or of coordinates that are not finite; explorer.ErrTrace and ErrOtherRun for its trace.
func LoadArrays(name string) (*Result, error) { return readArrays(Folder(name)) }

func readArrays(folder string) (*Result, error) {
	if err := needFiles(folder, configFile, metricsFile, embeddingFile); err != nil {
		return nil, err
	}
	arrays, err := store.ReadNpz(filepath.Join(folder, embeddingFile))
	if err != nil {
		return nil, fmt.Errorf("embed: %w in %s: %s: %w", ErrNoResult, folder, embeddingFile, err)
	}
	r := &Result{}
	var s summary
	for file, value := range map[string]any{configFile: &r.Config, metricsFile: &s} {
		if err := store.ReadJSON(filepath.Join(folder, file), value); err != nil {
			return nil, fmt.Errorf("embed: %w in %s: %w", ErrNoResult, folder, err)
		}
	}
	r.Data, r.ClassNames, r.History = s.Data, s.ClassNames, s.History
	test, train := &r.Test, &r.Train
	test.Dim, train.Dim = r.Config.Dim, r.Config.Dim
	test.Classes, train.Classes = len(r.ClassNames), len(r.ClassNames)
	err = errors.Join(
		store.Read(arrays, "z", &test.Z), store.Read(arrays, "label", &test.Labels), store.Read(arrays, "predicted", &test.Predicted),
		store.Read(arrays, "train_z", &train.Z), store.Read(arrays, "train_label", &train.Labels), store.Read(arrays, "train_predicted", &train.Predicted),
		store.Read(arrays, "class_vectors", &r.ClassVectors),
	)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("embed: %s in %s: %w", embeddingFile, folder, err)
	}
	r.Trace, err = loadTrace(folder, trainingState{Config: r.Config, Data: r.Data}, len(r.ClassNames))
	return r, err
}

// needFiles returns ErrNoResult unless a folder has these files.
func needFiles(folder string, files ...string) error {
	for _, file := range files {
		if _, err := os.Stat(filepath.Join(folder, file)); err != nil {
			return fmt.Errorf("embed: %w in %s: %w; allowed: a folder with %s, %s, %s and %s", ErrNoResult, folder, err, configFile, metricsFile, embeddingFile, checkpointFile)
		}
	}
	return nil
}
