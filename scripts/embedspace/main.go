// Command embedspace lists the techniques, trains embeddings, compares them, measures what they
// do with classes that they have never seen, writes pages to look into them, animates their
// training, explains decisions and measures speed.
//
// Usage:
//
//	embedspace list [-json]
//	embedspace train [flags]
//	embedspace overview [flags]
//	embedspace overview [-out FOLDER] -merge FOLDER...
//	embedspace figures [flags]
//	embedspace openset [flags]
//	embedspace openset [-out FOLDER] -merge FOLDER...
//	embedspace fewshot [flags]
//	embedspace fewshot [-out FOLDER] -merge FOLDER...
//	embedspace explore [-out FILE] DIR...
//	embedspace explain [flags] DIR
//	embedspace animate [-out FILE] DIR
//	embedspace bench [flags]
//
// "embedspace train -h" and the like list the flags. Results go to standard output,
// progress and errors to standard error. The exit code is 0 when all went well, 1 when
// the work failed, 2 when the command line is wrong and 130 when it was interrupted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/embedspace/embedspace/embed"
)

const usage = `usage: embedspace list [-json]       techniques, datasets, parameters, backends
       embedspace train [flags]      train an embedding and save it
       embedspace overview [flags]   compare techniques on datasets: figures and tables
       embedspace figures [flags]    train and draw figures 2 to 7 of the paper
       embedspace openset [flags]    tell images of unknown classes: tables, curves, pictures
       embedspace fewshot [flags]    learn unknown classes from few images: tables
       embedspace explore DIR...     write saved embeddings as a page to look into
       embedspace explain DIR        draw why an image is of one class and not of another
       embedspace animate DIR        write the training of a saved embedding as a GIF
       embedspace bench [flags]      measure images per second

embedspace train -h and the like list their flags.
`

// A usageError is a mistake in the command line.
type usageError struct{ error }

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes the command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(args []string, stdout, stderr io.Writer) error{
		"list": list, "train": train, "overview": overview, "figures": figures, "openset": openset, "fewshot": fewshot,
		"explore": explore, "explain": explain, "animate": animate, "bench": bench,
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	command, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(stderr, "embedspace: unknown command %q; allowed: list, train, overview, figures, openset, fewshot, explore, explain, animate, bench\n", args[0])
		return 2
	}
	err := command(args[1:], stdout, stderr)
	var mistake usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, err)
		return 130
	case errors.As(err, &mistake):
		fmt.Fprintln(stderr, err)
		return 2
	default:
		fmt.Fprintln(stderr, err)
		return 1
	}
}

// newFlags returns the flags of a command. A mistake in them lists what there is.
func newFlags(command string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("embedspace "+command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	return flags
}

// settings defines flags for the fields of a Config of these names, or for all.
func settings(flags *flag.FlagSet, cfg *embed.Config, names ...string) {
	for _, field := range embed.Defaults() {
		if field.Means == "" || len(names) > 0 && !slices.Contains(names, field.Name) {
			continue
		}
		flags.Func(field.Name, fmt.Sprintf("%s: %s (default %s)", field.Means, field.Allowed, field.Default), func(value string) error {
			return cfg.Set(field.Name, value)
		})
	}
}

// parse parses the flags; words after them are a mistake.
func parse(flags *flag.FlagSet, args []string) error {
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	return noWords(flags)
}

// parseFlags parses the flags, which words may follow.
func parseFlags(flags *flag.FlagSet, args []string) error {
	output := flags.Output()
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	flags.SetOutput(output)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.Usage()
		return err
	case err != nil && !strings.Contains(err.Error(), "not defined"):
		return usageError{fmt.Errorf("embedspace: %w; see %s -h", err, flags.Name())}
	case err != nil:
		var names []string
		flags.VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
		return usageError{fmt.Errorf("embedspace: %w; allowed: %s", err, strings.Join(names, ", "))}
	}
	return nil
}

// noWords returns the mistake of words after the flags.
func noWords(flags *flag.FlagSet) error {
	if flags.NArg() > 0 {
		return usageError{fmt.Errorf("embedspace: unexpected %q after the flags", flags.Arg(0))}
	}
	return nil
}

// printJSON writes one line.
func printJSON(w io.Writer, value any) error {
	return json.NewEncoder(w).Encode(value)
}
