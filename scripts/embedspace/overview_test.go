package main

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/embedspace/embedspace/embed/compare"
	"github.com/embedspace/embedspace/viz"
)

// commandEnv makes the test binary the command itself, with its arguments.
const commandEnv = "EMBEDSPACE_TEST_COMMAND"

// command returns a process of the command line.
func command(args ...string) *exec.Cmd {
	child := exec.Command(os.Args[0], args...)
	child.Env = append(os.Environ(), commandEnv+"=1")
	return child
}

// results returns results.csv of a folder without the columns of times.
func results(t *testing.T, folder string) (table [][]string) {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		var kept []string
		for i, field := range line {
			if name := lines[0][i]; !strings.HasPrefix(name, "seconds") && !strings.HasPrefix(name, "images_per_second") {
				kept = append(kept, field)
			}
		}
		table = append(table, kept)
	}
	return table
}

// checkSameResults fails unless two folders have the same tables and pictures.
func checkSameResults(t *testing.T, got, want string) {
	t.Helper()
	if a, b := results(t, got), results(t, want); !slices.EqualFunc(a, b, slices.Equal) {
		t.Errorf("results are\n%q, want\n%q", a, b)
	}
	for _, file := range []string{"overview.png", "overview.svg", "overview-mnist.png", "overview.npz"} {
		a, errA := os.ReadFile(filepath.Join(got, file))
		b, errB := os.ReadFile(filepath.Join(want, file))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v, %v", file, errA, errB)
		}
	}
}

// TestOverview: shards in processes of their own and their merge, a process that is killed
// and started again, and one that does it all have the same results.
func TestOverview(t *testing.T) {
	useDigits(t, 140, 20)
	overview := []string{"overview", "-datasets", "mnist", "-techniques", "softmax,regression-raster", "-epochs", "2", "-train", "130", "-backend", "go"}
	folder := t.TempDir()
	whole, killed, merged := filepath.Join(folder, "whole"), filepath.Join(folder, "killed"), filepath.Join(folder, "merged")
	shards := []string{filepath.Join(folder, "shards", "1"), filepath.Join(folder, "shards", "2")}

	_, stderr := execute(t, 0, append(overview, "-out", whole)...)
	for _, words := range []string{"4 cells in " + whole + ": 0 done already, 4 to train", "cell 4 of 4: regression-raster-mnist-3d-s1: 1 to train, about "} {
		if !strings.Contains(stderr, words) {
			t.Errorf("it shows %q, want %q", stderr, words)
		}
	}
	table := results(t, whole)
	var rows []string
	for _, line := range table[1:] {
		rows = append(rows, line[0]+" "+line[3])
	}
	if want := []string{"softmax 2", "regression-raster 2", "softmax 3", "regression-raster 3"}; !slices.Equal(rows, want) {
		t.Errorf("rows are %q, want %q", rows, want)
	}
	if config, err := os.ReadFile(filepath.Join(whole, "cells", "softmax-mnist-3d-s1", "config.json")); err != nil || !strings.Contains(string(config), `"dim": 3`) {
		t.Errorf("config.json of a cell is %q, %v", config, err)
	}

	for i, shard := range shards {
		if output, err := command(append(overview, "-shard", []string{"1/2", "2/2"}[i], "-out", shard)...).CombinedOutput(); err != nil {
			t.Fatalf("shard %d: %v: %s", i+1, err, output)
		}
	}
	execute(t, 0, append([]string{"overview", "-out", merged, "-merge"}, shards...)...)
	checkSameResults(t, merged, whole)

	child := command(append(overview, "-out", killed)...)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(killed, "cells", "regression-raster-mnist-2d-s1", "checkpoint.npz")
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(second); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s after two minutes", second)
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	_, stderr = execute(t, 0, append(overview, "-out", killed)...)
	if strings.Contains(stderr, "softmax-mnist-2d-s1") {
		t.Errorf("after the kill, the first cell is trained again: %s", stderr)
	}
	checkSameResults(t, killed, whole)

	_, stderr = execute(t, 1, append(overview, "-out", whole, "-epochs", "3")...)
	if want := "epochs is 2, not 3"; !strings.Contains(stderr, want) {
		t.Errorf("it says %q, want %q", stderr, want)
	}
	t.Setenv("EMBEDSPACE_DATA", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	_, stderr = execute(t, 0, append(overview, "-out", whole)...) // needs no data any more
	if !strings.Contains(stderr, "4 done already, 0 to train") {
		t.Errorf("it shows %q", stderr)
	}
}

func TestOverviewInterrupted(t *testing.T) {
	useDigits(t, 140, 20)
	folder := filepath.Join(t.TempDir(), "a folder")
	args := []string{"overview", "-datasets", "mnist", "-dims", "2", "-techniques", "softmax,contrastive", "-epochs", "2", "-backend", "go", "-out", folder}
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, interrupter{&stderr}); code != 130 {
		t.Fatalf("exit code %d, want 130; stderr: %s", code, &stderr)
	}
	figure, err := compare.ReadFigure(filepath.Join(folder, "overview.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(figure.Panels) != 2 || figure.Panels[0].(viz.Scatter).Missing != "not trained yet" {
		t.Errorf("the figure has %+v", figure.Panels)
	}
	_, resumed := execute(t, 0, args...)
	if n := strings.Count(resumed, "epoch 1/2"); n != 1 {
		t.Errorf("after the first epoch of the first of two cells it goes on with %d first epochs: %s", n, resumed)
	}
}

// TestFigures: the three margins of Fig. 4, raw and on the circle.
func TestFigures(t *testing.T) {
	useDigits(t, 140, 20)
	folder := t.TempDir()
	args := []string{"figures", "-only", "4", "-epochs", "1", "-backend", "go", "-out", folder}
	execute(t, 0, args...)
	file, err := os.Open(filepath.Join(folder, "figure-4.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := png.Decode(file); err != nil {
		t.Error(err)
	}
	figure, err := compare.ReadFigure(filepath.Join(folder, "figure-4.npz"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range figure.Panels {
		panel := figure.Panels[i].(viz.Scatter)
		if title := []string{"m = 0", "m = 0.05", "m = 0.2"}[i/2]; panel.Title != title || panel.Sphere != (i%2 == 1) || len(panel.Points) != 2*20 {
			t.Errorf("panel %d is %+v", i, panel)
		}
	}
	if len(figure.Panels) != 6 || figure.Columns != 2 {
		t.Errorf("%d panels in %d columns, want 6 in 2", len(figure.Panels), figure.Columns)
	}
	table := results(t, folder)
	sets := []string{table[1][1], table[2][1], table[3][1]}
	if want := []string{"margin=0", "", "margin=0.2"}; !slices.Equal(sets, want) {
		t.Errorf("rows are set to %q, want %q", sets, want)
	}
	if _, stderr := execute(t, 0, args...); !strings.Contains(stderr, "3 done already, 0 to train") {
		t.Errorf("it shows %q", stderr)
	}
}
