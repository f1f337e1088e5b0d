package embed

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/measure"
)

// ninePoints are three points of each of three classes, in the plane.
func ninePoints() measure.Embedding {
	return measure.Embedding{Dim: 2, Classes: 3, Labels: []int32{0, 0, 0, 1, 1, 1, 2, 2, 2},
		Z: []float32{1.1, .1, .72, .55, .2, -.4, -.6, .9, -.9, .3, .13, .83, -.3, -.9, -.8, -.6, .5, -.7}}
}

// givenVariables are the variables of ninePoints that a technique may have.
func givenVariables(technique string) Variables {
	all := map[string]Variables{
		"softmax":           {"W": {1, .1, -.4, .9, -.5, -.8}, "b": {.1, -.2, 0}},
		"center":            {"W": {1, .1, -.4, .9, -.5, -.8}, "centers": {.6, .1, -.5, .6, -.2, -.7}},
		"ring":              {"W": {1, .1, -.4, .9, -.5, -.8}, "R": {2}},
		"subcenter-arcface": {"subcenters": {1, .1, .2, .9, -1, .3, -.4, .9, .5, .5, -.9, .1, -.5, -.8, .3, -.9, .6, .1}},
	}
	all["center-normalized"] = all["center"]
	for _, id := range []string{"softmax-normalized", "cosface", "arcface", "sphereface", "lsoftmax", "adacos", "proxy-anchor"} {
		all[id] = Variables{"W": {1, .1, -.4, .9, -.5, -.8}}
	}
	return all[technique]
}

// detached are the parameters with which no part of a loss is kept out of its gradient, where
// the defaults keep some out.
var detached = map[string]Params{
	"cosface": {"scaling": "constant", "scale": 3}, "arcface": {"scaling": "constant", "scale": 3},
	"subcenter-arcface": {"scaling": "constant", "scale": 3},
	"triplet-all":       {"mean-over": "all"}, // not over those that come and go
	"triplet-hard":      {"mining": "strict"},
}

// TestDescentIsMinusTheGradient compares the direction with finite differences of the loss.
func TestDescentIsMinusTheGradient(t *testing.T) {
	for _, technique := range Techniques() {
		t.Run(technique.ID, func(t *testing.T) {
			cfg := Config{Technique: technique.ID, Params: detached[technique.ID]}
			given := givenVariables(technique.ID)
			at := func(points measure.Embedding) *Descent {
				d, err := LossAt(cfg, points, given)
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			d := at(ninePoints())
			largest := 0.
			for _, x := range d.Direction {
				largest = max(largest, math.Abs(float64(x)))
			}
			if largest == 0 {
				t.Fatal("no direction")
			}
			if technique.ID == "adacos" {
				return // its scale is kept out of the gradient, see TestDescentOfAdaCos
			}
			loss := func(z []float32) float64 {
				points := ninePoints()
				points.Z = z
				return at(points).Loss
			}
			if technique.ID == "circle" { // so are its weights
				loss = circleLoss(t, ninePoints())
				if got := loss(d.Points.Z); math.Abs(got-d.Loss) > 1e-5 {
					t.Fatalf("the loss is %g, want %g", d.Loss, got)
				}
			}
			const step = 4e-3
			for i := range d.Direction {
				var losses [2]float64
				for k, sign := range []float32{-1, 1} {
					z := slices.Clone(d.Points.Z)
					z[i] += sign * step
					losses[k] = loss(z)
				}
				slope := (losses[1] - losses[0]) / (2 * step)
				if got := -float64(d.Direction[i]); math.Abs(got-slope) > 0.01*largest {
					t.Errorf("coordinate %d: the gradient is %g, finite differences give %g", i, got, slope)
				}
			}
		})
	}
}

// circleLoss returns the circle loss with the weights of points e, for other places z of them.
func circleLoss(t *testing.T, e measure.Embedding) func(z []float32) float64 {
	t.Helper()
	technique, err := LookUp("circle")
	if err != nil {
		t.Fatal(err)
	}
	m, gamma := technique.Params[0].Default.(float64), technique.Params[1].Default.(float64)
	cosine := func(z []float32, a, b int) float64 {
		x, y := [2]float64{float64(z[2*a]), float64(z[2*a+1])}, [2]float64{float64(z[2*b]), float64(z[2*b+1])}
		return (x[0]*y[0] + x[1]*y[1]) / math.Hypot(x[0], x[1]) / math.Hypot(y[0], y[1])
	}
	return func(z []float32) (loss float64) {
		for a, label := range e.Labels {
			exponent, positives, negatives := 0., 0., 0.
			for b, other := range e.Labels {
				weight, cos := cosine(e.Z, a, b), cosine(z, a, b)
				switch {
				case other != label:
					negatives += math.Exp(gamma * max(0, weight+m) * (cos - m))
				case a != b:
					exponent -= gamma * max(0, 1+m-weight) * (cos - 1 + m)
					positives++
				}
			}
			loss += math.Log1p(math.Exp(exponent/positives)*negatives) / float64(len(e.Labels))
		}
		return loss
	}
}

// TestDescentOfAdaCos: its direction is that of CosFace without a margin, with the scale that
// AdaCos has found.
func TestDescentOfAdaCos(t *testing.T) {
	given := givenVariables("adacos")
	adacos, err := LossAt(Config{Technique: "adacos", Params: Params{"scaling": "constant"}}, ninePoints(), given)
	if err != nil {
		t.Fatal(err)
	}
	cosface, err := LossAt(Config{Technique: "cosface", Params: Params{"scaling": "constant", "scale": adacos.Variables["scale"][0], "margin": 0}}, ninePoints(), given)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "direction", adacos.Direction, cosface.Direction)
}

// TestDescentOnBackends: every technique gives the same numbers on each backend, and again.
func TestDescentOnBackends(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, technique := range []string{"cosface", "center", "triplet-hard"} {
			onGo, err := LossAt(Config{Technique: technique}, ninePoints(), givenVariables(technique))
			if err != nil {
				t.Fatal(err)
			}
			there, err := LossAt(Config{Technique: technique, Backend: backends.Name(backend)}, ninePoints(), givenVariables(technique))
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range onGo.Direction {
				if math.Abs(float64(x-there.Direction[i])) > 1e-4 {
					t.Errorf("%s, coordinate %d: %g on pure Go, %g here", technique, i, x, there.Direction[i])
				}
			}
		}
	})
}

// TestDescentMovesCenters: centers that are given are those of the loss, and then move.
func TestDescentMovesCenters(t *testing.T) {
	given := givenVariables("center")
	d, err := LossAt(Config{Technique: "center", Params: Params{"lambda": 2, "alpha": 1}}, ninePoints(), given)
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "W", d.Variables["W"], given["W"])
	embedtest.CheckEqual(t, "class vectors", d.ClassVectors, given["W"])
	for class, mean := range ninePoints().Means() {
		for j, want := range mean {
			if got := d.Variables["centers"][2*class+j]; math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("center %d, coordinate %d is %g, want the mean %g", class, j, got, want)
			}
		}
	}
	scatter := d.Scatter()
	embedtest.CheckEqual(t, "arrows", scatter.Arrows, d.Direction)
	if err := scatter.Validate(); err != nil {
		t.Error(err)
	}
}

// TestDescentOfBadInput: bad points, variables and graphs are errors.
func TestDescentOfBadInput(t *testing.T) {
	register(t, Technique{ID: "panics", Loss: func(h Head) *graph.Node { return graph.Add(h.Z, h.Weights()) }})
	register(t, Technique{ID: "root", Loss: func(h Head) *graph.Node { return graph.Sqrt(graph.ReduceSum(h.Z, -1)) }})
	points := func(change func(e *measure.Embedding)) measure.Embedding {
		e := ninePoints()
		change(&e)
		return e
	}
	same := ninePoints()
	for _, c := range []struct {
		technique string
		points    measure.Embedding
		given     Variables
		words     []string
	}{
		{"softmax", points(func(e *measure.Embedding) { e.Z[3] = float32(math.NaN()) }), nil, []string{"NaN", "finite"}},
		{"softmax", points(func(e *measure.Embedding) { e.Z = e.Z[1:] }), nil, []string{"17 coordinates", "18"}},
		{"softmax", points(func(e *measure.Embedding) { e.Labels[0] = 3 }), nil, []string{"3", "0 to 2"}},
		{"softmax", points(func(e *measure.Embedding) { e.Z, e.Labels = nil, nil }), nil, []string{"no given points"}},
		{"softmax", points(func(e *measure.Embedding) { e.Labels, e.Classes = make([]int32, 9), 1 }), nil, []string{"classes is 1", "2 or more"}},
		{"softmax", same, Variables{"w": {1}}, []string{`"w"`, "W, b"}},
		{"softmax", same, Variables{"W": {1, 2, 3}}, []string{"W is 3", "6", "[3 2]"}},
		{"softmax", same, Variables{"b": {1, 2, float32(math.Inf(1))}}, []string{"b[2]", "finite"}},
		{"contrastive", same, Variables{"W": {1}}, []string{`"W"`, "centers"}},
		{"nowhere", same, nil, []string{"unknown", "nowhere"}},
		{"panics", same, nil, []string{`"panics"`}},
		{"root", same, nil, []string{`"root"`, "diverged"}},
	} {
		_, err := LossAt(Config{Technique: c.technique}, c.points, c.given)
		embedtest.WantError(t, err, c.words...)
	}
	if _, err := LossAt(Config{Technique: "nowhere"}, same, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	if _, err := LossAt(Config{Technique: "softmax", Params: Params{"margin": 1}}, same, nil); err == nil {
		t.Error("a parameter that softmax does not have is no error")
	}
	if _, err := LossAt(Config{Technique: "softmax", Backend: "moon"}, same, nil); err == nil {
		t.Error("a backend that does not exist is no error")
	}
}
