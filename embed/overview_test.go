package embed

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/embedspace/embedspace/viz"
)

// names returns the names of cells.
func names(t *testing.T, cells []Config, err error) (list []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range cells {
		list = append(list, cellName(cfg))
	}
	return list
}

func TestOverviewCells(t *testing.T) {
	cells, err := Overview{}.Cells()
	all := names(t, cells, err)
	var want []string
	for _, dataset := range []string{"mnist", "fashion-mnist", "cifar-10"} {
		for _, dim := range []int{2, 3} {
			for _, technique := range Techniques() {
				want = append(want, fmt.Sprintf("%s-%s-%dd-s1", technique.ID, dataset, dim))
			}
		}
	}
	checkEqual(t, "cells by default", all, want)

	o := Overview{Techniques: []string{"softmax"}, Datasets: []string{"mnist"}, Dims: []int{2}, Seeds: 3, Epochs: 7, Train: 200}
	cells, err = o.Cells()
	checkEqual(t, "cells", names(t, cells, err), []string{"softmax-mnist-2d-s1", "softmax-mnist-2d-s2", "softmax-mnist-2d-s3"})
	checkEqual(t, "epochs and images", [2]int{cells[2].Epochs, cells[2].Train}, [2]int{7, 200})

	var dealt []string
	for shard := 1; shard <= 5; shard++ {
		cells, err := Overview{Shard: shard, Shards: 5}.Cells()
		list := names(t, cells, err)
		if n := len(list); n < 16 || n > 17 {
			t.Errorf("shard %d of 5 has %d of 84 cells", shard, n)
		}
		dealt = append(dealt, list...)
	}
	slices.Sort(dealt)
	slices.Sort(want)
	checkEqual(t, "cells of all shards", dealt, want)

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
		{Overview{Techniques: []string{"hardmax"}}, []string{`"hardmax"`, "softmax"}},
		{Overview{Techniques: []string{"softmax", ""}}, []string{`""`, "softmax"}},
		{Overview{Epochs: -1}, []string{"epochs is -1", "1 or more"}},
	} {
		_, err := wrong.Cells()
		wantError(t, err, wrong.words...)
	}
}

// TestPaperFiguresCells: what figures 2 to 7 show, each once.
// TestOverviewFigures: each panel stands where its labels say.
func TestOverviewFigures(t *testing.T) {
	figuresOf := func(o Overview) map[string]*viz.Figure {
		list, err := o.Cells()
		if err != nil {
			t.Fatal(err)
		}
		cells := map[string]*cell{}
		for _, cfg := range list {
			cells[cellName(cfg)] = &cell{Config: cfg}
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
	checkEqual(t, "figures", slices.Sorted(maps.Keys(figures)), []string{"overview", "overview-cifar-10", "overview-mnist"})
	all := figures["overview"]
	checkEqual(t, "rows", all.RowLabels, []string{"Softmax", "CosFace", "Center loss"})
	checkEqual(t, "columns", all.ColumnLabels, []string{"mnist, 2-D", "mnist, 3-D", "cifar-10, 2-D", "cifar-10, 3-D"})
	one := figures["overview-mnist"]
	checkEqual(t, "title", one.Title, "Overview of mnist")
	checkEqual(t, "columns of one", one.ColumnLabels, []string{"2-D", "3-D", "2-D", "3-D"})
	checkEqual(t, "panels of one", titles(one), []string{"Softmax", "Softmax", "CosFace", "CosFace", "Center loss", "Center loss"})

	figures = figuresOf(Overview{Datasets: []string{"mnist"}, Dims: []int{3}})
	checkEqual(t, "figure of all", figures["overview"], figures["overview-mnist"])
	checkEqual(t, "its title", figures["overview"].Title, "Overview of mnist, 3-D")
	checkEqual(t, "its columns", figures["overview"].Columns, 4)
}

func TestPaperFiguresCells(t *testing.T) {
	cells, err := PaperFigures{}.Cells()
	checkEqual(t, "cells", names(t, cells, err), []string{
		"softmax-mnist-2d-s1", "softmax-mnist-2d-s1-activation-sigmoid", "softmax-mnist-2d-s1-activation-relu", "softmax-mnist-2d-s1-activation-selu",
		"softmax-normalized-mnist-2d-s1",
		"cosface-mnist-2d-s1-margin-0", "cosface-mnist-2d-s1", "cosface-mnist-2d-s1-margin-0.2",
		"center-mnist-2d-s1", "center-normalized-mnist-2d-s1",
		"contrastive-mnist-2d-s1", "triplet-all-mnist-2d-s1", "triplet-hard-mnist-2d-s1", "triplet-semihard-mnist-2d-s1",
		"regression-raster-mnist-2d-s1", "regression-circle-mnist-2d-s1",
	})
	cells, err = PaperFigures{Dataset: "fashion-mnist", Only: []int{5, 3}}.Cells()
	checkEqual(t, "cells of figures 3 and 5", names(t, cells, err), []string{
		"softmax-fashion-mnist-2d-s1", "softmax-normalized-fashion-mnist-2d-s1", "center-fashion-mnist-2d-s1", "center-normalized-fashion-mnist-2d-s1",
	})
	_, err = PaperFigures{Only: []int{8}}.Cells()
	wantError(t, err, "figure is 8", "2 to 7")
}

// TestMergeOverviewsOfDatasets: epochs and images are compared within a dataset only.
func TestMergeOverviewsOfDatasets(t *testing.T) {
	overview := func(o Overview, datasets ...string) (folder string) {
		o.Techniques, o.Datasets, o.Dims = []string{"softmax"}, datasets, []int{2}
		configs, err := o.Cells()
		if err != nil {
			t.Fatal(err)
		}
		c := o.comparison(t.TempDir())
		cells := map[string]*cell{}
		for _, cfg := range configs {
			cfg = c.complete(cfg, DataInfo{TrainImages: 5000})
			cfg.Backend = "go"
			this := &cell{Config: cfg, Data: DataInfo{TrainImages: 5000}, Started: time.Unix(1, 0), Result: &measured{}}
			if err := this.write(c.folder); err != nil {
				t.Fatal(err)
			}
			cells[cellName(cfg)] = this
		}
		if err := c.writeManifest(cells); err != nil {
			t.Fatal(err)
		}
		return c.folder
	}
	digits, clothes := overview(Overview{Epochs: 7}, "mnist"), overview(Overview{}, "fashion-mnist")
	for _, folders := range [][]string{{digits, clothes}, {clothes, digits}} {
		if _, err := MergeOverviews(folders, t.TempDir()); err != nil {
			t.Error(err)
		}
	}
	_, err := MergeOverviews([]string{digits, overview(Overview{Epochs: 8, Train: 500}, "mnist")}, t.TempDir())
	wantError(t, err, "softmax-mnist-2d-s1", "epochs is 8 there and 7 here")
	_, err = MergeOverviews([]string{digits, overview(Overview{Epochs: 7, Train: 500}, "mnist")}, t.TempDir())
	wantError(t, err, "softmax-mnist-2d-s1", "train is 500 there and 5000 here")
}
