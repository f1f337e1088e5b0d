package embed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/viz"
)

// A comparison is a set of trainings, its cells, that share a folder:
//
//	cells/NAME/cell.json   what the cell is, how it ended, and what was measured
//	cells/NAME/panel.npz   its picture
//	cells/NAME/...         its Result, see Result.Save
//
// The folder holds the cells of all comparisons that were run in it; their tables and
// figures are made from all of them.
type comparison struct {
	folder string
	asked  asked
	open   string   // the name for OpenBackend, which may have options
	cells  []Config // what to train, in this order, see WithDefaults
	load   func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error)
	// expect returns what a cell that the folder holds is by what was asked for now.
	expect func(there Config) (Config, error)
	// figures returns the figures of all cells by their names.
	figures func(folder string, cells map[string]*cell) (map[string]*viz.Figure, error)
}

// asked is what the cells of a folder have in common, as it was asked for.
type asked struct {
	Epochs  int    `json:"epochs"`  // 0: the default of the dataset
	Train   int    `json:"train"`   // 0: all images
	Backend string `json:"backend"` // empty: the default
}

// A cell is one training of a comparison.
type cell struct {
	Config  Config       `json:"config"`
	Data    DataInfo     `json:"data"` // all images of the dataset; the seed draws Config.Train of them
	Started time.Time    `json:"started"`
	Ended   time.Time    `json:"ended,omitzero"`
	Took    float64      `json:"took_seconds"` // of training, evaluation and measuring, but for what a kill ended
	Error   string       `json:"error,omitempty"`
	Result  *measured    `json:"result,omitempty"` // nil: not trained to the end
	By      []provenance `json:"by"`               // each that had a part in it
}

// measured is what was measured on a trained cell.
type measured struct {
	Metrics         Metrics `json:"metrics"`
	Seconds         float64 `json:"seconds"` // of training
	ImagesPerSecond float64 `json:"images_per_second"`
}

// cellFile is the file of a cell.
const cellFile = "cell.json"

// cellName returns the name of a cell, which is that of its folder:
// TECHNIQUE-DATASET-DIMd-sSEED, and what was set (see variant).
func cellName(cfg Config) string {
	name := fmt.Sprintf("%s-%s-%dd-s%d", cfg.Technique, cfg.Dataset, cfg.Dim, cfg.Seed)
	for _, set := range variant(cfg) {
		name += "-" + strings.ReplaceAll(set, "=", "-")
	}
	return name
}

// variant returns the parameters of a Config, "name=value", that are not the defaults of
// its technique.
func variant(cfg Config) (sets []string) {
	if cfg.Activation != defaultActivation {
		sets = append(sets, "activation="+cfg.Activation)
	}
	technique, err := LookUp(cfg.Technique)
	if err != nil {
		return sets
	}
	for _, param := range technique.Params {
		if value := cfg.Params[param.Name]; value != param.Default {
			sets = append(sets, fmt.Sprintf("%s=%g", param.Name, value))
		}
	}
	return sets
}

// cellFolder returns the folder of a cell.
func cellFolder(folder string, cfg Config) string {
	return filepath.Join(folder, "cells", cellName(cfg))
}

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
		err := readJSON(file, c)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, err := LookUp(c.Config.Technique); err != nil {
			return nil, fmt.Errorf("%w (the technique of %s)", err, file)
		}
		name := cellName(c.Config)
		if name != entry.Name() {
			return nil, fmt.Errorf("embed: %s is of the cell %s; move its folder out of %s", file, name, folder)
		}
		cells[name] = c
	}
	return cells, nil
}

// write writes the file of a cell.
func (c *cell) write(folder string) error {
	return writeJSON(filepath.Join(cellFolder(folder, c.Config), cellFile), c)
}

// lockFolder makes a folder and keeps other processes from comparing in it until unlock.
func lockFolder(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(folder, ".lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("embed: lock %s: %w", lock.Path(), err)
	}
	if !locked {
		return nil, fmt.Errorf("embed: another process works in %s; wait for it, or choose another folder", folder)
	}
	return func() { lock.Close() }, nil
}

// images are the training and test images of a dataset.
type images struct{ train, test *datasets.Dataset }

// run trains the cells that are not done, and writes tables, figures and the manifest of
// all cells of the folder, also when it is interrupted. A cell that fails is marked, and
// the others go on.
func (c comparison) run(ctx context.Context, progress io.Writer) error {
	progress = Options{Progress: progress}.progress()
	unlock, err := lockFolder(c.folder)
	if err != nil {
		return err
	}
	defer unlock()
	cells, err := readCells(c.folder)
	if err != nil {
		return err
	}
	// A merge tells by the manifest what was asked for, whatever comes of it.
	if _, err := os.Stat(filepath.Join(c.folder, manifestFile)); errors.Is(err, fs.ErrNotExist) {
		if err := c.writeManifest(cells); err != nil {
			return err
		}
	}
	data, err := c.loadAll(ctx, c.left(cells), progress)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		backend, err := OpenBackend(c.asked.Backend, progress)
		if err != nil {
			return err
		}
		c.open, c.asked.Backend = c.asked.Backend, backendName(backend)
	}
	known := map[string]DataInfo{}
	for name, images := range data {
		known[name] = dataInfo(images.train, images.test)
	}
	if err := c.check(cells, known); err != nil {
		return err
	}
	failedBefore := 0
	for i, cfg := range c.cells {
		c.cells[i] = c.complete(cfg, known[cfg.Dataset])
		if there := cells[cellName(cfg)]; there != nil && there.Error != "" {
			failedBefore++
		}
	}
	left := c.left(cells)
	fmt.Fprintf(progress, "%d cells in %s: %d done already, %d to train", len(c.cells), c.folder, len(c.cells)-len(left), len(left))
	if failedBefore > 0 {
		fmt.Fprintf(progress, ", %d of which failed before", failedBefore)
	}
	fmt.Fprintln(progress)

	if err := c.writeManifest(cells); err != nil {
		return err
	}
	var failed []string
	var stopped error
	pace := paceOf(cells)
	for ; len(left) > 0; left = left[1:] {
		cfg := left[0]
		name := cellName(cfg)
		current := cells[name]
		if current == nil {
			current = &cell{Config: cfg, Data: known[cfg.Dataset]}
			cells[name] = current
		}
		title := fmt.Sprintf("cell %d of %d", len(c.cells)-len(left)+1, len(c.cells))
		fmt.Fprintf(progress, "%s: %s%s\n", title, name, pace.remaining(left))
		err := c.train(ctx, current, data[cfg.Dataset], progress, func(seconds float64) {
			if !has(pace, cfg.Dataset) {
				guess := maps.Clone(pace)
				guess[cfg.Dataset] = [2]float64{seconds, float64(cfg.Train)}
				fmt.Fprintf(progress, "by its first epoch%s\n", guess.remaining(left))
			}
		})
		if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			stopped = err
			break
		}
		if err != nil {
			return err
		}
		if current.Error != "" {
			failed = append(failed, name)
			fmt.Fprintf(progress, "%s failed: %s\n", title, current.Error)
			continue
		}
		pace.add(current)
	}
	for _, cfg := range left {
		if name := cellName(cfg); cells[name] == nil {
			cells[name] = &cell{Config: cfg}
		}
	}
	if err := errors.Join(stopped, c.report(cells)); err != nil {
		return err
	}
	fmt.Fprintf(progress, "tables and figures are in %s\n", c.folder)
	return failure(cells, failed, fmt.Sprintf("%d of %d cells failed; they are tried again when you start again", len(failed), len(c.cells)))
}

// left returns the cells that are not done.
func (c comparison) left(cells map[string]*cell) (left []Config) {
	for _, cfg := range c.cells {
		if there := cells[cellName(cfg)]; there == nil || there.Result == nil {
			left = append(left, cfg)
		}
	}
	return left
}

// failure returns the error that says so and names the cells that failed, nil if there
// are none.
func failure(cells map[string]*cell, failed []string, says string) error {
	if len(failed) == 0 {
		return nil
	}
	text := fmt.Sprintf("embed: %s:", says)
	for _, name := range failed {
		text += fmt.Sprintf("\n  %s: %s", name, strings.ReplaceAll(cells[name].Error, "\n", "\n    "))
	}
	return errors.New(text)
}

// loadAll loads each dataset that the cells need once.
func (c comparison) loadAll(ctx context.Context, cells []Config, progress io.Writer) (map[string]images, error) {
	data := map[string]images{}
	for _, cfg := range cells {
		if has(data, cfg.Dataset) {
			continue
		}
		train, test, err := c.load(ctx, cfg.Dataset, progress)
		if err != nil {
			return nil, err
		}
		data[cfg.Dataset] = images{train, test}
		if !train.Canonical || !test.Canonical {
			fmt.Fprintf(progress, "%s: not canonical, its images or labels are not those that were published\n", cfg.Dataset)
		}
	}
	return data, nil
}

// complete returns the Config that Fit makes of a cell's.
func (c comparison) complete(cfg Config, data DataInfo) Config {
	if cfg.Train == 0 || cfg.Train > data.TrainImages {
		cfg.Train = data.TrainImages
	}
	cfg.Backend = c.asked.Backend
	return cfg
}

// check returns an error for a cell in the folder that would be another one if it was
// trained now. known has the data that is known by now, and gets that of the cells.
func (c comparison) check(cells map[string]*cell, known map[string]DataInfo) error {
	for _, name := range sortedNames(cells) {
		there := cells[name]
		want, err := c.expect(there.Config)
		if err != nil {
			return err
		}
		if !has(known, want.Dataset) {
			known[want.Dataset] = there.Data
		}
		want = c.complete(want, known[want.Dataset])
		if want.Backend == "" {
			want.Backend = there.Config.Backend
		}
		if err := sameRun(trainingState{Config: there.Config, Data: there.Data}, trainingState{Config: want, Data: known[want.Dataset]}); err != nil {
			return fmt.Errorf("embed: %s has the cell %s of another comparison: %w; another comparison needs another folder", c.folder, name, err)
		}
	}
	for _, cfg := range c.cells {
		data := known[cfg.Dataset]
		if train := c.complete(cfg, data).Train; cfg.Batch > train {
			return fmt.Errorf("embed: train is %d, of %d images of %s; allowed: %d (a batch) or more", train, data.TrainImages, cfg.Dataset, cfg.Batch)
		}
	}
	return nil
}

// train trains a cell, or trains it on, and writes how it ended. An error means that the
// comparison can't go on, as on a full disk: what is wrong with the cell is in the cell.
func (c comparison) train(ctx context.Context, current *cell, data images, progress io.Writer, firstEpoch func(seconds float64)) error {
	begin := time.Now()
	isNew := current.Started.IsZero()
	if isNew {
		current.Started = begin
	}
	current.Error, current.Ended, current.By = "", time.Time{}, united(current.By, here())
	if err := current.write(c.folder); err != nil {
		return err
	}
	cfg := current.Config
	cfg.Backend = c.open
	result, err := Fit(ctx, cfg, data.train, data.test, Options{
		Progress: progress, Out: cellFolder(c.folder, current.Config), Resume: true,
		OnEpoch: func(r *Result) error {
			if isNew && len(r.History) == 1 {
				firstEpoch(time.Since(begin).Seconds())
			}
			return nil
		},
	})
	var metrics Metrics
	if err == nil {
		metrics, err = result.Metrics()
	}
	if err == nil {
		picture := viz.NewFigure(thinned(result.Scatter(), panelPoints))
		if err = picture.WritePNG(io.Discard); err == nil { // what can't be drawn is a failure of the cell
			err = writeFigure(filepath.Join(cellFolder(c.folder, current.Config), panelFile), picture)
		}
	}
	current.Took += time.Since(begin).Seconds()
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return err
	case err == nil:
		current.Result = &measured{metrics, result.Seconds(), result.ImagesPerSecond()}
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return errors.Join(err, current.write(c.folder))
	default:
		current.Error = err.Error()
	}
	current.Ended = time.Now()
	return current.write(c.folder)
}

// A pace is the time that cells took by their dataset: seconds and images.
type pace map[string][2]float64

// paceOf returns the pace of the cells that are done.
func paceOf(cells map[string]*cell) pace {
	p := pace{}
	for _, c := range cells {
		if c.Result != nil {
			p.add(c)
		}
	}
	return p
}

// add adds a cell that is done. What a kill ended is missing in the time it took, but not
// in that of its training.
func (p pace) add(c *cell) {
	there := p[c.Config.Dataset]
	p[c.Config.Dataset] = [2]float64{
		there[0] + max(c.Took, c.Result.Seconds), there[1] + float64(c.Config.Epochs*c.Config.Train)}
}

// remaining says about how long these cells take; nothing, if that can't be known yet.
// A dataset without a pace of its own gets that of all.
func (p pace) remaining(cells []Config) string {
	var all [2]float64
	for _, dataset := range p {
		all[0] += dataset[0]
		all[1] += dataset[1]
	}
	if all[1] == 0 {
		return ""
	}
	seconds := 0.
	for _, cfg := range cells {
		dataset, ok := p[cfg.Dataset]
		if !ok {
			dataset = all
		}
		seconds += float64(cfg.Epochs*cfg.Train) * dataset[0] / dataset[1]
	}
	left := time.Duration(seconds * float64(time.Second))
	if left > time.Hour {
		return fmt.Sprintf(": %d to train, about %.1f hours left", len(cells), left.Hours())
	}
	return fmt.Sprintf(": %d to train, about %v left", len(cells), left.Round(time.Second))
}

// sortedNames returns the names of the cells in the order of tables and figures.
func sortedNames(cells map[string]*cell) []string {
	var names []string
	for name := range cells {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return compareCells(cells[a].Config, cells[b].Config) })
	return names
}

// merge copies the cells of other folders into that of the comparison. Of a cell that is
// in several, it is the one that was done last; one that failed takes no one's place. What
// has not ended stays behind, and is returned, also if it was asked for only.
func (c comparison) merge(folders []string) (behind []string, err error) {
	unlock, err := lockFolder(c.folder)
	if err != nil {
		return nil, err
	}
	defer unlock()
	merged, err := readCells(c.folder)
	if err != nil {
		return nil, err
	}
	known := map[string]DataInfo{}
	if err := c.check(merged, known); err != nil {
		return nil, err
	}
	copies := map[string]string{} // from where a cell is copied
	wanted := map[string]bool{}
	var m manifest
	if err := readJSON(filepath.Join(c.folder, manifestFile), &m); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range m.Cells {
		wanted[name] = true
	}
	for _, folder := range folders {
		var m manifest
		if err := readJSON(filepath.Join(folder, manifestFile), &m); err != nil {
			return nil, fmt.Errorf("embed: no overview in %s: %w", folder, err)
		}
		for _, name := range m.Cells {
			wanted[name] = true
		}
		cells, err := readCells(folder)
		if err != nil {
			return nil, err
		}
		from := c
		from.folder = folder
		if err := from.check(cells, known); err != nil {
			return nil, err
		}
		for _, name := range sortedNames(cells) {
			this, there := cells[name], merged[name]
			isDone := this.Result != nil && (there == nil || there.Result == nil || this.Ended.After(there.Ended))
			if isDone || this.Error != "" && there == nil {
				merged[name], copies[name] = this, cellFolder(folder, this.Config)
			}
		}
	}
	for name, from := range copies {
		if err := copyFolder(from, cellFolder(c.folder, merged[name].Config)); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if !has(merged, name) || merged[name].Result == nil && merged[name].Error == "" {
			behind = append(behind, name)
		}
	}
	if len(merged) == 0 {
		return behind, fmt.Errorf("embed: no training has ended in %s", strings.Join(folders, ", "))
	}
	if err := c.report(merged); err != nil {
		return nil, err
	}
	var failed []string
	for _, name := range sortedNames(merged) {
		if merged[name].Error != "" {
			failed = append(failed, name)
		}
	}
	return behind, failure(merged, failed, fmt.Sprintf("%d of %d cells failed", len(failed), len(merged)))
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
	slices.SortStableFunc(files, func(a, b fs.DirEntry) int {
		isLast := func(e fs.DirEntry) int {
			if e.Name() == cellFile {
				return 1
			}
			return 0
		}
		return isLast(a) - isLast(b)
	})
	for _, file := range files {
		if strings.HasPrefix(file.Name(), ".") { // what a kill left half written
			continue
		}
		content, err := os.ReadFile(filepath.Join(from, file.Name()))
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(to, file.Name()), content); err != nil {
			return err
		}
	}
	return nil
}
