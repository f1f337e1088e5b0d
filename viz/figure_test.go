package viz

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestExtremeInput(t *testing.T) {
	const large = math.MaxFloat32
	same := make([]float32, 40)
	for name, s := range map[string]Scatter{
		"one point":       {Dim: 2, Points: []float32{3, 4}, Labels: []int32{0}, ClassNames: classNames(1)},
		"one in 3-D":      {Dim: 3, Points: []float32{3, 4, 5}, Labels: []int32{0}, ClassNames: classNames(1)},
		"all at 0":        {Dim: 2, Points: same, Labels: make([]int32, 20), ClassNames: classNames(10), ClassVectors: make([]float32, 20)},
		"largest":         {Dim: 2, Points: []float32{large, -large, -large, large}, Labels: []int32{0, 1}, ClassNames: classNames(2), ClassVectors: []float32{large, large, -large, 0}},
		"smallest":        {Dim: 2, Points: []float32{1e-45, 0, 0, 1e-45}, Labels: []int32{0, 1}, ClassNames: classNames(2), ClassVectors: []float32{1e-45, 0, 0, 0}},
		"far from origin": {Dim: 3, Points: []float32{1e6, 1e6, 1e6, 1e6 + 1, 1e6, 1e6}, Labels: []int32{0, 1}, ClassNames: classNames(2)},
		"far vectors":     {Dim: 2, Points: []float32{1e6, 0, 1e6 + 1, 0}, Labels: []int32{0, 1}, ClassNames: classNames(2), ClassVectors: []float32{0, 1, -1, 0}},
		"1000 classes":    {Dim: 2, Points: same, Labels: make([]int32, 20), ClassNames: classNames(1000)},
		"1-D":             {Dim: 1, Points: []float32{large}, Labels: []int32{0}, ClassNames: classNames(1), ClassVectors: []float32{-1}},
		"1-D at 0":        {Dim: 1, Points: same, Labels: make([]int32, 40), ClassNames: classNames(3), ClassVectors: make([]float32, 3), Targets: make([]float32, 3)},
		"1-D, classes":    {Dim: 1, Points: same, Labels: make([]int32, 40), ClassNames: classNames(1000), Sphere: true},
		"1-D, long name":  {Dim: 1, Points: same, Labels: make([]int32, 40), ClassNames: []string{strings.Repeat("long ", 100)}},
		"one in 4-D":      {Dim: 4, Points: []float32{3, 4, 5, 6}, Labels: []int32{0}, ClassNames: classNames(1), ClassVectors: []float32{0, 1, 0, 0}},
		"one in 40-D":     {Dim: 40, Points: same, Labels: []int32{0}, ClassNames: classNames(1), Targets: same},
		"largest in 4-D":  {Dim: 4, Points: []float32{large, -large, large, large, large, large, large, -large}, Labels: []int32{0, 0}, ClassNames: classNames(1)},
		"smallest in 4-D": {Dim: 4, Points: []float32{1e-45, 0, 0, 0, 0, 1e-45, 0, 0}, Labels: []int32{0, 0}, ClassNames: classNames(1)},
		"circle of 0":     {Dim: 2, Points: same, Labels: make([]int32, 20), ClassNames: classNames(2), Sphere: true},
		"sphere of 0":     {Dim: 3, Points: make([]float32, 3), Labels: make([]int32, 1), ClassNames: classNames(2), Sphere: true, ClassVectors: make([]float32, 6)},
		"6-D sphere of 0": {Dim: 6, Points: make([]float32, 6), Labels: make([]int32, 1), ClassNames: classNames(1), Sphere: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFigure(s)
			if texts, images := renderSVG(t, f); len(texts) < 2 || images != 1 {
				t.Errorf("%d texts and %d images", len(texts), images)
			}
		})
	}
}

func TestSVG(t *testing.T) {
	s := blobs(500, 3, 2, 1)
	s.Title = `<a> & "b"` + "\x00\xff"
	s.Note = "Größe 98.4 %"
	s.ClassNames = []string{"T-shirt/top", "]]>", "é"}
	s3 := blobs(500, 3, 3, 1)
	f := &Figure{Title: "two", Panels: []Panel{s, s3}}
	texts, images := renderSVG(t, f)
	if images != 2 {
		t.Errorf("%d images for 2 panels", images)
	}
	for _, want := range []string{"two", `<a> & "b" ` + "\uFFFD", "Größe 98.4 %", "T-shirt/top", "]]>", "é", "0", "1", "2"} {
		if !slices.Contains(bodies(texts), want) {
			t.Errorf("no text %q in %q", want, bodies(texts))
		}
	}
	for _, text := range texts {
		if !strings.HasPrefix(text.Font, "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;") {
			t.Errorf("text %q has style %q", text.Body, text.Font)
		}
	}
}

func TestSVGSize(t *testing.T) {
	// Noise is the worst case for compression.
	rng := rand.New(rand.NewPCG(1, 2))
	s := Scatter{Dim: 2, ClassNames: classNames(10)}
	for range 5000 {
		s.Labels = append(s.Labels, int32(rng.IntN(10)))
		s.Points = append(s.Points, rng.Float32(), rng.Float32())
	}
	lay := newLayout(t, NewFigure(s))
	full, err := lay.svg(math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{len(full) + 1, len(full), len(full) / 2} {
		svg, err := lay.svg(limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(svg) >= limit || len(svg) < limit/3 {
			t.Errorf("%d bytes with a limit of %d", len(svg), limit)
		}
	}
}

// A figure whose vectors alone take more than the limit exceeds it.
func TestSVGOfManyPanels(t *testing.T) {
	s := blobs(50, 10, 2, 1)
	svg, err := newLayout(t, NewFigure(s, s, s)).svg(20_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(svg) < 20_000 || len(svg) > 60_000 {
		t.Errorf("%d bytes", len(svg))
	}
}

func TestPNGSize(t *testing.T) {
	lay := newLayout(t, NewFigure(blobs(5000, 10, 2, 1)))
	full, err := lay.png(math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{len(full) + 1, len(full), len(full) / 3} {
		picture, err := lay.png(limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(picture) >= limit || len(picture) < limit/3 {
			t.Errorf("%d bytes with a limit of %d", len(picture), limit)
		}
	}
	for _, dim := range []int{2, 3} {
		picture := writePNG(t, NewFigure(blobs(10_000, 10, dim, 1)))
		if len(picture) > 300_000 {
			t.Errorf("%d-D: %d bytes", dim, len(picture))
		}
		if c, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil || c.Width < 860 || c.Width > 940 {
			t.Errorf("%d-D: %d pixels wide, error %v", dim, c.Width, err)
		}
	}
}

func TestDeterminism(t *testing.T) {
	flat := blobs(2000, 12, 2, 1)
	f := NewFigure(flat, blobs(2000, 12, 3, 1), flat.Projected(), blobs(2000, 12, 3, 1).Projected(),
		ruled(), blobs(2000, 12, 1, 1), blobs(2000, 12, 16, 1), Scatter{Missing: "not yet"})
	var first, second bytes.Buffer
	if err := errors.Join(f.WriteSVG(&first), f.WriteSVG(&second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("SVG differs")
	}
	if !reflect.DeepEqual(newLayout(t, f).image(1), newLayout(t, f).image(1)) {
		t.Error("image differs")
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	f := NewFigure(blobs(100, 2, 2, 1))
	for name, magic := range map[string]string{"a.png": "\x89PNG", "b.SVG": "<?xml"} {
		path := filepath.Join(dir, name)
		if err := f.Save(path); err != nil {
			t.Fatal(err)
		}
		if picture, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(picture, []byte(magic)) {
			t.Errorf("%s starts with %.8q, error %v", name, picture, err)
		}
	}
	if err := f.Save(filepath.Join(dir, "a.jpg")); !errors.Is(err, ErrExtension) || !strings.Contains(err.Error(), "a.jpg") {
		t.Errorf("extension: error %v", err)
	}
	if err := f.Save(filepath.Join(dir, "missing", "a.png")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: error %v", err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "a.png"))
	if err := NewFigure(Scatter{}).Save(filepath.Join(dir, "a.png")); !errors.Is(err, ErrDim) {
		t.Errorf("invalid: error %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "a.png")); !bytes.Equal(before, after) {
		t.Error("an invalid figure changed the file")
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("left behind: %v", files)
	}
}

func BenchmarkWritePNG(b *testing.B) {
	for _, dim := range []int{1, 2, 3, 16, 128} {
		b.Run(fmt.Sprintf("%d-D", dim), func(b *testing.B) {
			f := NewFigure(blobs(60_000, 10, dim, 1))
			for b.Loop() {
				if err := f.WritePNG(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
