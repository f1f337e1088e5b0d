package notebook

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/viz"
)

func TestMust(t *testing.T) {
	if os.Getenv("EMBEDSPACE_TEST_CELL") != "" { // the program of a cell
		Must(1, errors.New("it breaks"))
		return
	}
	if got := Must(7, nil); got != 7 {
		t.Errorf("got %d", got)
	}
	cell := exec.Command(os.Args[0], "-test.run=^TestMust$")
	cell.Env = append(os.Environ(), "EMBEDSPACE_TEST_CELL=1")
	output, err := cell.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "it breaks") {
		t.Errorf("the cell ends with %v and %q", err, output)
	}
}

// TestLive: outside of a notebook, a live picture is an error that says so.
func TestLive(t *testing.T) {
	train, test := embedtest.SmallData()
	cfg := embed.Config{Technique: "contrastive", Padding: "same", Batch: 8, Epochs: 2, Backend: "go"}
	_, err := embed.Fit(t.Context(), cfg, train, test, embed.Options{Progress: io.Discard, OnEpoch: Live()})
	if !errors.Is(err, viz.ErrNotebook) {
		t.Errorf("error %v, want ErrNotebook", err)
	}
}

// TestPicture: the picture has the first space, that of now, and all curves.
func TestPicture(t *testing.T) {
	train, test := embedtest.SmallData()
	cfg := embed.Config{Technique: "contrastive", Padding: "same", Batch: 8, Epochs: 2, Backend: "go"}
	follow := picture()
	var titles, notes []string
	_, err := embed.Fit(t.Context(), cfg, train, test, embed.Options{Progress: io.Discard, OnEpoch: func(r *embed.Result) error {
		titles, notes = nil, nil
		figure := follow(r)
		for _, panel := range figure.Panels {
			title, note := panel.Heading()
			titles, notes = append(titles, title), append(notes, note)
		}
		return figure.WritePNG(io.Discard)
	}})
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "panels", titles, []string{"Contrastive loss", "Contrastive loss", "Loss", "Accuracy in percent", "Monitors"})
	for i, want := range []string{"after epoch 1 of 2", "after epoch 2 of 2"} {
		if !strings.HasSuffix(notes[i], want) {
			t.Errorf("the note of panel %d is %q, want %q at its end", i, notes[i], want)
		}
	}
}
