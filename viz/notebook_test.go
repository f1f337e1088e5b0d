//go:build unix

package viz

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func TestOutsideOfANotebook(t *testing.T) {
	if gonbui.IsNotebook {
		t.Skip("this is a notebook's program")
	}
	f := NewFigure(blobs(10, 2, 2, 1))
	if err := f.Show(); !errors.Is(err, ErrNotebook) {
		t.Errorf("Show: error %v", err)
	}
	if err := f.Update("id"); !errors.Is(err, ErrNotebook) {
		t.Errorf("Update: error %v", err)
	}
	if err := f.Update(""); err == nil || errors.Is(err, ErrNotebook) {
		t.Errorf("Update without an id: error %v", err)
	}
}

// TestInANotebook plays the kernel, and runs itself again as the program of a cell.
func TestInANotebook(t *testing.T) {
	if gonbui.IsNotebook {
		f := NewFigure(blobs(10, 2, 2, 1))
		if err := errors.Join(f.Update("live"), f.Update("live"), f.Show()); err != nil {
			t.Fatal(err)
		}
		if err := NewFigure().Show(); !errors.Is(err, ErrEmpty) {
			t.Fatalf("empty figure: error %v", err)
		}
		return
	}
	dir := t.TempDir()
	fromCell, toCell := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, pipe := range []string{fromCell, toCell} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cell := exec.Command(os.Args[0], "-test.run=^TestInANotebook$")
	cell.Env = append(os.Environ(), protocol.GONB_PIPE_ENV+"="+fromCell, protocol.GONB_PIPE_BACK_ENV+"="+toCell)
	var output bytes.Buffer
	cell.Stdout, cell.Stderr = &output, &output
	if err := cell.Start(); err != nil {
		t.Fatal(err)
	}
	// Opened for reading and writing, so that neither end waits for the other.
	in, err := os.OpenFile(fromCell, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(toCell, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	done := make(chan error, 1)
	go func() {
		done <- cell.Wait()
		in.Close()
	}()

	var shown []*protocol.DisplayData
	synced := 0
	decoder, encoder := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		message := new(protocol.DisplayData)
		if err := decoder.Decode(message); errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if request, ok := message.Data[protocol.MIMECommValue].(protocol.CommValue); ok {
			synced = len(shown)
			answer := &protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: request.Value}
			if err := encoder.Encode(answer); err != nil {
				t.Fatal(err)
			}
			continue
		}
		shown = append(shown, message)
	}
	if err := <-done; err != nil {
		t.Fatalf("the cell failed: %v\n%s", err, output.String())
	}
	var ids []string
	for _, message := range shown {
		ids = append(ids, message.DisplayID)
		if picture, ok := message.Data[protocol.MIMEImagePNG].([]byte); !ok || !bytes.HasPrefix(picture, []byte("\x89PNG")) {
			t.Errorf("shown: %v", message.Data)
		}
	}
	if got := strings.Join(ids, ","); got != "live,live," {
		t.Errorf("ids of the pictures: %q", got)
	}
	if synced != 3 {
		t.Errorf("the last picture synced is number %d", synced)
	}
}
