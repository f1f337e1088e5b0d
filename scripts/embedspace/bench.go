package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/backends"
)

// bench measures how many images per second are trained and embedded, on each backend.
func bench(args []string, stdout, stderr io.Writer) error {
	var cfg embed.Config
	flags := newFlags("bench", stderr)
	settings(flags, &cfg, "batch", "padding")
	flags.StringVar(&cfg.Backend, "backend", "", "what computes: xla:cuda, xla:cpu, go (default all that can be opened)")
	steps := flags.Int("steps", 50, "training steps to measure")
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
	names := []string{cfg.Backend}
	if cfg.Backend == "" {
		names = slices.DeleteFunc(backends.Names(), func(name string) bool {
			_, err := backends.Open(name, nil)
			if err != nil {
				fmt.Fprintln(stderr, err)
			}
			return err != nil
		})
	}
	measured := struct {
		Backends []embed.Speed `json:"backends"`
	}{}
	for _, cfg.Backend = range names {
		speed, err := embed.Bench(cfg, *steps)
		if err != nil {
			return err
		}
		measured.Backends = append(measured.Backends, speed)
		if !*asJSON {
			writeSpeed(stdout, speed)
		}
	}
	if *asJSON {
		return printJSON(stdout, measured)
	}
	return nil
}

// writeSpeed writes a table of the parts of a step.
func writeSpeed(w io.Writer, speed embed.Speed) {
	fmt.Fprintf(w, "%s, batch %d, padding %s: %.0f images/s in training, %.0f images/s in inference",
		speed.Backend, speed.Batch, speed.Padding, speed.TrainImagesPerSecond, speed.InferenceImagesPerSecond)
	if speed.PeakMemory > 0 {
		fmt.Fprintf(w, ", %d MiB", speed.PeakMemory>>20)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\n  ms per step\tforward\tbackward\t\n")
	rest := speed.MillisecondsPerStep
	for _, part := range speed.Parts {
		rest -= part.ForwardMilliseconds + part.BackwardMilliseconds
		fmt.Fprintf(table, "  %s\t%.1f\t%.1f\t\n", part.Name, part.ForwardMilliseconds, part.BackwardMilliseconds)
	}
	fmt.Fprintf(table, "  loss, Adam, the rest\t%.1f\t\t\n  a step\t%.1f\t\t\n", rest, speed.MillisecondsPerStep)
	table.Flush()
}
