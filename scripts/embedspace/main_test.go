package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestMain(m *testing.M) {
	os.Unsetenv(embed.PresetEnv)
	os.Unsetenv(embed.FolderEnv)
	if os.Getenv(commandEnv) != "" {
		embedtest.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	embedtest.Exit(m.Run())
}

// execute runs a command line and fails unless it ends with that exit code.
func execute(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := run(args, &out, &err); got != code {
		t.Fatalf("embedspace %s: exit code %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), got, code, &out, &err)
	}
	return out.String(), err.String()
}

// lastObject decodes the last line as a JSON object.
func lastObject(t *testing.T, stdout string) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	var object map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &object); err != nil {
		t.Fatalf("the last line is %q: %v", lines[len(lines)-1], err)
	}
	return object
}

// checkFields fails unless the object has these fields and no others.
func checkFields(t *testing.T, object map[string]any, fields ...string) {
	t.Helper()
	got := slices.Sorted(maps.Keys(object))
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		t.Errorf("fields %q, want %q", got, fields)
	}
}

// fast are the flags of a training of 2 steps per epoch, with the images of
// useFewDigits.
var fast = []string{"train", "-dataset", "mnist", "-backend", "go", "-train", "32", "-batch", "16"}

// useFewDigits puts 40 training and 20 test images in the place of the dataset mnist.
func useFewDigits(t *testing.T) { useDigits(t, 40, 20) }

// useDigits puts so many images of the sample in the place of the dataset mnist.
func useDigits(t *testing.T, trainImages, testImages int) {
	t.Helper()
	train, test, err := datasets.Load(t.Context(), "mnist-sample", nil)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	t.Setenv("EMBEDSPACE_DATA", data)
	if err := os.Mkdir(filepath.Join(data, "mnist"), 0o777); err != nil {
		t.Fatal(err)
	}
	write := func(name string, content ...any) {
		var idx bytes.Buffer
		for _, part := range content {
			if err := binary.Write(&idx, binary.BigEndian, part); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(data, "mnist", name), idx.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []struct {
		name string
		n    int
		data *datasets.Dataset
	}{{"train", trainImages, train}, {"t10k", testImages, test}} {
		labels := make([]byte, part.n)
		for i := range labels {
			labels[i] = byte(part.data.Labels[i])
		}
		write(part.name+"-images-idx3-ubyte", []uint32{0x803, uint32(part.n), 28, 28}, part.data.Images[:part.n*28*28])
		write(part.name+"-labels-idx1-ubyte", []uint32{0x801, uint32(part.n)}, labels)
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		args  []string
		words []string
	}{
		{nil, []string{"usage", "list", "train", "overview", "figures", "openset", "fewshot", "explore", "explain", "animate", "bench"}},
		{[]string{"trian"}, []string{`"trian"`, "list, train, overview, figures, openset, fewshot, explore, explain, animate, bench"}},
		{[]string{"train", "-tecnique", "softmax"}, []string{"tecnique", "-technique", "-dataset", "-dim", "-epochs", "-train", "-batch", "-seed", "-backend", "-devices", "-extractor", "-activation", "-padding", "-learning-rate", "-set", "-out", "-explore", "-resume", "-json"}},
		{[]string{"train", "-dim", "two"}, []string{`"two"`, "-dim"}},
		{[]string{"train", "softmax"}, []string{`"softmax"`}},
		{[]string{"train", "-technique", "hardmax"}, []string{`"hardmax"`, "softmax, softmax-normalized"}},
		{[]string{"train", "-dataset", "imagenet"}, append([]string{`"imagenet"`}, datasets.Names()...)},
		{[]string{"train", "-set", "margin=1"}, []string{`"margin"`, "allowed: technique, dataset, dim"}},
		{[]string{"train", "-set", "padding"}, []string{`"padding"`, "name=value"}},
		{[]string{"train", "-set", "padding=zero"}, []string{`"zero"`, "same, valid"}},
		{[]string{"train", "-padding", "zero"}, []string{`"zero"`, "same, valid"}},
		{[]string{"train", "-technique", "center", "-set", "update=often"}, []string{`update is "often"`, "means, wen"}},
		{[]string{"train", "-set", "learning-rate=0"}, []string{"learning-rate", "more than 0, at most 1"}},
		{[]string{"train", "-devices", "3"}, []string{"devices is 3", "divisors of batch, 128"}},
		{[]string{"train", "-dim", "-1"}, []string{"dim is -1", "1 or more"}},
		{[]string{"train", "-dim", "1", "-explore"}, []string{"-dim is 1", "2 or more"}},
		{[]string{"bench", "-speed"}, []string{"speed", "-backend", "-batch", "-steps", "-padding", "-json"}},
		{[]string{"bench", "-padding", "zero"}, []string{`"zero"`, "same, valid"}},
		{[]string{"bench", "-steps", "0"}, []string{"-steps is 0", "1 or more"}},
		{[]string{"list", "-all"}, []string{"all", "-json"}},
		{[]string{"overview", "-technique", "softmax"}, []string{"technique", "-techniques", "-datasets", "-dims", "-seeds", "-train", "-epochs", "-backend", "-shard", "-merge", "-out"}},
		{[]string{"overview", "-techniques", "hardmax"}, []string{`"hardmax"`, "softmax, softmax-normalized"}},
		{[]string{"overview", "-techniques", "softmax,"}, []string{`""`, "softmax, softmax-normalized"}},
		{[]string{"overview", "-datasets", ""}, []string{`""`, "mnist"}},
		{[]string{"overview", "-techniques", "softmax,softmax"}, []string{"softmax-mnist-2d-s1", "twice"}},
		{[]string{"overview", "-datasets", "mnist,imagenet"}, append([]string{`"imagenet"`}, datasets.Names()...)},
		{[]string{"overview", "-dims", "2,three"}, []string{`"three"`, "-dims"}},
		{[]string{"overview", "-dims", "0"}, []string{"dim is 0", "1 or more"}},
		{[]string{"overview", "-seeds", "-1"}, []string{`"-1"`, "-seeds", "1 or more"}},
		{[]string{"openset", "-seeds", "0"}, []string{`"0"`, "-seeds", "1 or more"}},
		{[]string{"overview", "-shard", "3/2"}, []string{`"3/2"`, "-shard", "i/n"}},
		{[]string{"overview", "-shard", "1/2x"}, []string{`"1/2x"`, "-shard", "i/n"}},
		{[]string{"overview", "mnist"}, []string{`"mnist"`}},
		{[]string{"overview", "-merge"}, []string{"-merge", "1 or more"}},
		{[]string{"overview", "-train", "9", "-merge", "a"}, []string{"-train", "-merge"}},
		{[]string{"openset", "-technique", "softmax"}, []string{"technique", "-techniques", "-datasets", "-dims", "-splits", "-seeds", "-train", "-epochs", "-backend", "-shard", "-unknown", "-accept", "-merge", "-out"}},
		{[]string{"openset", "-datasets", "cifar-100"}, []string{`"cifar-100" has no open-set splits`, "mnist, fashion-mnist, cifar-10"}},
		{[]string{"openset", "-datasets", "imagenet"}, []string{`"imagenet"`, "mnist"}},
		{[]string{"openset", "-splits", "6"}, []string{"split 6 of mnist", "1 to 5"}},
		{[]string{"openset", "-splits", "1,1"}, []string{"split 1 is wanted twice"}},
		{[]string{"openset", "-unknown", "imagenet"}, []string{`unknown is "imagenet"`, "mnist"}},
		{[]string{"openset", "-datasets", "mnist", "-unknown", "mnist-sample"}, []string{`unknown is "mnist-sample"`, "another dataset than mnist"}},
		{[]string{"openset", "-accept", "0"}, []string{"-accept", "more than 0, up to 1"}},
		{[]string{"openset", "-accept", "95"}, []string{"accept is 95", "more than 0, up to 1"}},
		{[]string{"openset", "-shard", "3/2"}, []string{`"3/2"`, "-shard", "i/n"}},
		{[]string{"openset", "mnist"}, []string{`"mnist"`}},
		{[]string{"openset", "-merge"}, []string{"-merge", "1 or more"}},
		{[]string{"openset", "-accept", "0.9", "-merge", "a"}, []string{"-accept", "-merge"}},
		{[]string{"fewshot", "-way", "2"}, []string{"way", "-ways", "-shots", "-episodes", "-splits"}},
		{[]string{"fewshot", "-ways", "5"}, []string{"way is 5", "2 to 4, the classes that a split holds out"}},
		{[]string{"fewshot", "-ways", "2,2"}, []string{"way 2 is wanted twice"}},
		{[]string{"fewshot", "-shots", "0"}, []string{"shot is 0", "1 or more"}},
		{[]string{"fewshot", "-episodes", "0"}, []string{`"0"`, "-episodes", "1 or more"}},
		{[]string{"explore"}, []string{"without folders", "1 or more"}},
		{[]string{"explore", "-out", "page.htm", "a"}, []string{`"page.htm"`, ".html"}},
		{[]string{"explain"}, []string{"takes one folder"}},
		{[]string{"explain", "a", "b"}, []string{"takes one folder"}},
		{[]string{"explain", "-index", "two", "a"}, []string{`"two"`, "-index"}},
		{[]string{"explain", "-image", "2", "a"}, []string{"image", "-index", "-class", "-against", "-out"}},
		{[]string{"explain", "-out", "why.jpg", "a"}, []string{`"why.jpg"`, ".png"}},
		{[]string{"animate"}, []string{"animate with 0 folders", "one of embedspace train -explore"}},
		{[]string{"animate", "a", "b"}, []string{"animate with 2 folders"}},
		{[]string{"animate", "-out", "a.png", "a"}, []string{`"a.png"`, ".gif"}},
		{[]string{"figures", "-only", "1,2"}, []string{"figure is 1", "2 to 7"}},
		{[]string{"figures", "-dim", "2"}, []string{"dim", "-dataset", "-train", "-epochs", "-only", "-out", "-backend"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			stdout, stderr := execute(t, 2, test.args...)
			if stdout != "" {
				t.Errorf("standard output has %q", stdout)
			}
			for _, word := range test.words {
				if !strings.Contains(stderr, word) {
					t.Errorf("standard error is %q, want it to have %q", stderr, word)
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		args  []string
		words []string
	}{
		{[]string{"train", "-backend", "abacus"}, []string{`"abacus"`, "go"}},
		{[]string{"train", "-backend", "go", "-train", "64", "-batch", "65"}, []string{"batch is 65", "1 to 64"}},
		{[]string{"train", "-backend", "go", "-train", "64", "-batch", "64", "-devices", "2"}, []string{"devices is 2", "go has 1", "allowed: 1"}},
		{[]string{"bench", "-backend", "abacus"}, []string{`"abacus"`, "go"}},
		{[]string{"overview", "-datasets", "mnist-sample", "-backend", "abacus", "-out", t.TempDir()}, []string{`"abacus"`, "go"}},
		{[]string{"explore", filepath.Join(t.TempDir(), "none")}, []string{"no complete result", "none"}},
		{[]string{"explain", filepath.Join(t.TempDir(), "none")}, []string{"no complete result", "none"}},
		{[]string{"overview", "-out", t.TempDir(), "-merge", filepath.Join(t.TempDir(), "none")}, []string{"no overview", "none"}},
	} {
		_, stderr := execute(t, 1, test.args...)
		for _, word := range test.words {
			if !strings.Contains(stderr, word) {
				t.Errorf("%q: standard error is %q, want it to have %q", test.args, stderr, word)
			}
		}
	}
}

func TestHelp(t *testing.T) {
	stdout, _ := execute(t, 0, "-h")
	for command, flag := range map[string]string{"list": "-json", "train": "-json", "overview": "-shard", "figures": "-only", "openset": "-unknown", "fewshot": "-shots", "explore": "-out", "explain": "-against", "animate": "-out", "bench": "-json"} {
		if !strings.Contains(stdout, command) {
			t.Errorf("the help is %q, want it to have %q", stdout, command)
		}
		_, stderr := execute(t, 0, command, "-h")
		if !strings.Contains(stderr, flag) {
			t.Errorf("the help of %s is %q, want it to have %s", command, stderr, flag)
		}
	}
}

func TestList(t *testing.T) {
	stdout, stderr := execute(t, 0, "list")
	if stderr != "" {
		t.Errorf("standard error has %q", stderr)
	}
	object, _ := execute(t, 0, "list", "-json")
	var all struct {
		Techniques []struct{ ID, Title, Family, Section, Figure, Source, Notebook, Geometry, Known string }
		Datasets   []string
		Params     []struct{ Name, Default, Allowed, Reason string }
		Backends   []string
	}
	if err := json.Unmarshal([]byte(object), &all); err != nil {
		t.Fatal(err)
	}
	var words []string
	for i, technique := range embed.Techniques() {
		words = append(words, technique.ID, technique.Title, technique.Section, technique.Figure, technique.Source, technique.Notebook, string(technique.Geometry), technique.Known)
		got := all.Techniques[i]
		if got.ID != technique.ID || got.Title != technique.Title || got.Section != technique.Section ||
			got.Family != string(technique.Family) || got.Source != technique.Source || got.Figure != technique.Figure || got.Notebook != technique.Notebook || got.Geometry != string(technique.Geometry) || got.Known != technique.Known {
			t.Errorf("technique %d is %+v, want %s", i, got, technique.ID)
		}
	}
	for i, field := range embed.Defaults() {
		words = append(words, field.Name, field.Default, field.Allowed, field.Reason)
		got := all.Params[i]
		if got.Name != field.Name || got.Default != field.Default || got.Allowed != field.Allowed || got.Reason != field.Reason {
			t.Errorf("parameter %d is %+v, want %+v", i, got, field)
		}
	}
	if len(all.Techniques) != len(embed.Techniques()) || len(all.Params) != len(embed.Defaults()) ||
		!slices.Equal(all.Datasets, datasets.Names()) || !slices.Equal(all.Backends, backends.Names()) {
		t.Errorf("list -json has %+v", all)
	}
	if paper, after, _ := strings.Cut(stdout, "AFTER THE PAPER"); strings.Contains(paper, "supcon") || !strings.Contains(after, "supcon") || strings.Contains(after, "regression-circle") {
		t.Error("list does not show the families apart")
	}
	for _, word := range slices.Concat(words, datasets.Names(), backends.Names()) {
		if !strings.Contains(stdout, word) {
			t.Errorf("list has no %q", word)
		}
	}
}

// TestTrain: what the flags say beats the environment.
func TestTrain(t *testing.T) {
	useFewDigits(t)
	t.Setenv(embed.PresetEnv, "smoke")
	t.Setenv("GOMLX_BACKEND", "abacus")
	folder := filepath.Join(t.TempDir(), "a folder")
	args := slices.Concat(fast, []string{"-technique", "softmax-normalized", "-dim", "3", "-epochs", "2", "-seed", "7",
		"-set", "activation=sigmoid", "-set", "learning-rate=0.004", "-out", folder, "-json"})
	stdout, stderr := execute(t, 0, args...)
	if lines := strings.Count(stderr, "\n"); lines != 2 {
		t.Errorf("standard error has %d lines, want one per epoch: %q", lines, stderr)
	}
	object := lastObject(t, stdout)
	checkFields(t, object, "technique", "dataset", "dim", "epochs", "train", "seed", "backend",
		"accuracy", "accuracy_by_epoch", "seconds", "images_per_second")
	for field, want := range map[string]any{
		"technique": "softmax-normalized", "dataset": "mnist", "dim": 3., "epochs": 2., "train": 32., "seed": 7., "backend": "go",
	} {
		if object[field] != want {
			t.Errorf("%s is %v, want %v", field, object[field], want)
		}
	}
	byEpoch := object["accuracy_by_epoch"].([]any)
	if len(byEpoch) != 2 || byEpoch[1] != object["accuracy"] {
		t.Errorf("accuracy %v, by epoch %v: want 2, and the last of them", object["accuracy"], byEpoch)
	}
	if object["seconds"].(float64) <= 0 || object["images_per_second"].(float64) <= 0 {
		t.Errorf("%v s, %v images/s", object["seconds"], object["images_per_second"])
	}

	t.Setenv("GOMLX_BACKEND", "go")
	result, err := embed.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if result.Test.Accuracy() != object["accuracy"] || result.Config.Activation != "sigmoid" || result.Config.LearningRate != 0.004 {
		t.Errorf("the saved result has the accuracy %v and the configuration %+v", result.Test.Accuracy(), result.Config)
	}
	picture, err := os.Open(filepath.Join(folder, "embedding.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	if _, err := png.Decode(picture); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	if want := []string{"checkpoint.npz", "config.json", "embedding.npz", "embedding.png", "metrics.json"}; !slices.Equal(files, want) {
		t.Errorf("the folder has %q, want %q", files, want)
	}

	again, _ := execute(t, 0, append(args, "-resume")...)
	if repeated := lastObject(t, again); repeated["accuracy"] != object["accuracy"] || repeated["seconds"] != object["seconds"] {
		t.Errorf("the complete run, resumed, is %v, want %v", repeated, object)
	}
}

// TestTrainOnAFolder: a folder of class folders is split, and batch and epochs fit it.
func TestExplore(t *testing.T) {
	useFewDigits(t)
	t.Setenv("GOMLX_BACKEND", "go")
	var folders []string
	for _, dim := range []string{"2", "3"} {
		folder := filepath.Join(t.TempDir(), "result")
		execute(t, 0, slices.Concat(fast, []string{"-dim", dim, "-epochs", "2", "-explore", "-out", folder})...)
		if _, err := os.Stat(filepath.Join(folder, "explorer.html")); err != nil {
			t.Error(err)
		}
		folders = append(folders, folder)
	}
	page := filepath.Join(t.TempDir(), "pages", "page.html")
	stdout, _ := execute(t, 0, slices.Concat([]string{"explore", "-out", page}, folders)...)
	if !strings.Contains(stdout, page) {
		t.Errorf("standard output is %q, want it to name %s", stdout, page)
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"Embedded spaces of mnist", "20 test images", "Softmax <small>3-D"} {
		if !strings.Contains(string(content), words) {
			t.Errorf("the page has no %q", words)
		}
	}

	execute(t, 0, "animate", folders[0])
	animation := filepath.Join(t.TempDir(), "animations", "space.gif")
	execute(t, 0, "animate", "-out", animation, folders[1])
	for _, path := range []string{filepath.Join(folders[0], "animation.gif"), animation} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(content), "GIF89a") {
			t.Errorf("%s is no GIF", path)
		}
	}
	untraced := filepath.Join(t.TempDir(), "untraced")
	execute(t, 0, slices.Concat(fast, []string{"-epochs", "1", "-out", untraced})...)
	if _, stderr := execute(t, 1, "animate", untraced); !strings.Contains(stderr, "no trace of the training") {
		t.Errorf("standard error is %q", stderr)
	}
}

func TestExplain(t *testing.T) {
	useFewDigits(t)
	t.Setenv("GOMLX_BACKEND", "go")
	folder := filepath.Join(t.TempDir(), "result")
	execute(t, 0, slices.Concat(fast, []string{"-epochs", "2", "-out", folder})...)
	picture := filepath.Join(t.TempDir(), "pictures", "why.png")
	stdout, _ := execute(t, 0, "explain", "-index", "3", "-class", "4", "-against", "9", "-out", picture, folder)
	for _, words := range []string{"image 3 of mnist", "4: score", "9: score", picture} {
		if !strings.Contains(stdout, words) {
			t.Errorf("standard output is %q, want it to have %q", stdout, words)
		}
	}
	content, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(content)); err != nil {
		t.Error(err)
	}
	stdout, _ = execute(t, 0, "explain", "-out", picture, folder) // a mistake, of which so short a training makes many
	result, err := embed.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	first := firstMistake(result)
	if result.Test.Labels[first] == result.Test.Predicted[first] || !strings.Contains(stdout, fmt.Sprintf("image %d of ", first)) {
		t.Errorf("standard output is %q, want it to explain the first mistake, image %d", stdout, first)
	}
	for _, test := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-index", "20"}, []string{"the index of an image is 20", "0 to 19"}},
		{[]string{"-index", "-2"}, []string{"the index of an image is -2"}},
		{[]string{"-class", "ten"}, []string{`"ten"`, "allowed: 0, 1, 2"}},
		{[]string{"-class", "1", "-against", "1"}, []string{"the other class", `"1"`}},
	} {
		_, stderr := execute(t, 1, slices.Concat([]string{"explain"}, test.args, []string{"-out", picture, folder})...)
		for _, word := range test.words {
			if !strings.Contains(stderr, word) {
				t.Errorf("%q: standard error is %q, want it to have %q", test.args, stderr, word)
			}
		}
	}
	useDigits(t, 40, 30) // the mistakes are those among other test images
	if _, stderr := execute(t, 1, "explain", "-out", picture, folder); !strings.Contains(stderr, "the result was tested on mnist, not on mnist with the checksum") {
		t.Errorf("standard error is %q, want it to refuse other test images", stderr)
	}
}

func TestTrainOnAFolder(t *testing.T) {
	images, _, err := datasets.Load(t.Context(), "mnist-sample", nil)
	if err != nil {
		t.Fatal(err)
	}
	few, err := images.Subset(40, 1)
	if err != nil {
		t.Fatal(err)
	}
	photos, results := filepath.Join(t.TempDir(), "digits"), t.TempDir()
	t.Setenv(embed.FolderEnv, results)
	embedtest.WriteFolder(t, photos, few)
	stdout, stderr := execute(t, 0, "train", "-dataset", "folder:"+photos+":test=0.25", "-epochs", "2", "-backend", "go", "-json")
	for _, words := range []string{"30 images to train and 10 to test", "30 training images, batch 16: 2 epochs, 2 steps in all"} {
		if !strings.Contains(stderr, words) {
			t.Errorf("standard error is %q, want it to have %q", stderr, words)
		}
	}
	if object := lastObject(t, stdout); object["train"] != 30. {
		t.Errorf("train is %v, want 30", object["train"])
	}
	if _, err := os.Stat(filepath.Join(results, "softmax-folder-digits-test=0.25-2d-s1", "embedding.png")); err != nil {
		t.Error(err)
	}

	if err := os.WriteFile(filepath.Join(photos, "7", "notes.txt"), []byte("seven"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, stderr = execute(t, 1, "train", "-dataset", "folder:"+photos); !strings.Contains(stderr, "notes.txt: a text") || !strings.Contains(stderr, "-skip") {
		t.Errorf("standard error is %q", stderr)
	}
	if _, stderr = execute(t, 0, "train", "-dataset", "folder:"+photos, "-skip", "-epochs", "1", "-backend", "go"); !strings.Contains(stderr, "skipped 1 of 41 files") {
		t.Errorf("standard error is %q", stderr)
	}
	if _, stderr = execute(t, 2, "train", "-skip"); !strings.Contains(stderr, "allowed: with folder:PATH") {
		t.Errorf("standard error is %q", stderr)
	}
	_, stderr = execute(t, 2, "train", "-dataset", "folder:"+photos+":tset=0.25")
	if !strings.Contains(stderr, "tset") || !strings.Contains(stderr, "allowed") {
		t.Errorf("standard error is %q", stderr)
	}
}

// TestTrainByDefault: the environment beats the defaults.
func TestTrainByDefault(t *testing.T) {
	useFewDigits(t)
	folder := t.TempDir()
	t.Setenv(embed.FolderEnv, folder)
	t.Setenv(embed.PresetEnv, "smoke")
	t.Setenv("GOMLX_BACKEND", "go")
	stdout, stderr := execute(t, 0, "train", "-dataset", "mnist", "-batch", "16", "-dim", "4")
	want := filepath.Join(folder, "softmax-mnist-4d-s1")
	if !strings.Contains(stdout, "test accuracy") || !strings.Contains(stdout, "on go") || !strings.Contains(stdout, want) {
		t.Errorf("standard output is %q, want the accuracy and %q", stdout, want)
	}
	if !strings.HasPrefix(stderr, "epoch 1/1: ") {
		t.Errorf("standard error is %q, want one epoch", stderr)
	}
	if _, err := os.Stat(filepath.Join(want, "metrics.json")); err != nil {
		t.Error(err)
	}

	t.Setenv(embed.PresetEnv, "smok")
	_, stderr = execute(t, 2, fast...)
	if !strings.Contains(stderr, embed.PresetEnv) || !strings.Contains(stderr, `"smok"`) {
		t.Errorf("standard error is %q, want it to name %s and its value", stderr, embed.PresetEnv)
	}
}

// An interrupter sends SIGINT to this process when the first epoch is shown. The training
// waits until the signal has arrived, and a moment for its context to end.
type interrupter struct{ io.Writer }

func (w interrupter) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("epoch 1/")) {
		arrived := make(chan os.Signal, 1)
		signal.Notify(arrived, syscall.SIGINT)
		defer signal.Stop(arrived)
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			return 0, err
		}
		<-arrived
		time.Sleep(100 * time.Millisecond)
	}
	return w.Writer.Write(p)
}

func TestInterrupt(t *testing.T) {
	useFewDigits(t)
	folder := t.TempDir()
	args := slices.Concat(fast, []string{"-epochs", "2", "-out", folder, "-json"})
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, interrupter{&stderr}); code != 130 {
		t.Fatalf("exit code %d, want 130; stderr: %s", code, &stderr)
	}
	if stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted in epoch") || !strings.Contains(stderr.String(), "checkpoint saved in "+folder) {
		t.Errorf("standard output %q, standard error %q", &stdout, &stderr)
	}
	resumed, progress := execute(t, 0, append(args, "-resume")...)
	if strings.Contains(progress, "epoch 1/") {
		t.Errorf("the resumed run began anew: %s", progress)
	}
	if object := lastObject(t, resumed); len(object["accuracy_by_epoch"].([]any)) != 2 {
		t.Errorf("got %v, want 2 epochs", object)
	}
}

func TestBench(t *testing.T) {
	args := []string{"bench", "-backend", "go", "-batch", "8", "-steps", "1", "-padding", "valid"}
	stdout, _ := execute(t, 0, append(args, "-json")...)
	object := lastObject(t, stdout)["backends"].([]any)[0].(map[string]any)
	checkFields(t, object, "backend", "batch", "padding", "train_images_per_second", "inference_images_per_second", "ms_per_step", "peak_memory", "parts")
	if object["backend"] != "go" || object["batch"] != 8. || object["padding"] != "valid" {
		t.Errorf("got %v", object)
	}
	// 8 images per step, in two units.
	if rate, milliseconds := object["train_images_per_second"].(float64), object["ms_per_step"].(float64); rate*milliseconds < 7999 || rate*milliseconds > 8001 {
		t.Errorf("%g images/s with %g ms per step of 8 images", rate, milliseconds)
	}
	if object["inference_images_per_second"].(float64) <= 0 || len(object["parts"].([]any)) != 5 {
		t.Errorf("got %v", object)
	}
	stdout, _ = execute(t, 0, args...)
	for _, word := range []string{"go", "batch 8", "padding valid", "images/s in training", "images/s in inference", "Conv(64) - Pool", "FC(2)", "a step"} {
		if !strings.Contains(stdout, word) {
			t.Errorf("standard output is %q, want it to have %q", stdout, word)
		}
	}
}
