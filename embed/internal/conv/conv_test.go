package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// normal returns a tensor of normally distributed numbers.
func normal(random *rand.Rand, dimensions ...int) *tensors.Tensor {
	size := 1
	for _, dimension := range dimensions {
		size *= dimension
	}
	flat := make([]float32, size)
	for i := range flat {
		flat[i] = float32(random.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(flat, dimensions...)
}

// weighted returns the output of an operation and the gradients of a sum of it,
// each element with a weight of its own, with respect to the inputs.
func weighted(output *graph.Node, inputs ...*graph.Node) []*graph.Node {
	weights := graph.Sin(graph.AddScalar(graph.MulScalar(graph.Iota(output.Graph(), output.Shape(), -1), 0.7),
		1)) // along channels
	position := graph.Cos(graph.MulScalar(graph.IotaFull(output.Graph(), output.Shape()), 0.3))
	sum := graph.ReduceAllSum(graph.Mul(graph.Mul(output, weights), position))
	return append([]*graph.Node{output}, graph.Gradient(sum, inputs...)...)
}

// flat returns the elements of float32 tensors.
func flat(all []*tensors.Tensor) (values [][]float32) {
	for _, tensor := range all {
		values = append(values, tensors.MustCopyFlatData[float32](tensor))
	}
	return values
}

// checkClose fails unless max|got-want| <= 1e-5 max|want|.
func checkClose(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, want %d", what, len(got), len(want))
	}
	largest, difference := 0., 0.
	for i := range want {
		largest = max(largest, math.Abs(float64(want[i])))
		difference = max(difference, math.Abs(float64(got[i]-want[i])))
	}
	if !(difference <= 1e-5*largest) || largest == 0 {
		t.Errorf("%s differs by up to %g, its largest element is %g", what, difference, largest)
	}
}

// runAll runs one graph, compiled once: from all inputs to all outputs.
func runAll(t *testing.T, backend compute.Backend, inputs []*tensors.Tensor, build func(inputs []*graph.Node) []*graph.Node) [][]float32 {
	t.Helper()
	var args []any
	for _, input := range inputs {
		args = append(args, input)
	}
	outputs, err := graph.CallOnceN(backend, build, args...)
	if err != nil {
		t.Fatal(err)
	}
	return flat(outputs)
}

var testChannels = []int{1, 3}

func TestConvolve(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		random := rand.New(rand.NewPCG(1, 1))
		var inputs []*tensors.Tensor
		for _, size := range [][2]int{{6, 6}, {7, 5}, {4, 9}, {3, 3}} {
			for _, channels := range append([]int{32}, testChannels...) { // 32: in tiles, in pure Go
				inputs = append(inputs, normal(random, 2, size[0], size[1], channels), normal(random, 3, 3, channels, 12)) // 12: between the columns of 1 and 3 channels
			}
		}
		var what []string
		got := runAll(t, backend, inputs, func(inputs []*graph.Node) (all []*graph.Node) {
			for i := 0; i < len(inputs); i += 2 {
				x, kernel := inputs[i], inputs[i+1]
				for _, same := range []bool{false, true} {
					for _, pool := range []bool{false, true} {
						if pool && !same && min(x.Shape().Dim(1), x.Shape().Dim(2)) < 4 {
							continue // nothing is left
						}
						stock := graph.Convolve(x, kernel).NoPadding()
						if same {
							stock.PadSame()
						}
						y := stock.Done()
						if pool {
							y = graph.MaxPool(y).Window(2).NoPadding().Done()
						}
						ours, theirs := weighted(Convolve(x, kernel, same, pool), x, kernel), weighted(y, x, kernel)
						for k, part := range []string{"output", "gradient of x", "gradient of the kernel"} {
							all = append(all, ours[k], theirs[k])
							what = append(what, fmt.Sprintf("%s, same %v, pool %v: %s", x.Shape(), same, pool, part))
							embedtest.CheckEqual(t, what[len(what)-1]+": shape", ours[k].Shape(), theirs[k].Shape())
						}
					}
				}
			}
			return all
		})
		for i := range what {
			checkClose(t, what[i], got[2*i], got[2*i+1])
		}
	})
}

// TestMultiply: the matrix product of what is flattened, with its gradients.
func TestMultiply(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		random := rand.New(rand.NewPCG(6, 1))
		for _, size := range [][]int{{3, 5}, {3, 5, 1}, {2, 4, 3, 5}} {
			x := normal(random, size...)
			inputs := []*tensors.Tensor{x, normal(random, x.Size()/size[0], 7)}
			got := runAll(t, backend, inputs, func(inputs []*graph.Node) []*graph.Node {
				x, weights := inputs[0], inputs[1]
				return append(weighted(Multiply(x, weights), x, weights),
					weighted(graph.MatMul(graph.Reshape(x, size[0], -1), weights), x, weights)...)
			})
			for k, part := range []string{"output", "gradient of x", "gradient of the weights"} {
				checkClose(t, fmt.Sprintf("%v: %s", size, part), got[k], got[3+k])
			}
		}
	})
}

// TestConvolveByHand: the naive loop, in the field's sense of convolution (the
// kernel is not flipped), with zeros around the image.
func TestConvolveByHand(t *testing.T) {
	const height, width, channels, outputs = 5, 4, 3, 2
	random := rand.New(rand.NewPCG(2, 1))
	x, kernel := normal(random, 1, height, width, channels), normal(random, 3, 3, channels, outputs)
	pixels, weights := flat([]*tensors.Tensor{x})[0], flat([]*tensors.Tensor{kernel})[0]
	var want []float32
	for row := range height {
		for column := range width {
			for output := range outputs {
				sum := float32(0)
				for i := range 3 {
					for j := range 3 {
						r, c := row+i-1, column+j-1
						if r < 0 || r >= height || c < 0 || c >= width {
							continue
						}
						for channel := range channels {
							sum += pixels[(r*width+c)*channels+channel] * weights[((i*3+j)*channels+channel)*outputs+output]
						}
					}
				}
				want = append(want, sum)
			}
		}
	}
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		got := graph.MustExecOnce(backend, func(x, kernel *graph.Node) *graph.Node { return Convolve(x, kernel, true, false) },
			tensors.FromFlatDataAndDimensions(pixels, x.Shape().Dimensions...),
			tensors.FromFlatDataAndDimensions(weights, kernel.Shape().Dimensions...))
		checkClose(t, "convolution", flat([]*tensors.Tensor{got})[0], want)
	})
}

// pool returns, for each input, output and gradient of our pooling, behind a
// convolution that changes nothing, then output and gradient of the stock layer.
func pool(t *testing.T, backend compute.Backend, inputs []*tensors.Tensor) [][]float32 {
	t.Helper()
	return runAll(t, backend, inputs, func(inputs []*graph.Node) (all []*graph.Node) {
		for _, x := range inputs {
			channels := x.Shape().Dim(-1)
			identity := graph.Reshape(graph.ConvertDType(graph.Diagonal(x.Graph(), channels), x.DType()), 1, 1, channels, channels)
			ours, theirs := weighted(Convolve(x, identity, false, true), x), weighted(graph.MaxPool(x).Window(2).NoPadding().Done(), x)
			embedtest.CheckEqual(t, fmt.Sprintf("%s: output shape", x.Shape()), ours[0].Shape(), theirs[0].Shape())
			all = append(append(all, ours...), theirs...)
		}
		return all
	})
}

var poolSizes = [][2]int{{6, 6}, {7, 5}, {4, 9}, {3, 2}}

func TestPooling(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		random := rand.New(rand.NewPCG(3, 1))
		var inputs []*tensors.Tensor
		for _, size := range poolSizes {
			for _, channels := range testChannels {
				inputs = append(inputs, normal(random, 2, size[0], size[1], channels))
			}
		}
		results := pool(t, backend, inputs)
		for i, input := range inputs {
			for k, what := range []string{"output", "gradient"} {
				checkClose(t, fmt.Sprintf("%s: %s", input.Shape(), what), results[4*i+k], results[4*i+2+k])
			}
		}
	})
}

func TestPoolingOfTies(t *testing.T) {
	const batch = 2
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		random := rand.New(rand.NewPCG(4, 1))
		var inputs []*tensors.Tensor
		for _, value := range []func() float32{
			func() float32 { return 0.5 },
			func() float32 { return 0 },
			func() float32 { return max(0, float32(random.NormFloat64())) }, // behind a relu
			func() float32 { return float32(random.IntN(3)) },
		} {
			for _, size := range poolSizes {
				for _, channels := range testChannels {
					pixels := make([]float32, batch*size[0]*size[1]*channels)
					for i := range pixels {
						pixels[i] = value()
					}
					inputs = append(inputs, tensors.FromFlatDataAndDimensions(pixels, batch, size[0], size[1], channels))
				}
			}
		}
		results := pool(t, backend, inputs)
		for i, input := range inputs {
			what := fmt.Sprintf("input %d, %s: ", i, input.Shape())
			height, width, channels := input.Shape().Dim(1), input.Shape().Dim(2), input.Shape().Dim(3)
			// windowSums sums a gradient over each window.
			windowSums := func(gradient []float32) []float32 {
				sums := make([]float32, batch*(height/2)*(width/2)*channels)
				for k, v := range gradient {
					image, row, column := k/channels/width/height, k/channels/width%height/2, k/channels%width/2
					if row < height/2 && column < width/2 {
						sums[((image*(height/2)+row)*(width/2)+column)*channels+k%channels] += v
					} else if v != 0 {
						t.Errorf("%sthe gradient of element %d, in no window, is %g", what, k, v)
					}
				}
				return sums
			}
			embedtest.CheckEqual(t, what+"output", results[4*i], results[4*i+2])
			checkClose(t, what+"sum of the gradient over each window", windowSums(results[4*i+1]), windowSums(results[4*i+3]))
		}
	})
}
