package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/embedspace/embedspace/embed"
)

// animate writes the training of a saved embedding as an animated GIF.
func animate(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("animate", stderr)
	out := flags.String("out", "", "`file` of the animation, .gif (default animation.gif in the folder)")
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return usageError{fmt.Errorf("embedspace: animate with %d folders; allowed: one of embedspace train -explore, behind the flags", flags.NArg())}
	}
	folder := flags.Arg(0)
	path := cmp.Or(*out, filepath.Join(embed.Folder(folder), "animation.gif"))
	if strings.ToLower(filepath.Ext(path)) != ".gif" {
		return usageError{fmt.Errorf("embedspace: -out is %q; allowed: a file whose name ends in .gif", path)}
	}
	result, err := embed.Load(folder)
	if err != nil {
		return err
	}
	animation, err := result.Animation()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := animation.Save(path); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "saved as", path)
	return nil
}
