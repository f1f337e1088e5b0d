package viz

import (
	"fmt"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// notebookSize is the largest size of a picture in a notebook, in bytes: notebooks are kept
// in repositories, with their pictures.
const notebookSize = 1_500_000

// Show displays the figure below the notebook cell that runs, as an image/png
// of less than 1.5 MB. It returns when the notebook has it. Outside of a GoNB
// notebook it returns an error that wraps [ErrNotebook].
func (f *Figure) Show() error { return f.display("") }

// Update displays the figure like [Figure.Show] at its first call with an id,
// and replaces that picture at the following ones, as for a picture that
// follows a training. The id must be unique in the notebook, as
// gonbui.UniqueId() is; an empty one is an error.
func (f *Figure) Update(id string) error {
	if id == "" {
		return fmt.Errorf("viz: update: the id must not be empty")
	}
	return f.display(id)
}

func (f *Figure) display(id string) error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("viz: show: %w", ErrNotebook)
	}
	picture, err := f.png(notebookSize)
	if err != nil {
		return err
	}
	gonbui.SendData(&protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMEImagePNG: picture},
		DisplayID: id,
	})
	gonbui.Sync() // or the picture is lost when the cell's program ends
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("viz: show: %w", err)
	}
	return nil
}
