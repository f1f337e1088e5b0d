package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/backends"
)

// A technique is what list shows of an embed.Technique.
type technique struct {
	ID       string  `json:"id"`
	Title    string  `json:"title"`
	Family   string  `json:"family"`
	Section  string  `json:"section"`
	Figure   string  `json:"figure"`
	Source   string  `json:"source"`
	Notebook string  `json:"notebook"`
	Geometry string  `json:"geometry"`
	Known    string  `json:"known"`
	Params   []param `json:"params"`
}

type param struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Allowed string `json:"allowed"`
	Reason  string `json:"reason"`
}

// list shows techniques, datasets, parameters with their defaults, and backends.
func list(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("list", stderr)
	asJSON := flags.Bool("json", false, "print one JSON object")
	if err := parse(flags, args); err != nil {
		return err
	}
	var techniques []technique
	for _, t := range embed.Techniques() {
		techniques = append(techniques, technique{t.ID, t.Title, string(t.Family), t.Section, t.Figure, t.Source, t.Notebook, string(t.Geometry), t.Known, params(t.Params)})
	}
	if *asJSON {
		return printJSON(stdout, map[string]any{
			"techniques": techniques, "datasets": datasets.Names(), "params": defaults(), "backends": backends.Names(),
		})
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	heads := map[string]string{string(embed.Paper): "TECHNIQUE\tPAPER", string(embed.After): "\nAFTER THE PAPER\tCOMES FROM, SOURCE"}
	for i, t := range techniques {
		if i == 0 || t.Family != techniques[i-1].Family {
			fmt.Fprintf(w, "%s\tNOTEBOOK\tGEOMETRY\tKNOWN BY\tTITLE\n", heads[t.Family])
		}
		fmt.Fprintf(w, "%s\t%s, %s%s\t%s\t%s\t%s\t%s\n", t.ID, t.Section, t.Figure, t.Source, t.Notebook, t.Geometry, t.Known, t.Title)
		for _, p := range t.Params {
			fmt.Fprintf(w, "  -set %s=%s\t%s\t\t\t\t%s\n", p.Name, p.Default, p.Allowed, p.Reason)
		}
	}
	w.Flush()
	fmt.Fprintln(stdout, "\nKNOWN BY is the score that tells known images from unknown ones, by default.")
	fmt.Fprintln(stdout, "\nPARAMETER: DEFAULT (ALLOWED)\n    WHY")
	for _, p := range embed.Defaults() {
		fmt.Fprintf(stdout, "%s: %s (%s)\n    %s\n", p.Name, p.Default, p.Allowed, p.Reason)
	}
	fmt.Fprintln(stdout, "\nWhat is not fixed is a flag of train; the parameters of a technique are set by -set NAME=VALUE.")
	fmt.Fprintln(stdout, "Datasets:", strings.Join(datasets.Names(), ", "))
	fmt.Fprintln(stdout, "Backends:", strings.Join(backends.Names(), ", "))
	return nil
}

// params describes the parameters of a technique.
func params(all []embed.Param) []param {
	rows := []param{}
	for _, p := range all {
		rows = append(rows, param{p.Name, fmt.Sprint(p.Default), p.Allowed(), p.Reason})
	}
	return rows
}

// defaults describes the parameters of a run.
func defaults() []param {
	rows := []param{}
	for _, d := range embed.Defaults() {
		rows = append(rows, param{d.Name, d.Default, d.Allowed, d.Reason})
	}
	return rows
}
