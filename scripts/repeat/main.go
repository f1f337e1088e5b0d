// Command repeat trains the same embedding again and again, each time in a process of its
// own, and compares the results bit for bit:
//
//	go run ./scripts/repeat -runs 100 -busy 2 -train 256 -epochs 10
//
// Each run is compared with the first one: its history but for the times, the test
// embedding and the predicted classes after each epoch and at the end, the training
// embedding, and the variables in its checkpoint. In each run, the embeddings that the training returned
// and saved are compared with those that its loaded checkpoint gives. A line per run that
// differs says where, and in which rows; a summary follows. The exit code is 1 if any
// run differs or fails, and 2 for wrong arguments.
//
// -busy loops keep that many cores busy meanwhile: what depends on the order in which
// threads run shows sooner.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/measure"
)

// childEnv names the environment variable that makes this program train once, in the
// folder that it names.
const childEnv = "EMBEDSPACE_REPEAT_FOLDER"

func main() {
	if folder := os.Getenv(childEnv); folder != "" {
		if err := child(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(embed.Interruptible(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cfg embed.Config
	flags := flag.NewFlagSet("repeat", flag.ContinueOnError)
	flags.SetOutput(stderr)
	runs := flags.Int("runs", 20, "training runs")
	busy := flags.Int("busy", 0, "loops that keep cores busy meanwhile")
	cfg.Train, cfg.Epochs = 256, 10 // short
	for _, field := range embed.Defaults() {
		if field.Means != "" {
			flags.Func(field.Name, fmt.Sprintf("%s: %s", field.Means, field.Allowed), func(value string) error { return cfg.Set(field.Name, value) })
		}
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	cfg, err := cfg.WithDefaults()
	if err == nil && (flags.NArg() > 0 || *runs < 1 || *busy < 0) {
		err = errors.New("repeat: takes no arguments; allowed: 1 run or more, 0 busy loops or more")
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	folder, err := os.MkdirTemp("", "repeat")
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	keepBusy(ctx, *busy)

	var first *outcome
	done, different := 0, 0
	for i := 1; i <= *runs && ctx.Err() == nil; i++ {
		got, err := train(ctx, filepath.Join(folder, fmt.Sprint(i)), cfg)
		if ctx.Err() != nil {
			break
		}
		done++
		if err != nil {
			different++
			fmt.Fprintf(stdout, "run %d failed: %v\n", i, err)
			continue
		}
		if first == nil {
			first = got
		}
		if differences := append(got.inconsistent(), got.differs(first)...); len(differences) > 0 {
			different++
			fmt.Fprintf(stdout, "run %d: %s\n", i, strings.Join(differences, "; "))
		}
	}
	fmt.Fprintf(stdout, "%d of %d runs differ\n", different, done)
	if different > 0 || done < *runs {
		return 1
	}
	return 0
}

// keepBusy starts loops that end with ctx.
func keepBusy(ctx context.Context, loops int) {
	runtime.GOMAXPROCS(runtime.NumCPU() + loops)
	for range loops {
		go func() {
			for ctx.Err() == nil {
			}
		}()
	}
}

// points are an embedding: its numbers and predicted classes, without labels.
type points struct {
	Dim       int
	Z         []float32
	Predicted []int32
}

func pointsOf(e measure.Embedding) points { return points{e.Dim, e.Z, e.Predicted} }

// An outcome is what a run computed.
type outcome struct {
	History                 []embed.Epoch     // without times
	Epochs                  []points          // test embedding after each epoch
	Train, Test             points            // returned by the training
	LoadedTrain, LoadedTest points            // of the loaded checkpoint
	SavedTrain, SavedTest   points            // of the loaded result
	Variables               map[string][]byte // in the checkpoint, by name
}

const (
	configFile  = "config.gob"
	outcomeFile = "outcome.gob"
)

// train trains once, in a process and a folder of its own, which is removed again.
func train(ctx context.Context, folder string, cfg embed.Config) (*outcome, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if err := writeGob(filepath.Join(folder, configFile), cfg); err != nil {
		return nil, err
	}
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, executable)
	process.Env = append(os.Environ(), childEnv+"="+folder)
	if cfg.Backend != "" {
		process.Env = append(process.Env, compute.ConfigEnvVar+"="+cfg.Backend) // embed.Load takes the default
	}
	if output, err := process.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(output))
	}
	got := new(outcome)
	return got, readGob(filepath.Join(folder, outcomeFile), got)
}

// child trains the Config in a folder and writes the outcome beside it.
func child(folder string) error {
	var cfg embed.Config
	if err := readGob(filepath.Join(folder, configFile), &cfg); err != nil {
		return err
	}
	ctx := context.Background()
	train, test, err := datasets.Load(ctx, cfg.Dataset, io.Discard)
	if err != nil {
		return err
	}
	if cfg.Train > 0 && cfg.Train < train.Len() {
		// Fit's own subset of its subset is the whole.
		if train, err = train.Subset(cfg.Train, cfg.Seed); err != nil {
			return err
		}
	}
	out := filepath.Join(folder, "result")
	var got outcome
	result, err := embed.Fit(ctx, cfg, train, test, embed.Options{
		Progress: io.Discard, Out: out,
		OnEpoch: func(result *embed.Result) error {
			got.Epochs = append(got.Epochs, pointsOf(result.Test))
			return nil
		},
	})
	if err != nil {
		return err
	}
	got.History = slices.Clone(result.History)
	for i := range got.History {
		got.History[i].Seconds, got.History[i].ImagesPerSecond = 0, 0
	}
	got.Train, got.Test = pointsOf(result.Train), pointsOf(result.Test)
	loaded, err := embed.Load(out)
	if err != nil {
		return err
	}
	got.SavedTrain, got.SavedTest = pointsOf(loaded.Train), pointsOf(loaded.Test)
	for _, part := range []struct {
		images *datasets.Dataset
		points *points
	}{{train, &got.LoadedTrain}, {test, &got.LoadedTest}} {
		embedding, err := loaded.Embed(part.images)
		if err != nil {
			return err
		}
		*part.points = pointsOf(embedding)
	}
	if got.Variables, err = variables(filepath.Join(out, "checkpoint.npz")); err != nil {
		return err
	}
	return writeGob(filepath.Join(folder, outcomeFile), got)
}

// variables returns the arrays of a checkpoint, but for the state of the training, which
// has times in it.
func variables(path string) (map[string][]byte, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	arrays := map[string][]byte{}
	for _, file := range archive.File {
		if strings.HasPrefix(file.Name, "state.json") {
			continue
		}
		entry, err := file.Open()
		if err != nil {
			return nil, err
		}
		if arrays[file.Name], err = io.ReadAll(entry); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return arrays, nil
}

// inconsistent says where a training's embeddings are not those of its checkpoint.
func (o *outcome) inconsistent() []string {
	return slices.Concat(
		compare("training embedding against the loaded checkpoint's", o.Train, o.LoadedTrain),
		compare("test embedding against the loaded checkpoint's", o.Test, o.LoadedTest),
		compare("saved training embedding against the loaded checkpoint's", o.SavedTrain, o.LoadedTrain),
		compare("saved test embedding against the loaded checkpoint's", o.SavedTest, o.LoadedTest),
	)
}

// differs says where a run is not the first one.
func (o *outcome) differs(first *outcome) (differences []string) {
	if !reflect.DeepEqual(o.History, first.History) {
		differences = append(differences, "history "+strings.Join(historyDifferences(o.History, first.History), ", "))
	}
	if len(o.Epochs) != len(first.Epochs) {
		differences = append(differences, fmt.Sprintf("%d epochs instead of %d", len(o.Epochs), len(first.Epochs)))
	}
	for i := range min(len(o.Epochs), len(first.Epochs)) {
		differences = append(differences, compare(fmt.Sprintf("test embedding after epoch %d", i+1), o.Epochs[i], first.Epochs[i])...)
	}
	differences = append(differences, compare("training embedding at the end", o.Train, first.Train)...)
	differences = append(differences, compare("test embedding at the end", o.Test, first.Test)...)
	names := maps.Clone(o.Variables)
	maps.Copy(names, first.Variables)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !bytes.Equal(o.Variables[name], first.Variables[name]) {
			differences = append(differences, "variable "+strings.TrimSuffix(name, ".npy"))
		}
	}
	return differences
}

// historyDifferences says in which epochs two histories differ, and in what.
func historyDifferences(got, want []embed.Epoch) (differences []string) {
	for i := range min(len(got), len(want)) {
		if reflect.DeepEqual(got[i], want[i]) {
			continue
		}
		differences = append(differences, fmt.Sprintf("of epoch %d (loss %v against %v, test accuracy %v against %v)",
			i+1, got[i].Loss, want[i].Loss, got[i].TestAccuracy, want[i].TestAccuracy))
	}
	if len(got) != len(want) {
		differences = append(differences, "of another length")
	}
	return differences
}

// compare says in which rows two embeddings differ, and by how much.
func compare(name string, got, want points) []string {
	if got.Dim != want.Dim || len(got.Z) != len(want.Z) || len(got.Predicted) != len(want.Predicted) {
		return []string{name + ": another size"}
	}
	rows := map[int]bool{}
	classes, largest := 0, 0.
	for i := range got.Z {
		if math.Float32bits(got.Z[i]) != math.Float32bits(want.Z[i]) {
			rows[i/got.Dim] = true
			largest = max(largest, math.Abs(float64(got.Z[i]-want.Z[i])))
		}
	}
	for i := range got.Predicted {
		if got.Predicted[i] != want.Predicted[i] {
			classes++
			rows[i] = true
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d of %d rows (%s), by %.3g at most, %d predicted classes",
		name, len(rows), len(got.Predicted), ranges(slices.Sorted(maps.Keys(rows))), largest, classes)}
}

// ranges writes increasing numbers as ranges, the first five of them.
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		switch {
		case len(parts) == 5:
			return strings.Join(parts, ", ") + ", ..."
		case end == i:
			parts = append(parts, fmt.Sprint(numbers[i]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", numbers[i], numbers[end]))
		}
		i = end + 1
	}
	return strings.Join(parts, ", ")
}

func writeGob(path string, value any) error {
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).Encode(value); err != nil {
		return err
	}
	return os.WriteFile(path, buffer.Bytes(), 0o666)
}

func readGob(path string, value any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return gob.NewDecoder(bytes.NewReader(content)).Decode(value)
}
