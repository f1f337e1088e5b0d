package embed

import (
	"archive/zip"
	"context"
	"encoding/binary"
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
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/store"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/embed/openset"
)

func TestSaveAndLoad(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		t.Setenv(FolderEnv, t.TempDir())
		saved := mustFitSmall(t, smallOn(backend), Options{Out: "digits"})
		loaded, err := Load("digits")
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "loaded result", outcome(t, loaded), outcome(t, saved))
		embedtest.CheckEqual(t, "config", loaded.Config, saved.Config)
		embedtest.CheckEqual(t, "data", loaded.Data, saved.Data)
		embedtest.CheckEqual(t, "class names", loaded.ClassNames, saved.ClassNames)

		_, test := embedtest.SmallData()
		for _, result := range []*Result{saved, loaded} {
			again, err := result.Embed(test)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "embedding of the test images", again, saved.Test)
			scores, err := result.Scores(saved.Test.Z)
			if err != nil {
				t.Fatal(err)
			}
			for i, predicted := range saved.Test.Predicted {
				if row := scores[i*len(saved.ClassNames) : (i+1)*len(saved.ClassNames)]; row[predicted] != slices.Max(row) {
					t.Errorf("image %d has the scores %v, but class %d is predicted", i, row, predicted)
				}
			}
			// The same image among others, at another place in the batch.
			part, err := test.Select(1)
			if err != nil {
				t.Fatal(err)
			}
			one, err := result.Embed(part)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "embedding of the first image of class 1", one.Z[:2], saved.Test.Z[2:4])
		}
	})
}

// TestLoadArrays: without a network, a Result can be measured, drawn and scored by openset, and
// says what it can't do.
func TestLoadArrays(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "result")
	want := mustFitSmall(t, small(), Options{Out: folder})
	if err := os.Remove(filepath.Join(folder, checkpointFile)); err != nil {
		t.Fatal(err)
	}
	r, err := LoadArrays(folder)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "config", r.Config, want.Config)
	embedtest.CheckEqual(t, "test", r.Test, want.Test)
	embedtest.CheckEqual(t, "training", r.Train, want.Train)
	spaces := [2]openset.Space{}
	for i, r := range []*Result{r, want} {
		if spaces[i], err = r.Space(); err != nil {
			t.Fatal(err)
		}
	}
	embedtest.CheckEqual(t, "space", spaces[0], spaces[1])
	for name, does := range map[string]func() error{
		"Scores": func() error { _, err := r.Scores(r.Test.Z); return err },
		"Known":  func() error { _, err := r.Known("", r.Test.Z); return err },
		"Save":   func() error { return r.Save(folder) },
	} {
		if err := does(); !errors.Is(err, ErrNoNetwork) {
			t.Errorf("%s: error %v, want ErrNoNetwork", name, err)
		}
	}
	if _, err := Load(folder); !errors.Is(err, ErrNoResult) {
		t.Errorf("without a checkpoint: error %v, want ErrNoResult", err)
	}
	if _, err := LoadArrays(t.TempDir()); !errors.Is(err, ErrNoResult) {
		t.Errorf("empty folder: error %v, want ErrNoResult", err)
	}
}

func TestEmbedManyImages(t *testing.T) {
	result := mustFitSmall(t, small(), Options{})
	for _, n := range []int{1, embedBatch - 1, embedBatch, embedBatch + 1} {
		images := embedtest.Patterns(n, 4, 1, 3)
		e, err := result.Embed(images)
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, "points", []int{e.Len(), len(e.Z), len(e.Predicted)}, []int{n, 2 * n, n})
		last, err := result.Embed(&datasets.Dataset{
			Images: images.At(n - 1), Labels: images.Labels[n-1:], Height: 4, Width: 4, Channels: 1, ClassNames: images.ClassNames,
		})
		if err != nil {
			t.Fatal(err)
		}
		embedtest.CheckEqual(t, fmt.Sprintf("embedding of the last of %d images", n), e.Z[2*(n-1):], last.Z)
	}
}

func TestEmbedRefuses(t *testing.T) {
	result := mustFitSmall(t, small(), Options{})
	_, err := result.Embed(nil)
	embedtest.WantError(t, err, "no images", "at least one")
	_, err = result.Embed(embedtest.Patterns(3, 8, 1, 1))
	embedtest.WantError(t, err, "[8 8 1]", "[4 4 1]")
	_, err = result.Embed(embedtest.Patterns(3, 4, 3, 1))
	embedtest.WantError(t, err, "[4 4 3]", "[4 4 1]")
	_, err = result.Embed(&datasets.Dataset{Name: "nothing", Height: 4, Width: 4, Channels: 1})
	embedtest.WantError(t, err, "nothing", "no labels")
}

// TestFilesOfAResult reads the files as another program does.
func TestFilesOfAResult(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	cfg := small()
	cfg.Dim = 3
	result := mustFitSmall(t, cfg, Options{Out: folder})

	archive, err := zip.OpenReader(filepath.Join(folder, "embedding.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	arrays := map[string]any{}
	for _, file := range archive.File {
		entry, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(entry)
		if err != nil {
			t.Fatal(err)
		}
		header, data, _ := strings.Cut(string(content), "\n")
		_, dtype, _ := strings.Cut(header, "'descr': '")
		_, shape, _ := strings.Cut(header, "'shape': ")
		shape, _, _ = strings.Cut(shape, ")")
		var values any = make([]float32, len(data)/4)
		if strings.HasPrefix(dtype, "<i4") {
			values = make([]int32, len(data)/4)
		} else if !strings.HasPrefix(dtype, "<f4") {
			t.Errorf("%s: header %q", file.Name, header)
		}
		if err := binary.Read(strings.NewReader(data), binary.LittleEndian, values); err != nil {
			t.Fatal(err)
		}
		arrays[file.Name] = fmt.Sprint(shape+") ", values)
	}
	embedtest.CheckEqual(t, "embedding.npz", arrays, map[string]any{
		"z.npy":               fmt.Sprint("(30, 3) ", result.Test.Z),
		"label.npy":           fmt.Sprint("(30,) ", result.Test.Labels),
		"predicted.npy":       fmt.Sprint("(30,) ", result.Test.Predicted),
		"train_z.npy":         fmt.Sprint("(24, 3) ", result.Train.Z),
		"train_label.npy":     fmt.Sprint("(24,) ", result.Train.Labels),
		"train_predicted.npy": fmt.Sprint("(24,) ", result.Train.Predicted),
		"class_vectors.npy":   fmt.Sprint("(3, 3) ", result.ClassVectors),
	})

	for name, want := range map[string]map[string]any{
		"config.json": {
			"technique": "softmax", "dim": 3., "epochs": 2., "train": 24., "batch": 8., "seed": 1., "backend": "go",
			"padding": "same", "activation": "linear", "params": map[string]any{},
		},
		"metrics.json": {
			"accuracy": result.Test.Accuracy(), "class_names": []any{"top", "left", "corner"},
		},
	} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(content, &got); err != nil {
			t.Fatal(err)
		}
		for field, value := range want {
			embedtest.CheckEqual(t, name+": "+field, got[field], value)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 4 {
		t.Errorf("the folder has %v (%v), want 4 files", files, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Setenv(FolderEnv, t.TempDir())
	_, err := Load("nothing")
	embedtest.WantError(t, err, "no complete result", Folder("nothing"), "allowed: a folder with config.json, metrics.json, embedding.npz and checkpoint.npz")
	if !errors.Is(err, ErrNoResult) {
		t.Errorf("%v is not ErrNoResult", err)
	}

	mustFitSmall(t, small(), Options{Out: "run"})
	for _, file := range []string{configFile, metricsFile, embeddingFile} {
		path := filepath.Join(Folder("run"), file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:len(whole)/2], 0o666); err != nil {
			t.Fatal(err)
		}
		_, err = Load("run")
		embedtest.WantError(t, err, Folder("run"))
		if err := os.WriteFile(path, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}

	// A new training in the same folder replaces the checkpoint first.
	stop := errors.New("stop")
	if _, err := fitSmall(t.Context(), small(), Options{Out: "run", OnEpoch: func(*Result) error { return stop }}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	_, err = Load("run")
	embedtest.WantError(t, err, "1 of 2 epochs", "resume")
	if !errors.Is(err, ErrUnfinished) {
		t.Errorf("%v is not ErrUnfinished", err)
	}
	other := small()
	other.Seed = 2
	if _, err := fitSmall(t.Context(), other, Options{Out: "run", OnEpoch: func(*Result) error { return stop }}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	_, err = Load("run")
	embedtest.WantError(t, err, "another run", "seed is 2, not 1")
	if !errors.Is(err, ErrOtherRun) {
		t.Errorf("%v is not ErrOtherRun", err)
	}
}

// rewrite changes the arrays of a saved Result.
func rewrite(t *testing.T, name string, change func(store.Arrays)) {
	t.Helper()
	path := filepath.Join(Folder(name), embeddingFile)
	arrays, err := store.ReadNpz(path)
	if err != nil {
		t.Fatal(err)
	}
	change(arrays)
	if err := store.WriteNpz(path, arrays, zip.Store); err != nil {
		t.Fatal(err)
	}
}

// TestLoadWideArrays: NumPy makes arrays of float64 and int64 by default.
func TestLoadWideArrays(t *testing.T) {
	t.Setenv(FolderEnv, t.TempDir())
	saved := mustFitSmall(t, small(), Options{Out: "run"})
	rewrite(t, "run", func(arrays store.Arrays) {
		z := make([]float64, len(saved.Test.Z))
		for i, x := range saved.Test.Z {
			z[i] = float64(x)
		}
		labels := make([]int64, len(saved.Test.Labels))
		for i, label := range saved.Test.Labels {
			labels[i] = int64(label)
		}
		arrays["z"] = tensors.FromFlatDataAndDimensions(z, len(labels), 2)
		arrays["label"] = tensors.FromFlatDataAndDimensions(labels, len(labels))
	})
	loaded, err := Load("run")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "loaded result", outcome(t, loaded), outcome(t, saved))
}

// TestLoadRefusesArrays: what can't be measured or drawn is an error of Load, not of the first
// picture.
func TestLoadRefusesArrays(t *testing.T) {
	t.Setenv(FolderEnv, t.TempDir())
	nan := float32(math.NaN())
	for _, test := range []struct {
		change func(store.Arrays)
		want   string
	}{
		{func(a store.Arrays) { delete(a, "train_z") }, `no array "train_z"`},
		{func(a store.Arrays) { a["z"] = store.Vector([]int32{1, 2}) }, `array "z" is of type Int32; allowed: Float32 and Float64`},
		{func(a store.Arrays) { a["label"] = store.Matrix(make([]float32, 30), 1) }, `array "label" is of type Float32; allowed: Int32 and Int64`},
		{func(a store.Arrays) { a["z"] = store.Matrix(make([]float32, 58), 2) }, "58 coordinates of 30 test points; allowed: 60"},
		{func(a store.Arrays) { a["z"] = store.Matrix(append(make([]float32, 59), nan), 2) }, "coordinate 1 of test point 29 is NaN"},
		{func(a store.Arrays) { a["predicted"] = store.Vector(make([]int32, 29)) }, "29 predicted classes of 30 test points"},
		{func(a store.Arrays) { a["train_label"] = store.Vector(slices.Repeat([]int32{3}, 24)) }, "the class of training point 0 is 3; allowed: 0 to 2"},
		{func(a store.Arrays) {
			a["train_label"] = tensors.FromFlatDataAndDimensions(slices.Repeat([]int64{1 << 32}, 24), 24)
		}, "the class of training point 0 is 2147483647"},
		{func(a store.Arrays) { a["predicted"] = store.Vector(slices.Repeat([]int32{-1}, 30)) }, "the predicted class of test point 0 is -1"},
		{func(a store.Arrays) { a["class_vectors"] = store.Matrix(make([]float32, 4), 2) }, "4 coordinates of class vectors; allowed: 6, for 3 classes in 2 dimensions"},
		{func(a store.Arrays) { a["class_vectors"] = store.Matrix([]float32{0, 0, 0, nan, 0, 0}, 2) }, "coordinate 1 of class vector 1 is NaN"},
	} {
		mustFitSmall(t, small(), Options{Out: "run"})
		rewrite(t, "run", test.change)
		_, err := Load("run")
		embedtest.WantError(t, err, embeddingFile, Folder("run"), test.want)
	}

	// Names for fewer classes than the labels have.
	mustFitSmall(t, small(), Options{Out: "run"})
	var s summary
	path := filepath.Join(Folder("run"), metricsFile)
	if err := store.ReadJSON(path, &s); err != nil {
		t.Fatal(err)
	}
	s.ClassNames = s.ClassNames[:2]
	if err := store.WriteJSON(path, s); err != nil {
		t.Fatal(err)
	}
	_, err := Load("run")
	embedtest.WantError(t, err, "the class of test point 2 is 2; allowed: 0 to 1")
}

// TestLoadNeedsTheExtractor: the paper's network is no substitute.
func TestLoadNeedsTheExtractor(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	registerPixels(t)
	cfg := small()
	cfg.Extractor = "pixels"
	mustFitSmall(t, cfg, Options{Out: out})
	clear(extractors.byName)
	_, err := Load(out)
	embedtest.WantError(t, err, `extractor is "pixels"`, "allowed: paper")
}

func TestLoadNeedsTheTechnique(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	t.Run("train", func(t *testing.T) {
		mustFitSmall(t, lossOf(t, small(), softmax.Loss), Options{Out: out})
	})
	_, err := Load(out)
	embedtest.WantError(t, err, `"test"`, "allowed: softmax, softmax-normalized")
}

func TestFolder(t *testing.T) {
	t.Setenv(FolderEnv, "/results")
	embedtest.CheckEqual(t, "a name", Folder("a"), "/results/a")
	embedtest.CheckEqual(t, "a path", Folder("./a"), "./a")
	embedtest.CheckEqual(t, "an absolute path", Folder("/x/a"), "/x/a")
	embedtest.CheckEqual(t, "this folder", Folder("."), ".")
	embedtest.CheckEqual(t, "the folder above", Folder(".."), "..")

	t.Setenv(FolderEnv, "")
	module, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "a name in the module", Folder("a"), filepath.Join(module, "out", "results", "a"))
}

// TestResultMadeByHand: it can be drawn and measured, and all else is an error.
func TestResultMadeByHand(t *testing.T) {
	e := measure.Embedding{Dim: 2, Z: []float32{1, 0, 2, 0, 0, 1, 0, 2}, Labels: []int32{0, 0, 1, 1}, Classes: 2}
	for technique, title := range map[string]string{"softmax": "Softmax", "my own": "my own", "": ""} {
		r := &Result{Config: Config{Technique: technique, Dataset: "points", Dim: 2}, Test: e, Train: e, ClassNames: []string{"a", "b"}}
		scatter := r.Scatter()
		embedtest.CheckEqual(t, "title and note", [2]string{scatter.Title, scatter.Note}, [2]string{title, "points"})
		m, err := r.Metrics()
		if err != nil || m.NearestMeanAccuracy != 1 || !math.IsNaN(float64(m.Accuracy)) {
			t.Errorf("metrics %+v, error %v", m, err)
		}
		train, _ := embedtest.SmallData()
		_, embedErr := r.Embed(train)
		_, classifyErr := r.Classify(e.Z)
		for _, err := range []error{embedErr, classifyErr, r.Save(t.TempDir())} {
			if !errors.Is(err, ErrNoNetwork) {
				t.Errorf("%v is not ErrNoNetwork", err)
			}
		}
		r.Test.Predicted = []int32{0, 0, 1, 0}
		embedtest.CheckEqual(t, "note", r.Scatter().Note, "points, test accuracy 75.0 %")
	}
}

// saveForever is the child of TestKilledWhileSaving: it saves the checkpoint of the
// first epoch until it is killed.
func saveForever() error {
	out := os.Getenv(FolderEnv + "_CHILD")
	_, err := fitSmall(context.Background(), small(), Options{Out: out, OnEpoch: func(r *Result) error {
		state := trainingState{Version: trainingVersion, Config: r.Config, Data: r.Data, Epoch: len(r.History), History: r.History}
		for {
			if err := saveCheckpoint(out, r.net, state); err != nil {
				return err
			}
		}
	}})
	return err
}

func TestKilledWhileSaving(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	for kill := range 10 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), embedtest.ChildEnv+"=save forever", FolderEnv+"_CHILD="+out)
		started := time.Now()
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		for saved := false; !saved; {
			select {
			case err := <-ended:
				t.Fatalf("the child ended by itself: %v", err)
			case <-time.After(time.Millisecond):
			}
			info, err := os.Stat(filepath.Join(out, checkpointFile))
			saved = err == nil && info.ModTime().After(started)
		}
		// How far its next save is at the kill is up to chance.
		time.Sleep(time.Duration(kill) * 3 * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
		variables, state, err := loadCheckpoint(out)
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		embedtest.CheckEqual(t, "epochs in the checkpoint", state.Epoch, 1)
		embedtest.CheckEqual(t, "shape of W in the checkpoint", variables["head/W"].Shape().Dimensions, []int{3, 2})
	}
	result := mustFitSmall(t, small(), Options{Out: out, Resume: true})
	embedtest.CheckEqual(t, "resumed run", outcome(t, result), outcome(t, mustFitSmall(t, small(), Options{})))
}

func TestMetricsOfResult(t *testing.T) {
	result := mustFitSmall(t, small(), Options{OnEpoch: func(r *Result) error {
		_, err := r.Metrics()
		embedtest.WantError(t, err, "no reference points")
		return nil
	}})
	m, err := result.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "accuracy", float64(m.Accuracy), result.Test.Accuracy())
	want, err := result.Test.Metrics(result.Train)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "metrics", fmt.Sprint(m), fmt.Sprint(want))
}
