package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"
)

// numbered returns a dataset of 1x2 gray images. The first pixel of image i is
// i, the second its label, so that a part shows where its images come from.
func numbered(labels ...int32) *Dataset {
	d := &Dataset{Name: "toy", Labels: labels, Height: 1, Width: 2, Channels: 1, ClassNames: []string{"a", "b", "c"}}
	for i, label := range labels {
		d.Images = append(d.Images, byte(i), byte(label))
	}
	d.Checksum = d.ComputeChecksum()
	return d
}

// indices returns the image numbers of a part of a numbered dataset.
func indices(d *Dataset) []int {
	var is []int
	for i := range d.Len() {
		is = append(is, int(d.At(i)[0]))
	}
	return is
}

func counts(d *Dataset) []int {
	n := make([]int, d.Classes())
	for _, label := range d.Labels {
		n[label]++
	}
	return n
}

func TestAtAndImage(t *testing.T) {
	gray := &Dataset{Images: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, Labels: []int32{0, 0}, Height: 2, Width: 3, Channels: 1, ClassNames: []string{"x"}}
	if got, want := gray.At(1), []byte{7, 8, 9, 10, 11, 12}; !bytes.Equal(got, want) {
		t.Errorf("At(1) = %v, want %v", got, want)
	}
	img := gray.Image(1)
	if img.Bounds() != image.Rect(0, 0, 3, 2) || img.At(2, 1) != (color.Gray{Y: 12}) || img.At(0, 1) != (color.Gray{Y: 10}) {
		t.Errorf("gray image: bounds %v, pixels %v and %v", img.Bounds(), img.At(2, 1), img.At(0, 1))
	}
	rgb := &Dataset{Images: gray.Images, Labels: []int32{0, 0}, Height: 1, Width: 2, Channels: 3, ClassNames: []string{"x"}}
	img = rgb.Image(1)
	if img.Bounds() != image.Rect(0, 0, 2, 1) || img.At(1, 0) != (color.NRGBA{R: 10, G: 11, B: 12, A: 255}) {
		t.Errorf("RGB image: bounds %v, pixel %v", img.Bounds(), img.At(1, 0))
	}
	if got := append(gray.At(0), 99); &got[0] == &gray.Images[0] || gray.Images[6] != 7 {
		t.Error("appending to the pixels of image 0 wrote into image 1")
	}
}

func TestComputeChecksum(t *testing.T) {
	d := &Dataset{Name: "ignored", Images: []byte{0xAA, 0xBB}, Labels: []int32{1, 0}, Height: 1, Width: 1, Channels: 1, ClassNames: []string{"a b", `q"`}}
	sum := sha256.Sum256([]byte("2 1 1 1\n\"a b\"\n\"q\\\"\"\n\xAA\xBB\x01\x00\x00\x00\x00\x00\x00\x00"))
	if got, want := d.ComputeChecksum(), hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValidate(t *testing.T) {
	if err := numbered(0, 1, 2).Validate(); err != nil {
		t.Errorf("a valid dataset: %v", err)
	}
	for _, test := range []struct {
		change func(*Dataset)
		want   string
	}{
		{func(d *Dataset) { d.Height = 0 }, "height 0"},
		{func(d *Dataset) { d.Width = -1 }, "width -1"},
		{func(d *Dataset) { d.Channels = 2 }, "2 channels; allowed: 1 (gray) or 3"},
		{func(d *Dataset) { d.Labels = nil }, "no labels"},
		{func(d *Dataset) { d.Images = d.Images[1:] }, "5 bytes of images; allowed: 6"},
		{func(d *Dataset) { d.Labels[1] = 3 }, "label 1 is 3; allowed: 0 to 2"},
		{func(d *Dataset) { d.Labels[2] = -1 }, "label 2 is -1"},
		{func(d *Dataset) { d.ClassNames = nil }, "0 class names"},
	} {
		d := numbered(0, 1, 2)
		test.change(d)
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
}

// Points are the pixels of each image, by 255.
func TestPoints(t *testing.T) {
	d := &Dataset{Name: "two", Images: []byte{0, 51, 255, 102}, Labels: []int32{0, 0}, Height: 1, Width: 2, Channels: 1, ClassNames: []string{"a"}}
	points, err := d.Points()
	if want := [][]float64{{0, 0.2}, {1, 0.4}}; err != nil || !slices.EqualFunc(points, want, slices.Equal) {
		t.Errorf("got %v, want %v (error %v)", points, want, err)
	}
}

func TestSubset(t *testing.T) {
	// Shares of 5 of 10: a 2.5, b 1.5, c 1. One image is left after rounding
	// down; a and b have the same remainder, so a gets it.
	d := numbered(0, 0, 1, 2, 0, 1, 0, 2, 1, 0)
	s, err := d.Subset(5, 7)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := counts(s), []int{3, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("images per class %v, want %v", got, want)
	}
	if is := indices(s); !slices.IsSorted(is) || len(slices.Compact(is)) != 5 {
		t.Errorf("images %v; want five different ones in order", is)
	}
	for i := range s.Len() {
		if s.At(i)[1] != byte(s.Labels[i]) {
			t.Errorf("image %d has the pixels of class %d and the label %d", i, s.At(i)[1], s.Labels[i])
		}
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if s.Name != "toy[5, seed 7]" || s.Checksum != s.ComputeChecksum() || s.Checksum == d.Checksum {
		t.Errorf("name %q, checksum %s", s.Name, s.Checksum)
	}
	again, _ := d.Subset(5, 7)
	if again.Checksum != s.Checksum {
		t.Error("the same seed gave another subset")
	}
	// Drawn at random: over many seeds every image is drawn sometimes.
	drawn := map[int]bool{}
	for seed := range int64(50) {
		other, _ := d.Subset(5, seed)
		for _, i := range indices(other) {
			drawn[i] = true
		}
	}
	if len(drawn) != d.Len() {
		t.Errorf("50 seeds drew %d different images, want %d", len(drawn), d.Len())
	}
	all, err := d.Subset(10, 1)
	if err != nil || !bytes.Equal(all.Images, d.Images) || !slices.Equal(all.Labels, d.Labels) {
		t.Errorf("a subset of all images is not the set: %v", err)
	}
	for _, n := range []int{0, -1, 11} {
		if _, err := d.Subset(n, 1); err == nil || !strings.Contains(err.Error(), "allowed: 1 to 10") {
			t.Errorf("Subset(%d): %v", n, err)
		}
	}
	d.Labels[0] = 9
	if _, err := d.Subset(5, 1); err == nil {
		t.Error("an invalid dataset gave a subset")
	}
}

func TestSplit(t *testing.T) {
	d := numbered(0, 0, 1, 2, 0, 1, 0, 2, 1, 0)
	d.Canonical = true
	before := slices.Clone(d.Images)
	first, rest, err := d.Split(4, 3)
	if err != nil {
		t.Fatal(err)
	}
	// Shares of 4 of 10: a 2, b 1.2, c 0.8.
	if got, want := counts(first), []int{2, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("images per class %v, want %v", got, want)
	}
	both := append(indices(first), indices(rest)...)
	slices.Sort(both)
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(both, want) {
		t.Errorf("the parts hold %v, want %v", both, want)
	}
	if subset, _ := d.Subset(4, 3); subset.Checksum != first.Checksum {
		t.Error("the first part is not Subset(4, 3)")
	}
	if !first.Canonical || !rest.Canonical || first.Name == rest.Name {
		t.Errorf("canonical %t, %t; names %q, %q", first.Canonical, rest.Canonical, first.Name, rest.Name)
	}
	first.Images[0], rest.Images[0] = 255, 255
	if !bytes.Equal(d.Images, before) {
		t.Error("a part shares its pixels with the set")
	}
	for _, n := range []int{0, 10} {
		if _, _, err := d.Split(n, 1); err == nil || !strings.Contains(err.Error(), "allowed: 1 to 9") {
			t.Errorf("Split(%d): %v", n, err)
		}
	}
}

func TestHoldOut(t *testing.T) {
	labels := slices.Repeat([]int32{0}, 20)
	labels = append(labels, 1, 1, 2, 2, 2)
	d := numbered(labels...)
	train, test, err := d.HoldOut(0.3, 5)
	if err != nil {
		t.Fatal(err)
	}
	// 0.3 of 20, 2 and 3 images: 6, 0.6 and 0.9.
	if got, want := counts(test), []int{6, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("test images per class %v, want %v", got, want)
	}
	if is := indices(test); !slices.IsSorted(is) || !slices.IsSorted(indices(train)) {
		t.Errorf("images %v and %v, want them in order", indices(train), is)
	}
	both := append(indices(train), indices(test)...)
	slices.Sort(both)
	if !slices.Equal(both, indices(d)) {
		t.Errorf("the parts hold %v, want each image once", both)
	}
	if train.Name != "toy[all but test 0.3, seed 5]" || test.Name != "toy[test 0.3, seed 5]" || train.Validate() != nil || test.Checksum != test.ComputeChecksum() {
		t.Errorf("names %q and %q, checksum %s", train.Name, test.Name, test.Checksum)
	}
	// Any share leaves each class an image in both parts.
	for share, want := range map[float64][]int{0.001: {1, 1, 1}, 0.999: {19, 1, 2}} {
		if _, test, err := d.HoldOut(share, 1); err != nil || !slices.Equal(counts(test), want) {
			t.Errorf("a share of %v: test images per class %v, want %v; %v", share, counts(test), want, err)
		}
	}
}

// The parts of a seed are pinned: a change would make old results incomparable.
func TestHoldOutSeed(t *testing.T) {
	d := numbered(0, 0, 1, 2, 0, 1, 0, 2, 1, 0)
	for seed, want := range map[int64][]int{1: {0, 1, 5, 7}, 2: {0, 5, 7, 9}} {
		for range 2 {
			_, test, err := d.HoldOut(0.3, seed)
			if err != nil || !slices.Equal(indices(test), want) {
				t.Errorf("seed %d: test images %v, want %v; %v", seed, indices(test), want, err)
			}
		}
	}
}

func TestHoldOutErrors(t *testing.T) {
	for _, share := range []float64{0, 1, -0.2, 20, math.NaN()} {
		if _, _, err := numbered(0, 0, 1, 1, 2, 2).HoldOut(share, 1); err == nil || !strings.Contains(err.Error(), "allowed: more than 0, less than 1") {
			t.Errorf("a share of %v: %v", share, err)
		}
	}
	for _, test := range []struct {
		labels []int32
		want   string
	}{
		{[]int32{0, 0, 1, 2, 2}, `class "b" has too few images, 1; allowed: 2 or more`},
		{[]int32{0, 0, 1, 1}, `class "c" has too few images, 0`},
		{[]int32{0, 0, 1, 1, 3}, "label 4 is 3"},
	} {
		if _, _, err := numbered(test.labels...).HoldOut(0.2, 1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestSelect(t *testing.T) {
	d := numbered(0, 1, 2, 0, 2)
	s, err := d.Select(2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := indices(s), []int{0, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("images %v, want %v", got, want)
	}
	if got, want := s.Labels, []int32{1, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("labels %v, want %v", got, want)
	}
	if want := []string{"c", "a"}; !slices.Equal(s.ClassNames, want) {
		t.Errorf("class names %q, want %q", s.ClassNames, want)
	}
	if s.Name != "toy[classes 2 0]" || s.Checksum != s.ComputeChecksum() || s.Validate() != nil {
		t.Errorf("name %q, checksum %s, %v", s.Name, s.Checksum, s.Validate())
	}
	if !slices.Equal(d.Labels, []int32{0, 1, 2, 0, 2}) || d.ClassNames[0] != "a" {
		t.Error("Select changed the set that it was called on")
	}
	for _, test := range []struct {
		classes []int
		want    string
	}{
		{nil, "no class"},
		{[]int{3}, "class 3 selected; allowed: 0 to 2"},
		{[]int{-1}, "class -1"},
		{[]int{1, 1}, "twice"},
	} {
		if _, err := d.Select(test.classes...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Select(%v): got %v, want %q", test.classes, err, test.want)
		}
	}
	if _, err := numbered(0, 0).Select(1); err == nil || !strings.Contains(err.Error(), "no image") {
		t.Errorf("a selection without images: %v", err)
	}
}
