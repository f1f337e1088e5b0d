package datasets

import (
	"slices"
	"strings"
	"testing"
)

// Each split has each class once, six of them known.
func TestOpenSetSplit(t *testing.T) {
	for _, name := range []string{"mnist", "mnist-sample", "fashion-mnist", "fashion-mnist-sample", "cifar-10"} {
		for split := 1; split <= OpenSetSplits; split++ {
			known, unknown, err := OpenSetSplit(name, split)
			if err != nil {
				t.Fatal(err)
			}
			all := slices.Sorted(slices.Values(slices.Concat(known, unknown)))
			if len(known) != 6 || !slices.IsSorted(unknown) || !slices.Equal(all, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
				t.Errorf("split %d of %s is %v and %v", split, name, known, unknown)
			}
			known[0] = 10 // a copy
		}
	}
	known, unknown, err := OpenSetSplit("mnist", 1)
	if err != nil || !slices.Equal(known, []int{2, 4, 5, 9, 8, 3}) || !slices.Equal(unknown, []int{0, 1, 6, 7}) {
		t.Errorf("split 1 of mnist is %v and %v, %v", known, unknown, err)
	}
	for _, wrong := range []struct {
		name  string
		split int
		words string
	}{
		{"cifar-100", 1, `"cifar-100" has no open-set splits; allowed: mnist, fashion-mnist, cifar-10, mnist-sample, fashion-mnist-sample`},
		{"folder:pets", 1, `"folder:pets" has no open-set splits`},
		{"mnist", 0, "open-set split 0 of mnist; allowed: 1 to 5"},
		{"mnist", 6, "open-set split 6 of mnist; allowed: 1 to 5"},
	} {
		if _, _, err := OpenSetSplit(wrong.name, wrong.split); err == nil || !strings.Contains(err.Error(), wrong.words) {
			t.Errorf("split %d of %s: error %v, want %q", wrong.split, wrong.name, err, wrong.words)
		}
	}
}

// The parts of a split have the images of their classes, each once, and are the same each time.
func TestOpenSetImages(t *testing.T) {
	train, test, err := Load(t.Context(), "mnist-sample", nil)
	if err != nil {
		t.Fatal(err)
	}
	images, err := OpenSetImages("mnist-sample", 1, train, test)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"2", "4", "5", "9", "8", "3"}
	for _, part := range []struct {
		name    string
		set     *Dataset
		classes []string
		images  int
	}{{"train", images.Train, known, 2700}, {"calibration", images.Calibration, known, 300}, {"test", images.Test, known, 600}, {"unknown", images.Unknown, []string{"0", "1", "6", "7"}, 400}} {
		if !slices.Equal(part.set.ClassNames, part.classes) || part.set.Len() != part.images {
			t.Errorf("%s has %d images of %v, want %d of %v", part.name, part.set.Len(), part.set.ClassNames, part.images, part.classes)
		}
	}
	seen := map[string]bool{}
	for i := range images.Train.Len() {
		seen[string(images.Train.At(i))] = true
	}
	for i := range images.Calibration.Len() {
		if seen[string(images.Calibration.At(i))] {
			t.Errorf("image %d of the calibration is trained, too", i)
		}
	}
	again, err := OpenSetImages("mnist-sample", 1, train, test)
	if err != nil || again.Calibration.ComputeChecksum() != images.Calibration.ComputeChecksum() {
		t.Errorf("the second time, the calibration has other images (error %v)", err)
	}

	if _, err := OpenSetImages("mnist-sample", 6, train, test); err == nil || !strings.Contains(err.Error(), "allowed: 1 to 5") {
		t.Errorf("split 6: error %v", err)
	}
	digits, err := train.Select(2, 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSetImages("mnist-sample", 1, digits, test); err == nil {
		t.Error("no error for a dataset that lacks classes")
	}
}
