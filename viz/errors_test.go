package viz

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	good := func() Scatter {
		return Scatter{
			Title: "T", Dim: 2, Points: []float32{1, 2, 3, 4, 5, 6}, Labels: []int32{0, 1, 1}, ClassNames: []string{"a", "b"},
		}
	}
	if err := NewFigure(good()).WritePNG(io.Discard); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Scatter)
		want   error
		says   string
	}{
		"dimension":       {func(s *Scatter) { s.Dim = -1 }, ErrDim, "Dim = -1"},
		"no dimension":    {func(s *Scatter) { s.Dim = 0 }, ErrDim, "Dim = 0"},
		"no points":       {func(s *Scatter) { s.Points, s.Labels = nil, nil }, ErrEmpty, "no points"},
		"no names":        {func(s *Scatter) { s.ClassNames = nil }, ErrEmpty, "no class names"},
		"half a point":    {func(s *Scatter) { s.Points = s.Points[:5] }, ErrLength, "5 coordinates"},
		"labels":          {func(s *Scatter) { s.Labels = s.Labels[:2] }, ErrLength, "2 labels for 3 points"},
		"class vectors":   {func(s *Scatter) { s.ClassVectors = []float32{1, 2} }, ErrLength, "2 coordinates of class vectors, not 4"},
		"targets":         {func(s *Scatter) { s.Targets = []float32{} }, ErrLength, "0 coordinates of targets, not 4"},
		"large label":     {func(s *Scatter) { s.Labels[2] = 2 }, ErrLabel, "label 2 of point 2, of 2 classes"},
		"negative label":  {func(s *Scatter) { s.Labels[0] = -1 }, ErrLabel, "label -1 of point 0"},
		"NaN points":      {func(s *Scatter) { s.Points[2], s.Points[5] = nan, inf }, ErrNotFinite, "2 of 3 points have a NaN or Inf, first points[1] = [NaN 4]"},
		"NaN vector":      {func(s *Scatter) { s.ClassVectors = []float32{1, 2, 3, nan} }, ErrNotFinite, "1 of 2 class vectors"},
		"NaN camera":      {func(s *Scatter) { s.Camera = &Camera{Elevation: math.Inf(1)} }, ErrNotFinite, "Elevation:+Inf"},
		"off the circle":  {func(s *Scatter) { s.Sphere, s.Points = true, []float32{0.6, 0.8, 0, 0, 1, 1} }, ErrSphere, "1 of 3 points are not on the unit sphere, first points[2] = [1 1]"},
		"off in the box":  {func(s *Scatter) { *s = s.Projected(); s.Targets = []float32{0, 0.5, 1, 0} }, ErrSphere, "targets[0] = [0 0.5]"},
		"not missing":     {func(s *Scatter) { s.Missing = "not yet" }, ErrMissing, `Missing is "not yet", with 6 coordinates`},
		"infinite target": {func(s *Scatter) { s.Targets = []float32{inf, 2, 3, 4} }, ErrNotFinite, "targets[0] = [-Inf 2]"},
	} {
		s := good()
		test.change(&s)
		for _, write := range []func(io.Writer) error{NewFigure(good(), s).WritePNG, NewFigure(good(), s).WriteSVG} {
			err := write(io.Discard)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), `panel 1 "T"`) {
				t.Errorf("%s: error %v, want %v saying %q", name, err, test.want, test.says)
			}
		}
	}
	if err := NewFigure().WritePNG(io.Discard); !errors.Is(err, ErrEmpty) {
		t.Errorf("no panels: error %v", err)
	}
	for says, f := range map[string]Figure{
		"1 row labels for a grid of 2 rows and 2 columns":    {RowLabels: []string{"a"}},
		"3 column labels for a grid of 2 rows and 2 columns": {ColumnLabels: []string{"a", "b", "c"}},
		"0 row labels":                      {RowLabels: []string{}},
		"a grid of 1 rows and 3 columns":    {Columns: 5, ColumnLabels: make([]string, 5)},
		"2 row labels for a grid of 3 rows": {Columns: 1, RowLabels: make([]string, 2)},
	} {
		f.Panels = []Panel{good(), good(), good()}
		if f.Columns == 0 {
			f.Columns = 2
		}
		if err := f.WritePNG(io.Discard); !errors.Is(err, ErrLength) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one saying %q", err, says)
		}
	}
	f := Figure{Panels: []Panel{good()}, Columns: -1}
	if err := f.WriteSVG(io.Discard); !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "-1") {
		t.Errorf("columns: error %v", err)
	}
}
