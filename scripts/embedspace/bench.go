package main

import (
	"fmt"
	"io"

	"github.com/embedspace/embedspace/embed"
)

// bench measures how many images per second are trained and embedded.
func bench(args []string, stdout, stderr io.Writer) error {
	var cfg embed.Config
	flags := newFlags("bench", stderr)
	flags.StringVar(&cfg.Backend, "backend", "", "xla:cuda, xla:cpu or go (default the first of them that there is)")
	flags.IntVar(&cfg.Batch, "batch", 0, "images per step (default 128)")
	steps := flags.Int("steps", 50, "training steps to measure")
	flags.StringVar(&cfg.Padding, "padding", "", "same or valid (default valid)")
	asJSON := flags.Bool("json", false, "print one JSON object as the last line")
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return usageError{err}
	}
	if *steps < 1 {
		return usageError{fmt.Errorf("embedspace: -steps is %d; allowed: 1 or more", *steps)}
	}
	speed, err := embed.Bench(cfg, *steps)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(stdout, speed)
	}
	fmt.Fprintf(stdout, "%s, batch %d, padding %s: %.0f images/s in training (%.1f ms per step), %.0f images/s in inference\n",
		speed.Backend, speed.Batch, speed.Padding, speed.TrainImagesPerSecond, speed.MillisecondsPerStep, speed.InferenceImagesPerSecond)
	return nil
}
