package embed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/openset"
	"github.com/embedspace/embedspace/viz"
	"github.com/embedspace/embedspace/viz/explorer"
)

// exploredImages is the number of training images of which a page shows the nearest.
const exploredImages = 2_000

// acceptedKnown is the share of the test images of known classes that a page takes for known.
const acceptedKnown = 0.95

// Explore returns a page to look into the embeddings of one or more Results, which were
// measured on the same test images. train is the dataset that they were trained on, or on a
// part of it; of the images of the first Result's training, 2,000 are on the page, if all of
// them were trained on these.
//
// test may have more classes than those that were trained. Their images come after the others:
// they are of a class that WithClass has learned, if one has that name, or unknown. With unknown
// images, the rule decides that a point is unknown where Technique.Known is lower than for 95 %
// of the test images of known classes. (How well a threshold does is not measured by the images
// that it was chosen by: see Recognizer.) The mean of the images from which a class was learned
// is a prototype on the page.
//
// It evaluates the technique's scores and, in 2-D, its rule on a million points. Errors: no
// Result, or one of Options.OnEpoch; no images; ErrOtherRun, for images that are not those of a
// Result; ErrNoNetwork.
func Explore(train, test *datasets.Dataset, results ...*Result) (*explorer.Page, error) {
	if len(results) == 0 {
		return nil, errors.New("embed: nothing to explore; allowed: 1 or more results")
	}
	for _, data := range []*datasets.Dataset{train, test} {
		if data == nil {
			return nil, errors.New("embed: no images to explore; allowed: the training and test images of the results")
		}
	}
	for _, r := range results {
		if r == nil || r.net == nil {
			return nil, (&Result{}).noNetwork()
		}
		if r.Train.Len() == 0 {
			return nil, errNoTraining
		}
	}
	first := results[0]
	test, others, err := first.measured(test)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		if checksum(test) != r.Data.TestChecksum {
			return nil, r.otherImages(test)
		}
	}
	page := &explorer.Page{
		Title:  "Embedded spaces of " + first.Config.Dataset,
		Note:   fmt.Sprintf("%d test images", test.Len()),
		Images: imagesOf(test, nil),
	}
	if others != nil {
		page.Note += fmt.Sprintf(", and %d of classes that were not trained", others.Len())
		page.Images = withOthers(page.Images, imagesOf(others, nil), first.labelsOf(others))
	}
	train, err = first.partOf(train)
	if err != nil {
		return nil, err
	}
	var reference []int32
	if sameTraining(checksum(train), results) {
		reference = draw(exploredImages, train.Len())
		page.Reference = imagesOf(train, reference)
	}
	for _, r := range results {
		space, err := r.space(reference, others)
		if err != nil {
			return nil, err
		}
		page.Spaces = append(page.Spaces, space)
	}
	return page, nil
}

// measured returns the test images that the Result was measured on, and those of other classes;
// nil: none.
func (r *Result) measured(test *datasets.Dataset) (measured, others *datasets.Dataset, err error) {
	if checksum(test) == r.Data.TestChecksum {
		return test, nil, nil
	}
	classes, rest := r.trained(test)
	if len(classes) == 0 || len(rest) == 0 {
		return nil, nil, r.otherImages(test)
	}
	if measured, err = test.Select(classes...); err != nil {
		return nil, nil, err
	}
	if checksum(measured) != r.Data.TestChecksum {
		return nil, nil, r.otherImages(test)
	}
	others, err = test.Select(rest...)
	return measured, others, err
}

// trained returns which classes of a dataset were trained, by their names and in their order, and
// all others; none, if it lacks one.
func (r *Result) trained(d *datasets.Dataset) (classes, rest []int) {
	for _, name := range r.ClassNames[:len(r.ClassNames)-r.learned.classes] {
		class := slices.Index(d.ClassNames, name)
		if class < 0 {
			return nil, nil
		}
		classes = append(classes, class)
	}
	for class := range d.Classes() {
		if !slices.Contains(classes, class) {
			rest = append(rest, class)
		}
	}
	return classes, rest
}

// otherImages is the error of images that are not those that the Result was measured on.
func (r *Result) otherImages(test *datasets.Dataset) error {
	return fmt.Errorf("embed: %w: %s in %d-D was measured on %s, not on %s with the checksum %s; allowed: results on the same test images",
		ErrOtherRun, r.Config.Technique, r.Config.Dim, r.Data.Test, test.Name, checksum(test))
}

// labelsOf returns the classes of images by their names; the number of ClassNames stands for an
// unknown one.
func (r *Result) labelsOf(images *datasets.Dataset) (labels []int32) {
	for _, label := range images.Labels {
		class := slices.Index(r.ClassNames, images.ClassNames[label])
		if class < 0 {
			class = len(r.ClassNames)
		}
		labels = append(labels, int32(class))
	}
	return labels
}

// partOf returns as many of the training images as the Result was trained on, of the same classes.
func (r *Result) partOf(train *datasets.Dataset) (*datasets.Dataset, error) {
	if classes, rest := r.trained(train); len(classes) > 0 && len(rest) > 0 {
		var err error
		if train, err = train.Select(classes...); err != nil {
			return nil, err
		}
	}
	if r.Data.TrainImages >= train.Len() {
		return train, nil
	}
	return train.Subset(r.Data.TrainImages, r.Config.Seed)
}

// Explore displays a page to look into the embedding below the running cell of a GoNB
// notebook (see explorer.Page.Show). It loads the images of the Config's dataset, and saves the
// page beside the notebook, as NAME.html (see Config.Name); the name goes on where some classes
// only were trained, or some were learned. Errors: those of datasets.Load and of the function
// Explore; viz.ErrNotebook.
func (r *Result) Explore() error {
	train, test, err := datasets.Load(context.Background(), r.Config.Dataset, os.Stderr)
	if err != nil {
		return err
	}
	page, err := Explore(train, test, r)
	if err != nil {
		return err
	}
	return page.Show(r.pageName(test))
}

// pageName returns the name of the file of a page: another one for other classes.
func (r *Result) pageName(test *datasets.Dataset) string {
	name := r.Config.Name()
	if checksum(test) != r.Data.TestChecksum {
		name += fmt.Sprintf("-%.8s", r.Data.TestChecksum)
	}
	if r.learned.classes > 0 {
		name += fmt.Sprintf("-learned%d", r.learned.classes)
	}
	return name + ".html"
}

// imagesOf returns the images of d with these indices; nil: all.
func imagesOf(d *datasets.Dataset, indices []int32) explorer.Images {
	images := explorer.Images{
		Pixels: func(i int) ([]byte, error) {
			if indices != nil {
				i = int(indices[i])
			}
			return d.AppendPixels(nil, i)
		},
		Height: d.Height, Width: d.Width, Channels: d.Channels, Labels: d.Labels,
	}
	if indices != nil {
		images.Labels = nil
		for _, i := range indices {
			images.Labels = append(images.Labels, d.Labels[i])
		}
	}
	return images
}

// withOthers returns images and, after them, others with these labels.
func withOthers(images, others explorer.Images, labels []int32) explorer.Images {
	n, pixels := len(images.Labels), images.Pixels
	images.Pixels = func(i int) ([]byte, error) {
		if i < n {
			return pixels(i)
		}
		return others.Pixels(i - n)
	}
	images.Labels = slices.Concat(images.Labels, labels)
	return images
}

// sameTraining tells whether all Results were trained on the images of a checksum.
func sameTraining(sum string, results []*Result) bool {
	for _, r := range results {
		if r.Data.TrainChecksum != sum {
			return false
		}
	}
	return true
}

// space returns the test embedding as a space of a page, with the training images of these
// indices as reference, and with other images, if they are not nil.
func (r *Result) space(reference []int32, others *datasets.Dataset) (explorer.Space, error) {
	space := explorer.Space{Scatter: r.Scatter(), Predicted: r.Test.Predicted, Curves: r.Curves(), Trace: r.Trace}
	technique, err := r.technique()
	if err != nil {
		return space, err
	}
	if changes := r.Config.Changes(); len(changes) > 0 {
		space.Title += ", " + strings.Join(changes, ", ")
	}
	space.Rule = map[Kind]string{
		Weights: "the class vector with the largest score, drawn as a ray, decides",
		Centers: "the nearest class mean decides",
		Targets: "the nearest target, drawn as a cross, decides",
	}[technique.kind()]
	for class := len(r.ClassNames) - r.learned.classes; class < len(r.ClassNames); class++ {
		space.Prototypes = append(space.Prototypes, explorer.Prototype{Point: r.classVector(class), Label: int32(class)})
	}
	if r.learned.classes > 0 {
		space.Rule += "; a diamond is the mean of the few images that a class was learned from"
	}
	if r.Config.Dim == 2 {
		space.Regions = r.Classify
	}
	silhouettes := r.Test.Silhouettes()
	if others != nil {
		e, err := r.Embed(others)
		if err != nil {
			return space, err
		}
		space.Points = slices.Concat(space.Points, e.Z)
		space.Labels = slices.Concat(space.Labels, r.labelsOf(others))
		space.Predicted = slices.Concat(space.Predicted, e.Predicted)
		silhouettes = append(silhouettes, slices.Repeat([]float64{math.NaN()}, others.Len())...)
	}
	if space.Scores, err = r.Scores(space.Points); err != nil {
		return space, err
	}
	if !math.IsNaN(silhouettes[0]) {
		space.Metrics = []explorer.Metric{{Name: "silhouette", Values: silhouettes}}
	}
	if slices.Contains(space.Labels, int32(len(r.ClassNames))) {
		if err := r.recognize(&space, technique.Known); err != nil {
			return space, err
		}
	}
	for _, i := range reference {
		space.Reference = append(space.Reference, r.Train.Z[int(i)*r.Config.Dim:(int(i)+1)*r.Config.Dim]...)
	}
	return space, nil
}

// recognize lets the rule of a space decide that points are unknown, by a score.
func (r *Result) recognize(space *explorer.Space, score string) error {
	known, err := r.Known(score, space.Points)
	if err != nil {
		return err
	}
	classes := len(r.ClassNames)
	var ofKnown []float64
	for i, label := range space.Labels {
		if int(label) < classes {
			ofKnown = append(ofKnown, known[i])
		}
	}
	threshold, err := openset.Conformal(ofKnown, acceptedKnown)
	if err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	if space.Predicted, err = openset.Decide(space.Predicted, known, threshold.Score, classes); err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	if space.Regions != nil {
		space.Regions = (&Recognizer{score, threshold, r}).Classify
	}
	space.Metrics = append(space.Metrics, explorer.Metric{Name: score, Values: known})
	space.Rule += fmt.Sprintf("; unknown is what has a lower %s than %.0f %% of the test images of known classes", score, 100*acceptedKnown)
	return nil
}

// Curves returns the loss, the accuracies and, if the technique follows any, the monitors of
// each epoch.
func (r *Result) Curves() []viz.Curves {
	if len(r.History) == 0 {
		return nil
	}
	var loss, train, test []float64
	monitors := viz.Curves{Title: "Monitors", X: "epoch"}
	for _, name := range slices.Sorted(maps.Keys(r.History[0].Monitors)) {
		l := viz.Line{Name: name}
		for _, epoch := range r.History {
			l.Values = append(l.Values, epoch.Monitors[name])
		}
		monitors.Lines = append(monitors.Lines, l)
	}
	for _, epoch := range r.History {
		loss = append(loss, epoch.Loss)
		train = append(train, 100*epoch.TrainAccuracy)
		test = append(test, 100*epoch.TestAccuracy)
	}
	curves := []viz.Curves{
		{Title: "Loss", X: "epoch", Lines: []viz.Line{{Name: "loss", Values: loss}}},
		{Title: "Accuracy in percent", X: "epoch", Lines: []viz.Line{{Name: "train", Values: train}, {Name: "test", Values: test}}},
	}
	if len(monitors.Lines) > 0 {
		curves = append(curves, monitors)
	}
	return curves
}
