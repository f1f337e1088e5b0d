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
	"reflect"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/fewshot"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/embed/measure"
)

// A FewShot asks how well the classes that a split holds out are learned from a few images of
// each, in a space that was trained on the known classes alone: by every method of
// fewshot.Methods, over episodes of the test images of these classes. The most new classes are
// learned beside the known ones, too. Two baselines say what training adds: the pixels themselves, and the
// embeddings of a network that was not trained.
type FewShot struct {
	Trainings
	Ways     []int // new classes of an episode, 2 to 4; default: 2, 3, 4
	Shots    []int // images of each new class to learn from; default: 1, 5, 20
	Episodes int   // default: 600
}

// queries is the number of images of each class that an episode classifies, as publications have
// it, and episodesSeed draws the same episodes for all spaces on the same test images.
const (
	queries      = 15
	episodesSeed = 1
)

// heldOutClasses is the number of classes that a split holds out.
const heldOutClasses = 4

// Cells returns the training runs: see Trainings.Cells. The error names what is not allowed.
func (f FewShot) Cells() ([]Cell, error) {
	f = f.withDefaults()
	for _, list := range []struct {
		name    string
		values  []int
		least   int
		most    int
		allowed string
	}{
		{"way", f.Ways, 2, heldOutClasses, fmt.Sprintf("2 to %d, the classes that a split holds out", heldOutClasses)},
		{"shot", f.Shots, 1, 1 << 30, "1 or more"},
		{"episodes", []int{f.Episodes}, 1, 1 << 30, "1 or more"},
	} {
		if len(list.values) == 0 {
			return nil, &embed.ValueError{Name: list.name, Value: list.values, Allowed: "1 or more numbers"}
		}
		for i, value := range list.values {
			if value < list.least || value > list.most {
				return nil, &embed.ValueError{Name: list.name, Value: value, Allowed: list.allowed}
			}
			if slices.Contains(list.values[:i], value) {
				return nil, fmt.Errorf("compare: %s %d is wanted twice; allowed: each once", list.name, value)
			}
		}
	}
	return f.Trainings.Cells()
}

func (f FewShot) withDefaults() FewShot {
	f.Trainings = f.Trainings.withDefaults()
	if f.Ways == nil {
		f.Ways = []int{2, 3, 4}
	}
	if f.Shots == nil {
		f.Shots = []int{1, 5, 20}
	}
	if f.Episodes == 0 {
		f.Episodes = 600
	}
	return f
}

// Run trains the cells and evaluates all cells of the folder out (empty: out/splits in the module
// around the working folder), shows how it goes on, and writes there:
//
//	fewshot.md, .csv, .json   accuracies by technique, method, way and shot
//	manifest.json             configuration, data, versions, machines
//	baselines/                accuracies of the baselines
//	cells/TECHNIQUE-DATASET-splitSPLIT-DIMd-sSEED/
//
// The cells are those of OpenSet, and what one of them has trained the other does not train again;
// see there. A cell has fewshot.json beside it, which the tables are made from. A trained cell
// with other ways, shots or episodes is evaluated again.
func (f FewShot) Run(ctx context.Context, out string, progress io.Writer) error {
	cells, err := f.Cells()
	if err != nil {
		return err
	}
	f = f.withDefaults()
	settings := fewShotSettings{f.Ways, f.Shots, f.Episodes, queries, episodesSeed}
	return f.run(ctx, cells, out, progress, fewShotEvaluation{settings})
}

// fewShotSettings are what a FewShot measures by.
type fewShotSettings struct {
	Ways     []int  `json:"ways"`
	Shots    []int  `json:"shots"`
	Episodes int    `json:"episodes"`
	Queries  int    `json:"queries"`
	Seed     uint64 `json:"seed"`
}

// settings are those of a table, as openSetEvaluation.settings.
func (f fewShotSettings) settings() string {
	return fmt.Sprintf("%d episodes of %v ways, %v shots and %d queries, seed %d", f.Episodes, f.Ways, f.Shots, f.Queries, f.Seed)
}

// A fewShotMeasured is what FewShot measures on a cell or a baseline.
type fewShotMeasured struct {
	Settings fewShotSettings `json:"settings"`
	Results  []fewShotResult `json:"results"`
}

// A fewShotResult is how one method learns.
type fewShotResult struct {
	Way         int    `json:"way"`
	Shot        int    `json:"shot"`
	Method      string `json:"method"`
	BesideKnown bool   `json:"beside_known"` // the known classes are answers, too

	New      interval `json:"new"`      // accuracy of images of new classes
	Known    interval `json:"known"`    // of known classes; NaN without them, as the others
	All      interval `json:"all"`      // of both
	Harmonic interval `json:"harmonic"` // see fewshot.Accuracy
}

// An interval is a mean over episodes, with the half width of its 95 % interval.
type interval struct {
	Mean measure.Measure `json:"mean"`
	Half measure.Measure `json:"half_width"`
}

// A fewShotEvaluation is the evaluation of a FewShot.
type fewShotEvaluation struct{ fewShotSettings }

func (f fewShotEvaluation) prepare(ctx context.Context, w *work, left []Cell) error {
	var wanting []Cell
	for _, c := range left {
		if slices.ContainsFunc(baselinesOf(c), func(b baseline) bool { return !f.has(b.path(w.folder)) }) {
			wanting = append(wanting, c)
		}
	}
	if len(wanting) > 0 {
		if _, err := backends.Open(w.backend, w.progress); err != nil {
			return err
		}
	}
	missing := slices.DeleteFunc(wanting, func(c Cell) bool { return w.data[c.Dataset].train != nil })
	loaded, err := w.loadAll(ctx, missing, w.progress)
	if err != nil {
		return err
	}
	maps.Copy(w.data, loaded)
	for _, c := range left {
		if w.data[c.Dataset].test == nil { // its points are there
			continue
		}
		known, unknown, err := datasets.OpenSetSplit(c.Dataset, c.Split)
		if err != nil {
			return err
		}
		test, counts := w.data[c.Dataset].test, map[int]int{}
		for _, label := range test.Labels {
			counts[int(label)]++
		}
		for _, class := range slices.Concat(known, unknown) {
			shots := 0
			if slices.Contains(unknown, class) {
				shots = slices.Max(f.Shots)
			}
			if n := counts[class]; n < shots+f.Queries {
				return fmt.Errorf("compare: class %q of %s has %d test images; allowed: %d or more, for %d shots and %d queries", test.ClassNames[class], c.dataKey(), n, shots+f.Queries, shots, f.Queries)
			}
		}
	}
	return nil
}

func (f fewShotEvaluation) isDone(folder string, trained *cell) bool {
	return f.has(filepath.Join(trained.in(folder), fewShotFile)) &&
		!slices.ContainsFunc(baselinesOf(trained.Cell), func(b baseline) bool { return !f.has(b.path(folder)) })
}

// has tells whether a file has what these settings measure.
func (f fewShotEvaluation) has(path string) bool {
	var m fewShotMeasured
	return store.ReadJSON(path, &m) == nil && reflect.DeepEqual(m.Settings, f.fewShotSettings)
}

// fewShotFile holds what was measured on a cell.
const fewShotFile = "fewshot.json"

func (f fewShotEvaluation) evaluate(ctx context.Context, w *work, trained *cell, result *embed.Result) error {
	for _, b := range baselinesOf(trained.Cell) {
		if f.has(b.path(w.folder)) {
			continue
		}
		fmt.Fprintf(w.progress, "baseline %s\n", b.name())
		if err := f.evaluateBaseline(ctx, w, b, trained.Cell); err != nil {
			return fmt.Errorf("%w (baseline %s)", err, b.name())
		}
	}
	folder := trained.in(w.folder)
	points, err := readPoints(folder, trained.Cell)
	if err != nil {
		return err
	}
	if result == nil {
		if result, err = embed.LoadArrays(folder); err != nil {
			return removed(err)
		}
	}
	m, err := f.measure(ctx, newClasses(points[heldOut], points[knownTest], result.Train), fewshot.Methods())
	if err != nil {
		return err
	}
	return store.WriteJSON(filepath.Join(folder, fewShotFile), m)
}

// A split's points: those of the new classes, and those that are known.
type splitPoints struct {
	z          [][]float64
	labels     []int32
	known      fewshot.Known
	directions [][]float64 // the means of the unit vectors of the known classes
}

func newClasses(heldOut, test pointSet, train measure.Embedding) splitPoints {
	known := fewshot.Known{Means: train.Means(), Z: test.Points(), Labels: test.Labels}
	return splitPoints{heldOut.Points(), heldOut.Labels, known, train.OnSphere().Means()}
}

// logistic is the method that is not measured everywhere: a known class stands with one point,
// which a regression can't weigh against twenty of a new one, and in the dimensions of pixels it
// takes longer than a training.
const logistic = "logistic"

// cosine is the method whose prototypes are means of unit vectors.
const cosine = "prototype-cosine"

// measure measures the methods over the episodes: the new classes alone, and the most of them
// beside the known ones.
func (f fewShotSettings) measure(ctx context.Context, p splitPoints, methods []fewshot.Method) (m fewShotMeasured, err error) {
	m.Settings = f
	for _, way := range f.Ways {
		for _, shot := range f.Shots {
			for _, method := range methods {
				beside := p.known
				if method.Name == cosine {
					beside.Means = p.directions
				}
				for _, known := range []fewshot.Known{{}, beside} {
					if besideKnown := known.Means != nil; besideKnown && (way < slices.Max(f.Ways) || method.Name == logistic) {
						continue
					}
					if err := ctx.Err(); err != nil {
						return m, fmt.Errorf("compare: interrupted: %w", err)
					}
					episodes := fewshot.Episodes{Way: way, Shot: shot, Queries: f.Queries, Count: f.Episodes, Seed: f.Seed}
					accuracies, err := episodes.Measure(p.z, p.labels, known, method)
					if err != nil {
						return m, err
					}
					m.Results = append(m.Results, newFewShotResult(way, shot, method.Name, known.Means != nil, accuracies[0]))
				}
			}
		}
	}
	return m, nil
}

func newFewShotResult(way, shot int, method string, besideKnown bool, accuracies []fewshot.Accuracy) fewShotResult {
	of := func(number func(a fewshot.Accuracy) float64) interval {
		numbers := make([]float64, len(accuracies))
		for i, a := range accuracies {
			numbers[i] = number(a)
		}
		over := fewshot.NewInterval(numbers)
		return interval{measure.Measure(over.Mean), measure.Measure(over.HalfWidth)}
	}
	return fewShotResult{
		Way: way, Shot: shot, Method: method, BesideKnown: besideKnown,
		New:      of(func(a fewshot.Accuracy) float64 { return a.New }),
		Known:    of(func(a fewshot.Accuracy) float64 { return a.Known }),
		All:      of(func(a fewshot.Accuracy) float64 { return a.All }),
		Harmonic: of(fewshot.Accuracy.Harmonic),
	}
}

// A baseline is what the images of a split give without training.
type baseline struct {
	Baseline  string `json:"baseline"`
	Dataset   string `json:"dataset"`
	Split     int    `json:"split"`
	Dim       int    `json:"dim"` // 0: as many as pixels and channels
	Canonical bool   `json:"canonical"`
}

// The baselines.
const (
	pixels    = "pixels"    // the images themselves, 0 to 1
	untrained = "untrained" // the network before its first step
)

// baselinesOf returns the baselines beside a cell.
func baselinesOf(c Cell) []baseline {
	return []baseline{{Baseline: pixels, Dataset: c.Dataset, Split: c.Split}, {Baseline: untrained, Dataset: c.Dataset, Split: c.Split, Dim: c.Dim}}
}

func (b baseline) name() string {
	name := fmt.Sprintf("%s-%s-split%d", b.Baseline, b.Dataset, b.Split)
	if b.Dim > 0 {
		name += fmt.Sprintf("-%dd", b.Dim)
	}
	return name
}

// baselinesFolder holds the baselines in the folder of a comparison.
const baselinesFolder = "baselines"

// path returns the file of a baseline in the folder of a comparison.
func (b baseline) path(folder string) string {
	return filepath.Join(folder, baselinesFolder, b.name()+".json")
}

// A baselineMeasured is a baseline with what was measured on it.
type baselineMeasured struct {
	baseline
	fewShotMeasured
}

func (f fewShotEvaluation) evaluateBaseline(ctx context.Context, w *work, b baseline, c Cell) error {
	data, err := w.images(c)
	if err != nil {
		return err
	}
	b.Canonical = data.train.Canonical && data.test.Canonical
	p, methods := splitPoints{}, fewshot.Methods()
	switch b.Baseline {
	case pixels:
		p, err = pixelPoints(data)
		methods = slices.DeleteFunc(methods, func(m fewshot.Method) bool { return m.Name == logistic })
	case untrained:
		c.Backend = w.backend // that of the cell may not be here
		p, err = untrainedPoints(ctx, c, data)
	}
	if err != nil {
		return err
	}
	m, err := f.measure(ctx, p, methods)
	if err != nil {
		return err
	}
	return store.WriteJSON(b.path(w.folder), baselineMeasured{b, m})
}

// pixelPoints returns images as the points of their pixels.
func pixelPoints(data images) (p splitPoints, err error) {
	p.labels = data.heldOut.Labels
	p.known.Labels = data.test.Labels
	if p.known.Means, p.directions, err = pixelMeans(data.train); err != nil {
		return p, err
	}
	if p.z, err = data.heldOut.Points(); err != nil {
		return p, err
	}
	p.known.Z, err = data.test.Points()
	return p, err
}

// pixelMeans returns the mean image of each class, 0 to 1, and the mean of their unit vectors,
// without all images as points at once.
func pixelMeans(d *datasets.Dataset) (means, directions [][]float64, err error) {
	size := d.Height * d.Width * d.Channels
	for range d.Classes() {
		means, directions = append(means, make([]float64, size)), append(directions, make([]float64, size))
	}
	counts, image := make([]float64, d.Classes()), make([]float64, size)
	var pixels []byte
	for i, class := range d.Labels {
		if pixels, err = d.AppendPixels(pixels[:0], i); err != nil {
			return nil, nil, err
		}
		for p, value := range pixels {
			image[p] = float64(value) / 255
		}
		floats.Add(means[class], image)
		floats.Add(directions[class], vectors.Unit(image))
		counts[class]++
	}
	for class, n := range counts {
		floats.Scale(1/n, means[class])
		floats.Scale(1/n, directions[class])
	}
	return means, directions, nil
}

// untrainedRate is a learning rate that changes no weight.
const untrainedRate = 1e-30

// Untrained returns the network of a Config before its first step, as a Result: what an
// embedding is without training. The technique does not matter. Errors are those of embed.Fit.
func Untrained(ctx context.Context, cfg embed.Config, train, test *datasets.Dataset) (*embed.Result, error) {
	cfg.Technique, cfg.Params = "softmax", nil
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	cfg.Epochs, cfg.Train, cfg.LearningRate = 1, cfg.Batch, untrainedRate // one step
	return embed.Fit(ctx, cfg, train, test, embed.Options{Progress: io.Discard})
}

// untrainedPoints returns the embeddings of a network that has learned nothing. How good they are
// depends much on its seed, which is the number of the split: five splits have five networks.
func untrainedPoints(ctx context.Context, c Cell, data images) (p splitPoints, err error) {
	c.Seed = int64(c.Split)
	result, err := Untrained(ctx, c.Config, data.train, data.test)
	if err != nil {
		return p, err
	}
	points, err := embedSplit(result, data)
	if err != nil {
		return p, err
	}
	train, err := result.Embed(data.train)
	if err != nil {
		return p, err
	}
	return newClasses(points[heldOut], points[knownTest], train), nil
}

// copyBaselines copies the baselines of a comparison into the folder of another.
func copyBaselines(from, to string) error {
	from, to = filepath.Join(from, baselinesFolder), filepath.Join(to, baselinesFolder)
	files, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return copyFiles(from, to, files)
}
