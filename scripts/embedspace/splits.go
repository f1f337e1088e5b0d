package main

import (
	"errors"
	"flag"
	"io"
	"strconv"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/compare"
)

// trainings defines the flags of training runs on splits. complete is called after they are parsed.
func trainings(flags *flag.FlagSet, t *compare.Trainings) (complete func()) {
	var shared embed.Config
	flags.Func("techniques", "`list` with commas of techniques or families: paper, after (default paper, see embedspace list)", words(&t.Techniques))
	flags.Func("datasets", "`list` with commas (default mnist,fashion-mnist,cifar-10; also mnist-sample, fashion-mnist-sample)", words(&t.Datasets))
	flags.Func("dims", "`list` with commas: dimensions of the embedded spaces (default 2,3,64)", numbers(&t.Dims))
	flags.Func("splits", "`list` with commas: splits into six known classes and four others (default 1,2,3,4,5)", numbers(&t.Splits))
	flags.Func("seeds", "each training is done with the seeds 1 to `n` (default 1)", count(&t.Seeds))
	settings(flags, &shared, sharedSettings...)
	flags.Func("shard", "`i/n`: do only each n-th training, from the i-th on", shard(&t.Shard, &t.Shards))
	return func() { t.Train, t.Epochs, t.Backend = shared.Train, shared.Epochs, shared.Backend }
}

// The flags of openset and fewshot that do not depend on which of them it is.
const (
	splitsOut   = "`folder` for tables, pictures and training runs, which openset and fewshot share (default out/splits)"
	mergeSplits = "train nothing, but merge the training runs in the folders behind the flags into -out, with the tables of openset and fewshot"
)

// openset measures how well unknown images are told from known ones, or merges such training runs.
func openset(args []string, stdout, stderr io.Writer) error {
	var o compare.OpenSet
	flags := newFlags("openset", stderr)
	complete := trainings(flags, &o.Trainings)
	flags.Func("unknown", "`list` with commas of other datasets with images of the same size, which are unknown, too", words(&o.Unknown))
	flags.Func("accept", "`share` of the known images that a threshold is to accept (default 0.95)", func(text string) (err error) {
		if o.Accept, err = strconv.ParseFloat(text, 64); err != nil || o.Accept == 0 {
			return errors.New("allowed: more than 0, up to 1")
		}
		return nil
	})
	merge := flags.Bool("merge", false, mergeSplits)
	out := flags.String("out", "", splitsOut)
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if *merge {
		return merged(flags, *out, stderr, compare.MergeSplits)
	}
	if err := noWords(flags); err != nil {
		return err
	}
	complete()
	return trainAll(o, *out, stderr)
}

// fewshot measures how well unknown classes are learned from a few images.
func fewshot(args []string, stdout, stderr io.Writer) error {
	var f compare.FewShot
	flags := newFlags("fewshot", stderr)
	complete := trainings(flags, &f.Trainings)
	flags.Func("ways", "`list` with commas: numbers of new classes (default 2,3,4)", numbers(&f.Ways))
	flags.Func("shots", "`list` with commas: numbers of images of each new class to learn from (default 1,5,20)", numbers(&f.Shots))
	flags.Func("episodes", "`n` episodes of each of these, for each training (default 600)", count(&f.Episodes))
	merge := flags.Bool("merge", false, mergeSplits)
	out := flags.String("out", "", splitsOut)
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if *merge {
		return merged(flags, *out, stderr, compare.MergeSplits)
	}
	if err := noWords(flags); err != nil {
		return err
	}
	complete()
	return trainAll(f, *out, stderr)
}
