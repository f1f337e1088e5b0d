package targets

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// closest returns the smallest and largest distance of a point to its nearest neighbour.
func closest(points [][]float64) (least, most float64) {
	least = math.Inf(1)
	for i, p := range points {
		nearest := math.Inf(1)
		for j, q := range points {
			if i != j {
				nearest = min(nearest, floats.Distance(p, q, 2))
			}
		}
		least, most = min(least, nearest), max(most, nearest)
	}
	return least, most
}

func TestRaster(t *testing.T) {
	for _, test := range []struct{ classes, dim int }{{10, 2}, {10, 3}, {10, 1}, {9, 2}, {100, 2}, {10, 16}, {27, 3}} {
		targets, err := Raster(test.classes, test.dim)
		if err != nil {
			t.Fatal(err)
		}
		if least, most := closest(targets); math.Abs(least-1) > 1e-12 || math.Abs(most-1) > 1e-12 {
			t.Errorf("%+v: nearest neighbours lie %g to %g apart, want 1", test, least, most)
		}
		for j := range test.dim {
			mean := 0.
			for _, target := range targets {
				mean += target[j] / float64(len(targets))
			}
			if math.Abs(mean) > 1e-12 {
				t.Errorf("%+v: coordinate %d has the mean %g", test, j, mean)
			}
		}
	}
	targets, err := Raster(9, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float64{{-1, -1}, {0, -1}, {1, -1}, {-1, 0}, {0, 0}, {1, 0}, {-1, 1}, {0, 1}, {1, 1}} {
		if !floats.EqualApprox(targets[i], want, 1e-12) {
			t.Errorf("target %d of 9 classes in 2-D is %v, want %v", i, targets[i], want)
		}
	}
}

func TestTargetsOnTheSphere(t *testing.T) {
	for name, test := range map[string]struct {
		targets      func(classes, dim int) ([][]float64, error)
		classes, dim int
		apart        float64 // the nearest neighbours are this far apart, or further
	}{
		"circle":         {Circle, 10, 2, 2 * math.Sin(math.Pi/10) * 0.999},
		"circle in 3-D":  {Circle, 10, 3, 0.8},
		"sphere in 2-D":  {Sphere, 10, 2, 2 * math.Sin(math.Pi/10) * 0.999},
		"sphere":         {Sphere, 10, 3, 0.8}, // the best is 1.09 (Tammes)
		"sphere of 1":    {Sphere, 1, 3, 0},
		"and in 5-D":     {Sphere, 1, 5, 0},
		"sphere in 4-D":  {Sphere, 10, 4, 1.1}, // the best of 10 points is about 1.29
		"sphere in 16-D": {Sphere, 10, 16, math.Sqrt(20./9) - 1e-9},
		"simplex":        {Simplex, 10, 9, math.Sqrt(20./9) - 1e-9}, // cosine -1/9
		"simplex, room":  {Simplex, 3, 5, math.Sqrt(3) - 1e-9},
		"simplex of 2":   {Simplex, 2, 1, 2},
		"simplex of 1":   {Simplex, 1, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			targets, err := test.targets(test.classes, test.dim)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "classes", len(targets), test.classes)
			for class, target := range targets {
				embedtest.CheckEqual(t, "dim", len(target), test.dim)
				if n := floats.Norm(target, 2); math.Abs(n-1) > 1e-9 {
					t.Errorf("target %d has the norm %g", class, n)
				}
			}
			if least, _ := closest(targets); least < test.apart {
				t.Errorf("the nearest neighbours are %g apart, want %g", least, test.apart)
			}
		})
	}
}

func TestTargetsRefuse(t *testing.T) {
	for name, test := range map[string]struct {
		targets      func(classes, dim int) ([][]float64, error)
		classes, dim int
		word         string
	}{
		"no class":      {Raster, 0, 2, "0 classes"},
		"no dimension":  {Raster, 10, 0, "0 dimensions"},
		"circle in 1-D": {Circle, 10, 1, "2 dimensions or more"},
		"sphere in 1-D": {Sphere, 10, 1, "2 dimensions or more"},
		"small simplex": {Simplex, 10, 8, "at most 9 classes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.targets(test.classes, test.dim)
			embedtest.WantError(t, err, test.word)
		})
	}
}

// TestAssign gives six classes, whose points lie on a circle in a jumbled order, targets on
// a circle: neighbours must be neighbours again.
func TestAssign(t *testing.T) {
	targets, err := Circle(6, 2)
	if err != nil {
		t.Fatal(err)
	}
	order := []int{3, 0, 5, 2, 4, 1} // the place of each class on the circle
	points := make([][]float64, 6)
	for class, place := range order {
		points[class] = []float64{7 * targets[place][0], 7 * targets[place][1], 1}
	}
	assigned, err := Assign(targets, points)
	if err != nil {
		t.Fatal(err)
	}
	for i := range points {
		for j := range points {
			got, want := floats.Distance(assigned[i], assigned[j], 2), floats.Distance(points[i], points[j], 2)/7
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("classes %d and %d get targets %g apart, want %g", i, j, got, want)
			}
		}
	}
	again, err := Assign(targets, points)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "a second time", again, assigned)
	_, err = Assign(targets, points[:5])
	embedtest.WantError(t, err, "6 targets", "5 points")
}
