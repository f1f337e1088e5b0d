package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/viz"
)

// A trained is the JSON object that train prints.
type trained struct {
	Technique       string    `json:"technique"`
	Dataset         string    `json:"dataset"`
	Dim             int       `json:"dim"`
	Epochs          int       `json:"epochs"`
	Train           int       `json:"train"`
	Seed            int64     `json:"seed"`
	Backend         string    `json:"backend"`
	Accuracy        float64   `json:"accuracy"`
	AccuracyByEpoch []float64 `json:"accuracy_by_epoch"`
	Seconds         float64   `json:"seconds"`
	ImagesPerSecond float64   `json:"images_per_second"`
}

// tracedImages is of how many test images train -explore keeps the embedding after each epoch.
const tracedImages = 2_000

// train trains an embedding and saves it with its picture.
func train(args []string, stdout, stderr io.Writer) error {
	var cfg embed.Config
	flags := newFlags("train", stderr)
	settings(flags, &cfg)
	flags.Func("set", "`name=value` of a parameter of the technique, may be given several times (see embedspace list)", func(pair string) error {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is not of the form name=value", pair)
		}
		return cfg.Set(name, value)
	})
	out := flags.String("out", "", "`folder` for config, metrics, embedding, checkpoint and, in 2-D and 3-D, picture (default TECHNIQUE-DATASET-DIMd in the folder in EMBEDSPACE_OUT, else in out/results; DATASET is folder-pets for folder:a/pets)")
	skip := flags.Bool("skip", false, "leave out the files of folder:PATH that are no images that can be decoded, as folder:PATH:skip=true does")
	explore := flags.Bool("explore", false, "write explorer.html, a page to look into the embedding, with what it was after each epoch")
	resume := flags.Bool("resume", false, "go on from the checkpoint in the folder, if there is one")
	asJSON := flags.Bool("json", false, "print one JSON object as the last line")
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return usageError{err}
	}
	if *skip {
		if !strings.HasPrefix(cfg.Dataset, "folder:") {
			return usageError{fmt.Errorf("embedspace: -skip with dataset %q; allowed: with folder:PATH", cfg.Dataset)}
		}
		cfg.Dataset += ":skip=true"
	}
	if err := datasets.CheckName(cfg.Dataset); err != nil {
		return usageError{err}
	}
	folder := embed.Folder(cfg.Name())
	if *out != "" {
		if folder, err = filepath.Abs(*out); err != nil {
			return err
		}
	}

	if *explore && cfg.Dim < 2 {
		return usageError{fmt.Errorf("embedspace: -explore shows spaces, and -dim is %d; allowed: 2 or more", cfg.Dim)}
	}
	ctx := embed.Interruptible()
	trainImages, testImages, err := datasets.Load(ctx, cfg.Dataset, stderr)
	if err != nil {
		return err
	}
	opts := embed.Options{Progress: stderr, Out: folder, Resume: *resume}
	if *explore {
		opts.Trace = tracedImages
	}
	result, err := embed.Fit(ctx, cfg, trainImages, testImages, opts)
	if err != nil {
		return err
	}
	if cfg.Dim == 2 || cfg.Dim == 3 {
		scatter := result.Scatter()
		figure := viz.NewFigure(scatter)
		if cfg.Dim == 3 {
			scatter.Note = "from another side"
			figure.Panels = append(figure.Panels, scatter.Turned(90))
		}
		if err := figure.Save(filepath.Join(folder, "embedding.png")); err != nil {
			return err
		}
	}
	if *explore {
		page, err := embed.Explore(trainImages, testImages, result)
		if err != nil {
			return err
		}
		if err := page.Save(filepath.Join(folder, "explorer.html")); err != nil {
			return err
		}
	}
	if !*asJSON {
		fmt.Fprintf(stdout, "test accuracy %.2f %%, %.0f s of training, %.0f images/s on %s\nsaved in %s\n",
			100*result.Test.Accuracy(), result.Seconds(), result.ImagesPerSecond(), result.Config.Backend, folder)
		return nil
	}
	byEpoch := []float64{}
	for _, epoch := range result.History {
		byEpoch = append(byEpoch, epoch.TestAccuracy)
	}
	c := result.Config
	return printJSON(stdout, trained{
		c.Technique, c.Dataset, c.Dim, c.Epochs, c.Train, c.Seed, c.Backend,
		result.Test.Accuracy(), byEpoch, result.Seconds(), result.ImagesPerSecond(),
	})
}
