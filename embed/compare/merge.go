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

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/store"
)

// Merge copies the cells of Overviews in several folders, such as those of shards, into the
// folder out (empty: see Overview.Run), and writes its tables and figures: what one Run of
// all of them would have written. Of a cell that is in several, it takes one that did not
// fail before one that did, one with more evaluations before one with fewer, and then the one
// that was done last. It returns the names of the cells that were wanted and whose training has not
// ended, which are left out.
//
// Errors: no folder, or one without an Overview; ErrOtherComparison, with a difference in
// configuration or data, or in how cells were evaluated; a cell with one evaluation in one folder
// and another in another; ErrFailed, with the cells that failed; ErrLocked.
func Merge(folders []string, out string) (unfinished []string, err error) {
	return mergeInto(overviewFolder(out), folders, Overview.comparison)
}

// mergeInto merges comparisons into a folder. of returns the comparison that an Overview with
// their settings is.
func mergeInto(out string, folders []string, of func(o Overview, folder string) comparison) (unfinished []string, err error) {
	if len(folders) == 0 {
		return nil, errors.New("compare: no folders to merge; allowed: 1 or more")
	}
	var begun wanted
	for _, folder := range folders {
		m, err := readManifest(folder)
		if err != nil {
			return nil, err
		}
		if begun = m.Wanted; begun.Backend != "" {
			break
		}
	}
	c := of(Overview{Epochs: begun.Epochs, Train: begun.Train, Backend: begun.Backend}, out)
	first := map[string]Overview{} // of each dataset, whose default may be the epochs of another
	c.expect = func(trained *cell) (embed.Config, error) {
		if _, isKnown := first[trained.Dataset]; !isKnown {
			o := Overview{Epochs: trained.Epochs, Train: trained.Train}
			if o.Train == trained.Data.TrainImages { // all; each split has another number, some perhaps more than were wanted
				o.Train = 0
				if begun.Train > trained.Data.TrainImages {
					o.Train = begun.Train
				}
			}
			first[trained.Dataset] = o
		}
		return first[trained.Dataset].cell(trained.Config)
	}
	return c.merge(folders)
}

// merge copies the cells of other folders into that of the comparison, as Merge says. What has
// not ended is left out, and returned, even if it was only wanted.
func (c comparison) merge(folders []string) (unfinished []string, err error) {
	unlock, err := lockFolder(c.folder)
	if err != nil {
		return nil, err
	}
	defer unlock()
	merged, err := c.gather(folders)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(merged.wanted)) {
		if c := merged.cells[name]; !c.isDone() && (c == nil || c.Error == "") {
			unfinished = append(unfinished, name)
		}
	}
	if len(merged.cells) == 0 {
		return unfinished, fmt.Errorf("compare: no training has ended in %s", strings.Join(folders, ", "))
	}
	for name, from := range merged.from {
		if err := copyFolder(merged.cells[name].in(from), merged.cells[name].in(c.folder)); err != nil {
			return nil, err
		}
	}
	for _, folder := range folders {
		if err := copyBaselines(folder, c.folder); err != nil {
			return nil, err
		}
	}
	if err := c.report(merged.cells); err != nil {
		return nil, err
	}
	var failed []string
	for _, name := range sortedNames(merged.cells) {
		if merged.cells[name].Error != "" {
			failed = append(failed, name)
		}
	}
	return unfinished, failure(merged.cells, failed, len(merged.cells), "")
}

// A gathering is what a merge takes from several folders.
type gathering struct {
	cells  map[string]*cell
	from   map[string]string // the folder of the comparison that a cell is copied from; none: it is in place
	wanted map[string]bool   // names of all cells that the folders were to have
}

// gather chooses the cells of a merge, those of the comparison's own folder among them.
func (c comparison) gather(folders []string) (g gathering, err error) {
	known := map[string]embed.DataInfo{}
	g = gathering{from: map[string]string{}, wanted: map[string]bool{}}
	if g.cells, err = readCells(c.folder); err != nil {
		return g, err
	}
	if err := c.check(g.cells, known); err != nil {
		return g, err
	}
	own, err := readManifest(c.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return g, err
	}
	for _, name := range own.Cells {
		g.wanted[name] = true
	}
	for _, folder := range folders {
		m, err := readManifest(folder)
		if err != nil {
			return g, err
		}
		for _, name := range m.Cells {
			g.wanted[name] = true
		}
		cells, err := readCells(folder)
		if err != nil {
			return g, err
		}
		from := c
		from.folder = folder
		if err := from.check(cells, known); err != nil {
			return g, err
		}
		for _, name := range sortedNames(cells) {
			candidate, chosen := cells[name], g.cells[name]
			if !candidate.isDone() && candidate.Error == "" {
				continue
			}
			isBetter := chosen == nil
			if !isBetter {
				if isBetter, err = candidate.isBetter(folder, chosen, cmp.Or(g.from[name], c.folder)); err != nil {
					return g, err
				}
			}
			if isBetter {
				g.cells[name], g.from[name] = candidate, folder
			}
		}
	}
	return g, c.checkEvaluations(g, folders)
}

// evaluations are the files of what was measured on a cell of a split.
var evaluations = []string{openSetFile, fewShotFile}

// isBetter tells whether a cell of one folder takes the place of the same cell of another.
func (c *cell) isBetter(folder string, other *cell, otherFolder string) (bool, error) {
	rank := func(c *cell) int {
		switch {
		case c.isDone() && c.Error == "":
			return 2
		case c.isDone():
			return 1
		}
		return 0
	}
	if rank(c) != rank(other) || !c.isDone() {
		return rank(c) > rank(other), nil
	}
	has := func(folder string) (files []string) {
		for _, file := range evaluations {
			if _, err := os.Stat(filepath.Join(c.in(folder), file)); err == nil {
				files = append(files, file)
			}
		}
		return files
	}
	own, others := has(folder), has(otherFolder)
	if len(own) == len(others) {
		if !slices.Equal(own, others) {
			return false, fmt.Errorf("compare: %s has %s in %s and %s in %s; start openset and fewshot in one folder, with the same -out", c.name(), own, folder, others, otherFolder)
		}
		return c.Ended.After(other.Ended), nil
	}
	return len(own) > len(others), nil
}

// checkEvaluations returns an error unless what was measured on all cells of a merge, and on the
// baselines of its folders, was measured in the same way and by the same images.
func (c comparison) checkEvaluations(g gathering, folders []string) error {
	ways := map[string]string{}
	same := func(what, way, of string) error {
		if known, isKnown := ways[what]; isKnown && known != way {
			return fmt.Errorf("compare: %s is of %w: %s: %s; others: %s", of, ErrOtherComparison, what, way, known)
		}
		ways[what] = way
		return nil
	}
	for _, name := range sortedNames(g.cells) {
		cell := g.cells[name]
		folder := cmp.Or(g.from[name], c.folder)
		openSet, err := readOpenSet(folder, cell.Cell)
		if err == nil {
			err = same("open set", openSet.settings(), cell.in(folder))
			for _, u := range openSet.Unknown {
				err = cmp.Or(err, same("images of "+u.Unknown, u.Checksum, cell.in(folder)))
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		var few fewShotMeasured
		if err = store.ReadJSON(filepath.Join(cell.in(folder), fewShotFile), &few); err == nil {
			err = same("few examples", few.Settings.settings(), cell.in(folder))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, folder := range slices.Concat(folders, []string{c.folder}) {
		files, err := os.ReadDir(filepath.Join(folder, baselinesFolder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, file := range files {
			if strings.HasPrefix(file.Name(), ".") { // what a kill left half written
				continue
			}
			path := filepath.Join(folder, baselinesFolder, file.Name())
			var measured baselineMeasured
			if err := store.ReadJSON(path, &measured); err != nil {
				return err
			}
			if err := same("few examples", measured.Settings.settings(), path); err != nil {
				return err
			}
		}
	}
	return nil
}

// readManifest reads the manifest of an Overview's folder.
func readManifest(folder string) (m manifest, err error) {
	if err := store.ReadJSON(filepath.Join(folder, manifestFile), &m); err != nil {
		return m, fmt.Errorf("compare: no overview, and no other comparison, in %s: %w", folder, err)
	}
	return m, nil
}
