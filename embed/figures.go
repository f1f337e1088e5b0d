package embed

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/viz"
)

// report writes the tables, the figures and the manifest of these cells.
func (c comparison) report(cells map[string]*cell) error {
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
	for name, figure := range figures {
		path := filepath.Join(c.folder, name)
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

// cellPanel returns the panel of the cell of that technique, dataset and dimension: of the
// first seed that was trained. It shows up to that many points. Without a cell, it says
// why.
func cellPanel(folder string, cells map[string]*cell, cfg Config, points int) (viz.Scatter, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return viz.Scatter{}, err
	}
	missing := "not trained yet"
	for _, name := range sortedNames(cells) {
		this := cells[name]
		if here := this.Config; here.Technique != cfg.Technique || here.Dataset != cfg.Dataset || here.Dim != cfg.Dim ||
			!slices.Equal(variant(here), variant(cfg)) {
			continue
		}
		if this.Error != "" {
			missing = "failed"
		}
		if this.Result == nil {
			continue
		}
		figure, err := ReadFigure(filepath.Join(cellFolder(folder, this.Config), panelFile))
		if errors.Is(err, fs.ErrNotExist) {
			missing = "no " + panelFile
			continue
		}
		if err != nil {
			return viz.Scatter{}, err
		}
		panel := thinned(figure.Panels[0], points)
		panel.Title = ""
		panel.Note = fmt.Sprintf("accuracy %.1f %%", 100*this.Result.Metrics.Accuracy)
		return panel, nil
	}
	return viz.Scatter{Missing: missing}, nil
}

// thinned returns a panel with up to n of its points, evenly spaced in the order of their
// classes: each class keeps its share, and the same labels give the same choice.
func thinned(panel viz.Scatter, n int) viz.Scatter {
	points, labels := panel.Points, panel.Labels
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
	panel.Points, panel.Labels = nil, nil
	for _, i := range kept {
		panel.Points = append(panel.Points, points[i*panel.Dim:(i+1)*panel.Dim]...)
		panel.Labels = append(panel.Labels, labels[i])
	}
	return panel
}

// figureKey is the key of the layout of a figure among its arrays.
const figureKey = "figure.json"

// figureLayout is a viz.Figure without its arrays.
type figureLayout struct {
	Title        string        `json:"title"`
	Columns      int           `json:"columns"`
	RowLabels    []string      `json:"row_labels"`
	ColumnLabels []string      `json:"column_labels"`
	Panels       []panelLayout `json:"panels"`
}

// panelLayout is a viz.Scatter without its arrays.
type panelLayout struct {
	Title      string   `json:"title"`
	Note       string   `json:"note"`
	Dim        int      `json:"dim"`
	ClassNames []string `json:"class_names"`
	Sphere     bool     `json:"sphere"`
	Missing    string   `json:"missing,omitempty"`
}

// writeFigure writes the data of a figure as NumPy's .npz: the arrays I.points [n, dim],
// I.labels [n], I.class_vectors and I.targets [classes, dim] of each panel I, from 0, and
// the layout as JSON bytes.
func writeFigure(path string, figure *viz.Figure) error {
	layout := figureLayout{figure.Title, figure.Columns, figure.RowLabels, figure.ColumnLabels, nil}
	arrays := map[string]*tensors.Tensor{}
	for i, p := range figure.Panels {
		layout.Panels = append(layout.Panels, panelLayout{p.Title, p.Note, p.Dim, p.ClassNames, p.Sphere, p.Missing})
		if p.Missing != "" {
			continue
		}
		arrays[fmt.Sprint(i, ".labels")] = vector(p.Labels)
		for name, rows := range map[string][]float32{"points": p.Points, "class_vectors": p.ClassVectors, "targets": p.Targets} {
			if rows != nil {
				arrays[fmt.Sprint(i, ".", name)] = matrix(rows, p.Dim)
			}
		}
	}
	encoded, err := json.Marshal(layout)
	if err != nil {
		return err
	}
	arrays[figureKey] = tensors.FromFlatDataAndDimensions(encoded, len(encoded))
	return writeNpz(path, arrays, zip.Deflate)
}

// ReadFigure reads the figure that is beside a picture of an Overview or of PaperFigures,
// in the .npz of the same name.
func ReadFigure(path string) (*viz.Figure, error) {
	arrays, err := readNpz(path)
	if err != nil {
		return nil, fmt.Errorf("embed: figure %s: %w", path, err)
	}
	encoded, ok := arrays[figureKey]
	if !ok {
		return nil, fmt.Errorf("embed: figure %s: no %s in it", path, figureKey)
	}
	var layout figureLayout
	if accessErr := encoded.ConstBytes(func(data []byte) { err = json.Unmarshal(data, &layout) }); accessErr != nil {
		return nil, accessErr
	}
	if err != nil {
		return nil, fmt.Errorf("embed: figure %s: %s: %w", path, figureKey, err)
	}
	figure := &viz.Figure{Title: layout.Title, Columns: layout.Columns, RowLabels: layout.RowLabels, ColumnLabels: layout.ColumnLabels}
	for i, p := range layout.Panels {
		panel := viz.Scatter{Title: p.Title, Note: p.Note, Dim: p.Dim, ClassNames: p.ClassNames, Sphere: p.Sphere, Missing: p.Missing}
		if p.Missing == "" {
			if err := read(arrays, fmt.Sprint(i, ".labels"), &panel.Labels); err != nil {
				return nil, fmt.Errorf("embed: figure %s: %w", path, err)
			}
			for name, rows := range map[string]*[]float32{"points": &panel.Points, "class_vectors": &panel.ClassVectors, "targets": &panel.Targets} {
				name = fmt.Sprint(i, ".", name)
				if !has(arrays, name) {
					continue
				}
				if err := read(arrays, name, rows); err != nil {
					return nil, fmt.Errorf("embed: figure %s: %w", path, err)
				}
			}
		}
		figure.Panels = append(figure.Panels, panel)
	}
	return figure, nil
}
