// Package notebook shortens the cells of a GoNB notebook: what its functions make is displayed
// below the running cell, and an error ends the cell.
//
//	result := notebook.Train("start", embed.Config{Technique: "cosface", Dataset: "mnist-sample"})
//	notebook.Show(2, result.Scatter(), result.Scatter().Projected())
//	notebook.Check(result.Explore())
package notebook

import (
	"fmt"
	"io"
	"log"

	"github.com/janpfeifer/gonb/gonbui"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/viz"
)

// Check ends the cell with the error, if there is one.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Must returns the value, or ends the cell with the error, if there is one.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Show displays panels in a grid of so many columns; 0 chooses by the number of panels.
func Show(columns int, panels ...viz.Panel) {
	Check((&viz.Figure{Panels: panels, Columns: columns}).Show())
}

// traced is the number of test images whose embedding Train keeps while it forms.
const traced = 1_000

// Train trains with a picture that follows it (see Live), and saves the Result by a name, with
// which embed.Load reads it: with a trace of 1,000 test images, for Animation and Explore.
// Interrupting the cell saves a checkpoint.
func Train(name string, cfg embed.Config) *embed.Result {
	return Must(embed.Train(embed.Interruptible(), cfg, embed.Options{
		Out: name, Trace: traced, Progress: io.Discard, OnEpoch: Live(),
	}))
}

// Live returns an embed.Options.OnEpoch that displays how a training goes on, in one picture
// that is drawn anew after each epoch: the test embedding after its first epoch and now, in the
// plane with the regions of the classes, the loss, the accuracies, and the monitors of a
// technique that has some. Its error, outside of a notebook, wraps viz.ErrNotebook.
func Live() func(*embed.Result) error {
	id, follow := gonbui.UniqueId(), picture()
	return func(r *embed.Result) error { return follow(r).Update(id) }
}

// picture returns a function that draws Results of one training.
func picture() func(*embed.Result) *viz.Figure {
	var first viz.Scatter
	return func(r *embed.Result) *viz.Figure {
		now := r.Scatter()
		now.Note = fmt.Sprintf("%s, after epoch %d of %d", now.Note, len(r.History), r.Config.Epochs)
		if first.Points == nil {
			first = now
		}
		if now.Dim == 2 {
			now.Regions = r.Classify
		}
		figure := &viz.Figure{Columns: 2, Panels: []viz.Panel{first, now}}
		for _, curves := range r.Curves() {
			figure.Panels = append(figure.Panels, curves)
		}
		return figure
	}
}
