package embed

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz"
)

// fitTwo fits the first two classes of SmallData, and returns images of the third.
func fitTwo(t *testing.T, cfg Config) (result *Result, train, others *datasets.Dataset) {
	t.Helper()
	all, test := embedtest.SmallData()
	train, err := all.Select(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if test, err = test.Select(0, 1); err != nil {
		t.Fatal(err)
	}
	if others, err = all.Select(2); err != nil {
		t.Fatal(err)
	}
	cfg.Train = train.Len()
	if result, err = Fit(t.Context(), cfg, train, test, quiet(Options{})); err != nil {
		t.Fatal(err)
	}
	return result, train, others
}

// The rule of a Result with a new class is the nearest class mean, whatever it was.
func TestWithClass(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, technique := range []string{"softmax", "supcon", "triplet-all", "regression-raster"} {
			if technique != "softmax" && backends.Name(backend) != backends.Go {
				continue // compiling takes its time
			}
			cfg := smallOn(backend)
			cfg.Technique = technique
			before, train, others := fitTwo(t, cfg)
			beforeTest, beforeTrain := slices.Clone(before.Test.Predicted), slices.Clone(before.Train.Z)
			with, err := before.WithClass("corner", others)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "classes", with.ClassNames, []string{"top", "left", "corner"})
			embedtest.CheckEqual(t, "training points", with.Train.Len(), train.Len()+others.Len())
			embedtest.CheckEqual(t, "embedding of the test images", with.Test.Z, before.Test.Z)
			e, err := before.Embed(others)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "new training points", with.Train.Z[len(beforeTrain):], e.Z)
			if err := with.check(); err != nil {
				t.Error(err)
			}

			scores, err := with.Scores(with.Test.Z)
			if err != nil {
				t.Fatal(err)
			}
			for i, z := range with.Test.Points() {
				var want []float64
				for _, mean := range with.Train.Means() {
					want = append(want, -math.Pow(math.Hypot(z[0]-mean[0], z[1]-mean[1]), 2))
				}
				got := []float64{float64(scores[3*i]), float64(scores[3*i+1]), float64(scores[3*i+2])}
				embedtest.CheckNear(t, technique+": scores", got, want, 1e-4)
				best := slices.Index(got, slices.Max(got))
				embedtest.CheckEqual(t, technique+": predicted", with.Test.Predicted[i], int32(best))
			}

			again, err := with.Embed(others)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "embedding of the new images", again.Z, e.Z)
			embedtest.CheckEqual(t, "predicted of the new images", again.Predicted, with.Train.Predicted[train.Len():])

			embedtest.CheckEqual(t, "stars", with.Scatter().Stars, []viz.Star{{Name: "corner", Point: with.ClassVectors[4:]}})
			if scatter := with.Scatter(); scatter.ClassVectors != nil || scatter.Targets != nil {
				t.Errorf("%s: the picture has what no longer decides", technique)
			}
			scatter := with.Scatter()
			scatter.Regions = with.Classify
			if err := viz.NewFigure(scatter).WritePNG(new(bytes.Buffer)); err != nil {
				t.Error(err)
			}
			if known, err := with.Known("", with.Test.Z); err != nil || len(known) != with.Test.Len() {
				t.Errorf("%d scores of known, error %v", len(known), err)
			}

			twice, err := with.WithClass("again", others)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "stars of two", len(twice.Scatter().Stars), 2)
			d, err := twice.Decide(train, others, 0, "corner", "again")
			if err != nil {
				t.Fatal(err)
			}
			for _, side := range d.Sides {
				embedtest.CheckEqual(t, "distance of the image itself", side.Nearest.Distance, 0.)
				embedtest.CheckEqual(t, "image of a learned class", side.NearestImage, others.Image(0))
			}
			embedtest.CheckEqual(t, "what was there", []any{before.ClassNames, before.Test.Predicted, before.Train.Z}, []any{[]string{"top", "left"}, beforeTest, beforeTrain})
		}
	})
}

func TestWithClassRefuses(t *testing.T) {
	result, _, others := fitTwo(t, small())
	with := func(r *Result, name string, images *datasets.Dataset) error {
		_, err := r.WithClass(name, images)
		return err
	}
	embedtest.WantError(t, with(result, "", others), `name of a new class is ""`, "other than top, left")
	embedtest.WantError(t, with(result, "left", others), `"left"`, "other than top, left")
	embedtest.WantError(t, with(result, "new", nil), "no images")
	empty := *others
	empty.Images, empty.Labels = nil, nil
	embedtest.WantError(t, with(result, "new", &empty), "no labels")
	embedtest.WantError(t, with(result, "new", embedtest.Patterns(3, 5, 1, 1)), "[5 5 1]", "[4 4 1]")
	if err := with(&Result{}, "new", others); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("made by hand: error %v, want ErrNoNetwork", err)
	}
	unfinished := *result
	unfinished.Train = measure.Embedding{}
	embedtest.WantError(t, with(&unfinished, "new", others), "no training images yet")
	learned, err := result.WithClass("new", others)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.WantError(t, learned.Save(filepath.Join(t.TempDir(), "learned")), "can't be saved", "WithClass")
	one, err := others.Subset(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := with(result, "new", one); err != nil {
		t.Errorf("a class of one image: %v", err)
	}
}

// A network that knows six digits learns a seventh from five images of it.
func TestWithClassOfDigits(t *testing.T) {
	train, test, err := datasets.Load(t.Context(), "mnist-sample", nil)
	if err != nil {
		t.Fatal(err)
	}
	classes := func(d *datasets.Dataset, classes ...int) *datasets.Dataset {
		t.Helper()
		some, err := d.Select(classes...)
		if err != nil {
			t.Fatal(err)
		}
		return some
	}
	six := []int{2, 4, 5, 9, 8, 3}
	cfg := Config{Technique: "softmax", Dim: 16, Train: 1500, Epochs: 6, Dataset: "mnist-sample"}
	result, err := Fit(t.Context(), cfg, classes(train, six...), classes(test, six...), quiet(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("before: %.3f of the known", result.Test.Accuracy())
	for _, digit := range []int{0, 1, 6, 7} {
		five, err := classes(train, digit).Subset(5, 1)
		if err != nil {
			t.Fatal(err)
		}
		with, err := result.WithClass(train.ClassNames[digit], five)
		if err != nil {
			t.Fatal(err)
		}
		e, err := with.Embed(classes(test, digit))
		if err != nil {
			t.Fatal(err)
		}
		found := 0.
		for _, class := range e.Predicted {
			if int(class) == len(six) {
				found++
			}
		}
		known, learned := with.Test.Accuracy(), found/float64(e.Len())
		t.Logf("with %d: %.3f of the known, %.3f of the new", digit, known, learned)
		if known < 0.85 || learned < 0.6 {
			t.Errorf("with %d: %.3f of the known and %.3f of the new are right; want at least 0.85 and 0.6", digit, known, learned)
		}
	}
}
