// Package course is what the notebooks of the course have in common: training runs on the built-in
// digits that are reused, their images and mistakes, and nine points. An error ends the cell, as
// in package embed/notebook.
package course

import (
	"context"
	"fmt"
	"html"
	"io"

	"github.com/janpfeifer/gonb/gonbui"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/embed/notebook"
	"github.com/embedspace/embedspace/viz"
)

// Train trains on mnist-sample, unless the Config says otherwise, and displays one line that
// follows the epochs. The result is saved by the name of the Config (see embed.Config.Name);
// where it is there already, it is not trained again.
func Train(cfg embed.Config) *embed.Result {
	cfg = notebook.Must(cfg.WithDefaults())
	return train(cfg, cfg.Name(), func(opts embed.Options) (*embed.Result, error) {
		return embed.Train(embed.Interruptible(), cfg, opts)
	})
}

// Split returns the images of an open-set split of a dataset, see datasets.OpenSetImages.
func Split(dataset string, split int) datasets.OpenSet {
	train, test, err := datasets.Load(context.Background(), dataset, nil)
	notebook.Check(err)
	return notebook.Must(datasets.OpenSetImages(dataset, split, train, test))
}

// TrainKnown trains as Train does, on the known classes of a split alone.
func TrainKnown(cfg embed.Config, split int) *embed.Result {
	cfg = notebook.Must(cfg.WithDefaults())
	images := Split(cfg.Dataset, split)
	return train(cfg, fmt.Sprintf("%s-split%d", cfg.Name(), split), func(opts embed.Options) (*embed.Result, error) {
		return embed.Fit(embed.Interruptible(), cfg, images.Train, images.Test, opts)
	})
}

// train trains by fit, in the folder of that name, with the line.
func train(cfg embed.Config, name string, fit func(opts embed.Options) (*embed.Result, error)) *embed.Result {
	id := gonbui.UniqueId()
	line := func(text string) {
		if gonbui.IsNotebook {
			gonbui.UpdateHtml(id, "<pre>"+html.EscapeString(text)+"</pre>")
			gonbui.Sync()
		}
	}
	result := notebook.Must(fit(embed.Options{Out: name, Reuse: true, Progress: io.Discard,
		OnEpoch: func(r *embed.Result) error {
			now := r.History[len(r.History)-1]
			line(fmt.Sprintf("%s: epoch %d of %d, loss %.3f, test accuracy %.1f %%", name, now.Epoch, cfg.Epochs, now.Loss, 100*now.TestAccuracy))
			return nil
		}}))
	line(fmt.Sprintf("%s: test accuracy %.1f %%", name, 100*result.Test.Accuracy()))
	return result
}

// ShowCurves displays curves.
func ShowCurves(curves viz.Curves) { notebook.Check(curves.Show()) }

// Images displays some test images of a dataset, count of each class, as far as it has so many.
func Images(dataset string, count int) {
	gallery := images(testImages(dataset), count)
	notebook.Check(gallery.Show())
}

func images(test *datasets.Dataset, count int) viz.Gallery {
	gallery := viz.Gallery{Columns: test.Classes(), ColumnLabels: test.ClassNames}
	for k := range count {
		for class := range test.Classes() {
			seen := 0
			var tile viz.Tile
			for i, label := range test.Labels {
				if int(label) != class {
					continue
				}
				if seen == k {
					tile = viz.Tile{Image: test.Image(i), Frame: viz.Color(class)}
					break
				}
				seen++
			}
			gallery.Tiles = append(gallery.Tiles, tile)
		}
	}
	return gallery
}

// Mistakes displays test images that the result decides wrongly, count at most, with the class
// that each is taken for; the frame has the colour of the true class.
func Mistakes(result *embed.Result, count int) {
	test := testImages(result.Config.Dataset)
	if len(result.Test.Predicted) != test.Len() {
		notebook.Check(fmt.Errorf("course: the result has %d test images, %s has %d; allowed: a result of all classes", len(result.Test.Predicted), result.Config.Dataset, test.Len()))
	}
	gallery := viz.Gallery{Columns: min(10, count)}
	total := 0
	for i, label := range test.Labels {
		predicted := result.Test.Predicted[i]
		if predicted == label {
			continue
		}
		if total++; total <= count {
			gallery.Tiles = append(gallery.Tiles, viz.Tile{Image: test.Image(i), Frame: viz.Color(int(label)),
				Note: fmt.Sprintf("%s taken for %s", result.ClassNames[label], result.ClassNames[predicted])})
		}
	}
	if total == 0 {
		fmt.Println("no mistakes")
		return
	}
	gallery.Title = fmt.Sprintf("%s: %d of %d mistakes", result.Scatter().Title, len(gallery.Tiles), total)
	notebook.Check(gallery.Show())
}

// Answers displays images of a dataset by their indices, ten in a row, each with a note, and framed
// in the colour of its class in classes [n], such as what it is taken for. Without any it displays
// nothing.
func Answers(title string, images *datasets.Dataset, indices []int, classes []int32, note func(i int) string) {
	if len(indices) == 0 {
		return
	}
	gallery := viz.Gallery{Title: title, Columns: 10}
	for _, i := range indices {
		gallery.Tiles = append(gallery.Tiles, viz.Tile{Image: images.Image(i), Frame: viz.Color(int(classes[i])), Note: note(i)})
	}
	for len(gallery.Tiles) < gallery.Columns { // a short row keeps the size of images
		gallery.Tiles = append(gallery.Tiles, viz.Tile{})
	}
	notebook.Check(gallery.Show())
}

// First returns the indices of the first count images.
func First(count int) (indices []int) {
	for i := range count {
		indices = append(indices, i)
	}
	return indices
}

func testImages(dataset string) *datasets.Dataset {
	_, test, err := datasets.Load(context.Background(), dataset, nil)
	notebook.Check(err)
	return test
}

// NinePoints returns three points of each of three classes in the plane, some of them among
// the others: what a loss does is seen at once.
func NinePoints() measure.Embedding {
	return measure.Embedding{Dim: 2, Classes: 3, Labels: []int32{0, 0, 0, 1, 1, 1, 2, 2, 2},
		Z: []float32{1.1, 0.1, 0.72, 0.55, 0.2, -0.4, -0.6, 0.9, -0.9, 0.3, 0.13, 0.83, -0.3, -0.9, -0.8, -0.6, 0.5, -0.7}}
}

// LossAt returns what a loss does at points; see embed.LossAt.
func LossAt(cfg embed.Config, points measure.Embedding, variables embed.Variables) *embed.Descent {
	return notebook.Must(embed.LossAt(cfg, points, variables))
}
