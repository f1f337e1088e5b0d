package viz

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// The components are those of gonum's stat.PC, which takes the singular vectors
// of the data.
func TestPrincipalComponents(t *testing.T) {
	for _, dim := range []int{4, 16, 50} {
		s := blobs(300, 6, dim, 1)
		s.Targets = s.Points[:6*dim]
		d, err := s.content()
		if err != nil {
			t.Fatal(err)
		}
		data := mat.NewDense(300, dim, nil)
		mean := make([]float64, dim)
		for i, v := range s.Points {
			data.Set(i/dim, i%dim, float64(v))
			mean[i%dim] += float64(v) / 300
		}
		var pc stat.PC
		if !pc.PrincipalComponents(data, nil) {
			t.Fatal("no components")
		}
		var vectors mat.Dense
		pc.VectorsTo(&vectors)
		variances := pc.VarsTo(nil)
		var total float64
		for _, v := range variances {
			total += v
		}
		for j := range 2 {
			if want := variances[j] / total; math.Abs(d.shares[j]-want) > 1e-9 {
				t.Errorf("%d-D: component %d has %g of the variance, want %g", dim, j, d.shares[j], want)
			}
			sign := 0.
			for i := range d.points {
				var want float64
				for k := range dim {
					want += (data.At(i, k) - mean[k]) * vectors.At(k, j)
				}
				if sign == 0 {
					sign = math.Copysign(1, want*d.points[i][j])
				}
				if math.Abs(d.points[i][j]-sign*want) > 1e-6 {
					t.Fatalf("%d-D: point %d has coordinate %d of %g, want %g", dim, i, j, d.points[i][j], sign*want)
				}
			}
		}
		if !slices.Equal(d.targets, d.points[:6]) {
			t.Errorf("%d-D: targets at %v, points in the same place at %v", dim, d.targets, d.points[:6])
		}
	}
}

// cross5 returns a scatter with the mean (7, 2, 0, -1, 0), whose variance is greatest along
// the fourth axis, then along the second: these are its components.
func cross5() Scatter {
	s := Scatter{Title: "T", Dim: 5, ClassNames: classNames(3), Labels: []int32{0, 0, 1, 1}}
	for _, d := range [][2]float32{{3, 0}, {-3, 0}, {0, 2}, {0, -2}} {
		s.Points = append(s.Points, 7, 2+d[1], 0, -1+d[0], 0)
	}
	return s
}

func TestPrincipalComponentsByHand(t *testing.T) {
	s := cross5()
	s.ClassVectors = []float32{
		0, 0, 0, 8, 0, // along the first component
		0, -3, 0, 0, 4, // 3/5 along the second, 4/5 away from the picture
		0, 0, 1, 0, 0, // away from the picture
	}
	d, err := s.content()
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got, want point) {
		if got.sub(want).norm() > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for i, want := range []point{{3, 0}, {-3, 0}, {0, 2}, {0, -2}} {
		check(fmt.Sprint("point ", i), d.points[i], want)
	}
	for i, want := range []point{{1, 0}, {0, -0.6}, {0, 0}} {
		check(fmt.Sprint("ray ", i), d.rays[i], want)
	}
	check("origin", d.origin, point{1, -2})
	texts, _ := renderSVG(t, NewFigure(s))
	if !slices.Contains(bodies(texts), "1st principal component (69 % of the variance)") { // 9/13; the other is drawn
		t.Errorf("no title of the axis in %q", bodies(texts))
	}
	if flat, _ := renderSVG(t, NewFigure(blobs(10, 2, 2, 1))); strings.Contains(strings.Join(bodies(flat), "|"), "principal") {
		t.Error("principal components in 2-D")
	}
}

// The picture of a training must not flip from one epoch to the next.
func TestPrincipalComponentsKeepTheirSigns(t *testing.T) {
	s := blobs(500, 5, 8, 1)
	before, _ := s.content()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		for i := range s.Points {
			s.Points[i] += float32(0.05 * rng.NormFloat64())
		}
		after, err := s.content()
		if err != nil {
			t.Fatal(err)
		}
		for i := range after.points {
			if d := after.points[i].sub(before.points[i]).norm(); d > 1 {
				t.Fatalf("point %d moved by %g", i, d)
			}
		}
		before = after
	}
}
