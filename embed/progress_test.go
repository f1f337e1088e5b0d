package embed

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/console"
)

func TestProgressOfALogFile(t *testing.T) {
	var log strings.Builder
	train, test := embedtest.SmallData()
	if _, err := Fit(t.Context(), small(), train, test, Options{Progress: &log}); err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^epoch 1/2: loss \d\.\d{4}, accuracy +\d+\.\d\d % \(test +\d+\.\d\d %\), \d+ images/s
epoch 2/2: [^\n\r]+
$`)
	if !form.MatchString(log.String()) {
		t.Errorf("the log is %q, want %s", log.String(), form)
	}
}

// TestNoBarInALogFile: steps are shown nowhere but in a terminal or a notebook.
func TestNoBarInALogFile(t *testing.T) {
	var log strings.Builder
	p := newProgress(&log, Config{Epochs: 1, Batch: 10}, 2)
	p.step(trainingState{Step: 1})
	p.last = p.last.Add(-time.Minute)
	p.step(trainingState{Step: 2})
	embedtest.CheckEqual(t, "log", log.String(), "")
}

// TestProgressOfATerminal: one line is rewritten, at most every refresh, and is gone at the
// end of the epoch. No line is longer than the terminal is wide.
func TestProgressOfATerminal(t *testing.T) {
	for width, words := range map[int]string{
		80: "epoch 1/2 [===         ] 3s left, loss 0.250, accuracy 12.5 %, 20 images/s",
		62: "epoch 1/2 [===         ] 3s left, loss 0.250, accuracy 12.5 %",
		20: "epoch 1/2 [===     ",
	} {
		var screen strings.Builder
		p := newProgress(&screen, Config{Epochs: 2, Batch: 10}, 4)
		p.line = console.NewLineOfWidth(&screen, width)
		state := trainingState{Loss: 0.5, Right: 0.25}
		for step := range 4 {
			state.Step = step + 1
			p.step(state)
			if step == 1 {
				// 1 step in 0.5 s is 20 images/s, and 3 s for the other 6 steps.
				p.started = time.Now().Add(-500 * time.Millisecond)
				p.last = p.started
				p.step(state)
			}
		}
		want := "\r" + words
		embedtest.CheckEqual(t, "the terminal", screen.String(), want)
		p.epoch(Epoch{Epoch: 1, Loss: 0.125, TrainAccuracy: 0.5, TestAccuracy: 1, ImagesPerSecond: 20})
		want += "\r" + strings.Repeat(" ", len(words)) + "\repoch 1/2: loss 0.1250, accuracy 50.00 % (test 100.00 %), 20 images/s\n"
		embedtest.CheckEqual(t, "the terminal after the epoch", screen.String(), want)
	}
}
