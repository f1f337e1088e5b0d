package viz

import (
	"fmt"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// notebookSize is the largest size of a picture in a notebook, in bytes. It is smaller
// than that of a file, as notebooks are kept in repositories with their pictures.
const notebookSize = 1_500_000

// Show displays the figure below the running cell of a GoNB notebook, as a PNG of less
// than 1.5 MB, and returns when the notebook has received it.
//
// It returns an error that wraps [ErrNotebook] outside of a notebook, or another of this
// package's errors for an invalid figure.
func (f *Figure) Show() error { return displayPNG("", f.notebookPNG) }

// Update displays a figure that changes, such as one that follows a training. The first
// call with an id displays the figure like [Figure.Show], later ones replace that picture.
//
// The id must be unique in the notebook, like those of gonbui.UniqueId; an empty one is an
// error. The other errors are those of [Figure.Show].
func (f *Figure) Update(id string) error {
	if id == "" {
		return fmt.Errorf("viz: update: the id must not be empty")
	}
	return displayPNG(id, f.notebookPNG)
}

// notebookPNG returns the figure as a PNG for a notebook.
func (f *Figure) notebookPNG() ([]byte, error) { return f.PNG(notebookSize) }

// displayPNG shows a PNG: in place of the picture with that id, or as a new one if the id is
// empty.
func displayPNG(id string, draw func() ([]byte, error)) error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("viz: show: %w", ErrNotebook)
	}
	picture, err := draw()
	if err != nil {
		return err
	}
	return Display(id, map[protocol.MIMEType]any{protocol.MIMEImagePNG: picture})
}

// Display shows one thing below the running cell of a GoNB notebook, in one or more forms, and
// returns when the notebook has received it: in place of what was shown with that id, or as
// something new if the id is empty. Errors wrap [ErrNotebook], or are those of the notebook.
func Display(id string, forms map[protocol.MIMEType]any) error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("viz: show: %w", ErrNotebook)
	}
	gonbui.SendData(&protocol.DisplayData{Data: forms, DisplayID: id})
	gonbui.Sync() // the program may end right after, and what it shows would be lost
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("viz: show: %w", err)
	}
	return nil
}
