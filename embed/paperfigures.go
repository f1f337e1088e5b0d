package embed

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/internal/project"
	"github.com/embedspace/embedspace/viz"
)

// PaperFigures are figures 2 to 7 of the paper, which show the techniques in the plane. A
// zero field means its default.
type PaperFigures struct {
	Dataset string // default: mnist
	Only    []int  // numbers of figures; default: 2 to 7
	Train   int    // training images, a stratified subset; default: all
	Epochs  int    // default: see Defaults
	Backend string // see OpenBackend
}

// A paperFigure is a figure of the paper.
type paperFigure struct {
	title       string
	panels      []Config // technique, activation, params
	activations bool     // are compared, without class vectors: biases decide where one is bounded
	projected   bool     // has a second column, on the unit circle
}

// paperFigureOf holds the figures by their numbers.
var paperFigureOf = map[int]paperFigure{
	2: {title: "Activations in front of the embedding, softmax", activations: true, panels: []Config{
		{Technique: "softmax"}, {Technique: "softmax", Activation: "sigmoid"},
		{Technique: "softmax", Activation: "relu"}, {Technique: "softmax", Activation: "selu"},
	}},
	3: {title: "Softmax", panels: []Config{{Technique: "softmax"}, {Technique: "softmax-normalized"}}},
	4: {title: "CosFace", projected: true, panels: []Config{
		{Technique: "cosface", Params: map[string]float64{"margin": 0}},
		{Technique: "cosface", Params: map[string]float64{"margin": 0.05}},
		{Technique: "cosface", Params: map[string]float64{"margin": 0.2}},
	}},
	5: {title: "Center loss", panels: []Config{{Technique: "center"}, {Technique: "center-normalized"}}},
	6: {title: "Contrastive and triplet loss", panels: []Config{
		{Technique: "contrastive"}, {Technique: "triplet-all"}, {Technique: "triplet-hard"}, {Technique: "triplet-semihard"},
	}},
	7: {title: "Regression to targets", panels: []Config{{Technique: "regression-raster"}, {Technique: "regression-circle"}}},
}

// label names the panel of a cell among the others of its figure.
func (f paperFigure) label(cfg Config) string {
	switch {
	case f.projected:
		return fmt.Sprintf("m = %g", cfg.Params["margin"])
	case f.activations:
		return cfg.Activation
	}
	technique, err := LookUp(cfg.Technique)
	if err != nil {
		return cfg.Technique
	}
	return technique.Title
}

// numbers returns the numbers of the figures, in order.
func (p PaperFigures) numbers() ([]int, error) {
	numbers := slices.Clone(p.Only)
	if numbers == nil {
		numbers = []int{2, 3, 4, 5, 6, 7}
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		if !has(paperFigureOf, number) {
			return nil, fmt.Errorf("embed: figure is %d; allowed: 2 to 7", number)
		}
	}
	return slices.Compact(numbers), nil
}

// Cells returns the trainings of the figures, each once. The error names what is not
// allowed.
func (p PaperFigures) Cells() ([]Config, error) {
	numbers, err := p.numbers()
	if err != nil {
		return nil, err
	}
	var cells []Config
	there := map[string]bool{}
	for _, number := range numbers {
		for _, panel := range paperFigureOf[number].panels {
			cfg, err := p.cell(panel)
			if err != nil {
				return nil, err
			}
			if name := cellName(cfg); !there[name] {
				there[name] = true
				cells = append(cells, cfg)
			}
		}
	}
	return cells, nil
}

// cell returns the Config of the cell with that technique, activation and parameters.
func (p PaperFigures) cell(c Config) (Config, error) {
	setDefault(&p.Dataset, "mnist")
	return Config{Technique: c.Technique, Activation: c.Activation, Params: c.Params,
		Dataset: p.Dataset, Epochs: p.Epochs, Train: p.Train, Backend: p.Backend}.WithDefaults()
}

// Run trains the cells of the figures and writes figure-N.png, .svg and .npz (for
// ReadFigure), and all else as Overview.Run does, into the folder out (empty: out/figures
// in the module around the working folder), which is for one dataset. Drawn is also a
// figure of an earlier Run.
func (p PaperFigures) Run(ctx context.Context, out string, progress io.Writer) error {
	cells, err := p.Cells()
	if err != nil {
		return err
	}
	if out == "" {
		out = filepath.Join(project.Root(), "out", "figures")
	}
	return comparison{
		folder: out, cells: cells, asked: asked{p.Epochs, p.Train, p.Backend},
		load: datasets.Load, expect: p.cell, figures: p.figures,
	}.run(ctx, progress)
}

// figures returns the figures whose cells are all there, trained or not.
func (p PaperFigures) figures(folder string, cells map[string]*cell) (map[string]*viz.Figure, error) {
	figures := map[string]*viz.Figure{}
	for number, paper := range paperFigureOf {
		figure := &viz.Figure{Title: fmt.Sprintf("Fig. %d: %s", number, paper.title)}
		if paper.projected {
			figure.Columns = 2
			figure.ColumnLabels = []string{"embedding", "on the unit circle"}
		}
		complete := true
		for _, panel := range paper.panels {
			cfg, err := p.cell(panel)
			if err != nil {
				return nil, err
			}
			complete = complete && has(cells, cellName(cfg))
			scatter, err := cellPanel(folder, cells, cfg, pointsPerPanel(len(paper.panels)))
			if err != nil {
				return nil, err
			}
			scatter.Title = paper.label(cfg)
			if paper.activations {
				scatter.ClassVectors = nil
			}
			figure.Panels = append(figure.Panels, scatter)
			if paper.projected {
				if scatter.Missing == "" {
					scatter = scatter.Projected()
				}
				figure.Panels = append(figure.Panels, scatter)
			}
		}
		if complete {
			figures[fmt.Sprintf("figure-%d", number)] = figure
		}
	}
	return figures, nil
}
