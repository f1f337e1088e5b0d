package compare

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
)

// A column is a number in the tables of a comparison, of what was measured.
type column[T any] struct {
	key    string // in results.csv and results.json
	title  string // in results.md
	factor float64
	digits int // in results.md, of the value times the factor
	better int // 1: higher is better, -1: lower is, 0: neither
	value  func(m T) float64
}

// columns are those of all tables, in their order.
var columns = slices.Concat(inSpace, onSphere)

// inSpace are the columns of the tables in the space, onSphere those on the unit sphere.
var (
	inSpace = slices.Concat(
		[]column[measured]{{"accuracy", "accuracy, %", 100, 2, 1, func(m measured) float64 { return float64(m.Metrics.Accuracy) }}},
		distanceColumns("", func(m measured) measure.Distances { return m.Metrics.Distances }),
		[]column[measured]{
			{"norm_mean", "mean norm", 1, 2, 0, func(m measured) float64 { return float64(m.Metrics.NormMean) }},
			{"norm_variation", "variation of the norm", 1, 3, 0, func(m measured) float64 { return float64(m.Metrics.NormVariation) }},
			{"seconds", "seconds", 1, 0, 0, func(m measured) float64 { return m.Seconds }},
			{"images_per_second", "images/s", 1, 0, 0, func(m measured) float64 { return m.ImagesPerSecond }},
		})
	onSphere = append(
		distanceColumns("on_sphere_", func(m measured) measure.Distances { return m.Metrics.OnSphere }),
		column[measured]{"angular_spread", "angle to own class, °", 180 / math.Pi, 2, -1, func(m measured) float64 { return float64(m.Metrics.AngularSpread) }},
		column[measured]{"neighbour_angle", "angle to nearest class, °", 180 / math.Pi, 1, 1, func(m measured) float64 { return float64(m.Metrics.NeighbourAngle) }},
	)
)

// distanceColumns returns the columns of one of the two Distances of the Metrics.
func distanceColumns(prefix string, of func(m measured) measure.Distances) []column[measured] {
	return []column[measured]{
		{prefix + "nearest_mean_accuracy", "nearest mean, %", 100, 2, 1, func(m measured) float64 { return float64(of(m).NearestMeanAccuracy) }},
		{prefix + "knn_accuracy", "5-NN, %", 100, 2, 1, func(m measured) float64 { return float64(of(m).KNNAccuracy) }},
		{prefix + "recall_at_1", "recall@1, %", 100, 2, 1, func(m measured) float64 { return float64(of(m).RecallAt1) }},
		{prefix + "map_at_r", "MAP@R, %", 100, 2, 1, func(m measured) float64 { return float64(of(m).MAPAtR) }},
		{prefix + "silhouette", "silhouette", 1, 3, 1, func(m measured) float64 { return float64(of(m).Silhouette) }},
		{prefix + "davies_bouldin", "Davies-Bouldin", 1, 3, -1, func(m measured) float64 { return float64(of(m).DaviesBouldin) }},
		{prefix + "distance_ratio", "intra / inter distance", 1, 3, -1, func(m measured) float64 { return float64(of(m).DistanceRatio) }},
		{prefix + "touching", "touching pairs", 1, 1, -1, func(m measured) float64 {
			if of(m).Touching == nil { // not measured
				return math.NaN()
			}
			return float64(len(of(m).Touching))
		}},
	}
}

// A row is a technique on a dataset in a dimension, over all seeds.
type row struct {
	Technique string         `json:"technique"`
	Title     string         `json:"title"`
	Set       string         `json:"set"` // parameters that are not the defaults
	Dataset   string         `json:"dataset"`
	Dim       int            `json:"dim"`
	Epochs    int            `json:"epochs"`
	Train     int            `json:"train"`     // training images
	Canonical bool           `json:"canonical"` // the data is that of the original publication
	Seeds     int            `json:"seeds"`     // cells that were trained
	Failed    int            `json:"failed"`    // cells that failed
	Geometry  embed.Geometry `json:"geometry"`  // the technique's own; empty: none
	Values    values         `json:"values"`
}

// values are the numbers of a row by their columns, over seeds and splits.
type values map[string]spread

// A spread is the mean and the standard deviation (over n-1) of a number over the seeds and
// splits; the latter is NaN with fewer than two.
type spread struct {
	Mean measure.Measure `json:"mean"`
	Std  measure.Measure `json:"std"`
}

func newSpread(numbers []float64) spread {
	mean, std := stat.MeanStdDev(numbers, nil)
	if len(numbers) < 2 {
		std = math.NaN()
	}
	return spread{measure.Measure(mean), measure.Measure(std)}
}

// of returns the mean and standard deviation of a column, NaN where there is none.
func (v values) of(key string) (mean, std float64) {
	if value, ok := v[key]; ok {
		return float64(value.Mean), float64(value.Std)
	}
	return math.NaN(), math.NaN()
}

// rowsOf returns the rows of all cells, in order.
func rowsOf(cells map[string]*cell) (rows []*row) {
	var numbers map[string][]float64
	for _, name := range sortedNames(cells) {
		c := cells[name]
		cfg := c.Config
		r := &row{
			Technique: cfg.Technique, Set: strings.Join(cfg.Changes(), " "), Dataset: cfg.Dataset, Dim: cfg.Dim,
			Epochs: cfg.Epochs, Train: cfg.Train, Values: values{},
		}
		if technique, err := embed.LookUp(cfg.Technique); err == nil {
			r.Title = technique.Title
			// Other activations put classes at the origin or into a corner: biases, too,
			// decide there.
			if technique.Geometry == embed.Space || cfg.Activation == "linear" {
				r.Geometry = technique.Geometry
			}
		}
		if last := len(rows) - 1; last >= 0 && rows[last].group() == r.group() {
			r = rows[last]
		} else {
			rows, numbers = append(rows, r), map[string][]float64{}
		}
		if c.Error != "" {
			r.Failed++
		}
		if !c.isDone() {
			continue
		}
		r.Seeds++
		r.Canonical = c.Data.Canonical
		for _, col := range columns {
			numbers[col.key] = append(numbers[col.key], col.value(*c.Result))
			r.Values[col.key] = newSpread(numbers[col.key])
		}
	}
	return rows
}

// group is what the cells of a row have in common.
func (r *row) group() string {
	return fmt.Sprint(r.Technique, r.Set, r.Dataset, r.Dim)
}

// writeTables writes results.csv, results.json and results.md of these cells.
func (c comparison) writeTables(cells map[string]*cell) error {
	rows := rowsOf(cells)
	if err := store.WriteJSON(filepath.Join(c.folder, "results.json"), rows); err != nil {
		return err
	}
	table, err := tableCSV(rows)
	if err != nil {
		return err
	}
	if err := store.WriteFile(filepath.Join(c.folder, "results.csv"), table); err != nil {
		return err
	}
	return store.WriteFile(filepath.Join(c.folder, "results.md"), tablesMarkdown(rows, cells))
}

// tableCSV returns one line per row; what has no value is empty.
func tableCSV(rows []*row) ([]byte, error) {
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	head := []string{"technique", "set", "dataset", "dim", "epochs", "train", "canonical", "seeds", "failed", "geometry"}
	for _, c := range columns {
		head = append(head, c.key, c.key+"_std")
	}
	w.Write(head)
	for _, r := range rows {
		line := []string{r.Technique, r.Set, r.Dataset}
		for _, value := range []any{r.Dim, r.Epochs, r.Train, r.Canonical, r.Seeds, r.Failed, r.Geometry} {
			line = append(line, fmt.Sprint(value))
		}
		for _, c := range columns {
			line = append(line, r.Values.fields(c.key)...)
		}
		w.Write(line)
	}
	w.Flush()
	return table.Bytes(), w.Error()
}

// fields returns the mean and standard deviation of a column as CSV has them; what has no value
// is empty.
func (v values) fields(key string) []string {
	number := func(x float64) string {
		if math.IsNaN(x) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	mean, std := v.of(key)
	return []string{number(mean), number(std)}
}

// tablesMarkdown returns two tables per dataset and dimension, in the space and on the unit
// sphere, with the best of each column in bold, and what failed.
func tablesMarkdown(rows []*row, cells map[string]*cell) []byte {
	var page bytes.Buffer
	fmt.Fprint(&page, "# Results\n\nOn the test images; mean ± standard deviation over the seeds where there are several. Distances are Euclidean: in the space as it is, and on the unit sphere, where each embedding is divided by its norm. † marks the techniques whose own geometry a table shows: losses that see directions only leave lengths to chance, and with them the distances in the space. Bold is the best of a column, which can mislead by itself: points on one ray have small angles, whatever their accuracy. results.csv and results.json have the same numbers as shares and radians.")
	for len(rows) > 0 {
		first := rows[0]
		n := slices.IndexFunc(rows, func(r *row) bool { return r.Dataset != first.Dataset || r.Dim != first.Dim })
		if n < 0 {
			n = len(rows)
		}
		fmt.Fprintf(&page, "\n\n## %s, %d-D\n\n%d epochs of %d images.", first.Dataset, first.Dim, first.Epochs, first.Train)
		if slices.ContainsFunc(rows[:n], func(r *row) bool { return r.Seeds > 0 && !r.Canonical }) {
			fmt.Fprint(&page, " Not canonical: the images or labels are not those that were published.")
		}
		fmt.Fprint(&page, "\n\n### In the space\n\n")
		writeTable(&page, rows[:n], inSpace, embed.Space)
		fmt.Fprint(&page, "\n\n### On the unit sphere\n\n")
		writeTable(&page, rows[:n], onSphere, embed.Sphere)
		rows = rows[n:]
	}
	writeFailed(&page, cells)
	return append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
}

// writeFailed writes what failed.
func writeFailed(page *bytes.Buffer, cells map[string]*cell) {
	heading := "\n\n## Failed\n\n"
	for _, name := range sortedNames(cells) {
		if text := cells[name].Error; text != "" {
			fmt.Fprintf(page, "%s- %s: `%s`\n", heading, name, strings.ReplaceAll(text, "\n", " "))
			heading = ""
		}
	}
}

// writeTable writes the table of one dataset and dimension in a geometry.
func writeTable(page *bytes.Buffer, rows []*row, columns []column[measured], geometry embed.Geometry) {
	head, rule := "| | seeds |", "|---|---|"
	all := make([]values, len(rows))
	lines := make([]string, len(rows))
	for i, r := range rows {
		all[i] = r.Values
		lines[i] = "| " + r.Technique
		switch {
		case r.Set != "":
			lines[i] += ", " + r.Set
		case slices.ContainsFunc(rows, func(other *row) bool { return other.Technique == r.Technique && other.Set != "" }):
			lines[i] += ", defaults"
		}
		if r.Geometry == geometry {
			lines[i] += " †"
		}
		lines[i] += fmt.Sprintf(" | %d |", r.Seeds)
		if r.Failed > 0 {
			lines[i] = strings.TrimSuffix(lines[i], " |") + fmt.Sprintf(", %d failed |", r.Failed)
		}
	}
	for _, c := range columns {
		head, rule = head+" "+c.title+" |", rule+"---|"
		for i, text := range c.texts(all) {
			lines[i] += " " + text + " |"
		}
	}
	fmt.Fprintf(page, "%s\n%s\n%s", head, rule, strings.Join(lines, "\n"))
}

// texts returns what stands in the column of rows; the best is in bold when there is something
// to compare, and so is what can't be told from it by the digits.
func (c column[T]) texts(rows []values) []string {
	texts, best, compared := make([]string, len(rows)), math.NaN(), 0
	number := func(x float64) string { return strconv.FormatFloat(x*c.factor, 'f', c.digits, 64) }
	for _, r := range rows {
		if mean, _ := r.of(c.key); !math.IsNaN(mean) {
			compared++
			if math.IsNaN(best) || float64(c.better)*(mean-best) > 0 {
				best = mean
			}
		}
	}
	for i, r := range rows {
		mean, std := r.of(c.key)
		if math.IsNaN(mean) {
			texts[i] = "–"
			continue
		}
		texts[i] = number(mean)
		if !math.IsNaN(std) {
			texts[i] += " ± " + number(std)
		}
		if c.better != 0 && compared > 1 && number(mean) == number(best) {
			texts[i] = "**" + texts[i] + "**"
		}
	}
	return texts
}
