package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/compare"
)

// explain writes a picture that says why a test image is of one class and not of another.
func explain(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("explain", stderr)
	index := flags.Int("index", -1, "`number` of the test image, from 0 (default the first one that is decided wrongly)")
	class := flags.String("class", "", "`name` of the class to explain (default the predicted one)")
	against := flags.String("against", "", "`name` of the class to compare it with (default that of the label, or the one with the second largest score)")
	out := flags.String("out", "", "`file` of the picture, .png (default out/explanation.png)")
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return usageError{errors.New("embedspace: explain takes one folder of embedspace train, behind the flags")}
	}
	path := cmp.Or(*out, filepath.Join("out", "explanation.png"))
	if filepath.Ext(path) != ".png" {
		return usageError{fmt.Errorf("embedspace: -out is %q; allowed: a file whose name ends in .png", path)}
	}
	result, err := embed.Load(flags.Arg(0))
	if err != nil {
		return err
	}
	train, test, err := load(result.Config.Dataset, stderr)
	if err != nil {
		return err
	}
	images, err := compare.ImagesOf(flags.Arg(0), train, test)
	if err != nil {
		return err
	}
	if sum := embed.NewDataInfo(images.Train, images.Test).TestChecksum; sum != result.Data.TestChecksum {
		return fmt.Errorf("embedspace: %w: the result was tested on %s, not on %s with the checksum %s", embed.ErrOtherRun, result.Data.Test, images.Test.Name, sum)
	}
	if *index == -1 {
		*index = firstMistake(result)
	}
	decision, err := result.Decide(images.Train, images.Test, *index, *class, *against)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := decision.Gallery().Save(path); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %s, predicted as %s\n", decision.Name, decision.Label, decision.Predicted)
	for _, side := range decision.Sides {
		fmt.Fprintf(stdout, "%s: score %.4g, distance %.4g, nearest training image %d in the distance %.4g\n",
			side.Class, side.Score.Value, side.Distance, side.Nearest.Index, side.Nearest.Distance)
	}
	fmt.Fprintf(stdout, "saved as %s\n", path)
	return nil
}

// load loads a dataset until Ctrl-C, which ends the process after it as before.
func load(name string, stderr io.Writer) (train, test *datasets.Dataset, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return datasets.Load(ctx, name, stderr)
}

// firstMistake returns the first test image that is decided wrongly, or the first one.
func firstMistake(result *embed.Result) int {
	for i, label := range result.Test.Labels {
		if result.Test.Predicted[i] != label {
			return i
		}
	}
	return 0
}
