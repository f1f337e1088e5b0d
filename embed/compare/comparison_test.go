package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz"
)

func TestMain(m *testing.M) {
	os.Unsetenv(embed.PresetEnv)
	os.Unsetenv(embed.FolderEnv)
	embedtest.Main(m, map[string]func() error{"compare forever": compareForever})
}

// The files of an embed.Result.
const (
	checkpointFile = "checkpoint.npz"
	embeddingFile  = "embedding.npz"
	configFile     = "config.json"
	metricsFile    = "metrics.json"
)

// smallComparison compares techniques on patterns of 4 x 4 pixels, which go by the name of
// mnist-sample.
func smallComparison(folder string, techniques ...string) comparison {
	c := comparison{
		folder: folder,
		load: func(context.Context, string, io.Writer) (train, test *datasets.Dataset, err error) {
			train, test = embedtest.SmallData()
			return train, test, nil
		},
		expect: func(trained *cell) (embed.Config, error) {
			cfg := trained.Config
			return embed.Config{Technique: cfg.Technique, Dataset: cfg.Dataset, Dim: cfg.Dim, Seed: cfg.Seed,
				Padding: "same", Batch: 8, Epochs: 2, Train: 24, Backend: "go"}.WithDefaults()
		},
		figures: overviewFigures,
	}
	c.wanted.Backend = "go"
	for seed := range 2 {
		for _, technique := range techniques {
			wanted := Cell{Config: embed.Config{Technique: technique, Dataset: "mnist-sample", Dim: 2, Seed: int64(seed + 1)}}
			cfg, err := c.expect(&cell{Cell: wanted})
			if err != nil {
				panic(err)
			}
			c.trainees = append(c.trainees, Cell{Config: cfg})
		}
	}
	return c
}

// registerLike registers a technique that is like another one, but for a change. Other tests
// see it too.
func registerLike(t *testing.T, id, newID string, change func(*embed.Technique)) embed.Technique {
	t.Helper()
	technique, err := embed.LookUp(id)
	if err != nil {
		t.Fatal(err)
	}
	technique.ID, technique.Title, technique.Section = newID, newID, ""
	change(&technique)
	if err := embed.Register(technique); err != nil {
		t.Fatal(err)
	}
	return technique
}

func mustRun(t *testing.T, c comparison) (progress string) {
	t.Helper()
	var log strings.Builder
	if err := c.run(t.Context(), &log); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

// outcomeFiles returns the files of a comparison by their paths, without what depends on
// times and on the way there.
func outcomeFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") { // the lock, what a kill left half written
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch name := entry.Name(); name {
		case "checkpoint.npz", "metrics.json", "cell.json", "results.csv", "results.md":
			content = nil // have times
		case "manifest.json", "results.json":
			var value any
			if err := json.Unmarshal(content, &value); err != nil {
				return err
			}
			if content, err = json.Marshal(timeless(value)); err != nil {
				return err
			}
		}
		relative, err := filepath.Rel(folder, path)
		files[relative] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// timeless returns a JSON value without the fields of times.
func timeless(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			if slices.Contains([]string{"started", "ended", "seconds", "images_per_second"}, key) {
				delete(value, key)
			} else {
				value[key] = timeless(value[key])
			}
		}
	case []any:
		for i := range value {
			value[i] = timeless(value[i])
		}
	}
	return value
}

// checkSameFiles fails unless two comparisons have the same files with the same content.
func checkSameFiles(t *testing.T, got, want map[string]string) {
	t.Helper()
	for path, content := range want {
		if other, ok := got[path]; !ok {
			t.Errorf("no file %s", path)
		} else if other != content {
			t.Errorf("%s differs", path)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("unexpected file %s", path)
		}
	}
}

// TestComparisonResumes: however often it is interrupted, the end is the same, and no
// epoch is trained twice.
func TestComparisonResumes(t *testing.T) {
	whole := smallComparison(t.TempDir(), "softmax", "contrastive")
	mustRun(t, whole)
	want := outcomeFiles(t, whole.folder)
	for _, file := range []string{"overview.png", "overview-mnist-sample.svg", "results.csv", "results.md", "manifest.json"} {
		if _, ok := want[file]; !ok {
			t.Errorf("no file %s", file)
		}
	}

	c := smallComparison(t.TempDir(), "softmax", "contrastive")
	var log strings.Builder
	interruptions := 0
	for {
		err := c.run(&embedtest.Countdown{Context: t.Context(), Steps: 5}, &log)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if interruptions++; interruptions > 20 {
			t.Fatal("it does not end")
		}
		figure, err := ReadFigure(filepath.Join(c.folder, "overview.npz"))
		if err != nil {
			t.Fatal(err)
		}
		if interruptions == 1 {
			embedtest.CheckEqual(t, "first panel", figure.Panels[0], viz.Panel(viz.Scatter{Title: "Softmax", Missing: "not trained yet"}))
		}
	}
	if interruptions < 4 {
		t.Errorf("%d interruptions, want one in each of 4 cells of 6 steps or more", interruptions)
	}
	for _, epoch := range []string{"epoch 1/2", "epoch 2/2"} {
		embedtest.CheckEqual(t, "times of "+epoch, strings.Count(log.String(), epoch), 4)
	}
	checkSameFiles(t, outcomeFiles(t, c.folder), want)

	again := mustRun(t, c)
	if strings.Contains(again, "epoch") || !strings.Contains(again, "4 cells") || !strings.Contains(again, "4 done already, 0 to train") {
		t.Errorf("a comparison that is done shows %q", again)
	}
	checkSameFiles(t, outcomeFiles(t, c.folder), want)

	// What is committed of a comparison has no Results.
	for _, file := range []string{checkpointFile, embeddingFile, configFile, metricsFile} {
		results, err := filepath.Glob(filepath.Join(c.folder, "cells", "*", file))
		if err != nil || len(results) != 4 {
			t.Fatalf("%d files %s, error %v", len(results), file, err)
		}
		for _, result := range results {
			if err := os.Remove(result); err != nil {
				t.Fatal(err)
			}
			relative, err := filepath.Rel(c.folder, result)
			if err != nil {
				t.Fatal(err)
			}
			delete(want, relative)
		}
	}
	if again := mustRun(t, c); !strings.Contains(again, "4 done already, 0 to train") {
		t.Errorf("a comparison without its Results shows %q", again)
	}
	checkSameFiles(t, outcomeFiles(t, c.folder), want)
}

// compareForever is the child of TestComparisonKilled: it compares until it is killed.
func compareForever() error {
	return smallComparison(os.Getenv(embed.FolderEnv+"_CHILD"), "softmax", "contrastive", "cosface").run(context.Background(), os.Stderr)
}

func TestComparisonKilled(t *testing.T) {
	whole := smallComparison(t.TempDir(), "softmax", "contrastive", "cosface")
	mustRun(t, whole)
	c := smallComparison(t.TempDir(), "softmax", "contrastive", "cosface")
	for kill := range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), embedtest.ChildEnv+"=compare forever", embed.FolderEnv+"_CHILD="+c.folder)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// Killed in a cell that is further on each time, wherever it is there.
		started := filepath.Join(c.trainees[2*kill].in(c.folder), checkpointFile)
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(started); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("no file %s after a minute", started)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait()
	}
	log := mustRun(t, c)
	if strings.Count(log, "cell ") > 2 {
		t.Errorf("after a kill in the last cell but one, it shows %q", log)
	}
	checkSameFiles(t, outcomeFiles(t, c.folder), outcomeFiles(t, whole.folder))
}

// TestComparisonAdds: other techniques and seeds in the same folder train what is new.
func TestComparisonAdds(t *testing.T) {
	both := smallComparison(t.TempDir(), "softmax", "contrastive")
	c := smallComparison(both.folder, "contrastive")
	c.trainees = c.trainees[:1] // seed 1
	mustRun(t, c)
	log := mustRun(t, both)
	if !strings.Contains(log, "1 done already, 3 to train") || strings.Contains(log, "contrastive-mnist-sample-2d-s1") {
		t.Errorf("the second run shows %q", log)
	}
	whole := smallComparison(t.TempDir(), "softmax", "contrastive")
	mustRun(t, whole)
	checkSameFiles(t, outcomeFiles(t, both.folder), outcomeFiles(t, whole.folder))
}

func TestComparisonRefuses(t *testing.T) {
	c := smallComparison(t.TempDir(), "cosface")
	c.trainees = c.trainees[:1]
	mustRun(t, c)
	for name, change := range map[string]func(*embed.Config){
		"epochs":        func(c *embed.Config) { c.Epochs = 3 },
		"train":         func(c *embed.Config) { c.Train = 16 },
		"learning_rate": func(c *embed.Config) { c.LearningRate = 0.5 },
		"params":        func(c *embed.Config) { c.Params["scale"] = 20. },
	} {
		other := smallComparison(c.folder, "softmax")
		expect := other.expect
		other.expect = func(trained *cell) (embed.Config, error) {
			cfg, err := expect(trained)
			change(&cfg)
			return cfg, err
		}
		err := other.run(t.Context(), io.Discard)
		embedtest.WantError(t, err, c.folder, "cosface-mnist-sample-2d-s1", name+" is", "another folder")
		if !errors.Is(err, ErrOtherComparison) {
			t.Errorf("%v is not ErrOtherComparison", err)
		}
	}
	other := smallComparison(c.folder, "softmax")
	other.load = func(context.Context, string, io.Writer) (train, test *datasets.Dataset, err error) {
		train, _ = embedtest.SmallData()
		return train, embedtest.Patterns(30, 4, 1, 9), nil
	}
	embedtest.WantError(t, other.run(t.Context(), io.Discard), "cosface-mnist-sample-2d-s1", "test_checksum is")
	if backends := embedtest.Backends(t); slices.Contains(backends, "xla:cpu") {
		other = smallComparison(c.folder, "softmax")
		other.wanted.Backend = "xla:cpu"
		embedtest.WantError(t, other.run(t.Context(), io.Discard), "cosface-mnist-sample-2d-s1", "backend is go, not xla:cpu")
	}
	if _, err := os.Stat(filepath.Join(c.folder, "cells", "softmax-mnist-sample-2d-s1")); err == nil {
		t.Error("what was refused has trained")
	}
}

// TestComparisonNeedsData: a dataset that can't be loaded ends it before any training.
func TestComparisonNeedsData(t *testing.T) {
	c := smallComparison(t.TempDir(), "softmax")
	load := c.load
	c.load = func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error) {
		if name == "cifar-10" {
			return nil, nil, errors.New("cifar-10 is not there")
		}
		return load(ctx, name, progress)
	}
	c.trainees[1].Dataset = "cifar-10"
	embedtest.WantError(t, c.run(t.Context(), io.Discard), "cifar-10 is not there")
	if _, err := os.Stat(filepath.Join(c.folder, "cells")); err == nil {
		t.Error("it has trained")
	}
	c = smallComparison(c.folder, "softmax")
	c.trainees[1].Batch = 25
	embedtest.WantError(t, c.run(t.Context(), io.Discard), "train is 24", "25 (a batch) or more")
}

func TestComparisonLoadsOnce(t *testing.T) {
	c := smallComparison(t.TempDir(), "softmax", "contrastive")
	loads := 0
	load := c.load
	c.load = func(ctx context.Context, name string, progress io.Writer) (train, test *datasets.Dataset, err error) {
		loads++
		return load(ctx, name, progress)
	}
	mustRun(t, c)
	mustRun(t, c)
	embedtest.CheckEqual(t, "loads", loads, 1)
}

func TestComparisonLocks(t *testing.T) {
	c := smallComparison(t.TempDir(), "softmax")
	unlock, err := lockFolder(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	err = c.run(t.Context(), io.Discard)
	embedtest.WantError(t, err, "another process", c.folder)
	if !errors.Is(err, ErrLocked) {
		t.Errorf("%v is not ErrLocked", err)
	}
	unlock()
	mustRun(t, c)
}

// TestComparisonFails: a cell that fails is marked, the others go on, and it is tried
// again.
func TestComparisonFails(t *testing.T) {
	breaks := true
	technique := registerLike(t, "softmax", "breaks", func(t *embed.Technique) {
		loss := t.Loss
		t.Loss = func(h embed.Head) *graph.Node {
			if breaks {
				panic(errors.New("it breaks"))
			}
			return loss(h)
		}
	})
	folder := t.TempDir()
	t.Run("broken", func(t *testing.T) {
		c := smallComparison(folder, "breaks", "softmax")
		var log strings.Builder
		err := c.run(t.Context(), &log)
		if !errors.Is(err, ErrFailed) {
			t.Errorf("%v is not ErrFailed", err)
		}
		embedtest.WantError(t, err, "2 of 4 cells failed", "breaks-mnist-sample-2d-s1: ", "breaks-mnist-sample-2d-s2: ", "it breaks")
		if !strings.Contains(log.String(), "cell 1 of 4 failed: ") {
			t.Errorf("it shows %q", &log)
		}
		page, err := os.ReadFile(filepath.Join(folder, "results.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{"| softmax | 2 |", "| breaks | 0, 2 failed |", "## Failed\n\n- breaks-mnist-sample-2d-s1: `", "it breaks"} {
			if !strings.Contains(string(page), words) {
				t.Errorf("results.md has no %q: %s", words, page)
			}
		}
		figure, err := ReadFigure(filepath.Join(folder, "overview.npz"))
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "panel of what failed", figure.Panels[1], viz.Panel(viz.Scatter{Title: technique.Title, Missing: "failed"}))
		embedtest.CheckEqual(t, "points of the other", len(figure.Panels[0].(viz.Scatter).Points), 2*30)

		// The other folder has one of its cells.
		merged := smallComparison(t.TempDir())
		_, err = merged.merge([]string{folder})
		embedtest.WantError(t, err, "2 of 4 cells failed", "breaks-mnist-sample-2d-s1: ")
		checkSameFiles(t, outcomeFiles(t, merged.folder), outcomeFiles(t, folder))
	})
	breaks = false
	log := mustRun(t, smallComparison(folder, "breaks", "softmax"))
	if !strings.Contains(log, "2 done already, 2 to train, 2 of which failed before") {
		t.Errorf("it shows %q", log)
	}
	whole := smallComparison(t.TempDir(), "breaks", "softmax")
	mustRun(t, whole)
	checkSameFiles(t, outcomeFiles(t, folder), outcomeFiles(t, whole.folder))
}

// TestComparisonFolders: any name of a folder does, but a cell only by its own.
func TestComparisonFolders(t *testing.T) {
	c := smallComparison(filepath.Join(t.TempDir(), "a[1]*"), "softmax")
	mustRun(t, c)
	if err := os.WriteFile(filepath.Join(c.folder, "cells", ".DS_Store"), nil, 0o666); err != nil { // as a system leaves it
		t.Fatal(err)
	}
	if log := mustRun(t, c); !strings.Contains(log, "2 done already, 0 to train") {
		t.Errorf("it shows %q", log)
	}
	empty := smallComparison(t.TempDir())
	mustRun(t, empty) // a shard without cells

	panel := filepath.Join(c.folder, "cells", "softmax-mnist-sample-2d-s1", panelFile)
	if err := os.Remove(panel); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(c.folder, "cells", "softmax-mnist-sample-2d-s2")
	if err := os.Remove(filepath.Join(second, panelFile)); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c)
	figure, err := ReadFigure(filepath.Join(c.folder, "overview.npz"))
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "panel of what is gone", figure.Panels[0].(viz.Scatter).Missing, "no panel.npz")

	if err := os.Rename(second, second+".old"); err != nil {
		t.Fatal(err)
	}
	embedtest.WantError(t, c.run(t.Context(), io.Discard), "softmax-mnist-sample-2d-s2.old", "is of the cell softmax-mnist-sample-2d-s2")
}

// TestComparisonBackendOptions: the options of a backend hold in each training.
func TestComparisonBackendOptions(t *testing.T) {
	var used compute.Backend
	registerLike(t, "softmax", "backend", func(t *embed.Technique) {
		loss := t.Loss
		t.Loss = func(h embed.Head) *graph.Node {
			used = h.Z.Graph().Backend()
			return loss(h)
		}
	})
	const withOptions = "go:parallelism=1"
	c := smallComparison(t.TempDir(), "backend")
	c.wanted.Backend = withOptions
	mustRun(t, c)
	want, err := backends.Open(withOptions, nil)
	if err != nil {
		t.Fatal(err)
	}
	if used != want {
		t.Errorf("it was trained on another backend than %s", withOptions)
	}
	cells, err := readCells(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "backend of a cell", cells["backend-mnist-sample-2d-s1"].Config.Backend, "go")
	if log := mustRun(t, c); !strings.Contains(log, "2 done already, 0 to train") {
		t.Errorf("again it shows %q", log)
	}
}

// TestComparisonUndrawn: a cell that can't be drawn has failed, and the others go on.
func TestComparisonUndrawn(t *testing.T) {
	registerLike(t, "softmax", "undrawn", func(t *embed.Technique) {
		t.ClassVectors = func(h embed.Head) *graph.Node {
			zero := graph.ZerosLike(h.Weights())
			return graph.Div(zero, zero)
		}
	})
	embedtest.WantError(t, smallComparison(t.TempDir(), "undrawn", "softmax").run(t.Context(), io.Discard), "2 of 4 cells failed", "not a finite number")
}

// TestComparisonFiles: a file that can't be written ends it, and marks no cell as failed.
func TestComparisonFiles(t *testing.T) {
	c := smallComparison(t.TempDir(), "softmax", "contrastive")
	name := c.trainees[0].name()
	if err := os.MkdirAll(filepath.Join(c.folder, "cells", name, checkpointFile, "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	embedtest.WantError(t, c.run(t.Context(), io.Discard), checkpointFile)
	cells, err := readCells(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "number of cells and error", fmt.Sprintf("%d %q", len(cells), cells[name].Error), `1 ""`)
}

// TestMergePrefers: what was done last takes the place of all else, a failure that of none.
func TestMergePrefers(t *testing.T) {
	out, shard := smallComparison(t.TempDir(), "softmax"), smallComparison(t.TempDir(), "softmax")
	if err := out.run(&embedtest.Countdown{Context: t.Context(), Steps: 2}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	cells, err := readCells(out.folder)
	if err != nil {
		t.Fatal(err)
	}
	name := "softmax-mnist-sample-2d-s1"
	failed := *cells[name]
	failed.Error = "out of memory"
	if err := failed.write(shard.folder); err != nil {
		t.Fatal(err)
	}
	if err := shard.writeManifest(map[string]*cell{name: &failed}); err != nil {
		t.Fatal(err)
	}
	unfinished, err := out.merge([]string{shard.folder})
	embedtest.CheckEqual(t, "unfinished and error", fmt.Sprint(unfinished, err), "["+name+" softmax-mnist-sample-2d-s2] <nil>")
	if _, err := os.Stat(filepath.Join(out.folder, "cells", name, checkpointFile)); err != nil {
		t.Error(err)
	}

	mustRun(t, out)
	if err := os.RemoveAll(shard.folder); err != nil {
		t.Fatal(err)
	}
	mustRun(t, shard)
	later, err := readCells(shard.folder)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := out.merge([]string{shard.folder}); err != nil {
			t.Fatal(err)
		}
		if cells, err = readCells(out.folder); err != nil {
			t.Fatal(err)
		}
		if !cells[name].Ended.Equal(later[name].Ended) {
			t.Errorf("the cell is of %v, want %v", cells[name].Ended, later[name].Ended)
		}
	}
}

// TestMerge: what several have trained is the same as what one has.
func TestMerge(t *testing.T) {
	whole := smallComparison(t.TempDir(), "softmax", "contrastive")
	mustRun(t, whole)
	var folders []string
	for shard := range 3 {
		c := smallComparison(t.TempDir(), "softmax", "contrastive")
		c.trainees = slices.Collect(func(yield func(Cell) bool) {
			for i := shard; i < len(c.trainees) && yield(c.trainees[i]); i += 3 {
			}
		})
		mustRun(t, c)
		folders = append(folders, c.folder)
	}
	merged := smallComparison(t.TempDir())
	merged.wanted = whole.wanted
	for range 2 { // the second time, all is there
		unfinished, err := merged.merge(folders)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "unfinished", len(unfinished), 0)
		checkSameFiles(t, outcomeFiles(t, merged.folder), outcomeFiles(t, whole.folder))
	}

	// A training that has not ended stays behind, unless another folder has its end.
	c := smallComparison(t.TempDir(), "softmax")
	if err := c.run(&embedtest.Countdown{Context: t.Context(), Steps: 2}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	unfinished, err := smallComparison(t.TempDir()).merge([]string{c.folder})
	embedtest.WantError(t, err, "no training has ended", c.folder)
	embedtest.CheckEqual(t, "unfinished", unfinished, []string{"softmax-mnist-sample-2d-s1", "softmax-mnist-sample-2d-s2"})
	unfinished, err = smallComparison(t.TempDir()).merge([]string{c.folder, whole.folder})
	embedtest.CheckEqual(t, "unfinished and error", fmt.Sprint(unfinished, err), "[] <nil>")

	// One that could not load its data is named, and the others are merged.
	c = smallComparison(t.TempDir(), "arcface")
	c.load = func(context.Context, string, io.Writer) (train, test *datasets.Dataset, err error) {
		return nil, nil, errors.New("no data")
	}
	embedtest.WantError(t, c.run(t.Context(), io.Discard), "no data")
	unfinished, err = smallComparison(t.TempDir()).merge([]string{c.folder, whole.folder})
	embedtest.CheckEqual(t, "unfinished and error", fmt.Sprint(unfinished, err), "[arcface-mnist-sample-2d-s1 arcface-mnist-sample-2d-s2] <nil>")
	_, err = smallComparison(t.TempDir()).merge([]string{whole.folder, t.TempDir()})
	embedtest.WantError(t, err, "no overview", "in ")

	c = smallComparison(t.TempDir(), "arcface")
	c.trainees = c.trainees[:1]
	for i := range c.trainees {
		c.trainees[i].Epochs = 1
	}
	mustRun(t, c)
	_, err = merged.merge([]string{c.folder})
	embedtest.WantError(t, err, c.folder, "arcface-mnist-sample-2d-s1", "epochs is 1, not 2")
}

// TestProvenance: a cell that two machines have trained is of both.
func TestProvenance(t *testing.T) {
	c := smallComparison(t.TempDir(), "softmax")
	if err := c.run(&embedtest.Countdown{Context: t.Context(), Steps: 4}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	cells, err := readCells(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	other := provenance{Commit: "other"}
	begun := cells["softmax-mnist-sample-2d-s1"]
	begun.By = []provenance{other}
	if err := begun.write(c.folder); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c)
	var m manifest
	if err := store.ReadJSON(filepath.Join(c.folder, manifestFile), &m); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "provenance", m.By, []provenance{other, thisProgram()})
}

// handMade returns the cells of three techniques on a dataset, the last of which has
// failed with its second seed.
func handMade(t *testing.T) map[string]*cell {
	t.Helper()
	cells := map[string]*cell{}
	add := func(technique string, seed int64, accuracy, spread float64, touching int) {
		cfg, err := embed.Config{Technique: technique, Dataset: "mnist", Dim: 2, Seed: seed, Train: 60_000}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		wanted := Cell{Config: cfg}
		cells[wanted.name()] = &cell{Cell: wanted, Data: embed.DataInfo{Canonical: true}, Started: time.Unix(seed, 0), Result: &measured{
			Metrics: measure.Metrics{
				Accuracy: measure.Measure(accuracy), AngularSpread: measure.Measure(spread), NormMean: measure.Measure(seed),
				Distances: measure.Distances{Silhouette: measure.Measure(math.NaN()), Touching: make([]measure.Touch, touching)},
				OnSphere:  measure.Distances{MAPAtR: measure.Measure(1 - accuracy), Touching: make([]measure.Touch, 2*touching)},
			},
			Seconds: 10 * float64(seed), ImagesPerSecond: 1000,
		}}
	}
	add("softmax", 1, 0.9, 0.1, 3)
	add("softmax", 2, 0.8, 0.3, 4)
	add("cosface", 1, 0.85001, 0.1, 9)
	add("center", 1, 0.95, math.NaN(), 1)
	failed := *cells["center-mnist-2d-s1"]
	failed.Config.Seed, failed.Result, failed.Error = 2, nil, "out of\nmemory"
	cells["center-mnist-2d-s2"] = &failed
	return cells
}

func TestTables(t *testing.T) {
	c := comparison{folder: t.TempDir()}
	if err := c.writeTables(handMade(t)); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(c.folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}

	// Mean 0.85; deviations of 0.05 give sqrt(2 * 0.05^2 / (2-1)).
	var lines [][]string
	for line := range strings.Lines(read("results.csv")) {
		lines = append(lines, strings.Split(strings.TrimSpace(line), ","))
	}
	field := func(line int, name string) string { return lines[line][slices.Index(lines[0], name)] }
	number := func(line int, name string) (x float64) {
		if _, err := fmt.Sscan(field(line, name), &x); err != nil {
			t.Errorf("line %d has %q for %s", line, field(line, name), name)
		}
		return x
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) < 1e-12) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	embedtest.CheckEqual(t, "techniques", []string{field(1, "technique"), field(2, "technique"), field(3, "technique")}, []string{"softmax", "cosface", "center"})
	near("mean", number(1, "accuracy"), 0.85)
	near("standard deviation", number(1, "accuracy_std"), math.Sqrt(2)*0.05)
	near("mean seconds", number(1, "seconds"), 15)
	near("mean of one", number(3, "accuracy"), 0.95)
	near("mean on the sphere", number(1, "on_sphere_map_at_r"), 0.15)
	near("mean of touching pairs on the sphere", number(1, "on_sphere_touching"), 7)
	embedtest.CheckEqual(t, "geometries", []string{field(1, "geometry"), field(2, "geometry"), field(3, "geometry")}, []string{"sphere", "sphere", "space"})
	for name, want := range map[string]string{
		"accuracy_std": "", "silhouette": "", "angular_spread": "", "seeds": "1", "failed": "1", "epochs": "5", "train": "60000", "dim": "2", "touching": "1",
	} {
		embedtest.CheckEqual(t, name+" of center", field(3, name), want)
	}

	var rows []row
	if err := json.Unmarshal([]byte(read("results.json")), &rows); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "rows", len(rows), 3)
	near("mean in JSON", float64(rows[0].Values["accuracy"].Mean), 0.85)
	near("mean on the sphere in JSON", float64(rows[0].Values["on_sphere_map_at_r"].Mean), 0.15)
	embedtest.CheckEqual(t, "geometry in JSON", rows[0].Geometry, embed.Sphere)
	near("standard deviation in JSON", float64(rows[0].Values["accuracy"].Std), math.Sqrt(2)*0.05)
	if !math.IsNaN(float64(rows[2].Values["accuracy"].Std)) || rows[2].Seeds != 1 || rows[2].Failed != 1 {
		t.Errorf("center is %+v", rows[2])
	}

	page := read("results.md")
	for _, words := range []string{
		"## mnist, 2-D\n\n5 epochs of 60000 images.\n\n### In the space\n\n|", "\n\n### On the unit sphere\n\n|",
		"\n| softmax | 2 | 85.00 ± 7.07 |", "\n| cosface | 1 | 85.00 |", "\n| center † | 1, 1 failed | **95.00** |",
		"\n| softmax † | 2 | **0.00 ± 0.00** |", "\n| cosface † | 1 | **0.00** |", "\n| center | 1, 1 failed | **0.00** |",
		"| **15.00 ± 7.07** |",             // MAP@R on the sphere
		"| 11.46 ± 8.10 |", "| **5.73** |", // angle within: lower is better
		"| **1.0** |",     // touching: lower is better
		"| 15 ± 7 |",      // seconds
		"| 1.50 ± 0.71 |", // the norm has no best
		"- center-mnist-2d-s2: `out of memory`\n",
	} {
		if !strings.Contains(page, words) {
			t.Errorf("results.md has no %q:\n%s", words, page)
		}
	}

	cells := handMade(t)
	if err := json.Unmarshal([]byte(`{"accuracy": 0.5, "map_at_r": 0.25, "touching": []}`), &cells["center-mnist-2d-s1"].Result.Metrics); err != nil {
		t.Fatal(err)
	}
	if page, words := string(tablesMarkdown(rowsOf(cells), cells)), "\n| center | 1, 1 failed | – | – | – | – | – | – | – | – |"; !strings.Contains(page, words) {
		t.Errorf("distances on the sphere that were not measured: results.md has no %q:\n%s", words, page)
	}
	cells["cosface-mnist-2d-s1"].Data.Canonical = false
	if page, words := string(tablesMarkdown(rowsOf(cells), cells)), "5 epochs of 60000 images. Not canonical:"; !strings.Contains(page, words) {
		t.Errorf("results.md has no %q:\n%s", words, page)
	}
}

// TestVariants: rows of a technique are in the order of its parameters, and say which. Where
// an activation puts classes at the origin, directions are not the geometry of softmax.
func TestVariants(t *testing.T) {
	cells := map[string]*cell{}
	for _, cfg := range []embed.Config{
		{Technique: "cosface", Params: embed.Params{"margin": 0.2}},
		{Technique: "cosface", Params: embed.Params{"margin": 0.05}},
		{Technique: "cosface", Params: embed.Params{"margin": 0}},
		{Technique: "softmax"}, {Technique: "softmax", Activation: "relu"}, {Technique: "contrastive", Activation: "relu"},
	} {
		cfg.Dataset = "mnist"
		cfg, err := cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		wanted := Cell{Config: cfg}
		cells[wanted.name()] = &cell{Cell: wanted}
	}
	var names []string
	for line := range strings.Lines(string(tablesMarkdown(rowsOf(cells), cells))) {
		if name, _, ok := strings.Cut(line, " | 0 |"); ok {
			names = append(names, strings.TrimPrefix(name, "| "))
		}
	}
	embedtest.CheckEqual(t, "rows", names, []string{
		"softmax, defaults", "softmax, activation=relu", "cosface, margin=0", "cosface, defaults", "cosface, margin=0.2", "contrastive, activation=relu †",
		"softmax, defaults †", "softmax, activation=relu", "cosface, margin=0 †", "cosface, defaults †", "cosface, margin=0.2 †", "contrastive, activation=relu",
	})
}

// TestBest: which of two values is the better one in each column, and how it is written.
func TestBest(t *testing.T) {
	wants := map[string][2]string{ // of 0.25 and 0.5
		"accuracy":              {"25.00", "**50.00**"},
		"nearest_mean_accuracy": {"25.00", "**50.00**"},
		"knn_accuracy":          {"25.00", "**50.00**"},
		"recall_at_1":           {"25.00", "**50.00**"},
		"map_at_r":              {"25.00", "**50.00**"},
		"silhouette":            {"0.250", "**0.500**"},
		"davies_bouldin":        {"**0.250**", "0.500"},
		"distance_ratio":        {"**0.250**", "0.500"},
		"angular_spread":        {"**14.32**", "28.65"},
		"neighbour_angle":       {"14.3", "**28.6**"},
		"norm_mean":             {"0.25", "0.50"},
		"norm_variation":        {"0.250", "0.500"},
		"touching":              {"**0.2**", "0.5"},
		"seconds":               {"0", "0"},
		"images_per_second":     {"0", "0"},
	}
	for _, c := range columns {
		want, ok := wants[strings.TrimPrefix(c.key, "on_sphere_")]
		if !ok {
			t.Errorf("nothing is wanted of %s", c.key)
		}
		var rows []values
		for _, mean := range []float64{0.25, 0.5} {
			rows = append(rows, values{c.key: {measure.Measure(mean), measure.Measure(math.NaN())}})
		}
		embedtest.CheckEqual(t, c.key, c.texts(rows), want[:])
	}
}

// TestTies: what can't be told apart by its digits is the best as well.
func TestTies(t *testing.T) {
	c := columns[0]
	var rows []values
	for _, mean := range []float64{0.90001, 0.90004, 0.8} {
		rows = append(rows, values{c.key: {measure.Measure(mean), measure.Measure(math.NaN())}})
	}
	embedtest.CheckEqual(t, "texts", c.texts(rows), []string{"**90.00**", "**90.00**", "80.00"})
	embedtest.CheckEqual(t, "text of one", c.texts(rows[:1]), []string{"90.00"})
}

// TestColumns: every number of measure.Metrics has a column that returns it.
func TestColumns(t *testing.T) {
	var inSpace, onSphere map[string]any
	for value, encoded := range map[any]*map[string]any{&measure.Metrics{}: &inSpace, &measure.Distances{}: &onSphere} {
		content, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, encoded); err != nil {
			t.Fatal(err)
		}
	}
	delete(inSpace, "on_sphere")
	formats := map[string]string{} // of Metrics with one number, by columns
	for key := range inSpace {
		formats[key] = fmt.Sprintf(`{"metrics": {%q: %%s, "on_sphere": {}}}`, key)
	}
	for key := range onSphere {
		formats["on_sphere_"+key] = fmt.Sprintf(`{"metrics": {"on_sphere": {%q: %%s}}}`, key)
	}
	for key, format := range formats {
		value, want := "7", 7.
		if strings.HasSuffix(key, "touching") {
			value, want = "[{}, {}]", 2
		}
		var m measured
		if err := json.Unmarshal(fmt.Appendf(nil, format, value), &m); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(columns, func(c column[measured]) bool { return c.key == key }) {
			t.Errorf("no column for %s", key)
		}
		for _, c := range columns {
			if got := c.value(m); (got == want) != (c.key == key) {
				t.Errorf("column %s is %g where only %s is %g", c.key, got, key, want)
			}
		}
	}
}

func TestThinned(t *testing.T) {
	whole := viz.Scatter{Title: "whole", Dim: 2}
	for i := range 1000 {
		label := int32(0) // 10 % of class 1, 30 % of class 2
		switch i % 10 {
		case 3:
			label = 1
		case 5, 6, 7:
			label = 2
		}
		whole.Points, whole.Labels = append(whole.Points, float32(i), -float32(i)), append(whole.Labels, label)
	}
	thin := thinned(whole, 100)
	counts, last := [3]int{}, -1
	for i, label := range thin.Labels {
		counts[label]++
		index := int(thin.Points[2*i])
		if whole.Labels[index] != label || thin.Points[2*i+1] != -float32(index) {
			t.Errorf("point %d is not point %d of the whole", i, index)
		}
		if index <= last {
			t.Errorf("point %d is out of order", i)
		}
		last = index
	}
	embedtest.CheckEqual(t, "points by class", counts, [3]int{60, 10, 30})
	embedtest.CheckEqual(t, "title", thin.Title, "whole")
	embedtest.CheckEqual(t, "all", thinned(whole, 1000), whole)
}

func TestPace(t *testing.T) {
	p := pace{}
	cells := cellsOf([]embed.Config{{Dataset: "mnist", Epochs: 2, Train: 100}, {Dataset: "cifar-10", Epochs: 1, Train: 100}})
	embedtest.CheckEqual(t, "without a pace", p.remaining(cells), "")
	done := func(dataset string, took, training float64) *cell {
		return &cell{Cell: Cell{Config: embed.Config{Dataset: dataset, Epochs: 1, Train: 100}}, Took: took, Result: &measured{Seconds: training}}
	}
	p.add(done("mnist", 10, 9))
	embedtest.CheckEqual(t, "by the pace of all", p.remaining(cells), ": 2 to train, about 30s left")
	p.add(done("cifar-10", 5, 40)) // killed after 35 s
	embedtest.CheckEqual(t, "by their own", p.remaining(cells), ": 2 to train, about 1m0s left")
	p.add(done("mnist", 9990, 9000))
	embedtest.CheckEqual(t, "hours", p.remaining(cells), ": 2 to train, about 2.8 hours left")
}
