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

// Errors of Overview.Run, PaperFigures.Run and Merge, for errors.Is.
var (
	// ErrFailed: some cells failed, and the others went on.
	ErrFailed = errors.New("cells failed")
	// ErrOtherComparison: the folder has cells of another configuration or other data.
	ErrOtherComparison = errors.New("another comparison")
	// ErrLocked: another process works in the folder.
	ErrLocked = errors.New("another process works")
)

// A comparison is a set of trainings, its cells, that share a folder:
//
//	cells/NAME/cell.json   what the cell is, how it ended, and what was measured
//	cells/NAME/panel.npz   its picture
//	cells/NAME/...         its Result, see embed.Result.Save
//
// The folder holds the cells of all comparisons that were run in it; their tables and
// figures are made from all of them.
type comparison struct {
	folder   string
	wanted   wanted
	trainees []embed.Config // in this order, see embed.Config.WithDefaults
	load     func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error)
	// expect returns the Config that a cell of the folder has if this comparison trains it.
	expect func(cfg embed.Config) (embed.Config, error)
	// figures returns the figures of all cells by their names.
	figures func(folder string, cells map[string]*cell) (map[string]*viz.Figure, error)
}

// wanted is what the cells of a folder have in common, in the words of who wants it.
type wanted struct {
	Epochs  int    `json:"epochs"`  // 0: the default of the dataset
	Train   int    `json:"train"`   // 0: all images
	Backend string `json:"backend"` // empty: the default
}

// images are the training and test images of a dataset.
type images struct{ train, test *datasets.Dataset }

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
	data, err := c.loadAll(ctx, c.left(cells), progress)
	if err != nil {
		return err
	}
	backend := c.wanted.Backend // may have options, which its name does not
	if len(data) > 0 {
		opened, err := backends.Open(backend, progress)
		if err != nil {
			return err
		}
		c.wanted.Backend = backends.Name(opened)
	}
	known := map[string]embed.DataInfo{}
	for name, loaded := range data {
		known[name] = embed.NewDataInfo(loaded.train, loaded.test)
	}
	if err := c.check(cells, known); err != nil {
		return err
	}
	for i, cfg := range c.trainees {
		c.trainees[i] = c.complete(cfg, known[cfg.Dataset])
	}
	c.announce(cells, progress)
	if err := c.writeManifest(cells); err != nil {
		return err
	}
	w := work{comparison: c, backend: backend, cells: cells, data: data, known: known, progress: progress, pace: paceOf(cells)}
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

// left returns the cells that are not done.
func (c comparison) left(cells map[string]*cell) (left []embed.Config) {
	for _, cfg := range c.trainees {
		if !cells[cfg.Name()].isDone() {
			left = append(left, cfg)
		}
	}
	return left
}

// announce says how many cells are done, and how many are left.
func (c comparison) announce(cells map[string]*cell, progress io.Writer) {
	failed := 0
	for _, cfg := range c.trainees {
		if trained := cells[cfg.Name()]; trained != nil && trained.Error != "" {
			failed++
		}
	}
	left := len(c.left(cells))
	fmt.Fprintf(progress, "%d cells in %s: %d done already, %d to train", len(c.trainees), c.folder, len(c.trainees)-left, left)
	if failed > 0 {
		fmt.Fprintf(progress, ", %d of which failed before", failed)
	}
	fmt.Fprintln(progress)
}

// loadAll loads each dataset that the cells need once.
func (c comparison) loadAll(ctx context.Context, cells []embed.Config, progress io.Writer) (map[string]images, error) {
	data := map[string]images{}
	for _, cfg := range cells {
		if _, loaded := data[cfg.Dataset]; loaded {
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
		cfg, err := c.expect(trained.Config)
		if err != nil {
			return err
		}
		if _, isKnown := known[cfg.Dataset]; !isKnown {
			known[cfg.Dataset] = trained.Data
		}
		cfg = c.complete(cfg, known[cfg.Dataset])
		if cfg.Backend == "" {
			cfg.Backend = trained.Config.Backend
		}
		difference := store.Difference(trained.Config, cfg)
		if difference == "" {
			difference = store.Difference(trained.Data, known[cfg.Dataset])
		}
		if difference != "" {
			return fmt.Errorf("compare: %s has the cell %s of %w, which needs another folder: %s", c.folder, name, ErrOtherComparison, difference)
		}
	}
	for _, cfg := range c.trainees {
		data := known[cfg.Dataset]
		if train := c.complete(cfg, data).Train; cfg.Batch > train {
			return fmt.Errorf("compare: train is %d, of %d images of %s; allowed: %d (a batch) or more", train, data.TrainImages, cfg.Dataset, cfg.Batch)
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
	known    map[string]embed.DataInfo // of all datasets
	progress io.Writer
	pace     pace
	failed   []string // names of cells
}

// trainAll trains the cells that are not done. stopped is the error of a ctx that has
// ended; err means that the work can't go on.
func (w *work) trainAll(ctx context.Context) (stopped, err error) {
	left := w.left(w.cells)
	for ; len(left) > 0 && stopped == nil; left = left[1:] {
		title := fmt.Sprintf("cell %d of %d", len(w.trainees)-len(left)+1, len(w.trainees))
		fmt.Fprintf(w.progress, "%s: %s%s\n", title, left[0].Name(), w.pace.remaining(left))
		trained, err := w.train(ctx, left)
		switch {
		case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
			stopped = err
		case err != nil:
			return nil, err
		case trained.Error != "":
			w.failed = append(w.failed, left[0].Name())
			fmt.Fprintf(w.progress, "%s failed: %s\n", title, trained.Error)
		default:
			w.pace.add(trained)
		}
	}
	for _, cfg := range left {
		if name := cfg.Name(); w.cells[name] == nil { // figures say that it is not trained yet
			w.cells[name] = &cell{Config: cfg}
		}
	}
	return stopped, nil
}

// train trains the first of the cells that are left, or trains it on, and writes how it
// ended. An error means that the work can't go on, as on a full disk: what is wrong with
// the cell is in the cell.
func (w *work) train(ctx context.Context, left []embed.Config) (*cell, error) {
	begin := time.Now()
	cfg := left[0]
	name := cfg.Name()
	c := w.cells[name]
	isNew := c == nil
	if isNew {
		c = &cell{Config: cfg, Data: w.known[cfg.Dataset], Started: begin}
		w.cells[name] = c
	}
	c.Error, c.Ended, c.By = "", time.Time{}, united(c.By, thisProgram())
	if err := c.write(w.folder); err != nil {
		return nil, err
	}
	result, err := w.fit(ctx, cfg, func() {
		if _, known := w.pace[cfg.Dataset]; isNew && !known {
			guess := maps.Clone(w.pace)
			guess[cfg.Dataset] = effort{time.Since(begin).Seconds(), float64(cfg.Train)}
			fmt.Fprintf(w.progress, "by its first epoch%s\n", guess.remaining(left))
		}
	})
	c.Took += time.Since(begin).Seconds()
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return nil, err
	case err == nil:
		c.Result = result
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil, errors.Join(err, c.write(w.folder))
	default:
		c.Error = err.Error()
	}
	c.Ended = time.Now()
	return c, c.write(w.folder)
}

// fit trains a cell, measures and draws it.
func (w *work) fit(ctx context.Context, cfg embed.Config, firstEpoch func()) (*measured, error) {
	folder := cellFolder(w.folder, cfg)
	data := w.data[cfg.Dataset]
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
		return nil, err
	}
	metrics, err := result.Metrics()
	if err != nil {
		return nil, err
	}
	picture := viz.NewFigure(thinned(result.Scatter(), panelPoints))
	if err := picture.WritePNG(io.Discard); err != nil { // a picture that fails here would end the whole figure
		return nil, err
	}
	if err := writeFigure(filepath.Join(folder, panelFile), picture); err != nil {
		return nil, err
	}
	return &measured{metrics, result.Seconds(), result.ImagesPerSecond()}, nil
}
