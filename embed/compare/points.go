package compare

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
)

// The sets of images of a split whose points a cell keeps. Those of another dataset have its
// name.
const (
	calibration = "calibration" // training images of the known classes that were not trained
	knownTest   = "test"        // test images of the known classes
	heldOut     = "held-out"    // test images of the classes that were not trained
)

// images returns the images of a cell, of those of its dataset.
func (c Cell) images(whole images) (images, error) {
	if c.Split == 0 {
		return whole, nil
	}
	part, err := datasets.OpenSetImages(c.Dataset, c.Split, whole.train, whole.test)
	return images{train: part.Train, calibration: part.Calibration, test: part.Test, heldOut: part.Unknown}, err
}

// ImagesOf returns the images of a dataset by what they were for the Result in a folder: for a cell
// of OpenSet and FewShot, the parts of its split (see Trainings); else all are Train and Test.
// Errors: a cell file that can't be read; those of datasets.OpenSetImages.
func ImagesOf(folder string, train, test *datasets.Dataset) (datasets.OpenSet, error) {
	var c cell
	err := store.ReadJSON(filepath.Join(embed.Folder(folder), cellFile), &c)
	if errors.Is(err, fs.ErrNotExist) || err == nil && c.Split == 0 {
		return datasets.OpenSet{Train: train, Test: test}, nil
	}
	if err != nil {
		return datasets.OpenSet{}, fmt.Errorf("compare: %w", err)
	}
	return datasets.OpenSetImages(c.Dataset, c.Split, train, test)
}

// A pointSet has the points of images, which may be of other classes than those that were
// trained, with the class scores of the technique's own rule.
type pointSet struct {
	measure.Embedding
	Scores []float32 // [n, classes]
}

// classes returns the number of classes that were trained.
func (p pointSet) classes() int { return len(p.Scores) / p.Len() }

// embedSet embeds images.
func embedSet(r *embed.Result, data *datasets.Dataset) (pointSet, error) {
	e, err := r.Embed(data)
	if err != nil {
		return pointSet{}, err
	}
	scores, err := r.Scores(e.Z)
	return pointSet{e, scores}, err
}

// embedSplit returns the points of the images of a split that were not trained.
func embedSplit(r *embed.Result, data images) (map[string]pointSet, error) {
	points := map[string]pointSet{}
	for name, set := range map[string]*datasets.Dataset{calibration: data.calibration, knownTest: data.test, heldOut: data.heldOut} {
		var err error
		if points[name], err = embedSet(r, set); err != nil {
			return nil, err
		}
	}
	return points, nil
}

// pointsFile holds the points of a cell of a split: SET.z [n, dim], SET.label [n],
// SET.predicted [n] and SET.scores [n, classes] of each set.
const pointsFile = "points.npz"

func writePoints(folder string, points map[string]pointSet) error {
	arrays := store.Arrays{}
	for name, set := range points {
		arrays[name+".z"] = store.Matrix(set.Z, set.Dim)
		arrays[name+".label"] = store.Vector(set.Labels)
		arrays[name+".predicted"] = store.Vector(set.Predicted)
		arrays[name+".scores"] = store.Matrix(set.Scores, set.classes())
	}
	return store.WriteNpz(filepath.Join(folder, pointsFile), arrays, zip.Store)
}

// readPoints reads the points in the folder of a cell.
func readPoints(folder string, c Cell) (map[string]pointSet, error) {
	arrays, err := store.ReadNpz(filepath.Join(folder, pointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("compare: %s has no %s any more; remove the folder, and it is trained again", folder, pointsFile)
	}
	if err != nil {
		return nil, fmt.Errorf("compare: %s in %s: %w", pointsFile, folder, err)
	}
	points := map[string]pointSet{}
	for _, key := range slices.Sorted(maps.Keys(arrays)) {
		name, isSet := strings.CutSuffix(key, ".z")
		if !isSet {
			continue
		}
		set := pointSet{Embedding: measure.Embedding{Dim: c.Dim}}
		if err := errors.Join(
			store.Read(arrays, key, &set.Z), store.Read(arrays, name+".label", &set.Labels),
			store.Read(arrays, name+".predicted", &set.Predicted), store.Read(arrays, name+".scores", &set.Scores),
		); err != nil {
			return nil, fmt.Errorf("compare: %s in %s: %w", pointsFile, folder, err)
		}
		for _, class := range slices.Concat(set.Labels, set.Predicted) {
			set.Classes = max(set.Classes, int(class)+1)
		}
		if err := set.Check(name); err != nil {
			return nil, fmt.Errorf("compare: %s in %s: %w", pointsFile, folder, err)
		}
		points[name] = set
	}
	for _, name := range []string{calibration, knownTest, heldOut} {
		if _, ok := points[name]; !ok {
			return nil, fmt.Errorf("compare: %s in %s: no array %q", pointsFile, folder, name+".z")
		}
	}
	return points, nil
}
