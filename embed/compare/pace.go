package compare

import (
	"fmt"
	"time"
)

// A pace is how long cells took by their dataset.
type pace map[string]effort

// An effort is a time and the images that were trained in it.
type effort struct{ seconds, images float64 }

// paceOf returns the pace of the cells that are done.
func paceOf(cells map[string]*cell) pace {
	p := pace{}
	for _, c := range cells {
		if c.isDone() {
			p.add(c)
		}
	}
	return p
}

// add adds a cell that is done. What a kill ended is missing in the time it took, but not
// in that of its training.
func (p pace) add(c *cell) {
	known := p[c.Config.Dataset]
	p[c.Config.Dataset] = effort{
		known.seconds + max(c.Took, c.Result.Seconds), known.images + float64(c.Config.Epochs*c.Config.Train)}
}

// remaining says about how long these cells take; nothing, if there are none, or if that can't be
// known yet. A
// dataset without a pace of its own gets that of all.
func (p pace) remaining(cells []Cell) string {
	var all effort
	for _, known := range p {
		all.seconds += known.seconds
		all.images += known.images
	}
	if all.images == 0 || len(cells) == 0 {
		return ""
	}
	seconds := 0.
	for _, cfg := range cells {
		known, ok := p[cfg.Dataset]
		if !ok {
			known = all
		}
		seconds += float64(cfg.Epochs*cfg.Train) * known.seconds / known.images
	}
	left := time.Duration(seconds * float64(time.Second))
	if left > time.Hour {
		return fmt.Sprintf(": %d to train, about %.1f hours left", len(cells), left.Hours())
	}
	return fmt.Sprintf(": %d to train, about %v left", len(cells), left.Round(time.Second))
}
