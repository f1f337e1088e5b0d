package embed

import (
	"errors"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
)

// WithClass returns the Result with one more class, the last one, which it learns from a
// handful of images, without training. They must have the shape of the training images; their
// labels do not matter.
//
// In the new Result the class with the nearest mean of training embeddings decides, also
// between the classes that were there, with the scores -||z - c_j||^2: the mean of a few
// embeddings is all that is known of the new class, and class weights or targets, which a
// training has drawn classes to, have no counterpart for it. The distance is Euclidean also
// where directions decided before: a class that was not learned lies nearer to the origin, in
// directions that others have, and without the norm most of its images would be taken for
// theirs. The accuracy of the classes that were there changes by that; Test has it.
//
// The new images are the last ones of Train, and the picture shows the class as a star. The new
// Result can't be saved, as it has no training to go on with; r stays as it is.
//
// Errors: those of Embed, ErrNoNetwork among them; a name that is empty or taken; a Result of
// Options.OnEpoch, which has no training images.
//
// Source: Snell et al., arXiv 1703.05175; Mensink et al., 2013, doi 10.1109/TPAMI.2013.83.
func (r *Result) WithClass(name string, images *datasets.Dataset) (*Result, error) {
	if name == "" || slices.Contains(r.ClassNames, name) {
		return nil, &ValueError{"the name of a new class", name, "names other than " + strings.Join(r.ClassNames, ", ")}
	}
	e, err := r.Embed(images)
	if err != nil {
		return nil, err
	}
	if r.Train.Len() == 0 {
		return nil, errNoTraining
	}
	class := int32(len(r.ClassNames))
	with := *r
	with.ClassNames = append(slices.Clone(r.ClassNames), name)
	with.Trace = nil // its classes are those before
	with.learned = learned{r.learned.classes + 1, slices.Clone(r.learned.images)}
	for i := range images.Len() {
		one, err := only(images, i)
		if err != nil {
			return nil, err
		}
		with.learned.images = append(with.learned.images, one.Image(0))
	}
	train, test := &with.Train, &with.Test
	train.Classes, test.Classes = int(class)+1, int(class)+1
	train.Z = slices.Concat(r.Train.Z, e.Z)
	train.Labels = slices.Concat(r.Train.Labels, slices.Repeat([]int32{class}, images.Len()))
	if with.net, err = r.net.byMeans(*train); err != nil {
		return nil, err
	}
	if with.ClassVectors, err = with.net.classVectors(); err != nil {
		return nil, err
	}
	if train.Predicted, err = with.net.classify(train.Z); err != nil {
		return nil, err
	}
	test.Predicted, err = with.net.classify(test.Z)
	return &with, err
}

// errLearned is the error of saving a Result of WithClass.
var errLearned = errors.New("embed: a Result with a class that it learned from images can't be saved; allowed: that without, from which WithClass makes it again")

// errNoTraining is the error of a Result of Options.OnEpoch, where training images are needed.
var errNoTraining = errors.New("embed: the Result of an epoch has no training images yet; allowed: those of Train, Fit and Load")

// byMeans returns the technique with the rule of the nearest class mean.
func (t Technique) byMeans() Technique {
	t.Scores, t.ClassVectors, t.Kind, t.Geometry, t.Logits, t.Known = nil, nil, "", Space, false, ""
	t.Known = t.known()
	return t
}

// byMeans returns a network with the same extractor for which the nearest class mean of an
// embedding decides.
func (n *network) byMeans(train measure.Embedding) (*network, error) {
	cfg := n.cfg
	cfg.Devices = 1
	byMeans, err := newNetwork(cfg, n.backend, n.shape, train.Classes)
	if err != nil {
		return nil, err
	}
	byMeans.technique = n.technique.byMeans()
	centers := headScope + model.ScopeSeparator + centersName
	variables := store.Arrays{centers: store.Matrix(make([]float32, train.Classes*train.Dim), train.Dim)}
	frozen := []string{centers}
	for variable := range n.store.IterVariables() {
		name := strings.TrimPrefix(variable.Path(), model.ScopeSeparator)
		if !strings.HasPrefix(name, extractorScope+model.ScopeSeparator) {
			continue
		}
		value, err := variable.Value()
		if err != nil {
			return nil, err
		}
		if variables[name], err = value.LocalClone(); err != nil {
			return nil, err
		}
		if !variable.Trainable {
			frozen = append(frozen, name)
		}
	}
	if err := byMeans.restore(variables, frozen); err != nil {
		return nil, err
	}
	return byMeans, byMeans.setCenters(train)
}
