package embed

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/viz/explorer"
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

// TestExploreUnknown: images of classes that were not trained come after the others, and the rule
// may decide that they are unknown; a class that was learned from images has a prototype.
func TestExploreUnknown(t *testing.T) {
	result, _, others := fitTwo(t, small())
	train, test := embedtest.SmallData()
	page, err := Explore(train, test, result)
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Save(filepath.Join(t.TempDir(), "page.html")); err != nil {
		t.Fatal(err)
	}
	space, n := page.Spaces[0], result.Test.Len()
	strangers, err := test.Select(2)
	if err != nil {
		t.Fatal(err)
	}
	e, err := result.Embed(strangers)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "points", space.Points, slices.Concat(result.Test.Z, e.Z))
	embedtest.CheckEqual(t, "labels", page.Images.Labels, slices.Concat(result.Test.Labels, slices.Repeat([]int32{2}, strangers.Len())))
	pixels, err := page.Images.Pixels(n + 1)
	if err != nil || !slices.Equal(pixels, strangers.At(1)) {
		t.Errorf("image %d is not the second one of the unknown class, error %v", n+1, err)
	}
	if len(page.Reference.Labels) != result.Train.Len() {
		t.Errorf("%d training images, want the %d of the two classes", len(page.Reference.Labels), result.Train.Len())
	}
	rejected, accepted := 0, 0
	own, err := result.Classify(space.Points)
	if err != nil {
		t.Fatal(err)
	}
	for i, class := range space.Predicted[:n] {
		if class == 2 {
			rejected++
		} else if class != own[i] {
			t.Errorf("image %d is of class %d, by its rule of %d", i, class, own[i])
		} else {
			accepted++
		}
	}
	if rejected > (n+1)/20 || accepted == 0 {
		t.Errorf("%d of %d known images are rejected, want at most 5 %%", rejected, n)
	}
	decided, err := space.Regions(space.Points)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "regions", decided, space.Predicted)
	embedtest.CheckEqual(t, "metric", space.Metrics[len(space.Metrics)-1].Name, "max-logit")
	embedtest.CheckEqual(t, "prototypes", len(space.Prototypes), 0)

	with, err := result.WithClass(strangers.ClassNames[0], others)
	if err != nil {
		t.Fatal(err)
	}
	if page, err = Explore(train, test, with); err != nil {
		t.Fatal(err)
	}
	if err := page.Save(filepath.Join(t.TempDir(), "page.html")); err != nil {
		t.Fatal(err)
	}
	space = page.Spaces[0]
	decided, err = with.Classify(space.Points)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "decided with a new class", space.Predicted, decided)
	embedtest.CheckEqual(t, "prototypes", space.Prototypes, []explorer.Prototype{{Point: with.ClassVectors[4:6], Label: 2}})
	embedtest.CheckEqual(t, "classes", space.ClassNames, test.ClassNames)

	names := map[string]bool{mustFitSmall(t, small(), Options{}).pageName(test): true, result.pageName(test): true, with.pageName(test): true}
	if len(names) != 3 {
		t.Errorf("pages of other classes have the names %v, want three", names)
	}
}

func TestExploreRefuses(t *testing.T) {
	train, test := embedtest.SmallData()
	if _, err := Explore(train, test); err == nil {
		t.Error("no error without a result")
	}
	result := mustFitSmall(t, small(), Options{})
	_, err := Explore(train, train, result)
	if !errors.Is(err, ErrOtherRun) {
		t.Errorf("other images: error %v, want ErrOtherRun", err)
	}
	embedtest.WantError(t, err, "softmax in 2-D was measured on", "allowed: results on the same test images")
	two, _, _ := fitTwo(t, small())
	if _, err := Explore(train, train, two); !errors.Is(err, ErrOtherRun) {
		t.Errorf("other images of the same classes: error %v, want ErrOtherRun", err)
	}
	if _, err := Explore(train, test, result, two); !errors.Is(err, ErrOtherRun) {
		t.Errorf("results on other classes: error %v, want ErrOtherRun", err)
	}
	result.net = nil
	if _, err := Explore(train, test, result); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("made by hand: error %v, want ErrNoNetwork", err)
	}
}
