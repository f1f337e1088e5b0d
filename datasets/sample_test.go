package datasets

import (
	"slices"
	"testing"
)

func TestSamples(t *testing.T) {
	for _, p := range publications {
		if p.sample == "" {
			continue
		}
		t.Run(p.sample, func(t *testing.T) {
			train, test, err := Load(t.Context(), p.sample, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []struct {
				d        *Dataset
				perClass int
			}{{train, 500}, {test, 100}} {
				d := part.d
				if err := d.Validate(); err != nil {
					t.Error(err)
				}
				if d.Name != p.sample || d.Height != 28 || d.Width != 28 || d.Channels != 1 || !slices.Equal(d.ClassNames, p.classNames) || !d.Canonical {
					t.Errorf("%q: %dx%dx%d, %q, canonical %t", d.Name, d.Height, d.Width, d.Channels, d.ClassNames, d.Canonical)
				}
				if got, want := counts(d), slices.Repeat([]int{part.perClass}, 10); !slices.Equal(got, want) {
					t.Errorf("images per class %v, want %d of each", got, part.perClass)
				}
				if got := counts(firstOf(d, 10)); !slices.Equal(got, slices.Repeat([]int{1}, 10)) {
					t.Errorf("the first ten images have the classes %v, want one of each", d.Labels[:10])
				}
			}
			again, _, err := Load(t.Context(), p.sample, nil)
			if err != nil || &again.Images[0] == &train.Images[0] || &again.ClassNames[0] == &train.ClassNames[0] {
				t.Errorf("two loads share memory: %v", err)
			}
		})
	}
}

func firstOf(d *Dataset, n int) *Dataset {
	first := *d
	first.Images, first.Labels = d.Images[:n*d.imageSize()], d.Labels[:n]
	return &first
}
