package compare

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/project"
	"github.com/embedspace/embedspace/viz"
)

// PaperFigures are figures 2 to 7 of the paper, which show the techniques in the plane. A
// zero field means its default.
type PaperFigures struct {
	Dataset string // default: mnist
	Only    []int  // numbers of figures; default: 2 to 7
	Train   int    // training images, a stratified subset; default: all
	Epochs  int    // default: see embed.Defaults
	Backend string // see backends.Open
}

// A paperFigure is a figure of the paper.
type paperFigure struct {
	title       string
	panels      []embed.Config // technique, activation, params
	activations bool           // are compared, without class vectors: biases decide where one is bounded
	projected   bool           // has a second column, on the unit circle
}

// paperFigureOf holds the figures by their numbers.
var paperFigureOf = map[int]paperFigure{
	2: {title: "Activations in front of the embedding, softmax", activations: true, panels: []embed.Config{
		{Technique: "softmax"}, {Technique: "softmax", Activation: "sigmoid"},
		{Technique: "softmax", Activation: "relu"}, {Technique: "softmax", Activation: "selu"},
	}},
	3: {title: "Softmax", panels: []embed.Config{{Technique: "softmax"}, {Technique: "softmax-normalized"}}},
	4: {title: "CosFace", projected: true, panels: []embed.Config{
		{Technique: "cosface", Params: embed.Params{"margin": 0}},
		{Technique: "cosface", Params: embed.Params{"margin": 0.05}},
		{Technique: "cosface", Params: embed.Params{"margin": 0.2}},
	}},
	5: {title: "Center loss", panels: []embed.Config{{Technique: "center"}, {Technique: "center-normalized"}}},
	6: {title: "Contrastive and triplet loss", panels: []embed.Config{
		{Technique: "contrastive"}, {Technique: "triplet-all"}, {Technique: "triplet-hard"}, {Technique: "triplet-semihard"},
	}},
	7: {title: "Regression to targets", panels: []embed.Config{{Technique: "regression-raster"}, {Technique: "regression-circle"}}},
}

// label names the panel of a cell among the others of its figure.
func (f paperFigure) label(cfg embed.Config) string {
	switch {
	case f.projected:
		return fmt.Sprintf("m = %v", cfg.Params["margin"])
	case f.activations:
		return cfg.Activation
	}
	technique, err := embed.LookUp(cfg.Technique)
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
		if _, ok := paperFigureOf[number]; !ok {
			return nil, &embed.ValueError{Name: "figure", Value: number, Allowed: "2 to 7"}
		}
	}
	return slices.Compact(numbers), nil
}

// Cells returns the training runs of the figures, each once. The error names what is not
// allowed.
func (p PaperFigures) Cells() ([]embed.Config, error) {
	numbers, err := p.numbers()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(datasets.Names(), cmp.Or(p.Dataset, "mnist")) {
		return nil, &embed.ValueError{Name: "dataset", Value: p.Dataset, Allowed: strings.Join(datasets.Names(), ", ")}
	}
	var cells []embed.Config
	seen := map[string]bool{}
	for _, number := range numbers {
		for _, panel := range paperFigureOf[number].panels {
			cfg, err := p.cell(panel)
			if err != nil {
				return nil, err
			}
			if name := (Cell{Config: cfg}).name(); !seen[name] {
				seen[name] = true
				cells = append(cells, cfg)
			}
		}
	}
	return cells, nil
}

// cell returns the Config of the cell with that technique, activation and parameters.
func (p PaperFigures) cell(cfg embed.Config) (embed.Config, error) {
	return embed.Config{Technique: cfg.Technique, Activation: cfg.Activation, Params: cfg.Params,
		Dataset: cmp.Or(p.Dataset, "mnist"), Epochs: p.Epochs, Train: p.Train, Backend: p.Backend}.WithDefaults()
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
		folder: out, trainees: cellsOf(cells), wanted: wanted{p.Epochs, p.Train, p.Backend},
		load: datasets.Load, figures: p.figures,
		expect: func(trained *cell) (embed.Config, error) { return p.cell(trained.Config) },
	}.run(ctx, progress)
}

// figures returns the figures of which all cells exist, trained or not.
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
			complete = complete && cells[Cell{Config: cfg}.name()] != nil
			scatter, _, err := cellPanel(folder, cells, Cell{Config: cfg}, pointsPerPanel(len(paper.panels)))
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
