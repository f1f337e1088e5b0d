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

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/viz"
)

// openSetColumns are those of the tables of an OpenSet. openset.md has those with a title.
var openSetColumns = []column[scoreMeasured]{
	{"auroc", "AUROC, %", 100, 2, 1, func(s scoreMeasured) float64 { return float64(s.Measures.AUROC) }},
	{"oscr", "OSCR, %", 100, 2, 1, func(s scoreMeasured) float64 { return float64(s.Measures.OSCR) }},
	{"accuracy", "accuracy, %", 100, 2, 1, func(s scoreMeasured) float64 { return float64(s.Measures.Accuracy) }},
	{"aupr_known", "AP of the known, %", 100, 2, 1, func(s scoreMeasured) float64 { return float64(s.Measures.AUPRKnown) }},
	{"aupr_unknown", "AP of the unknown, %", 100, 2, 1, func(s scoreMeasured) float64 { return float64(s.Measures.AUPRUnknown) }},
	{"fpr_at_95_tpr", "FPR at 95 % TPR, %", 100, 1, -1, func(s scoreMeasured) float64 { return float64(s.Measures.FPRAt95TPR) }},
	{"rejected_at_95_detected", "", 100, 1, -1, func(s scoreMeasured) float64 { return float64(s.Measures.RejectedAt95Detected) }},
	{"ccr_at_fpr_10", "", 100, 1, 1, func(s scoreMeasured) float64 { return float64(s.Measures.CCRAtFPR10) }},
	{"ccr_at_fpr_1", "", 100, 1, 1, func(s scoreMeasured) float64 { return float64(s.Measures.CCRAtFPR1) }},
	{"balanced_accuracy", "", 100, 1, 1, func(s scoreMeasured) float64 { return float64(s.Measures.BalancedAccuracy) }},
	{"known_accepted", "known accepted, %", 100, 1, 0, func(s scoreMeasured) float64 { return float64(s.Decisions.KnownAccepted) }},
	{"known_right", "and right, %", 100, 1, 1, func(s scoreMeasured) float64 { return float64(s.Decisions.KnownRight) }},
	{"unknown_rejected", "unknown rejected, %", 100, 1, 1, func(s scoreMeasured) float64 { return float64(s.Decisions.UnknownRejected) }},
	{"macro_f1", "", 100, 1, 1, func(s scoreMeasured) float64 { return float64(s.Decisions.MacroF1) }},
}

// A splitsRow is what the rows about cells of splits have in common: a technique on a dataset in
// a dimension, over all splits and seeds.
type splitsRow struct {
	Dataset   string `json:"dataset"`
	Dim       int    `json:"dim"`
	Technique string `json:"technique"`
	Title     string `json:"title"`
	Set       string `json:"set"` // parameters that are not the defaults
	Epochs    int    `json:"epochs"`
	Canonical bool   `json:"canonical"` // the data is that of the original publication
	Cells     int    `json:"cells"`     // over which the means go
	Failed    int    `json:"failed"`
}

// newSplitsRow returns what a cell's row has in common with others.
func newSplitsRow(c *cell) splitsRow {
	row := splitsRow{Dataset: c.Dataset, Dim: c.Dim, Technique: c.Technique, Title: c.Technique, Set: strings.Join(c.Changes(), " "), Epochs: c.Epochs, Canonical: c.Data.Canonical}
	if technique, err := embed.LookUp(c.Technique); err == nil {
		row.Title = technique.Title
	}
	return row
}

// section says what the rows of a table have in common.
func (r splitsRow) section() string { return fmt.Sprintf("%s, %d-D", r.Dataset, r.Dim) }

// name returns the technique with its parameters.
func (r splitsRow) name() string { return strings.Join(strings.Fields(r.Technique+" "+r.Set), " ") }

// An openSetRow is how one score tells one set of unknown images.
type openSetRow struct {
	splitsRow
	Unknown string  `json:"unknown"` // held-out, or the name of a dataset
	Score   string  `json:"score"`
	Default bool    `json:"default"` // it is the technique's own
	Accept  float64 `json:"accept"`
	Values  values  `json:"values"`

	numbers  map[string][]float64 // of the cells, by column
	tpr, ccr [][]float64          // of the cells, by the default score
}

// openSetRows returns the rows of all cells that were evaluated with some settings, empty: those of
// the first one; for each dataset, dimension and set of unknown images, those of each technique in
// the order of the scores.
func openSetRows(folder string, cells map[string]*cell, settings string) (rows []*openSetRow, err error) {
	known := map[string]*openSetRow{}
	section := map[string]int{} // of the dataset and dimension, in their order
	for _, name := range sortedNames(cells) {
		c := cells[name]
		m, err := readOpenSet(folder, c.Cell)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if settings = cmp.Or(settings, m.settings()); m.settings() != settings { // an evaluation with others was interrupted
			continue
		}
		common := newSplitsRow(c)
		if of := common.section(); section[of] == 0 {
			section[of] = len(section) + 1
		}
		for _, u := range m.Unknown {
			for _, s := range u.Scores {
				key := strings.Join([]string{common.section(), common.name(), u.Unknown, s.Score}, ", ")
				r := known[key]
				if r == nil {
					common := common
					common.Canonical = common.Canonical && (u.Unknown == heldOut || u.Canonical)
					r = &openSetRow{splitsRow: common, Unknown: u.Unknown, Score: s.Score, Values: values{}, numbers: map[string][]float64{}}
					known[key] = r
					rows = append(rows, r)
				}
				r.add(u, s, m)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b *openSetRow) int {
		return cmp.Or(cmp.Compare(section[a.section()], section[b.section()]), compareUnknown(a.Unknown, b.Unknown))
	})
	return rows, nil
}

// add adds what one score has measured on a cell.
func (r *openSetRow) add(u unknownMeasured, s scoreMeasured, m openSetMeasured) {
	r.Default, r.Accept = s.Score == m.Default, m.Accept
	if s.Error != "" {
		r.Failed++
		return
	}
	r.Cells++
	for _, col := range openSetColumns {
		r.numbers[col.key] = append(r.numbers[col.key], col.value(s))
		r.Values[col.key] = newSpread(r.numbers[col.key])
	}
	if r.Default {
		r.tpr, r.ccr = append(r.tpr, u.TPR), append(r.ccr, u.CCR)
	}
}

// compareUnknown orders sets of unknown images: the held-out classes come first.
func compareUnknown(a, b string) int {
	rank := func(name string) string {
		if name == heldOut {
			return ""
		}
		return name
	}
	return cmp.Compare(rank(a), rank(b))
}

// reportOpenSet writes the tables and figures of the cells that an OpenSet has evaluated.
// settings are as in openSetRows.
func reportOpenSet(folder string, cells map[string]*cell, settings string) error {
	rows, err := openSetRows(folder, cells, settings)
	if err != nil || len(rows) == 0 {
		return err
	}
	var byDefault []*openSetRow
	for _, r := range rows {
		if r.Default {
			byDefault = append(byDefault, r)
		}
	}
	figures, err := openSetFigures(folder, cells)
	if err != nil {
		return err
	}
	return errors.Join(
		store.WriteJSON(filepath.Join(folder, "openset.json"), rows),
		store.WriteFile(filepath.Join(folder, "openset.csv"), openSetCSV(byDefault)),
		store.WriteFile(filepath.Join(folder, "openset-scores.csv"), openSetCSV(rows)),
		store.WriteFile(filepath.Join(folder, "openset.md"), openSetMarkdown(rows, cells)),
		writeOpenSetCurves(folder, byDefault),
		writeFigures(folder, figures),
	)
}

// openSetCSV returns one line per row; what has no value is empty.
func openSetCSV(rows []*openSetRow) []byte {
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	head := []string{"dataset", "dim", "unknown", "technique", "set", "score", "default", "epochs", "canonical", "cells", "failed", "accept"}
	for _, c := range openSetColumns {
		head = append(head, c.key, c.key+"_std")
	}
	w.Write(head)
	for _, r := range rows {
		var line []string
		for _, value := range []any{r.Dataset, r.Dim, r.Unknown, r.Technique, r.Set, r.Score, r.Default, r.Epochs, r.Canonical, r.Cells, r.Failed, r.Accept} {
			line = append(line, fmt.Sprint(value))
		}
		for _, c := range openSetColumns {
			line = append(line, r.Values.fields(c.key)...)
		}
		w.Write(line)
	}
	w.Flush() // to memory: there is no error
	return table.Bytes()
}

// sections returns the rows of each dataset, dimension and set of unknown images.
func sections(rows []*openSetRow) (parts [][]*openSetRow) {
	for len(rows) > 0 {
		first := rows[0]
		n := slices.IndexFunc(rows, func(r *openSetRow) bool {
			return r.Dataset != first.Dataset || r.Dim != first.Dim || r.Unknown != first.Unknown
		})
		if n < 0 {
			n = len(rows)
		}
		parts = append(parts, rows[:n])
		rows = rows[n:]
	}
	return parts
}

// openSetMarkdown returns two tables per dataset, dimension and set of unknown images: the
// default scores with their measures, and AUROC by all scores.
func openSetMarkdown(rows []*openSetRow, cells map[string]*cell) []byte {
	var page bytes.Buffer
	fmt.Fprintf(&page, "# Open set\n\nEach technique was trained on the six known classes of a split; the unknown images are test images of its four other classes (held-out), or of another dataset. Mean ± standard deviation over splits and seeds. AUROC is the share of pairs of a known and an unknown image in which the known one has the higher score. OSCR counts such a pair only if the class of the known image is found, too. AP is the average precision. The threshold accepts %.6g %% of the known, by training images that were held out for it; the last three columns are what it does on test images. The score of a technique was chosen by what its loss shapes, before any test. Bold is the best of a column. openset.csv has more measures, openset-scores.csv those of all scores, as shares.", 100*rows[0].Accept)
	for _, part := range sections(rows) {
		first := part[0]
		fmt.Fprintf(&page, "\n\n## %s, unknown: %s\n\n%d epochs.", first.section(), first.Unknown, first.Epochs)
		if slices.ContainsFunc(part, func(r *openSetRow) bool { return !r.Canonical }) {
			fmt.Fprint(&page, " Not canonical: the images or labels are not those that were published.")
		}
		if strings.HasPrefix(first.Dataset, "fashion-mnist") {
			fmt.Fprint(&page, " Its splits are the class numbers of those of MNIST.")
		}
		writeDefaults(&page, slices.DeleteFunc(slices.Clone(part), func(r *openSetRow) bool { return !r.Default }))
		fmt.Fprint(&page, "\n\nAUROC in percent by every score. Bold is the best of a row, † the score of the technique.\n\n")
		writeScores(&page, part)
	}
	writeFailed(&page, cells)
	return append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
}

// writeDefaults writes the table of the default scores.
func writeDefaults(page *bytes.Buffer, rows []*openSetRow) {
	head, rule := "| | score | cells |", "|---|---|---|"
	lines, all := make([]string, len(rows)), make([]values, len(rows))
	for i, r := range rows {
		all[i] = r.Values
		lines[i] = fmt.Sprintf("| %s | %s | %d |", r.name(), r.Score, r.Cells)
	}
	for _, c := range openSetColumns {
		if c.title == "" {
			continue
		}
		head, rule = head+" "+c.title+" |", rule+"---|"
		for i, text := range c.texts(all) {
			lines[i] += " " + text + " |"
		}
	}
	fmt.Fprintf(page, "\n\n%s\n%s\n%s", head, rule, strings.Join(lines, "\n"))
}

// writeScores writes the table of AUROC by technique and score.
func writeScores(page *bytes.Buffer, rows []*openSetRow) {
	head, rule := "| |", "|---|"
	for _, r := range rows {
		if r.name() == rows[0].name() {
			head, rule = head+" "+r.Score+" |", rule+"---|"
		}
	}
	fmt.Fprintf(page, "%s\n%s", head, rule)
	for len(rows) > 0 {
		name := rows[0].name()
		n := slices.IndexFunc(rows, func(r *openSetRow) bool { return r.name() != name })
		if n < 0 {
			n = len(rows)
		}
		fmt.Fprintf(page, "\n| %s |", name)
		best := math.Inf(-1)
		for _, r := range rows[:n] {
			if mean, _ := r.Values.of("auroc"); mean > best && r.Failed == 0 {
				best = mean
			}
		}
		for _, r := range rows[:n] {
			text := "–"
			if mean, _ := r.Values.of("auroc"); !math.IsNaN(mean) {
				text = fmt.Sprintf("%.1f", 100*mean)
				switch {
				case r.Failed > 0: // a mean over other splits than the rest of the row
					text += fmt.Sprintf(" (%d of %d cells)", r.Cells, r.Cells+r.Failed)
				case text == fmt.Sprintf("%.1f", 100*best):
					text = "**" + text + "**"
				}
			}
			if r.Default {
				text += " †"
			}
			fmt.Fprintf(page, " %s |", text)
		}
		rows = rows[n:]
	}
}

// writeOpenSetCurves writes the curves of the default scores, the means over splits and seeds.
func writeOpenSetCurves(folder string, rows []*openSetRow) error {
	for _, part := range sections(rows) {
		first := part[0]
		of := fmt.Sprintf("%s-%dd", first.Dataset, first.Dim)
		title := first.section()
		if first.Unknown != heldOut {
			of, title = of+"-"+first.Unknown, title+", unknown: "+first.Unknown
		}
		for _, kind := range []struct {
			name, key, y string
			curves       func(r *openSetRow) [][]float64
		}{
			{"roc", "auroc", "known accepted", func(r *openSetRow) [][]float64 { return r.tpr }},
			{"oscr", "oscr", "known accepted, and right", func(r *openSetRow) [][]float64 { return r.ccr }},
		} {
			picture := viz.Curves{Title: strings.ToUpper(kind.name) + ", " + title, X: "unknown accepted", Y: kind.y, LogX: true}
			for _, r := range part {
				if r.Cells == 0 {
					continue
				}
				mean := make([]float64, len(falseShares))
				for _, curve := range kind.curves(r) {
					floats.AddScaled(mean, 1/float64(r.Cells), curve)
				}
				area, _ := r.Values.of(kind.key)
				picture.Lines = append(picture.Lines, viz.Line{Name: fmt.Sprintf("%s, %.1f %%", r.Title, 100*area), Values: mean, X: falseShares})
			}
			if len(picture.Lines) == 0 {
				continue
			}
			if err := picture.Save(filepath.Join(folder, fmt.Sprintf("openset-%s-%s.png", kind.name, of))); err != nil {
				return err
			}
		}
	}
	return nil
}

// openSetFigures returns by their names the figures of where the unknown images fall, of each
// dataset in 2-D and 3-D: all techniques on its first split.
func openSetFigures(folder string, cells map[string]*cell) (map[string]*viz.Figure, error) {
	figures := map[string]*viz.Figure{}
	first := map[string]int{} // the first split of each figure
	for _, c := range cells {
		name := fmt.Sprintf("openset-%s-%dd", c.Dataset, c.Dim)
		if c.Dim <= 3 && (first[name] == 0 || c.Split < first[name]) {
			first[name] = c.Split
		}
	}
	seen := map[string]bool{}
	for _, id := range sortedNames(cells) {
		c := cells[id]
		name := fmt.Sprintf("openset-%s-%dd", c.Dataset, c.Dim)
		row := newSplitsRow(c)
		if c.Split != first[name] || seen[name+row.name()] {
			continue
		}
		seen[name+row.name()] = true
		figure := figures[name]
		if figure == nil {
			figure = &viz.Figure{Title: fmt.Sprintf("Unknown images among the known: %s, split %d", c.Dataset, c.Split)}
			figures[name] = figure
		}
		panel, of, err := cellPanel(folder, cells, c.Cell, panelPoints)
		if err != nil {
			return nil, err
		}
		panel.Title = strings.TrimSpace(row.Title + " " + row.Set)
		if of != nil {
			panel.Note = ""
			if m, err := readOpenSet(folder, of.Cell); err == nil {
				panel.Note = m.note()
			}
		}
		figure.Panels = append(figure.Panels, panel)
	}
	return figures, nil
}

// note returns the AUROC of the default score on the held-out classes.
func (m openSetMeasured) note() string {
	for _, s := range m.Unknown[0].Scores {
		if s.Score == m.Default && s.Measures != nil {
			return fmt.Sprintf("%s: AUROC %.1f %%", s.Score, 100*s.Measures.AUROC)
		}
	}
	return ""
}
