package embed

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestExplore(t *testing.T) {
	train, test := embedtest.SmallData()
	flat := mustFitSmall(t, small(), Options{Trace: 4})
	cfg := small()
	cfg.Technique, cfg.Dim, cfg.Params = "triplet-all", 3, Params{"margin": 2}
	deep := mustFitSmall(t, cfg, Options{})
	page, err := Explore(train, test, flat, deep)
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Save(filepath.Join(t.TempDir(), "page.html")); err != nil {
		t.Error(err)
	}
	for i, result := range []*Result{flat, deep} {
		space := page.Spaces[i]
		embedtest.CheckEqual(t, "points", space.Points, result.Test.Z)
		embedtest.CheckEqual(t, "reference", space.Reference, result.Train.Z)
		embedtest.CheckEqual(t, "trace", space.Trace, result.Trace)
	}
	embedtest.CheckEqual(t, "title", page.Spaces[1].Title, deep.Scatter().Title+", margin=2")
	embedtest.CheckEqual(t, "rule", page.Spaces[1].Rule, "the nearest class mean decides")
	if page.Spaces[0].Regions == nil || page.Spaces[1].Regions != nil {
		t.Error("regions belong to the plane")
	}

	cfg = small()
	cfg.Train = 16
	part := mustFitSmall(t, cfg, Options{})
	if page, err = Explore(train, test, part); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "reference images", len(page.Reference.Labels), 16)
	embedtest.CheckEqual(t, "classes of the reference", page.Reference.Labels, part.Train.Labels)
	if page, err = Explore(train, test, part, flat); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "reference images of different trainings", len(page.Reference.Labels), 0)
}

func TestExploreRefuses(t *testing.T) {
	train, test := embedtest.SmallData()
	if _, err := Explore(train, test); err == nil {
		t.Error("no error without a result")
	}
	result := mustFitSmall(t, small(), Options{})
	cfg := result.Config
	for dataset, want := range map[string]string{"mnist": "softmax-mnist-2d", "folder:a/pets:size=9x9": "softmax-folder-pets-size=9x9-2d"} {
		cfg.Dataset = dataset
		embedtest.CheckEqual(t, "name", cfg.Name(), want)
	}
	_, err := Explore(train, train, result)
	if !errors.Is(err, ErrOtherRun) {
		t.Errorf("other images: error %v, want ErrOtherRun", err)
	}
	embedtest.WantError(t, err, "softmax in 2-D was measured on", "allowed: results on the same test images")
	result.net = nil
	if _, err := Explore(train, test, result); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("made by hand: error %v, want ErrNoNetwork", err)
	}
}
