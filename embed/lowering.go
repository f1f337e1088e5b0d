package embed

import (
	"github.com/gomlx/gomlx/core/graph"
)

// goBackend is what the pure-Go backend calls itself. It has no fast convolution, but a
// fast matrix product.
const goBackend = "Go Backend"

// convolve returns the convolution, with stride 1, of x [batch, height, width,
// channels] with kernel [kernelHeight, kernelWidth, channels, outputs]. With same,
// x is padded by zeros so that height and width stay.
func convolve(x, kernel *graph.Node, same bool) *graph.Node {
	if x.Graph().Backend().Name() == goBackend {
		return convolveAsMatMul(x, kernel, same)
	}
	convolution := graph.Convolve(x, kernel)
	if same {
		convolution.PadSame()
	} else {
		convolution.NoPadding()
	}
	return convolution.Done()
}

// convolveAsMatMul is convolve as a sum of one matrix product per kernel position.
func convolveAsMatMul(x, kernel *graph.Node, same bool) *graph.Node {
	kernelDims := kernel.Shape().Dimensions
	kernelHeight, kernelWidth, channels, outputs := kernelDims[0], kernelDims[1], kernelDims[2], kernelDims[3]
	if same {
		x = graph.Pad(x, graph.ScalarZero(x.Graph(), x.DType()),
			graph.PadAxis{}, padSame(kernelHeight), padSame(kernelWidth), graph.PadAxis{})
	}
	batch, height, width := x.Shape().Dim(0), x.Shape().Dim(1)-kernelHeight+1, x.Shape().Dim(2)-kernelWidth+1
	var columns []*graph.Node
	for i := range kernelHeight {
		for j := range kernelWidth {
			columns = append(columns, graph.Slice(x,
				graph.AxisRange(), graph.AxisRange(i, i+height), graph.AxisRange(j, j+width), graph.AxisRange()))
		}
	}
	column := graph.Concatenate(columns, -1)
	y := graph.MatMul(
		graph.Reshape(column, batch*height*width, kernelHeight*kernelWidth*channels),
		graph.Reshape(kernel, kernelHeight*kernelWidth*channels, outputs))
	return graph.Reshape(y, batch, height, width, outputs)
}

// padSame is the padding that keeps the size of an axis under a kernel.
func padSame(kernel int) graph.PadAxis {
	return graph.PadAxis{Start: (kernel - 1) / 2, End: kernel / 2}
}

// maxPool returns the maximum of each 2 x 2 window, with stride 2, of x [batch,
// height, width, channels]; an odd last row or column is left out. Where several
// elements of a window are the maximum, the gradient goes to one of them or is
// shared among them: its sum is that of the stock layer.
func maxPool(x *graph.Node) *graph.Node {
	height, width := x.Shape().Dim(1)/2*2, x.Shape().Dim(2)/2*2
	if height < x.Shape().Dim(1) || width < x.Shape().Dim(2) {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, height), graph.AxisRange(0, width), graph.AxisRange())
	}
	if x.Graph().Backend().Name() == goBackend {
		return maxPoolOfSlices(x)
	}
	return maxPoolByReduce(x)
}

// maxPoolOfSlices is maxPool as the maximum of the four strided slices of x.
func maxPoolOfSlices(x *graph.Node) *graph.Node {
	slice := func(row, column int) *graph.Node {
		return graph.Slice(x, graph.AxisRange(),
			graph.AxisRangeToEnd(row).Stride(2), graph.AxisRangeToEnd(column).Stride(2), graph.AxisRange())
	}
	return graph.Max(graph.Max(slice(0, 0), slice(0, 1)), graph.Max(slice(1, 0), slice(1, 1)))
}

// maxPoolByReduce is maxPool as a reduction over window axes. The gradient of
// ReduceMax goes whole to every maximum of a window: it is shared here.
func maxPoolByReduce(x *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	windows := graph.Reshape(x, dims[0], dims[1]/2, 2, dims[2]/2, 2, dims[3])
	shared := graph.IdentityWithCustomGradient(windows, func(windows, v *graph.Node) *graph.Node {
		highest := graph.ReduceAndKeep(windows, graph.ReduceMax, 2, 4)
		isHighest := graph.ConvertDType(graph.Equal(windows, highest), v.DType())
		return graph.Div(v, graph.ReduceAndKeep(isHighest, graph.ReduceSum, 2, 4))
	})
	return graph.ReduceMax(shared, 2, 4)
}
