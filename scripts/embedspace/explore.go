package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/compare"
)

// explore writes saved embeddings as one page.
func explore(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("explore", stderr)
	out := flags.String("out", "", "`file` of the page, .html (default out/explorer.html)")
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return usageError{errors.New("embedspace: explore without folders; allowed: 1 or more of embedspace train, behind the flags")}
	}
	path := cmp.Or(*out, filepath.Join("out", "explorer.html"))
	if filepath.Ext(path) != ".html" {
		return usageError{fmt.Errorf("embedspace: -out is %q; allowed: a file whose name ends in .html", path)}
	}
	var results []*embed.Result
	for _, folder := range flags.Args() {
		result, err := embed.Load(folder)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	train, test, err := load(results[0].Config.Dataset, stderr)
	if err != nil {
		return err
	}
	images, err := compare.ImagesOf(flags.Arg(0), train, test)
	if err != nil {
		return err
	}
	page, err := embed.Explore(images.Train, test, results...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := page.Save(path); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "saved as %s: open it in a browser\n", path)
	return nil
}
