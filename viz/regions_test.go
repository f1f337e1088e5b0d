package viz

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestRegions(t *testing.T) {
	lay := newLayout(t, NewFigure(ruled()))
	img := lay.image(1)
	for p, class := range map[point]int{
		{2.9, 3.2}: 0, {-8, 2.2}: 0, {2.5, -8.2}: 0, {-10.5, -10.5}: 0,
		{3.1, 3.2}: 1, {-8, 4.2}: 1, {3.5, -8.2}: 1, {10.5, 2}: 1, {-10.5, 10.5}: 1, {6.2, 2.2}: 1,
	} {
		if got := pixel(lay, img, 0, p); got != tint(class) {
			t.Errorf("colour %v at %v, want %v of class %d", got, p, tint(class), class)
		}
	}
	// The border and the point cover the regions.
	darkest := white
	for x := 2.9; x < 3.1; x += 0.01 {
		if got := pixel(lay, img, 0, point{x, 1}); got.R < darkest.R {
			darkest = got
		}
	}
	if darkest.R > tint(0).R-20 || darkest.R > 0xc8 {
		t.Errorf("the border is %v", darkest)
	}
	if got, want := pixel(lay, img, 0, point{5.1, 0.1}), mix(tint(1), Color(1), 0.85); !closeTo(got.R, want.R) || !closeTo(got.B, want.B) {
		t.Errorf("the point is %v, want %v", got, want)
	}
}

func TestRegionsAskOnce(t *testing.T) {
	s := ruled()
	calls, points := 0, 0
	s.Regions = func(p []float32) ([]int32, error) {
		calls++
		points = len(p) / 2
		return halves(p)
	}
	lay := newLayout(t, NewFigure(s))
	if _, err := lay.svg(30_000); err != nil { // drawn more than once
		t.Fatal(err)
	}
	if calls != 1 || points < 160_000 {
		t.Errorf("%d calls, the last for %d points", calls, points)
	}
	if texts, images := renderSVG(t, NewFigure(s)); images != 2 || !strings.Contains(strings.Join(bodies(texts), "|"), "decision regions") {
		t.Errorf("%d images and texts %q", images, bodies(texts))
	}
}

func TestRegionErrors(t *testing.T) {
	lost := errors.New("device lost")
	for name, test := range map[string]struct {
		change func(*Scatter)
		want   error
		says   string
	}{
		"failed": {func(s *Scatter) {
			s.Regions = func([]float32) ([]int32, error) { return nil, lost }
		}, lost, "decision regions: device lost"},
		"too few": {func(s *Scatter) {
			s.Regions = func([]float32) ([]int32, error) { return make([]int32, 3), nil }
		}, ErrLength, "3 classes for 640000 points"},
		"large class": {func(s *Scatter) {
			s.Regions = func(p []float32) ([]int32, error) { c, err := halves(p); c[0] = 3; return c, err }
		}, ErrLabel, "class 3 at (-1"},
		"negative class": {func(s *Scatter) {
			s.Regions = func(p []float32) ([]int32, error) { c, err := halves(p); c[9] = -1; return c, err }
		}, ErrLabel, "class -1 at"},
		"1-D": {func(s *Scatter) {
			s.Dim, s.Labels, s.Targets = 1, []int32{0, 1}, nil
		}, ErrRegions, "Regions with Dim = 1"},
		"3-D": {func(s *Scatter) {
			s.Dim, s.Points, s.Targets = 3, []float32{1, 2, 3}, nil
		}, ErrRegions, "Regions with Dim = 3"},
	} {
		s := ruled()
		test.change(&s)
		err := NewFigure(s).WritePNG(io.Discard)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), `panel 0 "T"`) {
			t.Errorf("%s: error %v, want %v saying %q", name, err, test.want, test.says)
		}
	}
}

func TestRegionsFarAway(t *testing.T) {
	const large = 3.4e38 // the padded space goes beyond the largest float32
	s := Scatter{Dim: 2, Points: []float32{-large, -large, large, large}, Labels: []int32{0, 1}, ClassNames: classNames(2)}
	s.Regions = func(p []float32) ([]int32, error) {
		for i := 0; i < len(p); i += 2 {
			if !finite(p[i : i+2]) {
				t.Fatalf("asked for %v", p[i:i+2])
			}
		}
		return halves(p)
	}
	newLayout(t, NewFigure(s))
}

// Regions of noise are the worst case for the size of an SVG.
func TestRegionsSVGSize(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := blobs(10_000, 10, 2, 1)
	s.Regions = func(p []float32) ([]int32, error) {
		classes := make([]int32, len(p)/2)
		for i := range classes {
			classes[i] = int32(rng.IntN(10))
		}
		return classes, nil
	}
	lay := newLayout(t, NewFigure(s, s))
	full, err := lay.svg(maxSize)
	if err != nil || len(full) >= maxSize {
		t.Errorf("%d bytes, error %v", len(full), err)
	}
	const limit = 300_000
	if svg, err := lay.svg(limit); err != nil || len(svg) >= limit {
		t.Errorf("%d bytes with a limit of %d, error %v", len(svg), limit, err)
	}
}

func BenchmarkRegions(b *testing.B) {
	s := ruled()
	for b.Loop() {
		if _, err := s.plot(Place{style: newStyle(1, false)}); err != nil {
			b.Fatal(err)
		}
	}
}
