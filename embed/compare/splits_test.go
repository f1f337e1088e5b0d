package compare

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/fewshot"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/embed/openset"
	"github.com/embedspace/embedspace/viz"
)

// tenPatterns returns n images of 4 x 4 pixels in ten classes, each of which has pixels of its
// own, under noise.
func tenPatterns(n int, seed uint64) *datasets.Dataset {
	of, random := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	d := &datasets.Dataset{Name: "ten patterns", Height: 4, Width: 4, Channels: 1}
	var patterns [10][16]byte
	for class := range patterns {
		d.ClassNames = append(d.ClassNames, fmt.Sprint("pattern ", class))
		for p := range patterns[class] {
			patterns[class][p] = byte(150 * of.IntN(2))
		}
	}
	for i := range n {
		d.Labels = append(d.Labels, int32(i%10))
		for _, pixel := range patterns[i%10] {
			d.Images = append(d.Images, pixel+byte(random.IntN(100)))
		}
	}
	d.Checksum = d.ComputeChecksum()
	return d
}

// loadTen returns as the dataset of any name ten patterns; of fashion-mnist-sample, others.
func loadTen(_ context.Context, name string, _ io.Writer) (train, test *datasets.Dataset, err error) {
	if name == "fashion-mnist-sample" {
		return tenPatterns(200, 3), tenPatterns(60, 4), nil
	}
	return tenPatterns(200, 1), tenPatterns(200, 2), nil
}

// smallSplits compares techniques on splits 1 and 2 of ten patterns, which go by the name of
// mnist-sample.
func smallSplits(folder string, evaluation evaluation, techniques ...string) comparison {
	c := splitsComparison(Overview{Backend: "go"}, folder)
	c.load, c.evaluation = loadTen, evaluation
	c.expect = func(trained *cell) (embed.Config, error) {
		cfg := trained.Config
		return embed.Config{Technique: cfg.Technique, Dataset: cfg.Dataset, Dim: cfg.Dim, Seed: cfg.Seed,
			Padding: "same", Batch: 12, Epochs: 2, Backend: "go"}.WithDefaults()
	}
	for split := range 2 {
		for _, technique := range techniques {
			wanted := Cell{embed.Config{Technique: technique, Dataset: "mnist-sample", Dim: 2, Seed: 1}, split + 1}
			cfg, err := c.expect(&cell{Cell: wanted})
			if err != nil {
				panic(err)
			}
			c.trainees = append(c.trainees, Cell{cfg, split + 1})
		}
	}
	return c
}

// smallOpenSet evaluates the splits of smallSplits.
func smallOpenSet(unknown ...string) *openSetEvaluation {
	o := OpenSet{Trainings: Trainings{Datasets: []string{"mnist-sample"}}, Unknown: unknown}.withDefaults()
	return &openSetEvaluation{o, map[string]unknownImages{}}
}

// smallFewShot evaluates them by a few episodes.
func smallFewShot() fewShotEvaluation {
	return fewShotEvaluation{fewShotSettings{[]int{2, 4}, []int{1, 3}, 20, 5, 1}}
}

func TestTrainingsCells(t *testing.T) {
	list := func(cells []Cell, err error) (names []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			names = append(names, c.name())
		}
		return names
	}
	var want []string
	for split := 1; split <= 5; split++ {
		for _, dataset := range []string{"mnist", "fashion-mnist", "cifar-10"} {
			for _, dim := range []int{2, 3, 64} {
				for _, technique := range ofFamily(embed.Paper) {
					want = append(want, fmt.Sprintf("%s-%s-split%d-%dd-s1", technique.ID, dataset, split, dim))
				}
			}
		}
	}
	embedtest.CheckEqual(t, "cells of an OpenSet", list(OpenSet{}.Cells()), want)
	embedtest.CheckEqual(t, "cells of a FewShot", list(FewShot{}.Cells()), want)
	var dealt []string
	for shard := 1; shard <= 4; shard++ {
		dealt = append(dealt, list(OpenSet{Trainings: Trainings{Shard: shard, Shards: 4}}.Cells())...)
	}
	embedtest.CheckEqual(t, "cells of all shards", slices.Sorted(slices.Values(dealt)), slices.Sorted(slices.Values(want)))
	few := Trainings{Techniques: []string{"cac"}, Datasets: []string{"mnist-sample"}, Dims: []int{2}, Splits: []int{3}, Seeds: 2}
	embedtest.CheckEqual(t, "cells of a split", list(few.Cells()), []string{"cac-mnist-sample-split3-2d-s1", "cac-mnist-sample-split3-2d-s2"})

	for _, wrong := range []struct {
		cells func() ([]Cell, error)
		words []string
	}{
		{OpenSet{Trainings: Trainings{Datasets: []string{"cifar-100"}}}.Cells, []string{`"cifar-100" has no open-set splits`}},
		{OpenSet{Trainings: Trainings{Splits: []int{0}}}.Cells, []string{"split 0 of mnist", "1 to 5"}},
		{OpenSet{Trainings: Trainings{Splits: []int{2, 1, 2}}}.Cells, []string{"split 2 is wanted twice"}},
		{OpenSet{Trainings: Trainings{Shard: 2, Shards: 1}}.Cells, []string{"shard is 2 of 1"}},
		{OpenSet{Trainings: Trainings{Techniques: []string{"hardmax"}}}.Cells, []string{`"hardmax"`}},
		{OpenSet{Accept: 1.5}.Cells, []string{"accept is 1.5", "more than 0, up to 1"}},
		{OpenSet{Accept: math.NaN()}.Cells, []string{"accept is NaN"}},
		{OpenSet{Unknown: []string{"letters"}}.Cells, []string{`unknown is "letters"`, "fashion-mnist"}},
		{OpenSet{Trainings: Trainings{Datasets: []string{"mnist"}}, Unknown: []string{"mnist-sample"}}.Cells, []string{`unknown is "mnist-sample"`, "another dataset than mnist"}},
		{FewShot{Ways: []int{1}}.Cells, []string{"way is 1", "2 to 4"}},
		{FewShot{Ways: []int{5}}.Cells, []string{"way is 5", "2 to 4, the classes that a split holds out"}},
		{FewShot{Shots: []int{-1}}.Cells, []string{"shot is -1", "1 or more"}},
		{FewShot{Shots: []int{1, 5, 1}}.Cells, []string{"shot 1 is wanted twice"}},
		{FewShot{Episodes: -600}.Cells, []string{"episodes is -600", "1 or more"}},
	} {
		_, err := wrong.cells()
		embedtest.WantError(t, err, wrong.words...)
	}
}

// TestSplitImages: known and unknown classes share no image, and the images for a threshold are
// not trained.
func TestSplitImages(t *testing.T) {
	train, test, _ := loadTen(t.Context(), "", nil)
	part, err := Cell{embed.Config{Dataset: "mnist-sample"}, 1}.images(images{train: train, test: test})
	if err != nil {
		t.Fatal(err)
	}
	known, unknown := []string{"pattern 2", "pattern 4", "pattern 5", "pattern 9", "pattern 8", "pattern 3"}, []string{"pattern 0", "pattern 1", "pattern 6", "pattern 7"}
	for _, of := range []struct {
		name   string
		data   *datasets.Dataset
		images int
		names  []string
	}{
		{"training", part.train, 108, known}, {calibration, part.calibration, 12, known},
		{knownTest, part.test, 120, known}, {heldOut, part.heldOut, 80, unknown},
	} {
		embedtest.CheckEqual(t, of.name+" images", of.data.Len(), of.images)
		embedtest.CheckEqual(t, of.name+" classes", of.data.ClassNames, of.names)
	}
	trained := map[string]bool{}
	for i := range part.train.Len() {
		trained[string(part.train.At(i))] = true
	}
	for i := range part.calibration.Len() {
		if trained[string(part.calibration.At(i))] {
			t.Errorf("image %d for the threshold is trained", i)
		}
	}
}

// TestSplitsResume: however often it is interrupted, and with the tables of both evaluations,
// the end is the same; tables come bit for bit from what is saved; nothing is trained twice.
func TestSplitsResume(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "go")
	whole := smallSplits(t.TempDir(), smallOpenSet(), "softmax", "contrastive")
	mustRun(t, whole)
	log := mustRun(t, smallSplits(whole.folder, smallFewShot(), "softmax", "contrastive"))
	if strings.Contains(log, "epoch") || !strings.Contains(log, "4 cells") || !strings.Contains(log, "0 done already, 0 to train, 4 to evaluate") {
		t.Errorf("what is trained shows %q", log)
	}
	want := outcomeFiles(t, whole.folder)
	for _, file := range []string{
		"openset.md", "openset.csv", "openset-scores.csv", "openset.json", "openset-roc-mnist-sample-2d.png", "openset-oscr-mnist-sample-2d.png",
		"openset-mnist-sample-2d.png", "openset-mnist-sample-2d.svg", "openset-mnist-sample-2d.npz", "fewshot.md", "fewshot.csv", "fewshot.json", "manifest.json",
		"baselines/pixels-mnist-sample-split1.json", "baselines/untrained-mnist-sample-split2-2d.json",
	} {
		if _, ok := want[file]; !ok {
			t.Errorf("no file %s", file)
		}
	}

	// The other way round, and interrupted all the time.
	folder, interruptions := t.TempDir(), 0
	var all strings.Builder
	for _, evaluation := range []evaluation{smallFewShot(), smallOpenSet()} {
		for {
			err := smallSplits(folder, evaluation, "softmax", "contrastive").run(&embedtest.Countdown{Context: t.Context(), Steps: 40}, &all)
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if interruptions++; interruptions > 40 {
				t.Fatal("it does not end")
			}
		}
	}
	if interruptions < 4 {
		t.Errorf("%d interruptions, want several", interruptions)
	}
	embedtest.CheckEqual(t, "times of the first epoch", strings.Count(all.String(), "epoch 1/2"), 4)
	checkSameFiles(t, outcomeFiles(t, folder), want)

	// What was measured is there, or comes from what is saved.
	remove := func(pattern string) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%d files %s, %v", len(files), pattern, err)
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove("openset*")
	remove("fewshot*")
	remove("cells/softmax-*/" + openSetFile)
	remove("cells/contrastive-*/" + fewShotFile)
	remove("cells/*/" + checkpointFile) // what is saved as arrays takes no network
	for _, evaluation := range []evaluation{smallOpenSet(), smallFewShot()} {
		if log := mustRun(t, smallSplits(folder, evaluation, "softmax", "contrastive")); !strings.Contains(log, "2 done already, 0 to train, 2 to evaluate") {
			t.Errorf("what was not measured shows %q", log)
		}
	}
	for path := range want {
		if filepath.Base(path) == checkpointFile {
			delete(want, path)
		}
	}
	checkSameFiles(t, outcomeFiles(t, folder), want)

	// Tables take neither Results nor points.
	for _, file := range []string{embeddingFile, configFile, metricsFile, pointsFile} {
		remove("cells/*/" + file)
		for path := range want {
			if filepath.Base(path) == file {
				delete(want, path)
			}
		}
	}
	remove("openset*")
	mustRun(t, smallSplits(folder, smallOpenSet(), "softmax", "contrastive"))
	checkSameFiles(t, outcomeFiles(t, folder), want)
	c := smallSplits(folder, smallOpenSet(), "softmax")
	c.evaluation.(*openSetEvaluation).Accept = 0.5
	err := c.run(t.Context(), io.Discard)
	embedtest.WantError(t, err, "4 of 4 cells failed", "points.npz", "remove the folder")
}

// TestSplitsMerge: what several have trained and measured is the same as what one has.
func TestSplitsMerge(t *testing.T) {
	whole := smallSplits(t.TempDir(), smallOpenSet("fashion-mnist-sample"), "softmax", "triplet-all")
	mustRun(t, whole)
	mustRun(t, smallSplits(whole.folder, smallFewShot(), "softmax", "triplet-all"))
	var folders []string
	for shard := range 3 {
		folder := t.TempDir()
		for _, evaluation := range []evaluation{smallOpenSet("fashion-mnist-sample"), smallFewShot()} {
			c := smallSplits(folder, evaluation, "softmax", "triplet-all")
			c.trainees, _ = dealt(c.trainees, shard+1, 3)
			mustRun(t, c)
		}
		folders = append(folders, folder)
	}
	merged := smallSplits(t.TempDir(), nil)
	for range 2 { // the second time, all is there
		unfinished, err := merged.merge(folders)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "unfinished", len(unfinished), 0)
		checkSameFiles(t, outcomeFiles(t, merged.folder), outcomeFiles(t, whole.folder))
	}

	_, err := MergeSplits([]string{t.TempDir()}, t.TempDir())
	embedtest.WantError(t, err, "no overview, and no other comparison, in ")
	overview := smallComparison(t.TempDir(), "softmax")
	mustRun(t, overview)
	_, err = merged.merge([]string{overview.folder})
	embedtest.WantError(t, err, "another comparison", "trained on all classes")
	err = smallSplits(overview.folder, smallOpenSet(), "softmax").run(t.Context(), io.Discard)
	embedtest.WantError(t, err, "another comparison", "trained on all classes")
	err = smallComparison(whole.folder, "softmax").run(t.Context(), io.Discard)
	embedtest.WantError(t, err, "another comparison", "known classes of a split only")
}

// TestMergeEvaluations: cells that were measured in different ways have no table in common, and no
// measure is lost for another.
func TestMergeEvaluations(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "go")
	run := func(folder string, evaluation evaluation) string {
		t.Helper()
		mustRun(t, smallSplits(folder, evaluation, "softmax"))
		return folder
	}
	merge := func(folders ...string) error {
		_, err := smallSplits(t.TempDir(), nil).merge(folders)
		return err
	}
	half := smallOpenSet()
	half.Accept = 0.5
	openSet, accepting, fewShot := run(t.TempDir(), smallOpenSet()), t.TempDir(), run(t.TempDir(), smallFewShot())
	c := smallSplits(accepting, half, "softmax")
	c.trainees = c.trainees[1:]
	mustRun(t, c)
	err := merge(openSet, accepting)
	if !errors.Is(err, ErrOtherComparison) {
		t.Errorf("error %v, want ErrOtherComparison", err)
	}
	embedtest.WantError(t, err, "open set: accept 0.5", "others: accept 0.95")
	other := smallFewShot()
	other.Episodes = 10
	c = smallSplits(t.TempDir(), other, "softmax")
	c.trainees = c.trainees[1:]
	mustRun(t, c)
	embedtest.WantError(t, merge(fewShot, c.folder), "few examples: 10 episodes", "others: 20 episodes")

	embedtest.WantError(t, merge(openSet, fewShot), "[openset.json] in "+openSet, "[fewshot.json] in "+fewShot, "in one folder")
	both := run(run(t.TempDir(), smallOpenSet()), smallFewShot())
	run(accepting, half) // done last
	merged := smallSplits(t.TempDir(), nil)
	if _, err := merged.merge([]string{both, openSet}); err != nil {
		t.Fatal(err)
	}
	checkSameFiles(t, outcomeFiles(t, merged.folder), outcomeFiles(t, both))

	// A cell whose evaluation has failed takes no one's place.
	for _, split := range []int{1, 2} {
		if err := os.Remove(filepath.Join(openSet, "cells", fmt.Sprintf("softmax-mnist-sample-split%d-2d-s1", split), pointsFile)); err != nil {
			t.Fatal(err)
		}
	}
	if err := smallSplits(openSet, half, "softmax").run(t.Context(), io.Discard); !errors.Is(err, ErrFailed) {
		t.Errorf("error %v, want ErrFailed", err)
	}
	if _, err := merged.merge([]string{openSet}); err != nil {
		t.Fatal(err)
	}
	checkSameFiles(t, outcomeFiles(t, merged.folder), outcomeFiles(t, both))

	// Tables have the cells that were evaluated as the run wants it.
	halfway := smallSplits(both, half, "softmax")
	if err := halfway.run(&embedtest.Countdown{Context: t.Context(), Steps: 25}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(both, "openset.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if want := ",false,1,0,0.5,"; !strings.Contains(string(table), want) { // one cell, accept 0.5
		t.Errorf("the table of an interrupted run has no %q:\n%s", want, table)
	}
}

// TestMergeSplits: splits have different numbers of images, which is no difference in what was
// wanted; the number of all is.
func TestMergeSplits(t *testing.T) {
	folderOf := func(train, trainImages, split int) string {
		cells, err := Trainings{Techniques: []string{"softmax"}, Datasets: []string{"mnist"}, Dims: []int{2}, Splits: []int{split}, Train: train}.Cells()
		if err != nil {
			t.Fatal(err)
		}
		c := splitsComparison(Overview{Train: train, Backend: "go"}, t.TempDir())
		data := embed.DataInfo{TrainImages: trainImages}
		trained := &cell{Cell: cells[0], Data: data, Result: &measured{}}
		trained.Config = c.complete(trained.Config, data)
		if err := errors.Join(trained.write(c.folder), c.writeManifest(map[string]*cell{trained.name(): trained})); err != nil {
			t.Fatal(err)
		}
		return c.folder
	}
	if _, err := MergeSplits([]string{folderOf(0, 32_000, 1), folderOf(0, 33_000, 2)}, t.TempDir()); err != nil {
		t.Error(err)
	}
	if _, err := MergeSplits([]string{folderOf(32_500, 32_000, 1), folderOf(32_500, 33_000, 2)}, t.TempDir()); err != nil {
		t.Error("more images than the first split has:", err)
	}
	_, err := MergeSplits([]string{folderOf(0, 32_000, 1), folderOf(5000, 33_000, 2)}, t.TempDir())
	embedtest.WantError(t, err, "softmax-mnist-split2-2d-s1", "train is 5000, not 33000")
}

// TestOpenSetIsTheLibrary: the numbers are those that a few lines of the library give.
func TestOpenSetIsTheLibrary(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "go")
	c := smallSplits(t.TempDir(), smallOpenSet("fashion-mnist-sample"), "center")
	mustRun(t, c)
	train, test, _ := loadTen(t.Context(), "", nil)
	part, err := c.trainees[0].images(images{train: train, test: test})
	if err != nil {
		t.Fatal(err)
	}
	result, err := embed.Load(c.trainees[0].in(c.folder))
	if err != nil {
		t.Fatal(err)
	}
	m, err := readOpenSet(c.folder, c.trainees[0])
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "default score", m.Default, "nearest-mean")
	_, clothes, _ := loadTen(t.Context(), "fashion-mnist-sample", nil)
	for i, unknown := range []*datasets.Dataset{part.heldOut, clothes} {
		embedtest.CheckEqual(t, "unknown images", m.Unknown[i].Images, unknown.Len())
		strangers, err := result.Embed(unknown)
		if err != nil {
			t.Fatal(err)
		}
		for k, score := range openset.Scores() {
			measured := m.Unknown[i].Scores[k]
			known, err := result.Known(score.Name, result.Test.Z)
			if err != nil {
				embedtest.CheckEqual(t, "error", measured.Error, err.Error())
				continue
			}
			sample := openset.Sample{Known: known, Correct: result.Test.Correct()}
			if sample.Unknown, err = result.Known(score.Name, strangers.Z); err != nil {
				t.Fatal(err)
			}
			want, err := sample.Measures()
			if err != nil {
				t.Fatal(err)
			}
			want.ThresholdAt95TPR, want.ThresholdAt95Detected = 0, 0 // not saved
			embedtest.CheckEqual(t, score.Name, *measured.Measures, want)
		}
	}
	recognizer, err := result.Recognizer("", part.calibration, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	decided, err := recognizer.Classify(result.Test.Z)
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0.
	for _, class := range decided {
		if class < 6 {
			accepted++
		}
	}
	for _, score := range m.Unknown[0].Scores {
		if score.Score == m.Default {
			embedtest.CheckEqual(t, "share accepted", float64(score.Decisions.KnownAccepted), accepted/float64(len(decided)))
		}
	}
}

// TestUnknownIsAdded: another dataset comes to trained cells without a training, and is as if it
// had been there.
func TestUnknownIsAdded(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "go")
	c := smallSplits(t.TempDir(), smallOpenSet(), "softmax")
	mustRun(t, c)
	log := mustRun(t, smallSplits(c.folder, smallOpenSet("fashion-mnist-sample"), "softmax"))
	if strings.Contains(log, "epoch") || !strings.Contains(log, "0 to train, 2 to evaluate") {
		t.Errorf("it shows %q", log)
	}
	whole := smallSplits(t.TempDir(), smallOpenSet("fashion-mnist-sample"), "softmax")
	mustRun(t, whole)
	checkSameFiles(t, outcomeFiles(t, c.folder), outcomeFiles(t, whole.folder))
	if log := mustRun(t, smallSplits(c.folder, smallOpenSet(), "softmax")); !strings.Contains(log, "2 done already") {
		t.Errorf("less unknown images show %q", log)
	}

	// Other images by the same name are embedded again where a cell is evaluated, and not merged.
	changed := smallSplits(t.TempDir(), smallOpenSet("fashion-mnist-sample"), "softmax")
	changed.load = func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error) {
		if name == "fashion-mnist-sample" {
			return tenPatterns(200, 3), tenPatterns(60, 5), nil
		}
		return loadTen(ctx, name, progress)
	}
	all := changed.trainees
	changed.trainees = all[1:]
	mustRun(t, changed)
	_, err := smallSplits(t.TempDir(), nil).merge([]string{whole.folder, changed.folder})
	if !errors.Is(err, ErrOtherComparison) {
		t.Errorf("error %v, want ErrOtherComparison", err)
	}
	embedtest.WantError(t, err, "images of fashion-mnist-sample")
	changed.trainees = all
	mustRun(t, changed)
	for _, split := range []int{1, 2} {
		if err := os.Remove(filepath.Join(whole.folder, "cells", fmt.Sprintf("softmax-mnist-sample-split%d-2d-s1", split), openSetFile)); err != nil {
			t.Fatal(err)
		}
	}
	again := smallSplits(whole.folder, smallOpenSet("fashion-mnist-sample"), "softmax")
	again.load = changed.load
	mustRun(t, again)
	checkSameFiles(t, outcomeFiles(t, whole.folder), outcomeFiles(t, changed.folder))

	other := smallSplits(t.TempDir(), smallOpenSet("cifar-10"), "softmax")
	other.load = func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error) {
		if name == "cifar-10" {
			return embedtest.Patterns(24, 4, 3, 1), embedtest.Patterns(30, 4, 3, 2), nil
		}
		return loadTen(ctx, name, progress)
	}
	embedtest.WantError(t, other.run(t.Context(), io.Discard), "unknown images of cifar-10 are [4 4 3]", "allowed: [4 4 1], as those of mnist-sample")
	if _, err := os.Stat(filepath.Join(other.folder, "cells")); err == nil {
		t.Error("it has trained")
	}
}

// TestSplitFaults: what data can't be split, or learned from, is an error before any training.
func TestSplitFaults(t *testing.T) {
	fault := func(evaluation evaluation, change func(train, test *datasets.Dataset), words ...string) {
		t.Helper()
		c := smallSplits(t.TempDir(), evaluation, "softmax")
		c.load = func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error) {
			train, test, err = loadTen(ctx, name, progress)
			change(train, test)
			return train, test, err
		}
		embedtest.WantError(t, c.run(t.Context(), io.Discard), words...)
		if _, err := os.Stat(filepath.Join(c.folder, "cells")); err == nil {
			t.Error("it has trained")
		}
	}
	only := func(d *datasets.Dataset, keep func(class int32) bool) {
		var images []byte
		var labels []int32
		for i, label := range d.Labels {
			if keep(label) {
				images, labels = append(images, d.At(i)...), append(labels, label)
			}
		}
		d.Images, d.Labels = images, labels
	}
	known := func(class int32) bool { return slices.Contains([]int32{2, 4, 5, 9, 8, 3}, class) }
	fault(smallOpenSet(), func(_, test *datasets.Dataset) { only(test, known) }, "the classes [0 1 6 7] have no image")
	fault(smallOpenSet(), func(train, _ *datasets.Dataset) { only(train, func(class int32) bool { return class != 4 }) }, `class "pattern 4" has too few images, 0`)
	fault(smallOpenSet(), func(_, test *datasets.Dataset) { only(test, func(class int32) bool { return !known(class) }) }, "have no image")
	fault(smallOpenSet(), func(train, _ *datasets.Dataset) { train.ClassNames = train.ClassNames[:9] }, "allowed: 0 to 8")
	fault(smallFewShot(), func(_, test *datasets.Dataset) { only(test, func(class int32) bool { return class != 1 }) }, `class "pattern 1" of mnist-sample-split1 has 0 test images; allowed: 8 or more, for 3 shots and 5 queries`)
	fault(fewShotEvaluation{fewShotSettings{[]int{2}, []int{16}, 1, 5, 1}}, func(_, _ *datasets.Dataset) {}, "has 20 test images; allowed: 21 or more, for 16 shots and 5 queries")
	fault(smallFewShot(), func(_, test *datasets.Dataset) { only(test, func(class int32) bool { return class != 5 }) }, `class "pattern 5" of mnist-sample-split1 has 0 test images; allowed: 5 or more, for 0 shots`)
}

// TestBadPoints: points that can't be measured are the failure of their cell alone.
func TestBadPoints(t *testing.T) {
	c := smallSplits(t.TempDir(), smallOpenSet(), "softmax", "center")
	mustRun(t, c)
	folder := c.trainees[0].in(c.folder)
	points, err := readPoints(folder, c.trainees[0])
	if err != nil {
		t.Fatal(err)
	}
	bad := func(change func(points map[string]pointSet), words ...string) {
		t.Helper()
		if points, err = readPoints(c.trainees[1].in(c.folder), c.trainees[1]); err != nil {
			t.Fatal(err)
		}
		change(points)
		if err := writePoints(folder, points); err != nil {
			t.Fatal(err)
		}
		for file, evaluation := range map[string]evaluation{openSetFile: smallOpenSet(), fewShotFile: smallFewShot()} {
			os.Remove(filepath.Join(folder, file))
			err := smallSplits(c.folder, evaluation, "softmax", "center").run(t.Context(), io.Discard)
			if !errors.Is(err, ErrFailed) {
				t.Errorf("%v is not ErrFailed", err)
			}
			embedtest.WantError(t, err, append(words, "1 of 4 cells failed", c.trainees[0].name())...)
		}
	}
	bad(func(p map[string]pointSet) { p[heldOut].Z[3] = float32(math.NaN()) }, "coordinate 1 of held-out point 1 is NaN; allowed: finite numbers")
	bad(func(p map[string]pointSet) { delete(p, calibration) }, `no array "calibration.z"`)
	bad(func(p map[string]pointSet) {
		set := p[knownTest]
		set.Labels = set.Labels[1:]
		p[knownTest] = set
	}, "240 coordinates of 119 test points")
}

// TestOneImage: one unknown image, and few to learn from.
func TestOneImage(t *testing.T) {
	points := map[string]pointSet{}
	for name, n := range map[string]int{calibration: 1, knownTest: 2, heldOut: 1} {
		set := pointSet{Embedding: measure.Embedding{Dim: 2, Classes: 2}}
		for i := range n {
			set.Z, set.Labels = append(set.Z, float32(i), 1), append(set.Labels, int32(i))
			set.Predicted, set.Scores = append(set.Predicted, int32(i)), append(set.Scores, 0, float32(i))
		}
		points[name] = set
	}
	r := &embed.Result{Config: embed.Config{Technique: "softmax", Dim: 2}, ClassNames: []string{"a", "b"}, ClassVectors: []float32{1, 0, 0, 1}, Train: points[knownTest].Embedding}
	m, err := measureOpenSet(t.Context(), r, points, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for _, score := range m.Unknown[0].Scores {
		switch score.Score {
		case "max-logit":
			embedtest.CheckNear(t, "AUROC", []float64{float64(score.Measures.AUROC)}, []float64{0.75}, 1e-12)
		case "knn":
			embedtest.CheckEqual(t, "error of knn", score.Error, "openset: knn: the 5-th nearest of 2 training points; allowed: 1 to 2")
		}
	}
	_, err = smallFewShot().measure(t.Context(), newClasses(points[heldOut], points[knownTest], r.Train), fewshot.Methods())
	embedtest.WantError(t, err, "episodes of 2 classes; allowed: up to 1")
}

// TestAllTechniques: each technique can be trained and measured on a split, every second one in
// 2-D, where it is drawn, the others in 16-D.
func TestAllTechniques(t *testing.T) {
	var ids []string
	for _, family := range embed.Families() {
		for _, technique := range ofFamily(family) {
			ids = append(ids, technique.ID)
		}
	}
	folder := t.TempDir()
	for _, evaluation := range []evaluation{smallOpenSet(), smallFewShot()} {
		c := smallSplits(folder, evaluation, ids...)
		c.trainees = c.trainees[:len(ids)] // split 1
		for i := range c.trainees {
			c.trainees[i].Dim = []int{2, 16}[i%2]
		}
		mustRun(t, c)
	}
	order := []string{} // of the rows, by dimension
	for first := range 2 {
		for i := first; i < len(ids); i += 2 {
			order = append(order, ids[i])
		}
	}
	table, err := os.ReadFile(filepath.Join(folder, "openset.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	field := func(line []string, name string) string { return line[slices.Index(lines[0], name)] }
	inPlane := (len(ids) + 1) / 2
	for i, line := range lines[1:] {
		id := order[i]
		technique, err := embed.LookUp(id)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "technique, dimensions, score and cells", []string{field(line, "technique"), field(line, "dim"), field(line, "score"), field(line, "cells")},
			[]string{id, []string{"2", "16"}[i/inPlane], technique.Known, "1"})
		if field(line, "auroc") == "" {
			t.Errorf("%s has no AUROC", id)
		}
	}
	embedtest.CheckEqual(t, "rows", len(lines)-1, len(ids))
	figure, err := ReadFigure(filepath.Join(folder, "openset-mnist-sample-2d.npz"))
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "panels", len(figure.Panels), inPlane)
	for i, panel := range figure.Panels {
		technique, err := embed.LookUp(order[i])
		if err != nil {
			t.Fatal(err)
		}
		panel := panel.(viz.Scatter)
		if panel.Title != technique.Title || len(panel.Unknown) != 2*80 || len(panel.Points) != 2*120 || !strings.HasPrefix(panel.Note, technique.Known+": AUROC ") {
			t.Errorf("panel %d is %q, %q with %d and %d coordinates", i, panel.Title, panel.Note, len(panel.Points), len(panel.Unknown))
		}
	}
}

// handMadeSplits writes cells of two techniques on two splits, as if they were measured.
func handMadeSplits(t *testing.T, folder string) map[string]*cell {
	t.Helper()
	cells := map[string]*cell{}
	for i, technique := range []string{"softmax", "center"} {
		for split := range 2 {
			cfg, err := embed.Config{Technique: technique, Dataset: "fashion-mnist", Dim: 2}.WithDefaults()
			if err != nil {
				t.Fatal(err)
			}
			c := &cell{Cell: Cell{cfg, split + 1}, Data: embed.DataInfo{Canonical: true}, Result: &measured{}}
			cells[c.name()] = c
			m := openSetMeasured{Accept: 0.9, Default: "max-logit", Unknown: []unknownMeasured{{Unknown: heldOut}, {Unknown: "mnist"}}}
			for u := range m.Unknown {
				for k, score := range openset.Scores() {
					s := scoreMeasured{Score: score.Name, Error: "not for these"}
					if score.Name != "openmax" && (score.Name != "fdbd" || split == 1) {
						s = scoreMeasured{Score: score.Name, Measures: &openset.Measures{AUROC: measure.Measure(0.5 + 0.1*float64(split) + 0.02*float64(i) + 0.01*float64(k) - 0.001*float64(u))}, Decisions: &openset.Decisions{}}
					}
					m.Unknown[u].Scores = append(m.Unknown[u].Scores, s)
				}
				m.Unknown[u].TPR = slices.Repeat([]float64{0.5}, len(falseShares))
				m.Unknown[u].CCR = m.Unknown[u].TPR
			}
			f := fewShotMeasured{Settings: fewShotSettings{[]int{2}, []int{5}, 600, queries, 1}}
			for k, method := range fewshot.Methods() {
				for _, besideKnown := range []bool{false, true} {
					of := interval{measure.Measure(0.5 + 0.1*float64(split) + 0.02*float64(i) + 0.01*float64(k)), measure.Measure(0.0123 + 0.002*float64(split))}
					result := fewShotResult{Way: 2, Shot: 5, Method: method.Name, BesideKnown: besideKnown, New: of, Known: of, All: of, Harmonic: of}
					if !besideKnown {
						result.Known, result.Harmonic = interval{measure.Measure(math.NaN()), measure.Measure(math.NaN())}, interval{measure.Measure(math.NaN()), measure.Measure(math.NaN())}
					}
					f.Results = append(f.Results, result)
				}
			}
			err = errors.Join(store.WriteJSON(filepath.Join(c.in(folder), openSetFile), m), store.WriteJSON(filepath.Join(c.in(folder), fewShotFile), f))
			for _, b := range baselinesOf(c.Cell) {
				b.Canonical = true
				err = errors.Join(err, store.WriteJSON(b.path(folder), baselineMeasured{b, f}))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return cells
}

func TestSplitTables(t *testing.T) {
	folder := t.TempDir()
	cells := handMadeSplits(t, folder)
	failed := *cells["center-fashion-mnist-split2-2d-s1"]
	failed.Split, failed.Result, failed.Error = 3, nil, "out of\nmemory"
	cells[failed.name()] = &failed
	if err := errors.Join(reportOpenSet(folder, cells, ""), reportFewShot(folder, cells, "")); err != nil {
		t.Fatal(err)
	}
	has := func(file string, words ...string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(string(content), word) {
				t.Errorf("%s has no %q:\n%s", file, word, content)
			}
		}
	}
	has("openset.md",
		"accepts 90 % of the known", "## fashion-mnist, 2-D, unknown: held-out\n\n5 epochs. Its splits are the class numbers of those of MNIST.", "## fashion-mnist, 2-D, unknown: mnist\n",
		"\n| softmax | max-logit | 2 | 57.00 ± 7.07 |", "\n| center | max-logit | 2 | **59.00 ± 7.07** |",
		"\n| softmax | 55.0 | 56.0 | 57.0 † |", "| **72.0** | 78.0 (1 of 2 cells) | – |", // OpenMax fails on all, and what fails on some is not the best
		"## Failed\n\n- center-fashion-mnist-split3-2d-s1: `out of memory`\n")
	has("openset.csv", "\nfashion-mnist,2,held-out,softmax,,max-logit,true,5,true,2,0,0.9,0.57", "\nfashion-mnist,2,mnist,center,,max-logit,true,5,false,2,0,0.9,0.58")
	has("openset-scores.csv", "\nfashion-mnist,2,held-out,softmax,,openmax,false,5,true,0,2,0.9,,")
	has("fewshot.md", "600 episodes", "at most ± 1.5 points", "## fashion-mnist, 2-D\n\n5 epochs.", "### 2 new classes\n",
		"\n| pixels | 2 | ", "\n| untrained | 2 | ", "\n| softmax | 2 | 55.0 ± 7.1 |", "\n| center | 2 | **57.0 ± 7.1** |",
		"\n| softmax | prototype-cosine | 56.0 ± 7.1 |", "\n| center | prototype | **57.0 ± 7.1** |")
	has("fewshot.csv", "\nfashion-mnist,2,softmax,,false,2,5,prototype,false,5,true,2,600,0.55", "\nfashion-mnist,2,pixels,,true,2,5,prototype,false,0,true,2,600,")
	rows, err := openSetRows(folder, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "rows", len(rows), 2*2*len(openset.Scores()))
}

// TestBaselines: pixels are bytes by 255, and a network that was not trained is that of
// its split, whatever the technique.
func TestBaselines(t *testing.T) {
	train, test, _ := loadTen(t.Context(), "", nil)
	c := smallSplits(t.TempDir(), smallFewShot(), "triplet-all").trainees[0]
	part, err := c.images(images{train: train, test: test})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pixelPoints(part)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "points and pixels", []int{len(p.z), len(p.z[0]), len(p.known.Z), len(p.known.Means)}, []int{80, 16, 120, 6})
	embedtest.CheckEqual(t, "a pixel", p.z[7][3], float64(part.heldOut.At(7)[3])/255)
	mean, n := 0., 0.
	for i, class := range part.train.Labels {
		if class == 2 {
			mean += float64(part.train.At(i)[5]) / 255
			n++
		}
	}
	embedtest.CheckNear(t, "a mean", []float64{p.known.Means[2][5]}, []float64{mean / n}, 1e-12)
	direction := make([]float64, 16)
	all, err := part.train.Points()
	if err != nil {
		t.Fatal(err)
	}
	for i, class := range part.train.Labels {
		if class == 2 {
			floats.AddScaled(direction, 1/n/floats.Norm(all[i], 2), all[i])
		}
	}
	embedtest.CheckNear(t, "a mean of unit vectors", p.directions[2], direction, 1e-12)

	first, err := untrainedPoints(t.Context(), c, part)
	if err != nil {
		t.Fatal(err)
	}
	c.Technique, c.Params = "softmax", nil
	again, err := untrainedPoints(t.Context(), c, part)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "points of an untrained network", first, again)
	c.Split = 2
	other, err := untrainedPoints(t.Context(), c, part)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(first.z[0], other.z[0]) {
		t.Error("another split has the same network")
	}
}
