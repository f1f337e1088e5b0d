package embed

import (
	"github.com/gomlx/gomlx/core/graph"
)

// goBackend is what the pure-Go backend calls itself. It has no fast convolution, but a
// fast matrix product.
const goBackend = "Go Backend"

// convolve returns the convolution, with stride 1, of x [batch, height, width,
// channels] with kernel [kernelHeight, kernelWidth, channels, outputs]. With same,
// x is padded by zeros so that height and width stay. With pool, the maximum of each
// 2 x 2 window of the convolution, with stride 2, is returned; an odd last row or
// column is left out. Where several elements of a window are the maximum, the gradient
// goes to one of them or is shared among them: its sum is that of the stock layer.
func convolve(x, kernel *graph.Node, same, pool bool) *graph.Node {
	if x.Graph().Backend().Name() == goBackend {
		return convolveAsMatMul(x, kernel, same, pool)
	}
	convolution := graph.Convolve(x, kernel)
	if same {
		convolution.PadSame()
	} else {
		convolution.NoPadding()
	}
	if !pool {
		return convolution.Done()
	}
	return maxPool(convolution.Done())
}

// maxPool returns the maximum of each 2 x 2 window, with stride 2, of x [batch, height,
// width, channels], as a reduction over window axes. The gradient of ReduceMax goes
// whole to every maximum of a window: it is shared here.
func maxPool(x *graph.Node) *graph.Node {
	height, width := x.Shape().Dim(1)/2*2, x.Shape().Dim(2)/2*2
	if height < x.Shape().Dim(1) || width < x.Shape().Dim(2) {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, height), graph.AxisRange(0, width), graph.AxisRange())
	}
	dims := x.Shape().Dimensions
	windows := graph.Reshape(x, dims[0], dims[1]/2, 2, dims[2]/2, 2, dims[3])
	shared := graph.IdentityWithCustomGradient(windows, func(windows, v *graph.Node) *graph.Node {
		highest := graph.ReduceAndKeep(windows, graph.ReduceMax, 2, 4)
		isHighest := graph.ConvertDType(graph.Equal(windows, highest), v.DType())
		return graph.Div(v, graph.ReduceAndKeep(isHighest, graph.ReduceSum, 2, 4))
	})
	return graph.ReduceMax(shared, 2, 4)
}
