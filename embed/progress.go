package embed

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// A progress shows how a training goes on: one line that is rewritten where that
// can be seen (a terminal, a notebook), and one line per epoch.
type progress struct {
	w             io.Writer
	live          bool // w shows rewritten lines
	cfg           Config
	stepsPerEpoch int
	started, last time.Time
	firstStep     int // steps that were done before, by the run that is resumed
	shown         int // characters of the line to rewrite
}

// refresh is the time between two rewritten lines.
const refresh = 200 * time.Millisecond

func newProgress(w io.Writer, cfg Config, stepsPerEpoch int) *progress {
	return &progress{w: w, live: isLive(w), cfg: cfg, stepsPerEpoch: stepsPerEpoch, firstStep: -1}
}

// isLive tells whether w is a terminal or a notebook.
func isLive(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return gonbui.IsNotebook || err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step shows the state after a step.
func (p *progress) step(state trainingState) {
	done := state.Epoch*p.stepsPerEpoch + state.Step
	now := time.Now()
	if p.firstStep < 0 { // the first step compiles: it does not count for the rate
		p.firstStep, p.started, p.last = done, now, now
		return
	}
	if !p.live || now.Sub(p.last) < refresh {
		return
	}
	p.last = now
	rate := float64(done-p.firstStep) / now.Sub(p.started).Seconds()
	total := p.cfg.Epochs * p.stepsPerEpoch
	left := time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
	const width = 24
	filled := width * done / total
	line := fmt.Sprintf("epoch %d/%d [%s%s] %.0f images/s, %v left, loss %.3f, accuracy %.1f %%",
		state.Epoch+1, p.cfg.Epochs, strings.Repeat("=", filled), strings.Repeat(" ", width-filled),
		rate*float64(p.cfg.Batch), left, state.Loss/float64(state.Step), 100*state.Right/float64(state.Step))
	fmt.Fprintf(p.w, "\r%-*s", p.shown, line)
	p.shown = len(line)
}

// epoch shows a complete epoch.
func (p *progress) epoch(e Epoch) {
	p.end()
	fmt.Fprintf(p.w, "epoch %*d/%d: loss %.4f, accuracy %5.2f %% (test %5.2f %%), %.0f images/s\n",
		len(fmt.Sprint(p.cfg.Epochs)), e.Epoch, p.cfg.Epochs, e.Loss, 100*e.TrainAccuracy, 100*e.TestAccuracy, e.ImagesPerSecond)
}

// collapse warns of an epoch after which pairs of different classes lie hardly further
// apart than those of one class, where the technique follows them.
func (p *progress) collapse(e Epoch) {
	positive, followed := e.Monitors[positiveDistance]
	if negative := e.Monitors[negativeDistance]; followed && negative < 1.1*positive {
		fmt.Fprintf(p.w, "warning: the embedding may collapse: the mean distance is %.3g between classes and %.3g within them\n", negative, positive)
	}
}

// end clears the line that is rewritten.
func (p *progress) end() {
	if p.shown > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
}
