package compare

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/viz"
)

// names returns the names of cells.
func names(t *testing.T, cells []embed.Config, err error) (list []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range cells {
		list = append(list, cfg.Name())
	}
	return list
}

// ofFamily returns the techniques of a family.
func ofFamily(family embed.Family) []embed.Technique {
	return slices.DeleteFunc(embed.Techniques(), func(t embed.Technique) bool { return t.Family != family })
}

func TestOverviewCells(t *testing.T) {
	cells, err := Overview{}.Cells()
	all := names(t, cells, err)
	var want []string
	for _, dataset := range []string{"mnist", "fashion-mnist", "cifar-10"} {
		for _, dim := range []int{2, 3} {
			for _, technique := range ofFamily(embed.Paper) {
				want = append(want, fmt.Sprintf("%s-%s-%dd-s1", technique.ID, dataset, dim))
			}
		}
	}
	embedtest.CheckEqual(t, "cells by default", all, want)

	o := Overview{Techniques: []string{"softmax"}, Datasets: []string{"mnist"}, Dims: []int{2}, Seeds: 3, Epochs: 7, Train: 200}
	cells, err = o.Cells()
	embedtest.CheckEqual(t, "cells", names(t, cells, err), []string{"softmax-mnist-2d-s1", "softmax-mnist-2d-s2", "softmax-mnist-2d-s3"})
	embedtest.CheckEqual(t, "epochs and images", [2]int{cells[2].Epochs, cells[2].Train}, [2]int{7, 200})

	cells, err = Overview{Techniques: []string{"softmax", "after"}, Datasets: []string{"mnist"}, Dims: []int{2}}.Cells()
	withFamily := []string{"softmax-mnist-2d-s1"}
	for _, technique := range ofFamily(embed.After) {
		withFamily = append(withFamily, technique.ID+"-mnist-2d-s1")
	}
	embedtest.CheckEqual(t, "cells of a technique and a family", names(t, cells, err), withFamily)

	var dealt []string
	for shard := 1; shard <= 5; shard++ {
		cells, err := Overview{Shard: shard, Shards: 5}.Cells()
		list := names(t, cells, err)
		if n := len(list); n < len(want)/5 || n > len(want)/5+1 {
			t.Errorf("shard %d of 5 has %d of %d cells", shard, n, len(want))
		}
		dealt = append(dealt, list...)
	}
	slices.Sort(dealt)
	slices.Sort(want)
	embedtest.CheckEqual(t, "cells of all shards", dealt, want)

	for _, wrong := range []struct {
		Overview
		words []string
	}{
		{Overview{Shards: 2}, []string{"shard is 0 of 2"}},
		{Overview{Shard: 3, Shards: 2}, []string{"shard is 3 of 2"}},
		{Overview{Seeds: -1}, []string{"seeds is -1", "1 or more"}},
		{Overview{Dims: []int{0}}, []string{"dim is 0", "1 or more"}},
		{Overview{Dims: []int{2, 2}}, []string{"softmax-mnist-2d-s1", "twice"}},
		{Overview{Datasets: []string{"digits"}}, []string{`"digits"`, "mnist-sample"}},
		{Overview{Techniques: []string{"hardmax"}}, []string{`"hardmax"`, "softmax", "a family: paper, after"}},
		{Overview{Techniques: []string{"after", "supcon"}}, []string{"supcon-mnist-2d-s1", "twice"}},
		{Overview{Techniques: []string{"softmax", ""}}, []string{`""`, "softmax"}},
		{Overview{Epochs: -1}, []string{"epochs is -1", "1 or more"}},
	} {
		_, err := wrong.Cells()
		embedtest.WantError(t, err, wrong.words...)
	}
}

// TestOverviewFigures: each panel stands where its labels say.
func TestOverviewFigures(t *testing.T) {
	figuresOf := func(o Overview) map[string]*viz.Figure {
		list, err := o.Cells()
		if err != nil {
			t.Fatal(err)
		}
		cells := map[string]*cell{}
		for _, cfg := range list {
			cells[cfg.Name()] = &cell{Config: cfg}
		}
		figures, err := overviewFigures(t.TempDir(), cells)
		if err != nil {
			t.Fatal(err)
		}
		for name, figure := range figures {
			if err := figure.WriteSVG(io.Discard); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		return figures
	}
	titles := func(f *viz.Figure) (list []string) {
		for _, panel := range f.Panels {
			list = append(list, panel.Title)
		}
		return list
	}

	figures := figuresOf(Overview{Techniques: []string{"center", "softmax", "cosface"}, Datasets: []string{"cifar-10", "mnist"}})
	embedtest.CheckEqual(t, "figures", slices.Sorted(maps.Keys(figures)), []string{"overview", "overview-cifar-10", "overview-mnist"})
	all := figures["overview"]
	embedtest.CheckEqual(t, "rows", all.RowLabels, []string{"Softmax", "CosFace", "Center loss"})
	embedtest.CheckEqual(t, "columns", all.ColumnLabels, []string{"mnist, 2-D", "mnist, 3-D", "cifar-10, 2-D", "cifar-10, 3-D"})
	one := figures["overview-mnist"]
	embedtest.CheckEqual(t, "title", one.Title, "Overview of mnist")
	embedtest.CheckEqual(t, "columns of one", one.ColumnLabels, []string{"2-D", "3-D", "2-D", "3-D"})
	embedtest.CheckEqual(t, "panels of one", titles(one), []string{"Softmax", "Softmax", "CosFace", "CosFace", "Center loss", "Center loss"})

	var ids []string
	for _, technique := range ofFamily(embed.Paper) {
		ids = append(ids, technique.ID)
	}
	figures = figuresOf(Overview{Techniques: ids, Datasets: []string{"mnist"}, Dims: []int{3}})
	embedtest.CheckEqual(t, "figure of all", figures["overview"], figures["overview-mnist"])
	embedtest.CheckEqual(t, "its title", figures["overview"].Title, "Overview of mnist, 3-D")
	embedtest.CheckEqual(t, "its columns", figures["overview"].Columns, 4)
}

// TestPaperFiguresCells: what figures 2 to 7 show, each once.
func TestPaperFiguresCells(t *testing.T) {
	cells, err := PaperFigures{}.Cells()
	embedtest.CheckEqual(t, "cells", names(t, cells, err), []string{
		"softmax-mnist-2d-s1", "softmax-mnist-2d-s1-activation-sigmoid", "softmax-mnist-2d-s1-activation-relu", "softmax-mnist-2d-s1-activation-selu",
		"softmax-normalized-mnist-2d-s1",
		"cosface-mnist-2d-s1-margin-0", "cosface-mnist-2d-s1", "cosface-mnist-2d-s1-margin-0.2",
		"center-mnist-2d-s1", "center-normalized-mnist-2d-s1",
		"contrastive-mnist-2d-s1", "triplet-all-mnist-2d-s1", "triplet-hard-mnist-2d-s1", "triplet-semihard-mnist-2d-s1",
		"regression-raster-mnist-2d-s1", "regression-circle-mnist-2d-s1",
	})
	cells, err = PaperFigures{Dataset: "fashion-mnist", Only: []int{5, 3}}.Cells()
	embedtest.CheckEqual(t, "cells of figures 3 and 5", names(t, cells, err), []string{
		"softmax-fashion-mnist-2d-s1", "softmax-normalized-fashion-mnist-2d-s1", "center-fashion-mnist-2d-s1", "center-normalized-fashion-mnist-2d-s1",
	})
	_, err = PaperFigures{Only: []int{8}}.Cells()
	embedtest.WantError(t, err, "figure is 8", "2 to 7")
}

// TestMergeOfDatasets: epochs and images are compared within a dataset only.
func TestMergeOfDatasets(t *testing.T) {
	overview := func(o Overview, datasets ...string) (folder string) {
		o.Techniques, o.Datasets, o.Dims = []string{"softmax"}, datasets, []int{2}
		configs, err := o.Cells()
		if err != nil {
			t.Fatal(err)
		}
		c := o.comparison(t.TempDir())
		cells := map[string]*cell{}
		for _, cfg := range configs {
			cfg = c.complete(cfg, embed.DataInfo{TrainImages: 5000})
			cfg.Backend = "go"
			trained := &cell{Config: cfg, Data: embed.DataInfo{TrainImages: 5000}, Started: time.Unix(1, 0), Result: &measured{}}
			if err := trained.write(c.folder); err != nil {
				t.Fatal(err)
			}
			cells[cfg.Name()] = trained
		}
		if err := c.writeManifest(cells); err != nil {
			t.Fatal(err)
		}
		return c.folder
	}
	digits, clothes := overview(Overview{Epochs: 7}, "mnist"), overview(Overview{}, "fashion-mnist")
	for _, folders := range [][]string{{digits, clothes}, {clothes, digits}} {
		if _, err := Merge(folders, t.TempDir()); err != nil {
			t.Error(err)
		}
	}
	_, err := Merge([]string{digits, overview(Overview{Epochs: 8, Train: 500}, "mnist")}, t.TempDir())
	embedtest.WantError(t, err, "softmax-mnist-2d-s1", "epochs is 8, not 7")
	_, err = Merge([]string{digits, overview(Overview{Epochs: 7, Train: 500}, "mnist")}, t.TempDir())
	embedtest.WantError(t, err, "softmax-mnist-2d-s1", "train is 500, not 5000")
}

// TestTechniquesAreShown: each technique is in a notebook, in a row of the README and in the
// overview of its family.
func TestTechniquesAreShown(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for family, folder := range map[embed.Family]string{embed.Paper: "overview", embed.After: "after"} {
		overview, err := ReadFigure("../../docs/results/" + folder + "/overview.npz")
		if err != nil {
			t.Fatal(err)
		}
		titles := slices.Clone(overview.RowLabels)
		for i, panel := range overview.Panels {
			titles = append(titles, panel.Title) // where the overview is that of one dataset
			if panel.Missing != "" {
				t.Errorf("panel %d of the overview is %s", i, panel.Missing)
			}
		}
		for _, technique := range ofFamily(family) {
			notebook, err := os.ReadFile("../../notebooks/" + technique.Notebook + ".ipynb")
			if err != nil {
				t.Errorf("%s: %v", technique.ID, err)
			}
			if !strings.Contains(string(notebook), technique.ID) {
				t.Errorf("%s is not in the notebook %s", technique.ID, technique.Notebook)
			}
			row := false
			for line := range strings.Lines(string(readme)) {
				row = row || strings.HasPrefix(line, "|") && strings.Contains(line, "`"+technique.ID+"`") &&
					strings.Contains(line, "notebooks/"+technique.Notebook+".ipynb")
			}
			if !row {
				t.Errorf("%s has no row in the README", technique.ID)
			}
			if !slices.Contains(titles, technique.Title) {
				t.Errorf("%s is not in the overview", technique.ID)
			}
		}
	}
}
