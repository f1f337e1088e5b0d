package embed

import (
	"github.com/gomlx/gomlx/core/graph"
)

// convolveAsMatMul is convolve for a backend whose matrix product is fast, and whose
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
	c.patchHeight, c.patchWidth = c.kernelHeight, c.kernelWidth
	if c.shared = c.channels <= sharedChannels; c.shared {
		c.patchHeight, c.patchWidth = c.kernelHeight+c.stride-1, c.kernelWidth+c.stride-1
	}
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
	// The graph's own gradient finds its way from y to both through the kernel. No node of
	// that way is executed, since both gradients are replaced.
	first := graph.Slice(x, graph.AxisElem(0), graph.AxisElem(0), graph.AxisElem(0), graph.AxisElem(0))
	way := graph.Add(kernel, graph.MulScalar(first, 0))
	y, backward := forward(graph.StopGradient(x), way)
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

	// With shared, one patch holds what is under the kernel at all places of a pooling
	// window.
	shared                  bool
	patchHeight, patchWidth int
}

// sharedChannels is the number of channels up to which it costs less to multiply with
// zeros than to gather patches four times.
const sharedChannels = 4

// A place is one of the stride x stride places of a pooling window.
type place struct {
	row, column int
	patches     *graph.Node // [batch*rows*columns, patchHeight*patchWidth*channels]
	weights     *graph.Node // [patchHeight*patchWidth*channels, outputs]
	y           *graph.Node // [batch*rows*columns, outputs]
}

func (c convolution) forward(x, kernel *graph.Node) (y *graph.Node, backward func(v *graph.Node) (dx, dkernel *graph.Node)) {
	padded := x
	if c.padHeight+c.padWidth > 0 {
		padded = pad(x, graph.PadAxis{},
			graph.PadAxis{Start: c.padHeight / 2, End: c.padHeight - c.padHeight/2},
			graph.PadAxis{Start: c.padWidth / 2, End: c.padWidth - c.padWidth/2})
	}
	var places []place
	for row := range c.stride {
		for column := range c.stride {
			at := place{row: row, column: column, weights: kernel}
			if c.shared {
				at.weights = pad(kernel, c.around(row, column)...)
				if len(places) > 0 {
					at.patches = places[0].patches
				}
			}
			if at.patches == nil {
				at.patches = c.patches(padded, row, column)
			}
			at.weights = graph.Reshape(at.weights, -1, c.outputs)
			at.y = graph.MatMul(at.patches, at.weights)
			places = append(places, at)
			if y == nil {
				y = at.y
			} else {
				y = graph.Max(y, at.y)
			}
		}
	}
	y = graph.Reshape(y, c.batch, c.rows, c.columns, c.outputs)
	return y, func(v *graph.Node) (dx, dkernel *graph.Node) { return c.backward(places, y, v) }
}

// around returns the padding that makes the kernel as large as a shared patch, where the
// kernel lies at a place.
func (c convolution) around(row, column int) []graph.PadAxis {
	return []graph.PadAxis{{Start: row, End: c.stride - 1 - row}, {Start: column, End: c.stride - 1 - column}}
}

// patches returns the patches [batch*rows*columns, patchHeight*patchWidth*channels] for
// one place of each pooling window.
func (c convolution) patches(x *graph.Node, row, column int) *graph.Node {
	starts := make([][]int32, 0, c.batch*c.rows*c.columns)
	for image := range c.batch {
		for r := range c.rows {
			for k := range c.columns {
				starts = append(starts, []int32{int32(image), int32(r*c.stride + row), int32(k*c.stride + column)})
			}
		}
	}
	patches := graph.GatherSlices(x, []int{0, 1, 2}, graph.Const(x.Graph(), starts), []int{1, c.patchHeight, c.patchWidth}, true)
	return graph.Reshape(patches, len(starts), c.patchHeight*c.patchWidth*c.channels)
}

// backward returns the gradients of x and the kernel, from the gradient v of y.
func (c convolution) backward(places []place, y, v *graph.Node) (dx, dkernel *graph.Node) {
	y, v = graph.Reshape(y, -1, c.outputs), graph.Reshape(v, -1, c.outputs)
	zeros := graph.ZerosLike(v)
	phases := make([]*graph.Node, c.stride*c.stride)
	for i, at := range places {
		// The first maximum gets the gradient.
		dy := v
		if i < len(places)-1 {
			dy = graph.Where(graph.Equal(at.y, y), v, zeros)
			v = graph.Sub(v, dy)
		}
		dkernel = sum(dkernel, c.kernelGradient(at, dy))
		dpatches := graph.DotGeneral(dy, []int{1}, nil, at.weights, []int{1}, nil)
		c.addPatches(phases, at, graph.Reshape(dpatches, c.batch, c.rows, c.columns, -1))
	}
	return c.join(phases), dkernel
}

// kernelGradient returns the gradient of the kernel from one place. The backend
// transposes what contracts along its first axis: the smaller matrix shall be that.
func (c convolution) kernelGradient(at place, dy *graph.Node) *graph.Node {
	var dweights *graph.Node
	if at.patches.Shape().Dim(1) < c.outputs {
		dweights = graph.MatMul(graph.Transpose(at.patches, 0, 1), dy)
	} else {
		dweights = graph.Transpose(graph.MatMul(graph.Transpose(dy, 0, 1), at.patches), 0, 1)
	}
	dkernel := graph.Reshape(dweights, c.patchHeight, c.patchWidth, c.channels, c.outputs)
	if !c.shared {
		return dkernel
	}
	crop := c.around(at.row, at.column)
	for i := range crop {
		crop[i].Start, crop[i].End = -crop[i].Start, -crop[i].End
	}
	return pad(dkernel, crop...)
}

// addPatches adds the gradients of one place's patches to the phases: phase (a, b)
// holds the rows a, a+stride... and columns b, b+stride... of the gradient of x.
func (c convolution) addPatches(phases []*graph.Node, at place, dpatches *graph.Node) {
	for i := range c.patchHeight {
		for j := range c.patchWidth {
			row, column := i, j
			if !c.shared {
				row, column = at.row+i, at.column+j
			}
			before := (i*c.patchWidth + j) * c.channels
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
