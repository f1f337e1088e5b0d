package conv

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// convolveAsMatMul is Convolve for a backend whose matrix product is fast, and whose
// copies of contiguous memory are: it gathers the patches of x under the kernel as rows
// of a matrix. With pool, the convolution is computed for each of the four places of a
// pooling window apart, so that the pooling is a maximum of four matrices.
func convolveAsMatMul(x, kernel *graph.Node, same, pool bool) *graph.Node {
	c := convolution{
		batch: x.Shape().Dim(0), height: x.Shape().Dim(1), width: x.Shape().Dim(2), channels: x.Shape().Dim(3),
		kernelHeight: kernel.Shape().Dim(0), kernelWidth: kernel.Shape().Dim(1), outputs: kernel.Shape().Dim(3),
		stride: 1,
	}
	if same {
		c.padHeight, c.padWidth = c.kernelHeight-1, c.kernelWidth-1
	}
	if pool {
		c.stride = 2
	}
	c.rows = (c.height + c.padHeight - c.kernelHeight + 1) / c.stride
	c.columns = (c.width + c.padWidth - c.kernelWidth + 1) / c.stride
	return withGradient(x, kernel, c.forward)
}

// withGradient returns the output of forward for x and kernel, with the gradients that
// the function returned by forward computes from the output's gradient v. GoMLX lets
// only a function of one node have a gradient of its own.
func withGradient(x, kernel *graph.Node,
	forward func(x, kernel *graph.Node) (y *graph.Node, backward func(v *graph.Node) (dx, dkernel *graph.Node)),
) *graph.Node {
	var dx, dkernel *graph.Node
	x = graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return dx })
	kernel = graph.IdentityWithCustomGradient(kernel, func(_, _ *graph.Node) *graph.Node { return dkernel })
	y, backward := forward(graph.StopGradient(x), graph.StopGradient(kernel))
	// The graph's own gradient must find a way from y to both; what it computes on that way
	// is replaced, so that none of it is executed.
	way := graph.MulScalar(graph.Add(firstElement(x), firstElement(kernel)), 0)
	y = graph.Add(graph.StopGradient(y), way)
	return graph.IdentityWithCustomGradient(y, func(_, v *graph.Node) *graph.Node {
		dx, dkernel = backward(v)
		return v
	})
}

// A convolution has the sizes of a convolution of x [batch, height, width, channels]
// with a kernel [kernelHeight, kernelWidth, channels, outputs].
type convolution struct {
	batch, height, width, channels     int
	kernelHeight, kernelWidth, outputs int
	padHeight, padWidth                int // rows and columns of zeros around x, on both sides together
	stride                             int // of the pooling; 1 without it
	rows, columns                      int // of the output
}

// A place is one of the stride x stride places of a pooling window.
type place struct {
	row, column int
	patches     *graph.Node // of x under the kernel [batch*rows*columns, kernelHeight*kernelWidth*channels]
	y           *graph.Node // the convolution [batch*rows*columns, outputs]
}

func (c convolution) forward(x, kernel *graph.Node) (y *graph.Node, backward func(v *graph.Node) (dx, dkernel *graph.Node)) {
	padded := x
	if c.padHeight+c.padWidth > 0 {
		padded = pad(x, graph.PadAxis{},
			graph.PadAxis{Start: c.padHeight / 2, End: c.padHeight - c.padHeight/2},
			graph.PadAxis{Start: c.padWidth / 2, End: c.padWidth - c.padWidth/2})
	}
	weights := graph.Reshape(kernel, -1, c.outputs)
	var places []place
	for row := range c.stride {
		for column := range c.stride {
			patches := c.patches(padded, row, column)
			at := place{row, column, patches, graph.MatMul(patches, weights)}
			places = append(places, at)
			if y == nil {
				y = at.y
			} else {
				y = graph.Max(y, at.y)
			}
		}
	}
	y = graph.Reshape(y, c.batch, c.rows, c.columns, c.outputs)
	return y, func(v *graph.Node) (dx, dkernel *graph.Node) { return c.backward(places, weights, y, v) }
}

// patches returns the patches [batch*rows*columns, kernelHeight*kernelWidth*channels] for
// one place of each pooling window.
func (c convolution) patches(x *graph.Node, row, column int) *graph.Node {
	starts := make([]int32, 0, 3*c.batch*c.rows*c.columns)
	for image := range c.batch {
		for r := range c.rows {
			for k := range c.columns {
				starts = append(starts, int32(image), int32(r*c.stride+row), int32(k*c.stride+column))
			}
		}
	}
	at := graph.ConstTensor(x.Graph(), tensors.FromFlatDataAndDimensions(starts, len(starts)/3, 3))
	patches := graph.GatherSlices(x, []int{0, 1, 2}, at, []int{1, c.kernelHeight, c.kernelWidth}, true)
	return graph.Reshape(patches, len(starts)/3, c.kernelHeight*c.kernelWidth*c.channels)
}

// backward returns the gradients of x and the kernel, from the gradient v of y.
func (c convolution) backward(places []place, weights, y, v *graph.Node) (dx, dkernel *graph.Node) {
	y, v = graph.Reshape(y, -1, c.outputs), graph.Reshape(v, -1, c.outputs)
	zeros := graph.ZerosLike(v)
	var dweights *graph.Node
	phases := make([]*graph.Node, c.stride*c.stride)
	for i, at := range places {
		// The first maximum gets the gradient.
		dy := v
		if i < len(places)-1 {
			dy = graph.Where(graph.Equal(at.y, y), v, zeros)
			v = graph.Sub(v, dy)
		}
		dweights = sum(dweights, contractRows(at.patches, dy))
		dpatches := graph.DotGeneral(dy, []int{1}, nil, weights, []int{1}, nil)
		c.addPatches(phases, at, graph.Reshape(dpatches, c.batch, c.rows, c.columns, -1))
	}
	return c.join(phases), graph.Reshape(dweights, c.kernelHeight, c.kernelWidth, c.channels, c.outputs)
}

// contractRows returns the product [a, b] of the transpose of a [rows, a] with b [rows,
// b]. The backend would transpose both: here only the one with fewer columns is.
func contractRows(a, b *graph.Node) *graph.Node {
	if a.Shape().Dim(1) < b.Shape().Dim(1) {
		return graph.MatMul(graph.Transpose(a, 0, 1), b)
	}
	return graph.Transpose(graph.MatMul(graph.Transpose(b, 0, 1), a), 0, 1)
}

// addPatches adds the gradients of one place's patches to the phases: phase (a, b)
// holds the rows a, a+stride... and columns b, b+stride... of the gradient of x.
func (c convolution) addPatches(phases []*graph.Node, at place, dpatches *graph.Node) {
	for i := range c.kernelHeight {
		for j := range c.kernelWidth {
			row, column := at.row+i, at.column+j
			before := (i*c.kernelWidth + j) * c.channels
			phase := row%c.stride*c.stride + column%c.stride
			phases[phase] = sum(phases[phase], pad(dpatches, graph.PadAxis{},
				graph.PadAxis{Start: row / c.stride, End: (c.kernelHeight+c.stride-2)/c.stride - row/c.stride},
				graph.PadAxis{Start: column / c.stride, End: (c.kernelWidth+c.stride-2)/c.stride - column/c.stride},
				graph.PadAxis{Start: -before, End: before + c.channels - dpatches.Shape().Dim(3)}))
		}
	}
}

// join returns the gradient of x from its phases.
func (c convolution) join(phases []*graph.Node) (dx *graph.Node) {
	// spread puts size rows, the first one at start, stride apart into an axis of x.
	spread := func(start, size, axis int) graph.PadAxis {
		return graph.PadAxis{Start: start, Interior: c.stride - 1, End: axis - start - (size-1)*c.stride - 1}
	}
	for i, phase := range phases {
		dx = sum(dx, pad(phase, graph.PadAxis{},
			spread(i/c.stride-c.padHeight/2, phase.Shape().Dim(1), c.height),
			spread(i%c.stride-c.padWidth/2, phase.Shape().Dim(2), c.width)))
	}
	return dx
}

// pad is graph.Pad with zeros. A negative padding takes away: the backend's Slice goes
// element by element, its Pad copies rows.
func pad(x *graph.Node, axes ...graph.PadAxis) *graph.Node {
	axes = append(axes, make([]graph.PadAxis, x.Rank()-len(axes))...) // the gradient of graph.Pad needs all
	return graph.Pad(x, graph.ScalarZero(x.Graph(), x.DType()), axes...)
}

// sum returns a + b; a may be nil.
func sum(a, b *graph.Node) *graph.Node {
	if a == nil {
		return b
	}
	return graph.Add(a, b)
}
