package embed

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/embedspace/embedspace/embed/internal/console"
)

// A progressView shows how a training goes on: one line that is rewritten where that can be
// seen (a terminal, a notebook), and one line per epoch.
type progressView struct {
	w             io.Writer
	line          *console.Line
	cfg           Config
	stepsPerEpoch int
	started, last time.Time
	firstStep     int // steps that were done before, by the run that is resumed
}

// refresh is the time between two rewritten lines.
const refresh = 200 * time.Millisecond

func newProgress(w io.Writer, cfg Config, stepsPerEpoch int) *progressView {
	return &progressView{w: w, line: console.NewLine(w), cfg: cfg, stepsPerEpoch: stepsPerEpoch, firstStep: -1}
}

// step shows the state after a step.
func (p *progressView) step(state trainingState) {
	done := state.Epoch*p.stepsPerEpoch + state.Step
	now := time.Now()
	if p.firstStep < 0 { // the first step compiles: it does not count for the rate
		p.firstStep, p.started, p.last = done, now, now
		return
	}
	if !p.line.Live() || now.Sub(p.last) < refresh {
		return
	}
	p.last = now
	rate := float64(done-p.firstStep) / now.Sub(p.started).Seconds()
	total := p.cfg.Epochs * p.stepsPerEpoch
	left := time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
	const width = 12
	filled := width * done / total
	p.line.Show(
		fmt.Sprintf("epoch %d/%d [%s%s] %v left", state.Epoch+1, p.cfg.Epochs,
			strings.Repeat("=", filled), strings.Repeat(" ", width-filled), left),
		fmt.Sprintf("loss %.3f", state.Loss/float64(state.Step)),
		fmt.Sprintf("accuracy %.1f %%", 100*state.Right/float64(state.Step)),
		fmt.Sprintf("%.0f images/s", rate*float64(p.cfg.Batch)))
}

// epoch shows a complete epoch.
func (p *progressView) epoch(e Epoch) {
	p.end()
	fmt.Fprintf(p.w, "epoch %*d/%d: loss %.4f, accuracy %5.2f %% (test %5.2f %%), %.0f images/s\n",
		len(fmt.Sprint(p.cfg.Epochs)), e.Epoch, p.cfg.Epochs, e.Loss, 100*e.TrainAccuracy, 100*e.TestAccuracy, e.ImagesPerSecond)
}

// collapse warns of an epoch after which pairs of different classes lie hardly further
// apart than those of one class, where the technique follows them.
func (p *progressView) collapse(e Epoch) {
	positive, followed := e.Monitors[positiveDistance]
	if negative := e.Monitors[negativeDistance]; followed && negative <= 1.1*positive {
		fmt.Fprintf(p.w, "warning: the embedding may collapse: the mean distance is %.3g between classes and %.3g within them\n", negative, positive)
	}
}

// end removes the line that is rewritten.
func (p *progressView) end() { p.line.Clear() }
