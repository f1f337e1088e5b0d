package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/compare"
)

// overview compares techniques on several datasets, or merges such comparisons.
func overview(args []string, stdout, stderr io.Writer) error {
	var o compare.Overview
	var shared embed.Config
	flags := newFlags("overview", stderr)
	flags.Func("techniques", "`list` with commas of techniques or families: paper, after (default paper, see embedspace list)", words(&o.Techniques))
	flags.Func("datasets", "`list` with commas (default mnist,fashion-mnist,cifar-10)", words(&o.Datasets))
	flags.Func("dims", "`list` with commas: dimensions of the embedded spaces (default 2,3)", numbers(&o.Dims))
	flags.Func("seeds", "each training is done with the seeds 1 to `n` (default 1)", count(&o.Seeds))
	settings(flags, &shared, sharedSettings...)
	flags.Func("shard", "`i/n`: do only each n-th training, from the i-th on", shard(&o.Shard, &o.Shards))
	merge := flags.Bool("merge", false, "train nothing, but merge the overviews in the folders behind the flags into -out")
	out := flags.String("out", "", "`folder` for tables, figures and training runs (default out/overview)")
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if *merge {
		return merged(flags, *out, stderr, compare.Merge)
	}
	if err := noWords(flags); err != nil {
		return err
	}
	o.Train, o.Epochs, o.Backend = shared.Train, shared.Epochs, shared.Backend
	return trainAll(o, *out, stderr)
}

// A comparison is one of package compare.
type comparison[Cell any] interface {
	Cells() ([]Cell, error)
	Run(ctx context.Context, out string, progress io.Writer) error
}

// trainAll runs a comparison in a folder.
func trainAll[Cell any](c comparison[Cell], out string, stderr io.Writer) error {
	if _, err := c.Cells(); err != nil {
		return usageError{err}
	}
	folder, err := absolute(out)
	if err != nil {
		return err
	}
	return c.Run(embed.Interruptible(), folder, stderr)
}

// merged merges the comparisons in the folders behind the flags.
func merged(flags *flag.FlagSet, out string, stderr io.Writer, merge func(folders []string, out string) (unfinished []string, err error)) error {
	var others []string
	flags.Visit(func(f *flag.Flag) {
		if f.Name != "merge" && f.Name != "out" {
			others = append(others, "-"+f.Name)
		}
	})
	if len(others) > 0 {
		return usageError{fmt.Errorf("embedspace: %s with -merge, which trains nothing; allowed: -out", strings.Join(others, ", "))}
	}
	if flags.NArg() == 0 {
		return usageError{fmt.Errorf("embedspace: -merge without folders; allowed: 1 or more behind the flags")}
	}
	folder, err := absolute(out)
	if err != nil {
		return err
	}
	unfinished, err := merge(flags.Args(), folder)
	for _, name := range unfinished {
		fmt.Fprintf(stderr, "left out, as its training has not ended: %s\n", name)
	}
	return err
}

// figures trains and draws the figures of the paper.
func figures(args []string, stdout, stderr io.Writer) error {
	var shared embed.Config
	var p compare.PaperFigures
	flags := newFlags("figures", stderr)
	flags.StringVar(&p.Dataset, "dataset", "", "images to embed: the `name` of a dataset (default mnist)")
	flags.Func("only", "`list` with commas: figures of the paper (default 2,3,4,5,6,7)", numbers(&p.Only))
	settings(flags, &shared, sharedSettings...)
	out := flags.String("out", "", "`folder` for figures, tables and training runs (default out/figures)")
	if err := parse(flags, args); err != nil {
		return err
	}
	p.Train, p.Epochs, p.Backend = shared.Train, shared.Epochs, shared.Backend
	return trainAll(p, *out, stderr)
}

// sharedSettings are the fields of a Config that all training runs of a comparison share.
var sharedSettings = []string{"train", "epochs", "backend"}

// shard parses which of how many parts is done.
func shard(part, parts *int) func(string) error {
	return func(text string) error {
		first, count, _ := strings.Cut(text, "/")
		i, errI := strconv.Atoi(first)
		n, errN := strconv.Atoi(count)
		if errI != nil || errN != nil || i < 1 || i > n {
			return errors.New("allowed: i/n with i from 1 to n")
		}
		*part, *parts = i, n
		return nil
	}
}

// words parses a list of words.
func words(list *[]string) func(string) error {
	return func(text string) error {
		*list = strings.Split(text, ",")
		return nil
	}
}

// count parses a number of things.
func count(n *int) func(string) error {
	return func(text string) (err error) {
		if *n, err = strconv.Atoi(text); err != nil || *n < 1 {
			return errors.New("allowed: 1 or more")
		}
		return nil
	}
}

// numbers parses a list of whole numbers.
func numbers(list *[]int) func(string) error {
	return func(text string) error {
		*list = nil
		for _, word := range strings.Split(text, ",") {
			number, err := strconv.Atoi(word)
			if err != nil {
				return fmt.Errorf("%q is not a whole number", word)
			}
			*list = append(*list, number)
		}
		return nil
	}
}

// absolute returns an absolute path; the empty one stays.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}
