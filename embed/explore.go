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
	"github.com/embedspace/embedspace/viz"
	"github.com/embedspace/embedspace/viz/explorer"
)

// exploredImages is the number of training images of which a page shows the nearest.
const exploredImages = 2_000

// Explore returns a page to look into the embeddings of one or more Results, which were
// measured on the same test images. train is the dataset that they were trained on, or on a
// part of it; of the images of the first Result's training, 2,000 are on the page, if all of
// them were trained on these.
//
// It evaluates the technique's scores and, in 2-D, its rule on a million points. Errors: no
// Result; ErrOtherRun, for images that are not those of a Result; ErrNoNetwork.
func Explore(train, test *datasets.Dataset, results ...*Result) (*explorer.Page, error) {
	if len(results) == 0 {
		return nil, errors.New("embed: nothing to explore; allowed: 1 or more results")
	}
	sum := checksum(test)
	for _, r := range results {
		if sum != r.Data.TestChecksum {
			return nil, fmt.Errorf("embed: %w: %s in %d-D was measured on %s, not on %s with the checksum %s; allowed: results on the same test images",
				ErrOtherRun, r.Config.Technique, r.Config.Dim, r.Data.Test, test.Name, sum)
		}
	}
	first := results[0]
	train, err := first.partOf(train)
	if err != nil {
		return nil, err
	}
	page := &explorer.Page{
		Title:  "Embedded spaces of " + first.Config.Dataset,
		Note:   fmt.Sprintf("%d test images", test.Len()),
		Images: imagesOf(test, nil),
	}
	var reference []int32
	if sameTraining(checksum(train), results) {
		reference = draw(exploredImages, train.Len())
		page.Reference = imagesOf(train, reference)
	}
	for _, r := range results {
		space, err := r.space(reference)
		if err != nil {
			return nil, err
		}
		page.Spaces = append(page.Spaces, space)
	}
	return page, nil
}

// partOf returns as many of the training images as the Result was trained on.
func (r *Result) partOf(train *datasets.Dataset) (*datasets.Dataset, error) {
	if r.Data.TrainImages >= train.Len() {
		return train, nil
	}
	return train.Subset(r.Data.TrainImages, r.Config.Seed)
}

// Explore displays a page to look into the embedding below the running cell of a GoNB
// notebook (see explorer.Page.Show). It loads the images of the Config's dataset, and saves the
// page beside the notebook, as NAME.html (see Config.Name). Errors: those of datasets.Load and
// of the function Explore; viz.ErrNotebook.
func (r *Result) Explore() error {
	train, test, err := datasets.Load(context.Background(), r.Config.Dataset, os.Stderr)
	if err != nil {
		return err
	}
	page, err := Explore(train, test, r)
	if err != nil {
		return err
	}
	return page.Show(r.Config.Name() + ".html")
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
// indices as reference.
func (r *Result) space(reference []int32) (explorer.Space, error) {
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
	if r.Config.Dim == 2 {
		space.Regions = r.Classify
	}
	if space.Scores, err = r.Scores(r.Test.Z); err != nil {
		return space, err
	}
	if silhouettes := r.Test.Silhouettes(); !math.IsNaN(silhouettes[0]) {
		space.Metrics = []explorer.Metric{{Name: "silhouette", Values: silhouettes}}
	}
	for _, i := range reference {
		space.Reference = append(space.Reference, r.Train.Z[int(i)*r.Config.Dim:(int(i)+1)*r.Config.Dim]...)
	}
	return space, nil
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
