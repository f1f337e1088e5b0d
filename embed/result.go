package embed

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/internal/project"
	"github.com/embedspace/embedspace/viz"
)

// An Embedding holds images as points of the embedded space.
type Embedding struct {
	Z         []float32 // [n, Dim]
	Dim       int
	Labels    []int32 // [n], the true classes
	Predicted []int32 // [n], by the technique's own rule
}

// Len returns the number of points.
func (e Embedding) Len() int { return len(e.Labels) }

// Accuracy returns the share of points whose predicted class is the true one, 0 to
// 1, and 0 when there are none. It needs Predicted.
func (e Embedding) Accuracy() float64 {
	right := 0
	for i, label := range e.Labels {
		if e.Predicted[i] == label {
			right++
		}
	}
	return float64(right) / max(1, float64(e.Len()))
}

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

func dataInfo(train, test *datasets.Dataset) DataInfo {
	return DataInfo{
		Train: train.Name, Test: test.Name, TrainImages: train.Len(), TestImages: test.Len(),
		TrainChecksum: checksum(train), TestChecksum: checksum(test), Canonical: train.Canonical && test.Canonical,
		Shape: [3]int{train.Height, train.Width, train.Channels},
	}
}

// checksum returns the checksum of a dataset that may be made by hand.
func checksum(data *datasets.Dataset) string {
	if data.Checksum != "" {
		return data.Checksum
	}
	return data.ComputeChecksum()
}

// A Result is a trained embedding with what was measured on it.
type Result struct {
	Config       Config // with its defaults filled in
	Data         DataInfo
	ClassNames   []string
	Train, Test  Embedding // Train is empty in Options.OnEpoch
	ClassVectors []float32 // [classes, Dim], see Technique.ClassVectors
	History      []Epoch

	net *network
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

// Embed returns the embedding of new images, with the classes that the technique's
// own rule predicts. They must have the shape of the training images; their labels
// may be of other classes, and matter for Accuracy only.
func (r *Result) Embed(images *datasets.Dataset) (Embedding, error) {
	if err := images.Validate(); err != nil {
		return Embedding{}, err
	}
	if got := [3]int{images.Height, images.Width, images.Channels}; got != r.net.shape {
		return Embedding{}, fmt.Errorf("embed: images are %v (height, width, channels); allowed: %v, as in training", got, r.net.shape)
	}
	e, err := r.net.embedAll(images)
	if err != nil {
		return Embedding{}, err
	}
	e.Predicted, err = r.net.classify(e.Z)
	return e, err
}

// Classify returns the classes [n] that the technique's own rule predicts for points z
// [n, Dim] of the embedded space, at least one. It is the Regions of a viz.Scatter.
func (r *Result) Classify(z []float32) ([]int32, error) {
	if len(z) == 0 || len(z)%r.Config.Dim != 0 {
		return nil, fmt.Errorf("embed: %d coordinates of points; allowed: a multiple of %d, the dimensions", len(z), r.Config.Dim)
	}
	return r.net.classify(z)
}

// Scatter returns the picture of the test embedding: with class weights as rays, and
// targets as crosses. Its Regions are Classify, if you set them.
func (r *Result) Scatter() viz.Scatter {
	scatter := viz.Scatter{
		Title:      r.net.technique.Title,
		Note:       fmt.Sprintf("%s, test accuracy %.1f %%", r.Config.Dataset, 100*r.Test.Accuracy()),
		Points:     r.Test.Z,
		Dim:        r.Test.Dim,
		Labels:     r.Test.Labels,
		ClassNames: r.ClassNames,
	}
	switch r.net.technique.kind() {
	case Weights:
		scatter.ClassVectors = r.ClassVectors
	case Targets:
		scatter.Targets = r.ClassVectors
	}
	return scatter
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
)

// A summary is the content of metrics.json.
type summary struct {
	Accuracy        float64  `json:"accuracy"` // of the test images, by the technique's own rule
	Seconds         float64  `json:"seconds"`
	ImagesPerSecond float64  `json:"images_per_second"`
	History         []Epoch  `json:"history"`
	Data            DataInfo `json:"data"`
	ClassNames      []string `json:"class_names"`
}

// Save writes the Result into a folder (see Folder), file by file and each of them
// whole: config.json, metrics.json, embedding.npz (z, label, predicted, train_z,
// train_label, train_predicted, class_vectors) and checkpoint.npz.
func (r *Result) Save(name string) error {
	folder := Folder(name)
	state := trainingState{Config: r.Config, Data: r.Data, Epoch: len(r.History), Seconds: r.Seconds(), History: r.History}
	if err := saveCheckpoint(folder, r.net, state); err != nil {
		return err
	}
	if err := writeNpz(filepath.Join(folder, embeddingFile), map[string]*tensors.Tensor{
		"z":               matrix(r.Test.Z, r.Config.Dim),
		"label":           vector(r.Test.Labels),
		"predicted":       vector(r.Test.Predicted),
		"train_z":         matrix(r.Train.Z, r.Config.Dim),
		"train_label":     vector(r.Train.Labels),
		"train_predicted": vector(r.Train.Predicted),
		"class_vectors":   matrix(r.ClassVectors, r.Config.Dim),
	}, zip.Store); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(folder, metricsFile), summary{
		r.Test.Accuracy(), r.Seconds(), r.ImagesPerSecond(), r.History, r.Data, r.ClassNames,
	}); err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, configFile), r.Config)
}

// Load reads a Result that was saved in a folder (see Folder). Its technique must
// be registered. It can predict, but not train on: Fit resumes from the same
// folder. It opens the default backend (see OpenBackend), whatever that of its Config.
// Errors: no result; one whose training has not ended; a checkpoint of another run; an
// unknown technique; those of OpenBackend.
func Load(name string) (*Result, error) {
	folder := Folder(name)
	arrays, err := readNpz(filepath.Join(folder, embeddingFile))
	if err != nil {
		return nil, fmt.Errorf("embed: no complete result in %s: %w", folder, err)
	}
	r := &Result{Config: Config{Devices: defaultDevices}} // older results do not say
	var s summary
	if err := errors.Join(readJSON(filepath.Join(folder, configFile), &r.Config), readJSON(filepath.Join(folder, metricsFile), &s)); err != nil {
		return nil, err
	}
	r.Data, r.ClassNames, r.History = s.Data, s.ClassNames, s.History
	test, train := &r.Test, &r.Train
	test.Dim, train.Dim = r.Config.Dim, r.Config.Dim
	for _, err := range []error{
		read(arrays, "z", &test.Z), read(arrays, "label", &test.Labels), read(arrays, "predicted", &test.Predicted),
		read(arrays, "train_z", &train.Z), read(arrays, "train_label", &train.Labels), read(arrays, "train_predicted", &train.Predicted),
		read(arrays, "class_vectors", &r.ClassVectors),
	} {
		if err != nil {
			return nil, fmt.Errorf("embed: %s in %s: %w", embeddingFile, folder, err)
		}
	}
	variables, state, err := loadCheckpoint(folder)
	if err != nil {
		return nil, err
	}
	if err := sameRun(state, trainingState{Config: r.Config, Data: r.Data}); err != nil {
		return nil, fmt.Errorf("embed: the checkpoint in %s is of another run than the result: %w", folder, err)
	}
	if state.Epoch < r.Config.Epochs {
		return nil, fmt.Errorf("embed: the training in %s has ended %d of %d epochs; resume it first", folder, state.Epoch, r.Config.Epochs)
	}
	backend, err := OpenBackend("", os.Stderr)
	if err != nil {
		return nil, err
	}
	if r.net, err = newNetwork(r.Config, backend, state.Data.Shape, len(r.ClassNames)); err != nil {
		return nil, err
	}
	return r, r.net.restore(variables)
}

func matrix(values []float32, columns int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, len(values)/columns, columns)
}

func vector(values []int32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, len(values))
}

// read copies the array of that name.
func read[T float32 | int32](arrays map[string]*tensors.Tensor, name string, into *[]T) error {
	array, ok := arrays[name]
	if !ok {
		return fmt.Errorf("no array %q", name)
	}
	var err error
	*into, err = tensors.CopyFlatData[T](array)
	return err
}

func writeJSON(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(content, '\n'))
}

func readJSON(path string, value any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("embed: %s: %w", path, err)
	}
	return nil
}
