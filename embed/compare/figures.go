package compare

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/viz"
)

// report writes the tables, the figures and the manifest of these cells.
func (c comparison) report(cells map[string]*cell) error {
	if c.splits {
		var openSet, fewShot string // the settings of this run; empty: those of the first cell
		switch e := c.evaluation.(type) {
		case *openSetEvaluation:
			openSet = e.settings()
		case fewShotEvaluation:
			fewShot = e.settings()
		}
		return errors.Join(reportOpenSet(c.folder, cells, openSet), reportFewShot(c.folder, cells, fewShot), c.writeManifest(cells))
	}
	if err := c.writeTables(cells); err != nil {
		return err
	}
	return errors.Join(c.writeFigures(cells), c.writeManifest(cells))
}

// writeFigures writes the figures of these cells and their data.
func (c comparison) writeFigures(cells map[string]*cell) error {
	figures, err := c.figures(c.folder, cells)
	if err != nil {
		return err
	}
	return writeFigures(c.folder, figures)
}

func writeFigures(folder string, figures map[string]*viz.Figure) error {
	for name, figure := range figures {
		path := filepath.Join(folder, name)
		if err := writeFigure(path+".npz", figure); err != nil {
			return err
		}
		for _, extension := range []string{".png", ".svg"} {
			if err := figure.Save(path + extension); err != nil {
				return err
			}
		}
	}
	return nil
}

// panelFile holds the picture of a cell, see ReadFigure: with it and the file of the cell,
// tables and figures can be made without the cell's Result.
const panelFile = "panel.npz"

// panelPoints is how many test images the picture of a cell shows.
const panelPoints = 2000

// pointsPerPanel returns how many points each panel of a figure has at most.
func pointsPerPanel(panels int) int { return min(max(500, 40_000/panels), panelPoints) }

// cellPanel returns the panel of the cell of that technique, dataset, dimension and split: of the
// first seed that was trained, with its cell. It shows up to that many points. Without a cell, it
// says why.
func cellPanel(folder string, cells map[string]*cell, wanted Cell, points int) (viz.Scatter, *cell, error) {
	cfg, err := wanted.WithDefaults()
	if err != nil {
		return viz.Scatter{}, nil, err
	}
	missing := "not trained yet"
	for _, name := range sortedNames(cells) {
		c := cells[name]
		if c.Split != wanted.Split || c.Technique != cfg.Technique || c.Dataset != cfg.Dataset || c.Dim != cfg.Dim ||
			!slices.Equal(c.Changes(), cfg.Changes()) {
			continue
		}
		if c.Error != "" {
			missing = "failed"
		}
		if !c.isDone() {
			continue
		}
		figure, err := ReadFigure(filepath.Join(c.in(folder), panelFile))
		if errors.Is(err, fs.ErrNotExist) {
			missing = "no " + panelFile
			continue
		}
		if err != nil {
			return viz.Scatter{}, nil, err
		}
		panel := thinned(figure.Panels[0].(viz.Scatter), points)
		panel.Title = ""
		panel.Note = fmt.Sprintf("accuracy %.1f %%", 100*c.Result.Metrics.Accuracy)
		return panel, c, nil
	}
	return viz.Scatter{Missing: missing}, nil, nil
}

// thinned returns a panel with up to n of its points, evenly spaced in the order of their
// classes: each class keeps its share, and the same labels give the same choice. Of the unknown
// points it keeps the same share.
func thinned(panel viz.Scatter, n int) viz.Scatter {
	points, labels, unknown := panel.Points, panel.Labels, panel.Unknown
	if n >= len(labels) {
		return panel
	}
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(labels[a] - labels[b]) })
	kept := make([]int, n)
	for i := range kept {
		kept[i] = order[(2*i+1)*len(labels)/(2*n)]
	}
	slices.Sort(kept)
	panel.Points, panel.Labels, panel.Unknown = nil, nil, nil
	for _, i := range kept {
		panel.Points = append(panel.Points, points[i*panel.Dim:(i+1)*panel.Dim]...)
		panel.Labels = append(panel.Labels, labels[i])
	}
	m := len(unknown) / panel.Dim
	for k := range m * n / len(labels) {
		i := k * len(labels) / n
		panel.Unknown = append(panel.Unknown, unknown[i*panel.Dim:(i+1)*panel.Dim]...)
	}
	return panel
}

// figureKey is the key of a figure's layout among its arrays.
const figureKey = "figure.json"

// panelArrays returns the arrays of coordinates of a panel by their names.
func panelArrays(p *viz.Scatter) map[string]*[]float32 {
	return map[string]*[]float32{"points": &p.Points, "unknown": &p.Unknown, "class_vectors": &p.ClassVectors, "targets": &p.Targets}
}

// writeFigure writes the data of a figure as NumPy's .npz: the arrays I.points [n, dim],
// I.labels [n], I.unknown [m, dim], I.class_vectors and I.targets [classes, dim] of each panel
// I, from 0, and all else as JSON.
func writeFigure(path string, figure *viz.Figure) error {
	arrays := store.Arrays{}
	for i, panel := range figure.Panels {
		p := panel.(viz.Scatter)
		if p.Missing != "" {
			continue
		}
		arrays[fmt.Sprint(i, ".labels")] = store.Vector(p.Labels)
		for name, rows := range panelArrays(&p) {
			if *rows != nil {
				arrays[fmt.Sprint(i, ".", name)] = store.Matrix(*rows, p.Dim)
			}
		}
	}
	var err error
	if arrays[figureKey], err = store.Object(figure); err != nil {
		return err
	}
	return store.WriteNpz(path, arrays, zip.Deflate)
}

// ReadFigure reads the figure that is beside a picture of an Overview or of PaperFigures,
// in the .npz of the same name.
func ReadFigure(path string) (*viz.Figure, error) {
	figure, err := readFigure(path)
	if err != nil {
		return nil, fmt.Errorf("compare: figure %s: %w", path, err)
	}
	return figure, nil
}

func readFigure(path string) (*viz.Figure, error) {
	arrays, err := store.ReadNpz(path)
	if err != nil {
		return nil, err
	}
	figure := &viz.Figure{}
	if err := store.ReadObject(arrays, figureKey, figure); err != nil {
		return nil, err
	}
	for i, panel := range figure.Panels {
		p := panel.(viz.Scatter) // as all that have a JSON form
		if p.Missing != "" {
			continue
		}
		if err := store.Read(arrays, fmt.Sprint(i, ".labels"), &p.Labels); err != nil {
			return nil, err
		}
		for name, rows := range panelArrays(&p) {
			name = fmt.Sprint(i, ".", name)
			if arrays[name] == nil {
				continue
			}
			if err := store.Read(arrays, name, rows); err != nil {
				return nil, err
			}
		}
		figure.Panels[i] = p
	}
	return figure, nil
}
