package explain

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// of returns a Function from a value and its gradient.
func of(value func(x []float64) float64, gradient func(x []float64) []float64) Function {
	return Function{
		Values: func(images [][]float64) ([]float64, error) { return vectors.Each(images, value), nil },
		Gradients: func(images [][]float64) (gradients [][]float64, err error) {
			for _, x := range images {
				gradients = append(gradients, gradient(x))
			}
			return gradients, nil
		},
	}
}

// linear is w . x + 3.
func linear(w []float64) Function {
	return of(func(x []float64) float64 { return floats.Dot(w, x) + 3 }, func([]float64) []float64 { return w })
}

// corners is sum_p |x_p - p/n|, with as many kinks as pixels.
func corners(x []float64) float64 {
	sum := 0.
	for p, v := range x {
		sum += math.Abs(v - float64(p)/float64(len(x)))
	}
	return sum
}

func cornersGradient(x []float64) []float64 {
	gradient := make([]float64, len(x))
	for p, v := range x {
		gradient[p] = math.Copysign(1, v-float64(p)/float64(len(x)))
	}
	return gradient
}

func gaussian(n int) []float64 {
	random, x := rand.New(rand.NewPCG(1, 0)), make([]float64, n)
	for i := range x {
		x[i] = random.NormFloat64()
	}
	return x
}

// Of a linear function all attributions are the same: the weights times the change.
func TestLinear(t *testing.T) {
	const n = 12
	w, x, baseline := gaussian(n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], baseline[i] = float64(i)/n, 0.25
	}
	want := floats.MulTo(make([]float64, n), w, floats.SubTo(make([]float64, n), x, baseline))
	f := linear(w)
	embedtest.CheckNear(t, "gradient times input", must(f.GradientTimesInput(x, baseline))(t), want, 1e-12)
	in := must(f.IntegratedGradients(x, baseline, 0))(t)
	embedtest.CheckNear(t, "integrated gradients", in.Attribution, want, 1e-12)
	embedtest.CheckEqual(t, "nodes", in.Nodes, firstNodes)
	one := must(f.Occlude(x, [3]int{4, 3, 1}, Window{1, 1, 0.25}))(t)
	embedtest.CheckNear(t, "occlusion by pixels", one.Map, want, 1e-12)
	deletion := must(f.Deletion(x, baseline, want))(t)
	embedtest.CheckNear(t, "ends of the deletion", []float64{deletion[0], deletion[n]}, []float64{in.Value, in.Baseline}, 1e-12)
	insertion := must(f.Insertion(x, baseline, want))(t)
	for k := range deletion { // each pixel changes f by its attribution, whatever the others are
		embedtest.CheckNear(t, "deletion and insertion", []float64{deletion[k] - in.Value}, []float64{in.Baseline - insertion[k]}, 1e-12)
	}
}

// Threefold nodes are the nodes of the midpoint rule, and enough of them close the gap at kinks.
func TestNodes(t *testing.T) {
	x, baseline := make([]float64, 50), make([]float64, 50)
	for i := range x {
		x[i] = math.Abs(math.Sin(float64(i)))
	}
	f := of(corners, cornersGradient)
	chosen := must(f.IntegratedGradients(x, baseline, 0))(t)
	if chosen.Nodes <= firstNodes || math.Abs(chosen.Gap) > 0.01*math.Abs(chosen.Value-chosen.Baseline) {
		t.Errorf("%d nodes have a gap of %v, of %v", chosen.Nodes, chosen.Gap, chosen.Value-chosen.Baseline)
	}
	direct := must(f.IntegratedGradients(x, baseline, chosen.Nodes))(t)
	embedtest.CheckNear(t, "attribution by the same nodes", chosen.Attribution, direct.Attribution, 1e-12)

	same := must(f.IntegratedGradients(x, x, 0))(t)
	embedtest.CheckEqual(t, "attribution of the baseline itself", same.Attribution, make([]float64, 50))
}

// A step has no gradient, so that no number of nodes closes the gap.
func TestIncomplete(t *testing.T) {
	step := of(func(x []float64) float64 { return math.Floor(2 * x[0]) }, func([]float64) []float64 { return []float64{0} })
	in, err := step.IntegratedGradients([]float64{0.7}, []float64{0}, 0)
	if !errors.Is(err, ErrIncomplete) {
		t.Fatalf("error %v, want ErrIncomplete", err)
	}
	embedtest.WantError(t, err, "6561 nodes", "a gap of -1", "allowed: 0.01")
	embedtest.CheckEqual(t, "nodes and gap", [2]float64{float64(in.Nodes), in.Gap}, [2]float64{mostNodes, -1})
}

// Channels of a pixel are hidden and exchanged together.
func TestChannels(t *testing.T) {
	w := []float64{1, 2, 3, 10, 20, 30, 100, 200, 300, 1000, 2000, 3000} // 2 x 2 pixels
	x := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	f := linear(w)
	embedtest.CheckEqual(t, "per pixel", must(PerPixel(w, 3))(t), []float64{6, 60, 600, 6000})
	o := must(f.Occlude(x, [3]int{2, 2, 3}, Window{1, 1, 0}))(t)
	embedtest.CheckNear(t, "map", o.Map, []float64{6, 60, 600, 6000}, 1e-12)
	deletion := must(f.Deletion(x, make([]float64, 12), []float64{0, 5, 5, 9}))(t)
	embedtest.CheckNear(t, "deletion: equal attributions in the order of pixels", deletion, []float64{6669, 669, 609, 9, 3}, 1e-12)
	embedtest.CheckNear(t, "area", []float64{Area(deletion)}, []float64{(6669./2 + 669 + 609 + 9 + 3./2) / 4}, 1e-12)
	if area := Area([]float64{1}); !math.IsNaN(area) {
		t.Errorf("the area under a point is %v, want NaN", area)
	}
}

// Every pixel is under a window, whatever the sizes; a window larger than the image is all of it.
func TestWindows(t *testing.T) {
	for height := 1; height < 8; height++ {
		for size := 1; size < 9; size++ {
			for stride := 1; stride <= size; stride++ {
				x := gaussian(height * 5)
				o := must(linear(make([]float64, len(x))).Occlude(x, [3]int{height, 5, 1}, Window{size, stride, 0}))(t)
				if len(o.Drops) != o.Rows*o.Columns {
					t.Fatalf("%d drops of %d x %d windows", len(o.Drops), o.Rows, o.Columns)
				}
				if err := checkFinite("the map", o.Map); err != nil {
					t.Errorf("height %d, size %d, stride %d: %v", height, size, stride, err)
				}
				if size >= max(height, 5) {
					embedtest.CheckEqual(t, "windows that are all of the image", len(o.Drops), 1)
				}
			}
		}
	}
}

// A Function is asked about few images at once, and not more often than needed.
func TestBatches(t *testing.T) {
	asked := 0
	f := Function{Values: func(images [][]float64) ([]float64, error) {
		if len(images) > most {
			t.Errorf("asked about %d images at once", len(images))
		}
		asked += len(images)
		return make([]float64, len(images)), nil
	}}
	x := make([]float64, 300)
	must(f.Deletion(x, x, x))(t)
	embedtest.CheckEqual(t, "images", asked, 301)
}

func TestFunctionRefuses(t *testing.T) {
	nan, x := math.NaN(), []float64{1, 2, 3, 4}
	zeros := make([]float64, 4)
	f := linear(x)
	fails := func(err error, words ...string) {
		t.Helper()
		embedtest.WantError(t, err, words...)
	}
	_, err := f.Gradient(nil)
	fails(err, "without pixels")
	_, err = f.Gradient([]float64{1, 2, nan, 4})
	fails(err, "number 2 of the image is NaN")
	_, err = f.GradientTimesInput(x, zeros[:3])
	fails(err, "4 numbers and a baseline of 3")
	_, err = f.IntegratedGradients(x, []float64{0, 0, 0, nan}, 0)
	fails(err, "number 3 of the baseline is NaN")
	_, err = f.IntegratedGradients(x, zeros, -1)
	fails(err, "-1 nodes")
	_, err = f.Deletion(x, zeros, []float64{1, 2, 3})
	fails(err, "3 attributions of an image of 4 numbers")
	_, err = f.Deletion(x, zeros, []float64{1, 2})
	fails(err, "2 attributions of an image of 4 numbers", "1 or 3 channels")
	_, err = f.Insertion(x, zeros, []float64{1, 2, 3, nan})
	fails(err, "number 3 of the attribution is NaN")
	_, err = f.Deletion(x, zeros, nil)
	fails(err, "0 attributions")
	_, err = f.Occlude(x, [3]int{2, 3, 1}, Window{1, 1, 0})
	fails(err, "4 numbers with the shape [2 3 1]")
	_, err = f.Occlude(x, [3]int{2, 2, 1}, Window{2, 3, 0})
	fails(err, "size 2 and stride 3")
	_, err = f.Occlude(x, [3]int{2, 2, 1}, Window{0, 1, 0})
	fails(err, "size 0")
	_, err = f.Occlude(x, [3]int{2, 2, 1}, Window{1, 1, nan})
	fails(err, "the window is NaN")
	_, err = PerPixel(x, 3)
	fails(err, "4 numbers of 3 channels")

	broken := errors.New("broken")
	bad := Function{
		Values:    func([][]float64) ([]float64, error) { return nil, broken },
		Gradients: func([][]float64) ([][]float64, error) { return nil, broken },
	}
	if _, err := bad.Gradient(x); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the function", err)
	}
	if _, err := bad.IntegratedGradients(x, zeros, 0); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the function", err)
	}
	_, err = of(func([]float64) float64 { return nan }, nil).Deletion(x, zeros, x)
	fails(err, "the values is NaN")
	_, err = of(nil, func([]float64) []float64 { return []float64{1} }).Gradient(x)
	fails(err, "a gradient of 1 numbers; allowed: 4")
	_, err = of(nil, func([]float64) []float64 { return []float64{1, nan, 1, 1} }).Gradient(x)
	fails(err, "the gradients is NaN")
	few := Function{
		Values:    func([][]float64) ([]float64, error) { return []float64{1, 2, 3}, nil },
		Gradients: func([][]float64) ([][]float64, error) { return [][]float64{x, x}, nil },
	}
	_, err = few.IntegratedGradients(x, zeros, 0)
	fails(err, "3 values of 2 images")
	_, err = few.Gradient(x)
	fails(err, "2 gradients of 1 images")
}
