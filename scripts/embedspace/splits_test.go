package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/embedspace/embedspace/embed"
)

// checkSameTables fails unless two folders have the same tables and pictures of splits.
func checkSameTables(t *testing.T, got, want string) {
	t.Helper()
	for _, file := range []string{
		"openset.md", "openset.csv", "openset-scores.csv", "openset.json", "openset-mnist-2d.png", "openset-mnist-2d.npz",
		"openset-roc-mnist-2d.png", "openset-oscr-mnist-2d-fashion-mnist-sample.png", "fewshot.md", "fewshot.csv", "fewshot.json",
	} {
		a, errA := os.ReadFile(filepath.Join(got, file))
		b, errB := os.ReadFile(filepath.Join(want, file))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v, %v", file, errA, errB)
		}
	}
}

// TestOpenSetAndFewShot: shards in processes of their own and their merge, a process that is
// killed and started again, and one that does it all have the same tables. What one command has
// trained the other does not train again.
func TestOpenSetAndFewShot(t *testing.T) {
	useDigits(t, 250, 200)
	trainings := []string{"-datasets", "mnist", "-dims", "2", "-splits", "1,2", "-techniques", "softmax,center", "-epochs", "1", "-backend", "go"}
	openset := append([]string{"openset", "-unknown", "fashion-mnist-sample"}, trainings...)
	fewshot := append([]string{"fewshot", "-ways", "3", "-shots", "1,2", "-episodes", "30"}, trainings...)
	t.Setenv("GOMLX_BACKEND", "go")
	folder := t.TempDir()
	whole, killed, merged := filepath.Join(folder, "whole"), filepath.Join(folder, "killed"), filepath.Join(folder, "merged")
	shards := []string{filepath.Join(folder, "shards", "1"), filepath.Join(folder, "shards", "2")}

	_, stderr := execute(t, 0, append(openset, "-out", whole)...)
	if !strings.Contains(stderr, "4 cells in "+whole+": 0 done already, 4 to train") {
		t.Errorf("it shows %q", stderr)
	}
	_, stderr = execute(t, 0, append(fewshot, "-out", whole)...)
	if strings.Contains(stderr, "epoch") || !strings.Contains(stderr, "0 done already, 0 to train, 4 to evaluate") {
		t.Errorf("it shows %q", stderr)
	}
	table, err := os.Open(filepath.Join(whole, "openset.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	lines, err := csv.NewReader(table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, line := range lines[1:] {
		rows = append(rows, strings.Join(slices.Concat(line[:4], line[5:7], line[9:11]), " "))
	}
	if want := []string{
		"mnist 2 held-out softmax max-logit true 2 0", "mnist 2 held-out center nearest-mean true 2 0",
		"mnist 2 fashion-mnist-sample softmax max-logit true 2 0", "mnist 2 fashion-mnist-sample center nearest-mean true 2 0",
	}; !slices.Equal(rows, want) {
		t.Errorf("rows are %q, want %q", rows, want)
	}
	file, err := os.Open(filepath.Join(whole, "openset-roc-mnist-2d.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := png.Decode(file); err != nil {
		t.Error(err)
	}

	// A page of a cell has the unknown images, too, and the nearest of its training images.
	page := filepath.Join(folder, "page.html")
	var cells []string
	for _, technique := range []string{"softmax", "center"} {
		cells = append(cells, filepath.Join(whole, "cells", technique+"-mnist-split1-2d-s1"))
	}
	execute(t, 0, slices.Concat([]string{"explore", "-out", page}, cells)...)
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"of classes that were not trained", "lower max-logit than 95 %", "lower nearest-mean than 95 %", `"unknown":true`} {
		if !strings.Contains(string(content), words) {
			t.Errorf("the page has no %q", words)
		}
	}
	if strings.Contains(string(content), `"reference":null`) {
		t.Error("the page has no training images")
	}

	// The first mistake among the test images of the known classes.
	result, err := embed.Load(cells[1])
	if err != nil {
		t.Fatal(err)
	}
	first := firstMistake(result)
	stdout, _ := execute(t, 0, "explain", "-out", filepath.Join(folder, "why.png"), cells[1])
	if want := fmt.Sprintf("image %d of mnist[classes 2 4 5 9 8 3]: %s, predicted as %s\n", first, result.ClassNames[result.Test.Labels[first]], result.ClassNames[result.Test.Predicted[first]]); !strings.HasPrefix(stdout, want) {
		t.Errorf("it explains %q, want %q", stdout, want)
	}

	for i, shard := range shards {
		for _, args := range [][]string{fewshot, openset} {
			if output, err := command(append(args, "-shard", []string{"1/2", "2/2"}[i], "-out", shard)...).CombinedOutput(); err != nil {
				t.Fatalf("shard %d: %v: %s", i+1, err, output)
			}
		}
	}
	execute(t, 0, append([]string{"openset", "-out", merged, "-merge"}, shards...)...)
	checkSameTables(t, merged, whole)

	child := command(append(openset, "-out", killed)...)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(killed, "cells", "center-mnist-split1-2d-s1", "checkpoint.npz")
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
	_, stderr = execute(t, 0, append(openset, "-out", killed)...)
	if strings.Contains(stderr, "softmax-mnist-split1-2d-s1") {
		t.Errorf("after the kill, the first cell is trained again: %s", stderr)
	}
	execute(t, 0, append(fewshot, "-out", killed)...)
	checkSameTables(t, killed, whole)

	_, stderr = execute(t, 1, append(openset, "-out", whole, "-epochs", "3")...)
	if want := "epochs is 1, not 3"; !strings.Contains(stderr, want) {
		t.Errorf("it says %q, want %q", stderr, want)
	}
	_, stderr = execute(t, 1, append(fewshot, "-out", filepath.Join(folder, "other"), "-shots", "6")...)
	if want := "test images; allowed: 21 or more, for 6 shots and 15 queries"; !strings.Contains(stderr, want) {
		t.Errorf("it says %q, want %q", stderr, want)
	}
	t.Setenv("EMBEDSPACE_DATA", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, args := range [][]string{openset, fewshot} {
		_, stderr = execute(t, 0, append(args, "-out", whole)...) // needs no data any more
		if !strings.Contains(stderr, "4 done already, 0 to train") {
			t.Errorf("it shows %q", stderr)
		}
	}
}

func TestOpenSetInterrupted(t *testing.T) {
	useDigits(t, 250, 200)
	folder := filepath.Join(t.TempDir(), "a folder")
	args := []string{"openset", "-datasets", "mnist", "-dims", "2", "-splits", "3", "-techniques", "softmax", "-epochs", "2", "-backend", "go", "-out", folder}
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, interrupter{&stderr}); code != 130 {
		t.Fatalf("exit code %d, want 130; stderr: %s", code, &stderr)
	}
	if _, resumed := execute(t, 0, args...); strings.Contains(resumed, "epoch 1/2") || !strings.Contains(resumed, "epoch 2/2") {
		t.Errorf("after the first epoch it goes on with %s", resumed)
	}
}
