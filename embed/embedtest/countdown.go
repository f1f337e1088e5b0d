package embedtest

import "context"

// A Countdown is a context that ends after a number of steps.
type Countdown struct {
	context.Context
	Steps int
}

// Err counts a step.
func (c *Countdown) Err() error {
	if c.Steps--; c.Steps < 0 {
		return context.Canceled
	}
	return nil
}
