package losses_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/gomlx/core/graph"
)

// TestSquaredDistances: distances and gradients are exact far from the origin, of rows that
// are near to each other too, and those of equal rows are 0. The weight of a pair is one over
// its distance, so that all pairs matter alike in the gradient.
func TestSquaredDistances(t *testing.T) {
	weighted := func(in nodes) *graph.Node {
		return graph.Mul(in["weights"], losses.SquaredDistances(in["x"], in["y"]))
	}
	onPlatforms(t, func(t *testing.T, p platform) {
		for _, dim := range []int{1, 2, 16, 17, 35} {
			t.Run(fmt.Sprint(dim), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, uint64(dim)))
				x, y := gaussian(rng, 5, dim), gaussian(rng, 7, dim)
				for k := range dim {
					for i := range x {
						x[i][k] = float64(float32(30 + x[i][k]))
					}
					for j := range y {
						y[j][k] = float64(float32(30 + y[j][k]))
					}
					y[1][k], y[2][k] = x[1][k], float64(float32(x[2][k]+1e-3))
				}
				weights := gaussian(rng, 5, 7)
				var distances, dx, dy []float64
				dx, dy = make([]float64, 5*dim), make([]float64, 7*dim)
				for i := range x {
					for j := range y {
						d, w := squaredDistance(x[i], y[j]), &weights[i][j]
						*w = float64(float32(*w / math.Sqrt(max(d, 1e-9))))
						distances = append(distances, *w*d)
						for k := range dim {
							gradient := *w * 2 * (x[i][k] - y[j][k]) / 35
							dx[i*dim+k] += gradient
							dy[j*dim+k] -= gradient
						}
					}
				}
				values, gradients := p.evaluator(t, weighted, "x", "y", "weights")(arrays{"x": x, "y": y, "weights": weights}, []int32{0})
				checkClose(t, "distances", values, distances, p.tolerance)
				checkClose(t, "distance of equal rows", values[8:9], []float64{0}, 0)
				checkClose(t, "gradient of x", gradients["x"], dx, p.tolerance)
				checkClose(t, "gradient of y", gradients["y"], dy, p.tolerance)
			})
		}
	})
}

// TestSquaredDistancesOfOneMatrix: a matrix that is both arguments gets both gradients.
func TestSquaredDistancesOfOneMatrix(t *testing.T) {
	distances := func(in nodes) *graph.Node { return losses.SquaredDistances(in["x"], in["x"]) }
	onPlatforms(t, func(t *testing.T, p platform) {
		for _, dim := range []int{2, 35} {
			x := gaussian(rand.New(rand.NewPCG(2, uint64(dim))), 6, dim)
			var want, dx []float64
			for i := range x {
				for j := range x {
					want = append(want, squaredDistance(x[i], x[j]))
				}
				for k := range dim {
					sum := 0.0
					for j := range x {
						sum += 4 * (x[i][k] - x[j][k]) / 36
					}
					dx = append(dx, sum)
				}
			}
			values, gradients := p.evaluator(t, distances, "x")(arrays{"x": x}, []int32{0})
			checkClose(t, "distances", values, want, p.tolerance)
			checkClose(t, "gradient", gradients["x"], dx, p.tolerance)
		}
	})
}

// TestDistances: the gradient of a distance is a unit vector, and that of equal rows is 0.
func TestDistances(t *testing.T) {
	in := arrays{"x": [][]float64{{1, 2}, {4, 6}}, "y": [][]float64{{1, 2}}}
	distances := func(in nodes) *graph.Node { return losses.Distances(in["x"], in["y"]) }
	onPlatforms(t, func(t *testing.T, p platform) {
		values, gradients := p.evaluator(t, distances, "x", "y")(in, []int32{0})
		checkClose(t, "distances", values, []float64{0, 5}, p.tolerance)
		checkClose(t, "gradient of x, of the mean", gradients["x"], []float64{0, 0, 0.3, 0.4}, p.tolerance)
	})
}
