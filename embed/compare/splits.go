package compare

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/internal/project"
)

// Trainings are those of OpenSet and FewShot: each technique is trained on the six known
// classes of each split of each dataset (see datasets.OpenSetSplit), in each dimension, with
// each seed. Images of the four other classes come in afterwards. A zero field means its
// default.
//
// A tenth of the training images of the known classes is not trained: thresholds are chosen
// by it.
type Trainings struct {
	Techniques []string // IDs, or the names of families (see embed.Families); default: paper
	Datasets   []string // that have splits; default: mnist, fashion-mnist, cifar-10
	Dims       []int    // default: 2, 3, 64
	Splits     []int    // default: 1 to 5
	Seeds      int      // the seeds are 1 to Seeds; default: 1
	Train      int      // training images of the known classes, a stratified subset; default: all
	Epochs     int      // default: see embed.Defaults
	Backend    string   // see backends.Open

	// Shard i of Shards, from 1 on, has each Shards-th of the cells from the i-th on, see
	// Overview. Default: all cells.
	Shard, Shards int
}

// Cells returns the training runs: split by split, each in the order of an Overview. The error names
// what is not allowed.
func (t Trainings) Cells() ([]Cell, error) {
	t = t.withDefaults()
	configs, err := t.overview().Cells()
	if err != nil {
		return nil, err
	}
	var cells []Cell
	for i, split := range t.Splits {
		if slices.Contains(t.Splits[:i], split) {
			return nil, fmt.Errorf("compare: split %d is wanted twice; allowed: each split once", split)
		}
		for _, cfg := range configs {
			if _, _, err := datasets.OpenSetSplit(cfg.Dataset, split); err != nil {
				return nil, err
			}
			cells = append(cells, Cell{cfg, split})
		}
	}
	return dealt(cells, t.Shard, t.Shards)
}

// withDefaults returns the Trainings with their zero fields filled in, but for those of an Overview.
func (t Trainings) withDefaults() Trainings {
	if t.Datasets == nil {
		t.Datasets = []string{"mnist", "fashion-mnist", "cifar-10"}
	}
	if t.Dims == nil {
		t.Dims = []int{2, 3, 64}
	}
	if t.Splits == nil {
		for split := range datasets.OpenSetSplits {
			t.Splits = append(t.Splits, split+1)
		}
	}
	return t
}

// overview returns the Overview of the same training runs on all classes.
func (t Trainings) overview() Overview {
	return Overview{Techniques: t.Techniques, Datasets: t.Datasets, Dims: t.Dims, Seeds: t.Seeds, Train: t.Train, Epochs: t.Epochs, Backend: t.Backend}
}

func splitsFolder(out string) string {
	if out == "" {
		return filepath.Join(project.Root(), "out", "splits")
	}
	return out
}

// run trains cells, and evaluates all cells of the folder.
func (t Trainings) run(ctx context.Context, cells []Cell, out string, progress io.Writer, evaluation evaluation) error {
	c := splitsComparison(t.overview(), splitsFolder(out))
	c.trainees, c.evaluation = cells, evaluation
	return c.run(ctx, progress)
}

// splitsComparison returns the comparison of an Overview on splits.
func splitsComparison(o Overview, folder string) comparison {
	c := o.comparison(folder)
	c.splits = true
	return c
}

// MergeSplits copies the cells of OpenSets and FewShots in several folders, such as those of
// shards, into the folder out (empty: see OpenSet.Run), and writes the tables and figures of
// both: see Merge.
func MergeSplits(folders []string, out string) (unfinished []string, err error) {
	return mergeInto(splitsFolder(out), folders, splitsComparison)
}
