package compare

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/project"
	"github.com/embedspace/embedspace/viz"
)

// An Overview compares techniques, as section III of the paper does: each of them is
// trained on each dataset in each dimension with each seed. A zero field means its
// default.
type Overview struct {
	Techniques []string // IDs, or the names of families (see embed.Families); default: paper
	Datasets   []string // default: mnist, fashion-mnist, cifar-10
	Dims       []int    // default: 2, 3
	Seeds      int      // the seeds are 1 to Seeds; default: 1
	Train      int      // training images, a stratified subset; default: all
	Epochs     int      // default: see embed.Defaults
	Backend    string   // see backends.Open

	// Shard i of Shards, from 1 on, has each Shards-th of the cells from the i-th on: so
	// several machines share the work, each with a folder of its own (see
	// Merge). Default: all cells.
	Shard, Shards int
}

// Cells returns the training runs of the Overview: seed by seed, dataset by dataset and
// dimension by dimension, in the order of the techniques. The error names what is not
// allowed.
func (o Overview) Cells() ([]embed.Config, error) {
	if o.Techniques == nil {
		o.Techniques = []string{string(embed.Paper)}
	}
	o.Techniques = withoutFamilies(o.Techniques)
	if o.Datasets == nil {
		o.Datasets = []string{"mnist", "fashion-mnist", "cifar-10"}
	}
	if o.Dims == nil {
		o.Dims = []int{2, 3}
	}
	if o.Seeds == 0 {
		o.Seeds = 1
	}
	for _, name := range o.Datasets {
		if !slices.Contains(datasets.Names(), name) {
			return nil, &embed.ValueError{Name: "dataset", Value: name, Allowed: strings.Join(datasets.Names(), ", ")}
		}
	}
	if o.Seeds < 1 {
		return nil, &embed.ValueError{Name: "seeds", Value: o.Seeds, Allowed: "1 or more"}
	}
	cells, err := o.grid()
	if err != nil {
		return nil, err
	}
	return dealt(cells, o.Shard, o.Shards)
}

// dealt returns the part of all cells that shard i of n has.
func dealt[T any](all []T, i, n int) (part []T, err error) {
	if i == 0 && n == 0 {
		return all, nil
	}
	if i < 1 || i > n {
		return nil, fmt.Errorf("compare: shard is %d of %d; allowed: from 1 to their number", i, n)
	}
	for k := i - 1; k < len(all); k += n {
		part = append(part, all[k])
	}
	return part, nil
}

// withoutFamilies returns the IDs with those of its techniques in the place of each family.
func withoutFamilies(names []string) (ids []string) {
	for _, name := range names {
		if !slices.Contains(embed.Families(), embed.Family(name)) {
			ids = append(ids, name)
			continue
		}
		for _, technique := range embed.Techniques() {
			if technique.Family == embed.Family(name) {
				ids = append(ids, technique.ID)
			}
		}
	}
	return ids
}

// grid returns the training runs of all shards.
func (o Overview) grid() (cells []embed.Config, err error) {
	seen := map[string]bool{}
	for seed := range o.Seeds {
		for _, dataset := range o.Datasets {
			for _, dim := range o.Dims {
				if dim < 1 { // 0 would be the default
					return nil, &embed.ValueError{Name: "dim", Value: dim, Allowed: "1 or more"}
				}
				for _, technique := range o.Techniques {
					if _, err := embed.LookUp(technique); err != nil {
						return nil, fmt.Errorf("%w; or a family: %s, %s", err, embed.Paper, embed.After)
					}
					cfg, err := o.cell(embed.Config{Technique: technique, Dataset: dataset, Dim: dim, Seed: int64(seed + 1)})
					if err != nil {
						return nil, err
					}
					name := Cell{Config: cfg}.name()
					if seen[name] {
						return nil, fmt.Errorf("compare: %s is wanted twice; allowed: each technique, dataset and dim once", name)
					}
					seen[name] = true
					cells = append(cells, cfg)
				}
			}
		}
	}
	return cells, nil
}

// cell returns the Config of the cell with that technique, dataset, dimension and seed.
func (o Overview) cell(cfg embed.Config) (embed.Config, error) {
	return embed.Config{Technique: cfg.Technique, Dataset: cfg.Dataset, Dim: cfg.Dim, Seed: cfg.Seed,
		Epochs: o.Epochs, Train: o.Train, Backend: o.Backend}.WithDefaults()
}

// Run trains the cells, shows how it goes on (see embed.Options.Progress), and writes into the
// folder out (empty: out/overview in the module around the working folder):
//
//	overview.png, .svg, overview-DATASET.png, .svg   techniques by datasets and dimensions
//	overview-paper.png, .svg                         the same as the paper arranges it, with nine of its techniques
//	overview.npz, overview-DATASET.npz, ...          what they show, for ReadFigure
//	results.csv, results.json, results.md            mean and standard deviation over the seeds
//	manifest.json                                    configuration, data, versions, machines
//	cells/TECHNIQUE-DATASET-DIMd-sSEED/              cell.json, panel.npz, and what embed.Result.Save writes
//
// What embed.Result.Save writes there can be removed once the cell is done.
//
// What is done already is not trained again, and a training that was interrupted, or
// killed, goes on. Tables and figures have all cells of the folder, so a second Run with
// other techniques, datasets, dimensions or seeds adds to them; the error of one with
// other epochs, training images, backend or data names the difference.
//
// What is done also stays when a registered technique is changed: a changed loss needs
// another ID or folder.
//
// A cell that fails is marked and the others go on; the error at the end names it, and
// the next Run tries it again. A file that can't be written ends the Run. Before any
// training come the errors of datasets that can't be loaded. When ctx ends, tables and
// figures are written and the error wraps ctx.Err().
func (o Overview) Run(ctx context.Context, out string, progress io.Writer) error {
	cells, err := o.Cells()
	if err != nil {
		return err
	}
	c := o.comparison(overviewFolder(out))
	c.trainees = cellsOf(cells)
	return c.run(ctx, progress)
}

func overviewFolder(out string) string {
	if out == "" {
		return filepath.Join(project.Root(), "out", "overview")
	}
	return out
}

func (o Overview) comparison(folder string) comparison {
	return comparison{
		folder: folder, wanted: wanted{o.Epochs, o.Train, o.Backend},
		load: datasets.Load, figures: overviewFigures,
		expect: func(trained *cell) (embed.Config, error) { return o.cell(trained.Config) },
	}
}

// overviewFigures returns by their names the figure of each dataset and that of all, which
// has techniques in rows and datasets and dimensions in columns.
func overviewFigures(folder string, cells map[string]*cell) (map[string]*viz.Figure, error) {
	if len(cells) == 0 { // a shard, of more than there are cells
		return nil, nil
	}
	var names, ids []string
	var dims []int
	for _, name := range sortedNames(cells) {
		cfg := cells[name].Config
		names, ids, dims = append(names, cfg.Dataset), append(ids, cfg.Technique), append(dims, cfg.Dim)
	}
	slices.Sort(dims)
	names, dims = slices.Compact(names), slices.Compact(dims)
	var compared []embed.Technique
	for _, technique := range embed.Techniques() {
		if slices.Contains(ids, technique.ID) {
			compared = append(compared, technique)
		}
	}

	figures := map[string]*viz.Figure{}
	all := &viz.Figure{Title: "Overview", Columns: len(names) * len(dims)}
	for _, technique := range compared {
		all.RowLabels = append(all.RowLabels, technique.Title)
		panels, err := techniquePanels(folder, cells, technique, names, dims, len(compared)*all.Columns)
		if err != nil {
			return nil, err
		}
		for _, panel := range panels {
			all.Panels = append(all.Panels, panel)
		}
	}
	for _, name := range names {
		figure, err := datasetFigure(folder, cells, name, compared, dims)
		if err != nil {
			return nil, err
		}
		figures["overview-"+name] = figure
		for _, dim := range dims {
			all.ColumnLabels = append(all.ColumnLabels, fmt.Sprintf("%s, %d-D", name, dim))
		}
	}
	figures["overview"] = all
	paper, err := paperOverview(folder, cells, names, dims)
	if err != nil {
		return nil, err
	}
	if paper != nil {
		figures["overview-paper"] = paper
	}
	if len(names) == 1 {
		figures["overview"] = figures["overview-"+names[0]]
	}
	return figures, nil
}

// paperColumns are the nine columns of the overview in the paper: of the angular margins and of
// the minings of triplets one each, that which the paper cites or shows.
var paperColumns = []string{"softmax", "softmax-normalized", "cosface", "center", "center-normalized", "contrastive", "triplet-semihard", "regression-raster", "regression-circle"}

// paperOverview returns the overview as the paper arranges it: with datasets and dimensions in
// rows and nine techniques in columns. It is nil where one of them is not among the cells.
func paperOverview(folder string, cells map[string]*cell, names []string, dims []int) (*viz.Figure, error) {
	figure := &viz.Figure{Title: "Overview, as in the paper", Columns: len(paperColumns)}
	columns := make([][]viz.Scatter, len(paperColumns))
	for i, id := range paperColumns {
		if !slices.ContainsFunc(slices.Collect(maps.Values(cells)), func(c *cell) bool { return c.Config.Technique == id }) {
			return nil, nil
		}
		technique, err := embed.LookUp(id)
		if err != nil {
			return nil, err
		}
		figure.ColumnLabels = append(figure.ColumnLabels, technique.Title)
		if columns[i], err = techniquePanels(folder, cells, technique, names, dims, len(paperColumns)*len(names)*len(dims)); err != nil {
			return nil, err
		}
	}
	for row := range len(names) * len(dims) {
		figure.RowLabels = append(figure.RowLabels, fmt.Sprintf("%s, %d-D", names[row/len(dims)], dims[row%len(dims)]))
		for _, column := range columns {
			figure.Panels = append(figure.Panels, column[row])
		}
	}
	return figure, nil
}

// datasetFigure returns the figure of a dataset: several techniques beside each other, each
// in all dimensions, so that the figure is about as wide as it is high.
func datasetFigure(folder string, cells map[string]*cell, dataset string, compared []embed.Technique, dims []int) (*viz.Figure, error) {
	beside := 1
	for beside*beside*len(dims) < len(compared) {
		beside++
	}
	figure := &viz.Figure{Title: "Overview of " + dataset, Columns: beside * len(dims)}
	if len(dims) == 1 {
		figure.Title += fmt.Sprintf(", %d-D", dims[0])
	} else {
		for i := range figure.Columns {
			figure.ColumnLabels = append(figure.ColumnLabels, fmt.Sprintf("%d-D", dims[i%len(dims)]))
		}
	}
	for _, technique := range compared {
		panels, err := techniquePanels(folder, cells, technique, []string{dataset}, dims, len(compared)*len(dims))
		if err != nil {
			return nil, err
		}
		for _, panel := range panels {
			panel.Title = technique.Title
			figure.Panels = append(figure.Panels, panel)
		}
	}
	return figure, nil
}

// techniquePanels returns the panels of a technique, for a figure of that many.
func techniquePanels(folder string, cells map[string]*cell, technique embed.Technique, names []string, dims []int, of int) (panels []viz.Scatter, err error) {
	for _, name := range names {
		for _, dim := range dims {
			cfg := embed.Config{Technique: technique.ID, Dataset: name, Dim: dim}
			panel, _, err := cellPanel(folder, cells, Cell{Config: cfg}, pointsPerPanel(of))
			if err != nil {
				return nil, err
			}
			panels = append(panels, panel)
		}
	}
	return panels, nil
}
