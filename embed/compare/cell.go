package compare

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
)

// A Cell is a training of a comparison.
type Cell struct {
	embed.Config `json:"config"`
	Split        int `json:"split,omitempty"` // whose known classes are trained, see datasets.OpenSetSplit; 0: all classes
}

// cellsOf returns the cells that train these Configs on all classes.
func cellsOf(configs []embed.Config) (cells []Cell) {
	for _, cfg := range configs {
		cells = append(cells, Cell{Config: cfg})
	}
	return cells
}

// dataKey names the images that a cell is trained on.
func (c Cell) dataKey() string {
	if c.Split == 0 {
		return c.Dataset
	}
	return fmt.Sprintf("%s-split%d", c.Dataset, c.Split)
}

// name returns the name of a cell, which is that of its folder: TECHNIQUE-DATASET-DIMd-sSEED, or
// TECHNIQUE-DATASET-splitSPLIT-DIMd-sSEED, and what was changed (see embed.Config.Name).
func (c Cell) name() string {
	named := c.Config
	named.Dataset = c.dataKey()
	return named.Name()
}

// in returns the folder of a cell in that of a comparison.
func (c Cell) in(folder string) string { return filepath.Join(folder, "cells", c.name()) }

// A cell is a Cell with what became of it.
type cell struct {
	Cell
	Data    embed.DataInfo `json:"data"` // all images that it could be trained on; the seed draws Config.Train of them
	Started time.Time      `json:"started"`
	Ended   time.Time      `json:"ended,omitzero"`
	Took    float64        `json:"took_seconds"` // of training, evaluation and measuring, but for what a kill ended
	Error   string         `json:"error,omitempty"`
	Result  *measured      `json:"result,omitempty"` // nil: not trained to the end
	By      []provenance   `json:"by"`               // each that had a part in it
}

// measured is what was measured on a trained cell. What is measured on a cell of a split is in
// files of its own, see evaluation.
type measured struct {
	Metrics         measure.Metrics `json:"metrics,omitzero"`
	Seconds         float64         `json:"seconds"` // of training
	ImagesPerSecond float64         `json:"images_per_second"`
}

// isDone tells whether a cell, which may be nil, was trained to the end.
func (c *cell) isDone() bool { return c != nil && c.Result != nil }

// cellFile is the file of a cell.
const cellFile = "cell.json"

// readCells returns the cells of a folder by their names.
func readCells(folder string) (map[string]*cell, error) {
	cells := map[string]*cell{}
	entries, err := os.ReadDir(filepath.Join(folder, "cells"))
	if errors.Is(err, fs.ErrNotExist) {
		return cells, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		file := filepath.Join(folder, "cells", entry.Name(), cellFile)
		c := &cell{}
		err := store.ReadJSON(file, c)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // none, or a file that a system leaves
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if _, err := embed.LookUp(c.Config.Technique); err != nil {
			return nil, fmt.Errorf("%w (the technique of %s)", err, file)
		}
		name := c.name()
		if name != entry.Name() {
			return nil, fmt.Errorf("compare: %s is of the cell %s; move its folder out of %s", file, name, folder)
		}
		cells[name] = c
	}
	return cells, nil
}

// write writes the file of a cell.
func (c *cell) write(folder string) error {
	return store.WriteJSON(filepath.Join(c.in(folder), cellFile), c)
}

// copyFolder replaces a folder by a copy of another, whose cell file comes last.
func copyFolder(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	isCell := func(e fs.DirEntry) bool { return e.Name() == cellFile }
	ordered := slices.DeleteFunc(slices.Clone(files), isCell)
	return copyFiles(from, to, append(ordered, slices.DeleteFunc(files, func(e fs.DirEntry) bool { return !isCell(e) })...))
}

// copyFiles copies files of a folder into another.
func copyFiles(from, to string, files []fs.DirEntry) error {
	for _, file := range files {
		if strings.HasPrefix(file.Name(), ".") { // what a kill left half written
			continue
		}
		content, err := os.ReadFile(filepath.Join(from, file.Name()))
		if err != nil {
			return err
		}
		if err := store.WriteFile(filepath.Join(to, file.Name()), content); err != nil {
			return err
		}
	}
	return nil
}

// sortedNames returns the names of the cells in the order of tables and figures: that of
// the registries of datasets and techniques, then that of activations, parameters, splits and
// seeds.
func sortedNames(cells map[string]*cell) []string {
	technique := map[string]int{}
	for i, t := range embed.Techniques() {
		technique[t.ID] = i
	}
	dataset := func(c Cell) int { return slices.Index(datasets.Names(), c.Dataset) }
	names := slices.Collect(maps.Keys(cells))
	slices.SortFunc(names, func(left, right string) int {
		a, b := cells[left].Cell, cells[right].Cell
		return cmp.Or(
			cmp.Compare(dataset(a), dataset(b)), cmp.Compare(a.Dim, b.Dim), cmp.Compare(technique[a.Technique], technique[b.Technique]),
			cmp.Compare(a.Activation, b.Activation), compareParams(a, b), cmp.Compare(a.Split, b.Split), cmp.Compare(a.Seed, b.Seed))
	})
	return names
}

// compareParams compares the parameters of two cells of a technique, one by one.
func compareParams(a, b Cell) int {
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		order := 0
		switch x := a.Params[name].(type) {
		case float64:
			y, _ := b.Params[name].(float64)
			order = cmp.Compare(x, y)
		case string:
			y, _ := b.Params[name].(string)
			order = cmp.Compare(x, y)
		}
		if order != 0 {
			return order
		}
	}
	return 0
}
