// Package conv computes convolutions, poolings and matrix products in the form that is
// fastest on each backend, with the values and gradients of the stock layers.
package conv

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/embed/backends"
)

// Convolve returns the convolution, with stride 1, of x [batch, height, width,
// channels] with kernel [kernelHeight, kernelWidth, channels, outputs]. With same,
// x is padded by zeros so that height and width stay. With pool, the maximum of each
// 2 x 2 window of the convolution, with stride 2, is returned; an odd last row or
// column is left out. Where several elements of a window are the maximum, the gradient
// goes to one of them or is shared among them: its sum is that of the stock layer.
func Convolve(x, kernel *graph.Node, same, pool bool) *graph.Node {
	backend := backends.Name(x.Graph().Backend())
	if backend == backends.Go {
		if pool && suitsTiles(kernel) {
			return convolveTiles(x, kernel, same)
		}
		return convolveAsMatMul(x, kernel, same, pool)
	}
	if pool && !same {
		x = evenOutput(x, kernel)
	}
	switch {
	case backend == backends.XLACPU && pool && x.Shape().Dim(3) == 1:
		return convolveWindows(x, kernel, same)
	case backend == backends.XLACPU && !same && x.Shape().Dim(1)*x.Shape().Dim(2) <= smallImage:
		x = convolveValid(x, kernel)
	case same:
		x = graph.Convolve(x, kernel).PadSame().Done()
	default:
		x = graph.Convolve(x, kernel).NoPadding().Done()
	}
	if pool {
		x = maxPool(x)
	}
	return x
}

// evenOutput returns x without a last row or column that only reaches what the pooling
// of a convolution without padding leaves out.
func evenOutput(x, kernel *graph.Node) *graph.Node {
	end := func(axis int) int {
		size := x.Shape().Dim(1 + axis)
		return size - (size-kernel.Shape().Dim(axis)+1)%2
	}
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, end(0)), graph.AxisRange(0, end(1)))
}

// smallImage is the number of pixels of x up to which convolveValid is used.
const smallImage = 32 * 32

// convolveValid is the convolution without padding, with a gradient of x of its own.
// XLA's is a convolution of v with the flipped kernel and zeros all around v: for small
// images most of its products are with zeros. Here it is one matrix product, whose
// columns are added up where they lie under the kernel. They take nine times the memory
// of x: too much for large images, where zeros are few.
func convolveValid(x, kernel *graph.Node) *graph.Node {
	return withInputGradient(x, func(x *graph.Node) (y *graph.Node, gradient func(v *graph.Node) *graph.Node) {
		return graph.Convolve(x, kernel).NoPadding().Done(), func(v *graph.Node) (dx *graph.Node) {
			batch, rows, columns := v.Shape().Dim(0), v.Shape().Dim(1), v.Shape().Dim(2)
			kernelHeight, kernelWidth, channels, outputs := kernel.Shape().Dim(0), kernel.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
			dpatches := graph.DotGeneral(graph.Reshape(v, -1, outputs), []int{1}, nil, graph.Reshape(kernel, -1, outputs), []int{1}, nil)
			dpatches = graph.Reshape(dpatches, batch, rows, columns, kernelHeight, kernelWidth, channels)
			for i := range kernelHeight {
				for j := range kernelWidth {
					part := graph.Slice(dpatches, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisElem(i), graph.AxisElem(j))
					dx = sum(dx, pad(graph.Squeeze(part, 3, 4), graph.PadAxis{},
						graph.PadAxis{Start: i, End: kernelHeight - 1 - i},
						graph.PadAxis{Start: j, End: kernelWidth - 1 - j}))
				}
			}
			return dx
		}
	})
}

// convolveWindows is Convolve with pool for an x with one channel, where XLA's
// convolution is slow on a CPU. The convolution at the four places of a pooling window
// is one matrix product: of the patch of x under the whole window with the kernel moved
// to each place.
func convolveWindows(x, kernel *graph.Node, same bool) *graph.Node {
	kernelHeight, kernelWidth, channels, outputs := kernel.Shape().Dim(0), kernel.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	if same {
		x = pad(x, graph.PadAxis{},
			graph.PadAxis{Start: (kernelHeight - 1) / 2, End: kernelHeight / 2},
			graph.PadAxis{Start: (kernelWidth - 1) / 2, End: kernelWidth / 2})
	}
	batch, rows, columns := x.Shape().Dim(0), (x.Shape().Dim(1)-kernelHeight+1)/2, (x.Shape().Dim(2)-kernelWidth+1)/2
	var under []*graph.Node
	for i := range kernelHeight + 1 {
		for j := range kernelWidth + 1 {
			under = append(under, graph.Slice(x, graph.AxisRange(),
				graph.AxisRange(i, i+2*rows-1).Stride(2), graph.AxisRange(j, j+2*columns-1).Stride(2)))
		}
	}
	var moved []*graph.Node
	for row := range 2 {
		for column := range 2 {
			moved = append(moved, pad(kernel, graph.PadAxis{Start: row, End: 1 - row}, graph.PadAxis{Start: column, End: 1 - column}))
		}
	}
	patches := graph.Reshape(graph.Concatenate(under, -1), batch*rows*columns, -1)
	weights := graph.Reshape(graph.Concatenate(moved, -1), (kernelHeight+1)*(kernelWidth+1)*channels, 4*outputs)
	places := graph.Reshape(graph.MatMul(patches, weights), batch, rows, columns, 4, outputs)
	return sharedMax(places, 3)
}

// maxPool returns the maximum of each 2 x 2 window, with stride 2, of x [batch, height,
// width, channels], as a reduction over window axes.
func maxPool(x *graph.Node) *graph.Node {
	height, width := x.Shape().Dim(1)/2*2, x.Shape().Dim(2)/2*2
	if height < x.Shape().Dim(1) || width < x.Shape().Dim(2) {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, height), graph.AxisRange(0, width), graph.AxisRange())
	}
	dims := x.Shape().Dimensions
	return sharedMax(graph.Reshape(x, dims[0], dims[1]/2, 2, dims[2]/2, 2, dims[3]), 2, 4)
}

// sharedMax is graph.ReduceMax with a gradient that is shared among equal maxima,
// where graph.ReduceMax gives each the whole of it.
func sharedMax(x *graph.Node, axes ...int) *graph.Node {
	return withInputGradient(x, func(x *graph.Node) (y *graph.Node, gradient func(v *graph.Node) *graph.Node) {
		highest := graph.ReduceAndKeep(x, graph.ReduceMax, axes...)
		return graph.Squeeze(highest, axes...), func(v *graph.Node) *graph.Node {
			isHighest := graph.ConvertDType(graph.Equal(x, highest), v.DType())
			share := graph.Div(graph.Reshape(v, highest.Shape().Dimensions...), sumSlices(isHighest, axes...))
			return graph.Mul(isHighest, share)
		}
	})
}

// sumSlices is graph.ReduceAndKeep with graph.ReduceSum for short axes, as a sum of slices:
// XLA's reduction over an axis in the middle is slow on a CPU.
func sumSlices(x *graph.Node, axes ...int) *graph.Node {
	for _, axis := range axes {
		var total *graph.Node
		for i := range x.Shape().Dim(axis) {
			total = sum(total, graph.SliceAxis(x, axis, graph.AxisRange(i, i+1)))
		}
		x = total
	}
	return x
}

// Multiply returns the matrix product of x [batch, ...], flat, with weights [features,
// outputs]. On XLA for a CPU the gradient of an x of more axes is computed transposed, and
// moved into place by a transposition of three axes that XLA does not see through: as
// the product that XLA makes of it, it takes twice the time.
func Multiply(x, weights *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	flat := func(x *graph.Node) *graph.Node { return graph.Reshape(x, dims[0], -1) }
	if backends.Name(x.Graph().Backend()) != backends.XLACPU || len(dims) < 3 {
		return graph.MatMul(flat(x), weights)
	}
	return withInputGradient(x, func(x *graph.Node) (y *graph.Node, gradient func(v *graph.Node) *graph.Node) {
		return graph.MatMul(flat(x), weights), func(v *graph.Node) *graph.Node {
			dx := graph.DotGeneral(weights, []int{1}, nil, v, []int{1}, nil)
			dx = graph.Reshape(dx, -1, dims[len(dims)-1], dims[0])
			return graph.Reshape(graph.TransposeAllAxes(dx, 2, 0, 1), dims...)
		}
	})
}

// firstElement returns the first element of x as a scalar.
func firstElement(x *graph.Node) *graph.Node {
	for axis := range x.Rank() {
		x = graph.SliceAxis(x, axis, graph.AxisRange(0, 1))
	}
	return graph.Reshape(x)
}

// withInputGradient returns the output of forward for x, with the gradient of x that
// the function returned by forward computes from the output's gradient v. Gradients of
// what else forward uses are the graph's own.
func withInputGradient(x *graph.Node,
	forward func(x *graph.Node) (y *graph.Node, gradient func(v *graph.Node) *graph.Node),
) *graph.Node {
	var dx *graph.Node
	x = graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return dx })
	y, gradient := forward(graph.StopGradient(x))
	// The graph's own gradient must find a way from y to x; what it computes on that way
	// is replaced, so that none of it is executed.
	y = graph.Add(y, graph.MulScalar(firstElement(x), 0))
	return graph.IdentityWithCustomGradient(y, func(_, v *graph.Node) *graph.Node {
		dx = gradient(v)
		return v
	})
}
