package compare

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/fewshot"
	"github.com/embedspace/embedspace/embed/internal/store"
)

// fewShotColumns are the accuracies of a FewShot.
var fewShotColumns = []column[fewShotResult]{
	{"new", "new, %", 100, 1, 1, func(r fewShotResult) float64 { return float64(r.New.Mean) }},
	{"known", "known, %", 100, 1, 1, func(r fewShotResult) float64 { return float64(r.Known.Mean) }},
	{"all", "all, %", 100, 1, 1, func(r fewShotResult) float64 { return float64(r.All.Mean) }},
	{"harmonic", "harmonic mean, %", 100, 1, 1, func(r fewShotResult) float64 { return float64(r.Harmonic.Mean) }},
	{"new_interval", "", 100, 1, 0, func(r fewShotResult) float64 { return float64(r.New.Half) }},
	{"known_interval", "", 100, 1, 0, func(r fewShotResult) float64 { return float64(r.Known.Half) }},
	{"all_interval", "", 100, 1, 0, func(r fewShotResult) float64 { return float64(r.All.Half) }},
	{"harmonic_interval", "", 100, 1, 0, func(r fewShotResult) float64 { return float64(r.Harmonic.Half) }},
}

// A fewShotRow is how one method learns in the spaces of a technique, or of a baseline.
type fewShotRow struct {
	splitsRow
	Baseline    bool   `json:"baseline"`
	Way         int    `json:"way"`
	Shot        int    `json:"shot"`
	Method      string `json:"method"`
	BesideKnown bool   `json:"beside_known"` // the known classes are answers, too
	Episodes    int    `json:"episodes"`     // of each cell
	Values      values `json:"values"`

	numbers map[string][]float64 // of the cells, by column
}

// fewShotRows returns the rows of all cells that were evaluated with some settings, empty: those of
// the first one, and of the baselines beside them:
// for each dataset and dimension, the baselines come first; that of pixels, which have more
// dimensions, comes again in each.
func fewShotRows(folder string, cells map[string]*cell, settings string) (rows []*fewShotRow, err error) {
	byKey := map[string]*fewShotRow{}
	add := func(common splitsRow, isBaseline bool, m fewShotMeasured) {
		for _, result := range m.Results {
			key := fmt.Sprint(common.section(), common.name(), isBaseline, result.Way, result.Shot, result.Method, result.BesideKnown)
			r := byKey[key]
			if r == nil {
				r = &fewShotRow{splitsRow: common, Baseline: isBaseline, Way: result.Way, Shot: result.Shot, Method: result.Method,
					BesideKnown: result.BesideKnown, Episodes: m.Settings.Episodes, Values: values{}, numbers: map[string][]float64{}}
				byKey[key] = r
				rows = append(rows, r)
			}
			r.Cells++
			for _, col := range fewShotColumns {
				r.numbers[col.key] = append(r.numbers[col.key], col.value(result))
				r.Values[col.key] = newSpread(r.numbers[col.key])
			}
		}
	}
	used := map[string]bool{} // baselines
	for _, name := range sortedNames(cells) {
		c := cells[name]
		var m fewShotMeasured
		err := store.ReadJSON(filepath.Join(c.in(folder), fewShotFile), &m)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if settings = cmp.Or(settings, m.Settings.settings()); m.Settings.settings() != settings { // an evaluation with others was interrupted
			continue
		}
		common := newSplitsRow(c)
		for _, b := range baselinesOf(c.Cell) {
			var measured baselineMeasured
			beside := common
			beside.Technique, beside.Title, beside.Set, beside.Epochs = b.Baseline, b.Baseline, "", 0
			key := fmt.Sprint(b.name(), beside.section())
			if used[key] {
				continue
			}
			used[key] = true
			if err := store.ReadJSON(b.path(folder), &measured); err != nil {
				return nil, fmt.Errorf("compare: %w", err)
			}
			if measured.Settings.settings() != settings {
				continue
			}
			beside.Canonical = measured.Canonical
			add(beside, true, measured.fewShotMeasured)
		}
		add(common, false, m)
	}
	return rows, nil
}

// reportFewShot writes the tables of the cells that a FewShot has evaluated. settings are as in
// fewShotRows.
func reportFewShot(folder string, cells map[string]*cell, settings string) error {
	rows, err := fewShotRows(folder, cells, settings)
	if err != nil || len(rows) == 0 {
		return err
	}
	return errors.Join(
		store.WriteJSON(filepath.Join(folder, "fewshot.json"), rows),
		store.WriteFile(filepath.Join(folder, "fewshot.csv"), fewShotCSV(rows)),
		store.WriteFile(filepath.Join(folder, "fewshot.md"), fewShotMarkdown(rows, cells)),
	)
}

// fewShotCSV returns one line per row; what has no value is empty.
func fewShotCSV(rows []*fewShotRow) []byte {
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	head := []string{"dataset", "dim", "technique", "set", "baseline", "way", "shot", "method", "beside_known", "epochs", "canonical", "cells", "episodes"}
	for _, c := range fewShotColumns {
		head = append(head, c.key, c.key+"_std")
	}
	w.Write(head)
	for _, r := range rows {
		var line []string
		for _, value := range []any{r.Dataset, r.Dim, r.Technique, r.Set, r.Baseline, r.Way, r.Shot, r.Method, r.BesideKnown, r.Epochs, r.Canonical, r.Cells, r.Episodes} {
			line = append(line, fmt.Sprint(value))
		}
		for _, c := range fewShotColumns {
			line = append(line, r.Values.fields(c.key)...)
		}
		w.Write(line)
	}
	w.Flush() // to memory: there is no error
	return table.Bytes()
}

// fewShotMarkdown returns two tables per dataset and dimension: the new classes alone by all
// methods, and beside the known ones by the method of the technique, both with the most classes.
func fewShotMarkdown(rows []*fewShotRow, cells map[string]*cell) []byte {
	var page bytes.Buffer
	first := rows[0]
	fmt.Fprintf(&page, "# Few examples\n\nEach technique was trained on the six known classes of a split. Its four other classes are learned from a few test images of each, the shots, and %d further images of each class are classified: %d episodes for each split and seed. The numbers are accuracies in percent, mean ± standard deviation over splits and seeds; the 95 %% interval of a split's mean over its episodes is at most ± %.1f points. Baselines: pixels has the images themselves for embeddings, untrained the embeddings of a network before its first step, another one for each split. Bold is the best of a column. fewshot.csv has all ways and methods, as shares.",
		queries, first.Episodes, math.Ceil(1000*widest(rows))/10)
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(r *fewShotRow) bool { return r.section() != rows[0].section() })
		if n < 0 {
			n = len(rows)
		}
		writeFewShot(&page, rows[:n])
		rows = rows[n:]
	}
	writeFailed(&page, cells)
	return append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
}

// widest returns the largest half width of an interval.
func widest(rows []*fewShotRow) (most float64) {
	for _, r := range rows {
		for _, col := range fewShotColumns {
			if !strings.HasSuffix(col.key, "_interval") {
				continue
			}
			for _, half := range r.numbers[col.key] {
				if half > most { // and no NaN
					most = half
				}
			}
		}
	}
	return most
}

// writeFewShot writes the tables of one dataset and dimension.
func writeFewShot(page *bytes.Buffer, rows []*fewShotRow) {
	way, shots := 0, []int{}
	var techniques []*fewShotRow // a row of each
	for _, r := range rows {
		way = max(way, r.Way)
		if !slices.Contains(shots, r.Shot) {
			shots = append(shots, r.Shot)
		}
		if !slices.ContainsFunc(techniques, func(other *fewShotRow) bool { return other.name() == r.name() }) {
			techniques = append(techniques, r)
		}
	}
	of := func(technique *fewShotRow, shot int, method string, besideKnown bool) values {
		for _, r := range rows {
			if r.Way == way && r.Shot == shot && r.Method == method && r.BesideKnown == besideKnown && r.name() == technique.name() {
				return r.Values
			}
		}
		return nil
	}
	fmt.Fprintf(page, "\n\n## %s\n\n", rows[0].section())
	last := rows[len(rows)-1]
	fmt.Fprintf(page, "%d epochs.", last.Epochs)
	if !last.Canonical {
		fmt.Fprint(page, " Not canonical: the images or labels are not those that were published.")
	}

	fmt.Fprintf(page, "\n\n### %d new classes\n\n", way)
	head, rule := "| | cells |", "|---|---|"
	lines := make([]string, len(techniques))
	for i, technique := range techniques {
		lines[i] = fmt.Sprintf("| %s | %d |", technique.name(), technique.Cells)
	}
	addColumn := func(title, key string, of func(technique *fewShotRow) values) {
		i := slices.IndexFunc(fewShotColumns, func(c column[fewShotResult]) bool { return c.key == key })
		head, rule = head+" "+title+" |", rule+"---|"
		var all []values
		for _, technique := range techniques {
			all = append(all, of(technique))
		}
		for k, text := range fewShotColumns[i].texts(all) {
			lines[k] += " " + text + " |"
		}
	}
	for _, shot := range shots {
		for _, method := range fewshot.Methods() {
			addColumn(fmt.Sprintf("%d-shot, %s", shot, method.Name), "new", func(t *fewShotRow) values { return of(t, shot, method.Name, false) })
		}
	}
	fmt.Fprintf(page, "%s\n%s\n%s", head, rule, strings.Join(lines, "\n"))

	fmt.Fprintf(page, "\n\n### %d new classes beside the known ones\n\nThe known classes stand with the means of their training images, and their test images are classified, too.\n\n", way)
	head, rule = "| | method |", "|---|---|"
	for i, technique := range techniques {
		lines[i] = fmt.Sprintf("| %s | %s |", technique.name(), natural(technique))
	}
	for _, shot := range shots {
		for _, key := range []string{"new", "known", "harmonic"} {
			addColumn(fmt.Sprintf("%d-shot, %s", shot, key), key, func(t *fewShotRow) values { return of(t, shot, natural(t), true) })
		}
	}
	fmt.Fprintf(page, "%s\n%s\n%s", head, rule, strings.Join(lines, "\n"))
}

// natural returns the method that fits the geometry of a technique: cosines where the loss sees
// directions.
func natural(r *fewShotRow) string {
	if technique, err := embed.LookUp(r.Technique); err == nil && technique.Geometry == embed.Sphere {
		return "prototype-cosine"
	}
	return "prototype"
}
