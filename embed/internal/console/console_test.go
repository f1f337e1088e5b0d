package console

import (
	"os"
	"strings"
	"testing"
)

// TestNotLive: a line is rewritten nowhere but in a terminal or a notebook; the null
// device is a character device, but none of these.
func TestNotLive(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if NewLine(null).Live() {
		t.Error("the null device is taken for a terminal")
	}
	var log strings.Builder
	line := NewLine(&log)
	line.Show("something")
	line.Clear()
	if line.Live() || log.Len() > 0 {
		t.Errorf("a buffer got %q", log.String())
	}
}

// TestWidth: no line that is shown is as long as the terminal is wide, and each line that is
// replaced or cleared is gone.
func TestWidth(t *testing.T) {
	for width := 1; width < 40; width++ {
		var screen strings.Builder
		line := NewLineOfWidth(&screen, width)
		line.Show("epoch 1/10", "loss 0.125", "20 images/s")
		line.Show("epoch 2/10")
		line.Clear()
		visible := ""
		for _, shown := range strings.Split(screen.String(), "\r") {
			if len(shown) >= width && width > 1 {
				t.Errorf("%q in a terminal of %d", shown, width)
			}
			if len(shown) >= len(visible) {
				visible = shown
			} else {
				visible = shown + visible[len(shown):]
			}
		}
		if strings.TrimSpace(visible) != "" {
			t.Errorf("in a terminal of %d, %q is left", width, visible)
		}
	}
}
