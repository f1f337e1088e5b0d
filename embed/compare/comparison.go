package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/internal/console"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/viz"
)

// Errors of the Run of a comparison and of a merge, for errors.Is.
var (
	// ErrFailed: some cells failed, and the others went on.
	ErrFailed = errors.New("cells failed")
	// ErrOtherComparison: the folder has cells of another configuration or other data.
	ErrOtherComparison = errors.New("another comparison")
	// ErrLocked: another process works in the folder.
	ErrLocked = errors.New("another process works")
)

// A comparison is a set of training runs, its cells, that share a folder:
//
//	cells/NAME/cell.json   what the cell is, how it ended, and what was measured
//	cells/NAME/panel.npz   its picture
//	cells/NAME/...         its Result, see embed.Result.Save, and what an evaluation needs and finds
//
// The folder holds the cells of all comparisons that were run in it; their tables and
// figures are made from all of them.
type comparison struct {
	folder   string
	wanted   wanted
	trainees []Cell // in this order, see embed.Config.WithDefaults
	load     func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error)
	// expect returns the Config that a cell of the folder has if this comparison trains it.
	expect func(trained *cell) (embed.Config, error)
	// figures returns the figures of all cells by their names.
	figures func(folder string, cells map[string]*cell) (map[string]*viz.Figure, error)
	// splits says that the cells are of splits. They have tables and figures of their own, by
	// the evaluation; nil: by those that were made before.
	splits     bool
	evaluation evaluation
}

// An evaluation measures the cells of splits, each when it was trained. In a folder of such
// cells, it measures all, also those that another comparison has trained.
type evaluation interface {
	// prepare loads what the evaluation of the cells that are left needs. Its error comes before
	// any training.
	prepare(ctx context.Context, w *work, left []Cell) error
	// isDone tells whether a trained cell was evaluated.
	isDone(folder string, trained *cell) bool
	// evaluate evaluates a trained cell, and writes what it finds into its folder. result is nil
	// for one that was trained before.
	evaluate(ctx context.Context, w *work, trained *cell, result *embed.Result) error
}

// wanted is what the cells of a folder have in common, in the words of who wants it.
type wanted struct {
	Epochs  int    `json:"epochs"`  // 0: the default of the dataset
	Train   int    `json:"train"`   // 0: all images
	Backend string `json:"backend"` // empty: the default
}

// images are the training and test images of a dataset. Those of a split are of its known
// classes; further training images are held out to choose a threshold by, and heldOut are test
// images of the other classes.
type images struct{ train, test, calibration, heldOut *datasets.Dataset }

// lockFolder makes a folder and keeps other processes from comparing in it until unlock.
func lockFolder(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(folder, ".lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("compare: lock %s: %w", lock.Path(), err)
	}
	if !locked {
		return nil, fmt.Errorf("compare: %w in %s; wait for it, or choose another folder", ErrLocked, folder)
	}
	return func() { lock.Close() }, nil
}

// run trains the cells that are not done, and writes tables, figures and the manifest of
// all cells of the folder, also when it is interrupted. A cell that fails is marked, and
// the others go on.
func (c comparison) run(ctx context.Context, progress io.Writer) error {
	progress = console.Output(progress)
	unlock, err := lockFolder(c.folder)
	if err != nil {
		return err
	}
	defer unlock()
	cells, err := readCells(c.folder)
	if err != nil {
		return err
	}
	// A merge learns from the manifest what was wanted, whatever comes of it.
	if _, err := os.Stat(filepath.Join(c.folder, manifestFile)); errors.Is(err, fs.ErrNotExist) {
		if err := c.writeManifest(cells); err != nil {
			return err
		}
	}
	if c.evaluation != nil {
		c.trainees = append(c.trainees, c.others(cells)...)
	}
	data, err := c.loadAll(ctx, c.untrained(cells), progress)
	if err != nil {
		return err
	}
	backend := c.wanted.Backend // may have options, which its name does not
	if len(data) > 0 || backend != "" {
		opened, err := backends.Open(backend, progress)
		switch {
		case err == nil:
			c.wanted.Backend = backends.Name(opened)
		case len(data) > 0: // tables take no backend
			return err
		}
	}
	known := map[string]embed.DataInfo{}
	for _, untrained := range c.untrained(cells) {
		if _, isKnown := known[untrained.dataKey()]; !isKnown {
			part, err := untrained.images(data[untrained.Dataset])
			if err != nil {
				return err
			}
			known[untrained.dataKey()] = embed.NewDataInfo(part.train, part.test)
		}
	}
	if err := c.check(cells, known); err != nil {
		return err
	}
	for i, cell := range c.trainees {
		c.trainees[i].Config = c.complete(cell.Config, known[cell.dataKey()])
	}
	w := work{comparison: c, backend: backend, cells: cells, data: data, known: known, progress: progress, pace: paceOf(cells)}
	if c.evaluation != nil {
		if err := c.evaluation.prepare(ctx, &w, c.left(cells)); err != nil {
			return err
		}
	}
	c.announce(cells, progress)
	if err := c.writeManifest(cells); err != nil {
		return err
	}
	stopped, err := w.trainAll(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(stopped, c.report(cells)); err != nil {
		return err
	}
	fmt.Fprintf(progress, "tables and figures are in %s\n", c.folder)
	return failure(cells, w.failed, len(c.trainees), "; they are tried again when you start again")
}

// untrained returns the cells that are not trained to the end.
func (c comparison) untrained(cells map[string]*cell) (untrained []Cell) {
	for _, cell := range c.trainees {
		if !cells[cell.name()].isDone() {
			untrained = append(untrained, cell)
		}
	}
	return untrained
}

// left returns the cells that are not trained, or not evaluated.
func (c comparison) left(cells map[string]*cell) (left []Cell) {
	for _, cell := range c.trainees {
		if trained := cells[cell.name()]; !trained.isDone() || c.evaluation != nil && !c.evaluation.isDone(c.folder, trained) {
			left = append(left, cell)
		}
	}
	return left
}

// others returns the cells of the folder that are trained, and not wanted.
func (c comparison) others(cells map[string]*cell) (others []Cell) {
	wanted := map[string]bool{}
	for _, cell := range c.trainees {
		wanted[cell.name()] = true
	}
	for _, name := range sortedNames(cells) {
		if trained := cells[name]; trained.isDone() && !wanted[name] {
			others = append(others, trained.Cell)
		}
	}
	return others
}

// announce says how many cells are done, and how many are left.
func (c comparison) announce(cells map[string]*cell, progress io.Writer) {
	failed := 0
	for _, cell := range c.trainees {
		if trained := cells[cell.name()]; trained != nil && trained.Error != "" {
			failed++
		}
	}
	left, untrained := len(c.left(cells)), len(c.untrained(cells))
	fmt.Fprintf(progress, "%d cells in %s: %d done already, %d to train", len(c.trainees), c.folder, len(c.trainees)-left, untrained)
	if left > untrained {
		fmt.Fprintf(progress, ", %d to evaluate", left-untrained)
	}
	if failed > 0 {
		fmt.Fprintf(progress, ", %d of which failed before", failed)
	}
	fmt.Fprintln(progress)
}

// loadAll loads each dataset that the cells need once.
func (c comparison) loadAll(ctx context.Context, cells []Cell, progress io.Writer) (map[string]images, error) {
	data := map[string]images{}
	for _, cfg := range cells {
		if _, loaded := data[cfg.Dataset]; loaded {
			continue
		}
		train, test, err := c.load(ctx, cfg.Dataset, progress)
		if err != nil {
			return nil, err
		}
		data[cfg.Dataset] = images{train: train, test: test}
		if !train.Canonical || !test.Canonical {
			fmt.Fprintf(progress, "%s: not canonical, its images or labels are not those that were published\n", cfg.Dataset)
		}
	}
	return data, nil
}

// complete returns the Config that embed.Fit makes of a cell's.
func (c comparison) complete(cfg embed.Config, data embed.DataInfo) embed.Config {
	if cfg.Train == 0 || cfg.Train > data.TrainImages {
		cfg.Train = data.TrainImages
	}
	cfg.Backend = c.wanted.Backend
	return cfg
}

// check returns an error for a cell in the folder that would be another one if it was
// trained now. known has the data that is known by now, and gets that of the cells.
func (c comparison) check(cells map[string]*cell, known map[string]embed.DataInfo) error {
	for _, name := range sortedNames(cells) {
		trained := cells[name]
		cfg, err := c.expect(trained)
		if err != nil {
			return err
		}
		key := trained.dataKey()
		if _, isKnown := known[key]; !isKnown {
			known[key] = trained.Data
		}
		cfg = c.complete(cfg, known[key])
		if cfg.Backend == "" {
			cfg.Backend = trained.Config.Backend
		}
		difference := store.Difference(trained.Config, cfg)
		if difference == "" {
			difference = store.Difference(trained.Data, known[key])
		}
		if isSplit := trained.Split != 0; isSplit != c.splits {
			difference = map[bool]string{true: "it is trained on the known classes of a split only", false: "it is trained on all classes"}[isSplit]
		}
		if difference != "" {
			return fmt.Errorf("compare: %s has the cell %s of %w, which needs another folder: %s", c.folder, name, ErrOtherComparison, difference)
		}
	}
	for _, cell := range c.trainees {
		data := known[cell.dataKey()]
		if train := c.complete(cell.Config, data).Train; cell.Batch > train {
			return fmt.Errorf("compare: train is %d, of %d images of %s; allowed: %d (a batch) or more", train, data.TrainImages, cell.dataKey(), cell.Batch)
		}
	}
	return nil
}

// failure returns ErrFailed with the cells that failed, of so many, nil if there are none.
func failure(cells map[string]*cell, failed []string, all int, hint string) error {
	if len(failed) == 0 {
		return nil
	}
	text := hint + ":"
	for _, name := range failed {
		text += fmt.Sprintf("\n  %s: %s", name, strings.ReplaceAll(cells[name].Error, "\n", "\n    "))
	}
	return fmt.Errorf("compare: %d of %d %w%s", len(failed), all, ErrFailed, text)
}

// A work is a comparison that trains.
type work struct {
	comparison
	backend  string                    // the name for backends.Open
	cells    map[string]*cell          // of the folder
	data     map[string]images         // of the datasets to train
	known    map[string]embed.DataInfo // by Cell.dataKey
	progress io.Writer
	pace     pace
	failed   []string // names of cells
	latest   struct { // images of the cell before
		key string
		images
	}
}

// images returns the images of a cell.
func (w *work) images(c Cell) (images, error) {
	if key := c.dataKey(); w.latest.key != key {
		part, err := c.images(w.data[c.Dataset])
		if err != nil {
			return images{}, err
		}
		w.latest.key, w.latest.images = key, part
	}
	return w.latest.images, nil
}

// trainAll trains and evaluates the cells that are left. stopped is the error of a ctx that
// has ended; err means that the work can't go on.
func (w *work) trainAll(ctx context.Context) (stopped, err error) {
	left := w.left(w.cells)
	for ; len(left) > 0 && stopped == nil; left = left[1:] {
		title := fmt.Sprintf("cell %d of %d", len(w.trainees)-len(left)+1, len(w.trainees))
		rest := w.pace.remaining(w.untrained(w.cells))
		fmt.Fprintf(w.progress, "%s: %s%s\n", title, left[0].name(), rest)
		trained, err := w.train(ctx, left[0])
		switch {
		case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
			stopped = err
		case err != nil:
			return nil, err
		case trained.Error != "":
			w.failed = append(w.failed, left[0].name())
			fmt.Fprintf(w.progress, "%s failed: %s\n", title, trained.Error)
		default:
			w.pace.add(trained)
		}
	}
	for _, untrained := range left {
		if name := untrained.name(); w.cells[name] == nil { // figures say that it is not trained yet
			w.cells[name] = &cell{Cell: untrained}
		}
	}
	return stopped, nil
}

// train trains a cell, or trains it on, evaluates it, and writes how it ended. An error means
// that the work can't go on, as on a full disk: what is wrong with the cell is in the cell.
func (w *work) train(ctx context.Context, wanted Cell) (*cell, error) {
	begin := time.Now()
	c := w.cells[wanted.name()]
	isNew := c == nil
	if isNew {
		c = &cell{Cell: wanted, Data: w.known[wanted.dataKey()], Started: begin}
		w.cells[wanted.name()] = c
	}
	c.Error, c.Ended, c.By = "", time.Time{}, united(c.By, thisProgram())
	if err := c.write(w.folder); err != nil {
		return nil, err
	}
	err := w.finish(ctx, c, func() {
		if _, known := w.pace[c.Dataset]; isNew && !known {
			guess := maps.Clone(w.pace)
			guess[c.Dataset] = effort{time.Since(begin).Seconds(), float64(c.Train)}
			fmt.Fprintf(w.progress, "by its first epoch%s\n", guess.remaining(w.untrained(w.cells)))
		}
	})
	c.Took += time.Since(begin).Seconds()
	var file *fs.PathError
	var link *os.LinkError // of a rename
	switch {
	case errors.As(err, &file), errors.As(err, &link):
		return nil, err
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil, errors.Join(err, c.write(w.folder))
	case err != nil:
		c.Error = err.Error()
	}
	c.Ended = time.Now()
	return c, c.write(w.folder)
}

// finish does what is left of a cell.
func (w *work) finish(ctx context.Context, c *cell, firstEpoch func()) error {
	var result *embed.Result
	if !c.isDone() {
		var err error
		if result, c.Result, err = w.fit(ctx, c.Cell, firstEpoch); err != nil || w.evaluation == nil {
			return err
		}
		if err := c.write(w.folder); err != nil {
			return err
		}
	}
	if w.evaluation == nil {
		return nil
	}
	return w.evaluation.evaluate(ctx, w, c, result)
}

// fit trains a cell, measures and draws it.
func (w *work) fit(ctx context.Context, c Cell, firstEpoch func()) (*embed.Result, *measured, error) {
	folder := c.in(w.folder)
	data, err := w.images(c)
	if err != nil {
		return nil, nil, err
	}
	cfg := c.Config
	cfg.Backend = w.backend
	result, err := embed.Fit(ctx, cfg, data.train, data.test, embed.Options{
		Progress: w.progress, Out: folder, Resume: true,
		OnEpoch: func(r *embed.Result) error {
			if len(r.History) == 1 {
				firstEpoch()
			}
			return nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	m := &measured{Seconds: result.Seconds(), ImagesPerSecond: result.ImagesPerSecond()}
	panel := result.Scatter()
	if c.Split == 0 {
		if m.Metrics, err = result.Metrics(); err != nil {
			return nil, nil, err
		}
	} else {
		points, err := embedSplit(result, data)
		if err == nil {
			err = writePoints(folder, points)
		}
		if err != nil {
			return nil, nil, err
		}
		if c.Dim > 3 { // no picture: principal components hide what is between the classes
			return result, m, nil
		}
		panel.Unknown = points[heldOut].Z
	}
	picture := viz.NewFigure(thinned(panel, panelPoints))
	if err := picture.WritePNG(io.Discard); err != nil { // a picture that fails here would end the whole figure
		return nil, nil, err
	}
	return result, m, writeFigure(filepath.Join(folder, panelFile), picture)
}
