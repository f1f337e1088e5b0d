// Package course is what the notebooks have in common: trainings that are reused, pictures
// below a cell, and the end of a cell at an error. It only calls the other packages; programs
// call them directly, as [embed.Train] and [viz.Figure.Show].
package course

import (
	"context"
	"fmt"
	"html"
	"io"
	"log"

	"github.com/janpfeifer/gonb/gonbui"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz"
)

// Panel is a picture of a figure.
type Panel = viz.Panel

// Must returns the value of a call. An error ends the cell.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Check ends the cell with an error, if there is one.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Train trains on mnist-sample, unless the Config says otherwise, and displays one line that
// follows the epochs. The result is saved by the name of the Config (see embed.Config.Name);
// where it is there already, it is not trained again.
func Train(cfg embed.Config) *embed.Result {
	cfg = Must(cfg.WithDefaults())
	id := gonbui.UniqueId()
	line := func(text string) {
		if gonbui.IsNotebook {
			gonbui.UpdateHtml(id, "<pre>"+html.EscapeString(text)+"</pre>")
			gonbui.Sync()
		}
	}
	result := Must(embed.Train(embed.Interruptible(), cfg, embed.Options{Out: cfg.Name(), Reuse: true, Progress: io.Discard,
		OnEpoch: func(r *embed.Result) error {
			now := r.History[len(r.History)-1]
			line(fmt.Sprintf("%s: epoch %d of %d, loss %.3f, test accuracy %.1f %%", cfg.Name(), now.Epoch, cfg.Epochs, now.Loss, 100*now.TestAccuracy))
			return nil
		}}))
	line(fmt.Sprintf("%s: test accuracy %.1f %%", cfg.Name(), 100*result.Test.Accuracy()))
	return result
}

// Show displays panels in a grid of so many columns.
func Show(columns int, panels ...Panel) {
	Check((&viz.Figure{Columns: columns, Panels: panels}).Show())
}

// ShowCurves displays curves.
func ShowCurves(curves viz.Curves) { Check(curves.Show()) }

// Images displays some test images of a dataset, count of each class.
func Images(dataset string, count int) {
	test := testImages(dataset)
	gallery := viz.Gallery{Columns: test.Classes(), ColumnLabels: test.ClassNames}
	for k := range count {
		for class := range test.Classes() {
			seen := 0
			for i, label := range test.Labels {
				if int(label) != class {
					continue
				}
				if seen == k {
					gallery.Tiles = append(gallery.Tiles, viz.Tile{Image: test.Image(i), Frame: viz.Color(class)})
					break
				}
				seen++
			}
		}
	}
	Check(gallery.Show())
}

// Mistakes displays test images that the result decides wrongly, count at most, with the class
// that each is taken for; the frame has the colour of the true class.
func Mistakes(result *embed.Result, count int) {
	test := testImages(result.Config.Dataset)
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
	Check(gallery.Show())
}

func testImages(dataset string) *datasets.Dataset {
	_, test, err := datasets.Load(context.Background(), dataset, nil)
	Check(err)
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
	return Must(embed.LossAt(cfg, points, variables))
}
