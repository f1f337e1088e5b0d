package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/embed/openset"
)

// An OpenSet asks whether a space that was trained on the known classes of a split tells images
// of other classes from those of the known ones, by every score of openset.Scores. The score
// that a technique has by default, embed.Technique.Known, was chosen before any test; that
// another one is better is seen only by the test.
type OpenSet struct {
	Trainings
	// Unknown names other datasets, whose test images are unknown, too, beside those of the
	// classes that are held out. They must have the size of the known ones. One that is among
	// Datasets is unknown to the others.
	Unknown []string
	// Accept is the share of the known images that a threshold accepts, chosen by images that
	// were held out for it (see openset.Conformal); default: 0.95.
	Accept float64
}

// Cells returns the training runs: see Trainings.Cells. The error names what is not allowed.
func (o OpenSet) Cells() ([]Cell, error) {
	o = o.withDefaults()
	if !(o.Accept > 0 && o.Accept <= 1) {
		return nil, &embed.ValueError{Name: "accept", Value: o.Accept, Allowed: "more than 0, up to 1"}
	}
	for _, name := range o.Unknown {
		if !slices.Contains(datasets.Names(), name) {
			return nil, &embed.ValueError{Name: "unknown", Value: name, Allowed: strings.Join(datasets.Names(), ", ")}
		}
		if !slices.ContainsFunc(o.Datasets, func(known string) bool { return isOther(name, known) }) {
			return nil, &embed.ValueError{Name: "unknown", Value: name, Allowed: "another dataset than " + strings.Join(o.Datasets, ", ")}
		}
	}
	return o.Trainings.Cells()
}

// isOther tells whether two datasets have other images, as a dataset and its sample have not.
func isOther(a, b string) bool {
	return strings.TrimSuffix(a, "-sample") != strings.TrimSuffix(b, "-sample")
}

func (o OpenSet) withDefaults() OpenSet {
	o.Trainings = o.Trainings.withDefaults()
	if o.Accept == 0 {
		o.Accept = 0.95
	}
	return o
}

// Run trains the cells and evaluates all cells of the folder out (empty: out/splits in the module
// around the working folder), shows how it goes on, and writes there:
//
//	openset.md, .csv, .json            each technique by its default score
//	openset-scores.csv                 and by all scores
//	openset-roc-DATASET-DIMd.png       ROC curves of the default scores
//	openset-oscr-DATASET-DIMd.png      the same with the known that are accepted and right
//	openset-DATASET-DIMd.png, .svg     where the unknown images fall, in 2-D and 3-D
//	openset-DATASET-DIMd.npz           what they show, for ReadFigure
//	manifest.json                      configuration, data, versions, machines
//	cells/TECHNIQUE-DATASET-splitSPLIT-DIMd-sSEED/
//
// Tables have means and standard deviations over splits and seeds. The folder of a cell has what
// embed.Result.Save writes; points.npz, the points of images that were not trained, with their
// class scores; openset.json, all measures of all scores; cell.json and panel.npz. Tables and
// figures need the last three only: the others can be removed when the cell is done. FewShot works
// on the same cells, if it has the same folder.
//
// It goes on, adds to what is there, and fails as Overview.Run does. A trained cell that lacks an
// unknown dataset, or has another Accept, is evaluated again, not trained.
func (o OpenSet) Run(ctx context.Context, out string, progress io.Writer) error {
	cells, err := o.Cells()
	if err != nil {
		return err
	}
	o = o.withDefaults()
	return o.run(ctx, cells, out, progress, &openSetEvaluation{OpenSet: o, unknown: map[string]unknownImages{}})
}

// An openSetEvaluation is the evaluation of an OpenSet.
type openSetEvaluation struct {
	OpenSet
	unknown map[string]unknownImages // by the names in Unknown, as cells need them
}

// unknownImages are the test images of another dataset.
type unknownImages struct {
	*datasets.Dataset
	checksum string
}

// unknownTo returns the datasets in Unknown whose images are unknown to a cell.
func (o *openSetEvaluation) unknownTo(c Cell) (names []string) {
	if !slices.Contains(o.Datasets, c.Dataset) { // of another run
		return nil
	}
	for _, name := range o.Unknown {
		if isOther(name, c.Dataset) {
			names = append(names, name)
		}
	}
	return names
}

func (o *openSetEvaluation) prepare(ctx context.Context, w *work, left []Cell) error {
	for _, c := range left {
		for _, name := range o.unknownTo(c) {
			if o.unknown[name].Dataset == nil {
				_, test, err := w.load(ctx, name, w.progress)
				if err != nil {
					return err
				}
				o.unknown[name] = unknownImages{test, embed.NewDataInfo(test, test).TestChecksum}
			}
			of := o.unknown[name]
			if shape, known := [3]int{of.Height, of.Width, of.Channels}, w.known[c.dataKey()].Shape; shape != known {
				return fmt.Errorf("compare: unknown images of %s are %v (height, width, channels); allowed: %v, as those of %s", name, shape, known, c.Dataset)
			}
		}
	}
	return nil
}

// settings says in words how cells are measured: what all cells of a table have in common.
func (o *openSetEvaluation) settings() string {
	var scores []string
	for _, score := range openset.Scores() {
		scores = append(scores, score.Name)
	}
	return openSetSettings(o.Accept, scores)
}

func openSetSettings(accept float64, scores []string) string {
	return fmt.Sprintf("accept %v, by the scores %s", accept, strings.Join(scores, ", "))
}

func (o *openSetEvaluation) isDone(folder string, trained *cell) bool {
	m, err := readOpenSet(folder, trained.Cell)
	if err != nil || m.settings() != o.settings() {
		return false
	}
	for _, name := range o.unknownTo(trained.Cell) {
		if _, isMeasured := m.of(name); !isMeasured {
			return false
		}
	}
	return true
}

func (o *openSetEvaluation) evaluate(ctx context.Context, w *work, trained *cell, result *embed.Result) error {
	folder := trained.in(w.folder)
	points, err := readPoints(folder, trained.Cell)
	if err != nil {
		return err
	}
	before, _ := readOpenSet(folder, trained.Cell) // what can't be read is measured again
	for _, name := range o.unknownTo(trained.Cell) {
		if u, _ := before.of(name); u.Checksum == o.unknown[name].checksum && points[name].Len() > 0 {
			continue
		}
		if result == nil {
			if result, err = embed.Load(folder); err != nil {
				return removed(err)
			}
		}
		if points[name], err = embedSet(result, o.unknown[name].Dataset); err != nil {
			return err
		}
		if err := writePoints(folder, points); err != nil {
			return err
		}
	}
	if result == nil {
		if result, err = embed.LoadArrays(folder); err != nil {
			return removed(err)
		}
	}
	m, err := measureOpenSet(ctx, result, points, o.Accept)
	if err != nil {
		return err
	}
	for i, u := range m.Unknown {
		if images, isLoaded := o.unknown[u.Unknown]; isLoaded {
			u.Checksum, u.Canonical = images.checksum, images.Canonical
		} else if known, wasMeasured := before.of(u.Unknown); wasMeasured {
			u.Checksum, u.Canonical = known.Checksum, known.Canonical
		}
		m.Unknown[i] = u
	}
	return store.WriteJSON(filepath.Join(folder, openSetFile), m)
}

// removed returns the error of a cell without its Result, which does not end the work.
func removed(err error) error {
	if errors.Is(err, embed.ErrNoResult) {
		return fmt.Errorf("compare: %v; remove the folder, and it is trained again", err)
	}
	return err
}

// openSetFile holds what was measured on a cell.
const openSetFile = "openset.json"

// An openSetMeasured is what OpenSet measures on a cell.
type openSetMeasured struct {
	Accept  float64           `json:"accept"`
	Default string            `json:"default"` // the score of the technique
	Unknown []unknownMeasured `json:"unknown"` // the held-out classes first
}

// settings are those of the openSetEvaluation.
func (m openSetMeasured) settings() string {
	var scores []string
	for _, s := range m.Unknown[0].Scores {
		scores = append(scores, s.Score)
	}
	return openSetSettings(m.Accept, scores)
}

// of returns what was measured on a set of unknown images.
func (m openSetMeasured) of(name string) (u unknownMeasured, isMeasured bool) {
	i := slices.IndexFunc(m.Unknown, func(u unknownMeasured) bool { return u.Unknown == name })
	if i < 0 {
		return u, false
	}
	return m.Unknown[i], true
}

// An unknownMeasured is how a cell tells one set of unknown images.
type unknownMeasured struct {
	Unknown   string          `json:"unknown"`             // held-out, or the name of a dataset
	Checksum  string          `json:"checksum,omitempty"`  // of the images of a dataset
	Canonical bool            `json:"canonical,omitempty"` // they are those of the original publication
	Images    int             `json:"images"`
	Scores    []scoreMeasured `json:"scores"` // as openset.Scores
	TPR       []float64       `json:"tpr"`    // by the default score, at falseShares
	CCR       []float64       `json:"ccr"`
}

// A scoreMeasured is how one score tells unknown images.
type scoreMeasured struct {
	Score     string             `json:"score"`
	Error     string             `json:"error,omitempty"`
	Measures  *openset.Measures  `json:"measures,omitempty"`  // nil with an error
	Decisions *openset.Decisions `json:"decisions,omitempty"` // with the threshold that is to accept a share
}

// falseShares are the shares of unknown images that are accepted at which curves are kept.
var falseShares = floats.LogSpan(make([]float64, 61), 0.001, 1)

// measureOpenSet measures how the scores tell unknown points. A score that a space does not have,
// as a covariance that can't be inverted, has an error of its own.
func measureOpenSet(ctx context.Context, r *embed.Result, points map[string]pointSet, accept float64) (m openSetMeasured, err error) {
	technique, err := embed.LookUp(r.Config.Technique)
	if err != nil {
		return m, err
	}
	space, err := r.Space()
	if err != nil {
		return m, err
	}
	m = openSetMeasured{Accept: accept, Default: technique.Known}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(points)) {
		if name != calibration && name != knownTest && name != heldOut {
			others = append(others, name)
		}
	}
	others = append([]string{heldOut}, others...)
	for _, name := range others {
		m.Unknown = append(m.Unknown, unknownMeasured{Unknown: name, Images: points[name].Len()})
	}
	var all openset.Points
	place := map[string][2]int{} // from and to, among all points
	for _, name := range append([]string{calibration, knownTest}, others...) {
		set := points[name]
		from := len(all.Z)
		all.Z = append(all.Z, set.Points()...)
		all.Scores = append(all.Scores, vectors.Rows(set.Scores, len(r.ClassNames))...)
		place[name] = [2]int{from, len(all.Z)}
	}
	for _, score := range openset.Scores() {
		if err := ctx.Err(); err != nil {
			return m, fmt.Errorf("compare: interrupted: %w", err)
		}
		scores, scoreErr := score.Of(space, all)
		for i := range m.Unknown {
			u := &m.Unknown[i]
			if scoreErr != nil {
				u.Scores = append(u.Scores, scoreMeasured{Score: score.Name, Error: scoreErr.Error()})
				continue
			}
			of := func(name string) scoredSet {
				return scoredSet{points[name], scores[place[name][0]:place[name][1]]}
			}
			if err := u.measure(score.Name, of(calibration), of(knownTest), of(u.Unknown), m); err != nil {
				return m, err
			}
		}
	}
	return m, nil
}

// A scoredSet has points with how known they are.
type scoredSet struct {
	pointSet
	known []float64
}

// measure adds what one score measures.
func (u *unknownMeasured) measure(score string, calibration, known, unknown scoredSet, m openSetMeasured) error {
	sample := openset.Sample{Known: known.known, Correct: known.Correct(), Unknown: unknown.known}
	measures, err := sample.Measures()
	if err != nil {
		return err
	}
	threshold, err := openset.Conformal(calibration.known, m.Accept)
	if err != nil {
		return err
	}
	classes := known.classes()
	decided, err := openset.Decide(slices.Concat(known.Predicted, unknown.Predicted), slices.Concat(known.known, unknown.known), threshold.Score, classes)
	if err != nil {
		return err
	}
	decisions, err := openset.MeasureDecisions(decided, slices.Concat(known.Labels, slices.Repeat([]int32{int32(classes)}, unknown.Len())), classes)
	if err != nil {
		return err
	}
	u.Scores = append(u.Scores, scoreMeasured{Score: score, Measures: &measures, Decisions: &decisions})
	if score != m.Default {
		return nil
	}
	curve, err := sample.Curve()
	if err != nil {
		return err
	}
	at := 0
	for _, share := range falseShares {
		for at+1 < len(curve) && curve[at+1].FPR <= share {
			at++
		}
		u.TPR, u.CCR = append(u.TPR, curve[at].TPR), append(u.CCR, curve[at].CCR)
	}
	return nil
}

// readOpenSet reads what was measured on a cell.
func readOpenSet(folder string, c Cell) (m openSetMeasured, err error) {
	path := filepath.Join(c.in(folder), openSetFile)
	if err = store.ReadJSON(path, &m); err == nil && len(m.Unknown) == 0 {
		err = fmt.Errorf("compare: %s has nothing that was measured; remove it, and it is measured again", path)
	}
	return m, err
}
