package datasets_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// A training with images that are read from files is the one with images in memory, bit by
// bit, also when it was interrupted and resumed.
func TestTrainingFromFiles(t *testing.T) {
	digits, _, err := datasets.Load(t.Context(), "mnist-sample", nil)
	if err != nil {
		t.Fatal(err)
	}
	few, err := digits.Subset(60, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "digits")
	embedtest.WriteFolder(t, dir, few)
	cfg := embed.Config{Technique: "contrastive", Dataset: "folder:" + dir, Backend: "go", Epochs: 2, Batch: 16}
	train := func(ctx context.Context, opts embed.Options) (*embed.Result, error) {
		opts.Progress = io.Discard
		return embed.Train(ctx, cfg, opts)
	}
	inMemory, err := train(t.Context(), embed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	datasets.LimitMemory(t, 10_000, 5_000)
	whole, err := train(t.Context(), embed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = train(ctx, embed.Options{Out: out, OnEpoch: func(*embed.Result) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	resumed, err := train(t.Context(), embed.Options{Out: out, Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*embed.Result{"from files": whole, "resumed": resumed} {
		if !reflect.DeepEqual(got.Test, inMemory.Test) || !reflect.DeepEqual(got.Train, inMemory.Train) || got.History[1].Loss != inMemory.History[1].Loss {
			t.Errorf("%s: another result than in memory", name)
		}
		if got.Data.TrainChecksum == inMemory.Data.TrainChecksum {
			t.Errorf("%s: the images were in memory", name)
		}
	}
	trainImages, testImages, err := datasets.Load(t.Context(), cfg.Dataset, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := embed.Explore(trainImages, testImages, whole)
	if err != nil {
		t.Fatal(err)
	}
	if pixels, err := page.Images.Pixels(0); err != nil || !slices.Equal(pixels, testImages.At(0)) || len(page.Reference.Labels) != trainImages.Len() {
		t.Error("the page of images that are read from files does not have them")
	}
}
