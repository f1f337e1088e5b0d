package conv

import (
	"github.com/gomlx/gomlx/core/graph"
)

// convolveTiles is Convolve with pool for a kernel of 3 x 3 and many channels, for a backend
// whose matrix product is fast. Each pooling window is a tile: its 2 x 2 places of the
// convolution come from the 4 x 4 elements of x under them by 16 products instead of 36.
//
// Source: F(2 x 2, 3 x 3) of Lavin and Gray, arXiv 1509.09308; A, B and G are theirs.
func convolveTiles(x, kernel *graph.Node, same bool) *graph.Node {
	t := tiling{
		batch: x.Shape().Dim(0), height: x.Shape().Dim(1), width: x.Shape().Dim(2), channels: x.Shape().Dim(3),
		outputs: kernel.Shape().Dim(3),
	}
	if same {
		t.padding = 1
	}
	t.rows, t.columns = t.height/2+t.padding-1, t.width/2+t.padding-1
	return withGradient(x, kernel, t.forward)
}

// suitsTiles tells whether convolveTiles is faster than convolveAsMatMul for a kernel: with
// few channels its additions cost more than its products spare.
func suitsTiles(kernel *graph.Node) bool {
	return kernel.Shape().Dim(0) == 3 && kernel.Shape().Dim(1) == 3 && kernel.Shape().Dim(2) >= 32
}

// A tiling has the sizes of a convolution of x [batch, height, width, channels] with a
// kernel [3, 3, channels, outputs].
type tiling struct {
	batch, height, width, channels, outputs int
	padding                                 int // rows and columns of zeros on each side of x
	rows, columns                           int // of tiles
}

// A square holds the nodes at its rows and columns: a tile's elements of x, for example,
// each for all tiles.
type square [][]*graph.Node

// onBothAxes returns m s m^T, for a function that multiplies a vector by m.
func (s square) onBothAxes(multiply func(v []*graph.Node) []*graph.Node) square {
	return s.onRows(multiply).transposed().onRows(multiply).transposed()
}

func (s square) onRows(multiply func(v []*graph.Node) []*graph.Node) (result square) {
	for _, row := range s {
		result = append(result, multiply(row))
	}
	return result
}

func (s square) transposed() square {
	result := make(square, len(s[0]))
	for _, row := range s {
		for j, node := range row {
			result[j] = append(result[j], node)
		}
	}
	return result
}

// each returns the results of a function for the nodes of two squares.
func each(a, b square, f func(a, b *graph.Node) *graph.Node) square {
	result := make(square, len(a))
	for i := range a {
		for j := range a[i] {
			result[i] = append(result[i], f(a[i][j], b[i][j]))
		}
	}
	return result
}

// byB is B^T v, of a tile's elements of x; byBTransposed is B v, of gradients.
func byB(v []*graph.Node) []*graph.Node {
	return []*graph.Node{graph.Sub(v[0], v[2]), graph.Add(v[1], v[2]), graph.Sub(v[2], v[1]), graph.Sub(v[1], v[3])}
}

func byBTransposed(v []*graph.Node) []*graph.Node {
	return []*graph.Node{v[0], graph.Add(graph.Sub(v[1], v[2]), v[3]), graph.Sub(graph.Add(v[1], v[2]), v[0]), graph.Neg(v[3])}
}

// byG is G v, of the kernel; byGTransposed is G^T v, of gradients.
func byG(v []*graph.Node) []*graph.Node {
	ends, middle := graph.MulScalar(graph.Add(v[0], v[2]), 0.5), graph.MulScalar(v[1], 0.5)
	return []*graph.Node{v[0], graph.Add(ends, middle), graph.Sub(ends, middle), v[2]}
}

func byGTransposed(v []*graph.Node) []*graph.Node {
	ends, middle := graph.MulScalar(graph.Add(v[1], v[2]), 0.5), graph.MulScalar(graph.Sub(v[1], v[2]), 0.5)
	return []*graph.Node{graph.Add(v[0], ends), middle, graph.Add(v[3], ends)}
}

// byA is A^T v, of the products; byATransposed is A v, of gradients.
func byA(v []*graph.Node) []*graph.Node {
	return []*graph.Node{graph.Add(graph.Add(v[0], v[1]), v[2]), graph.Sub(graph.Sub(v[1], v[2]), v[3])}
}

func byATransposed(v []*graph.Node) []*graph.Node {
	return []*graph.Node{v[0], graph.Add(v[0], v[1]), graph.Sub(v[0], v[1]), graph.Neg(v[1])}
}

func (t tiling) forward(x, kernel *graph.Node) (y *graph.Node, backward func(v *graph.Node) (dx, dkernel *graph.Node)) {
	inputs := t.cut(x).onBothAxes(byB)
	weights := split(kernel).onBothAxes(byG)
	places := each(inputs, weights, graph.MatMul).onBothAxes(byA)
	highest := graph.Max(graph.Max(places[0][0], places[0][1]), graph.Max(places[1][0], places[1][1]))
	return graph.Reshape(highest, t.batch, t.rows, t.columns, t.outputs), func(v *graph.Node) (dx, dkernel *graph.Node) {
		dproducts := firstMaximum(places, highest, graph.Reshape(v, -1, t.outputs)).onBothAxes(byATransposed)
		dinputs := each(dproducts, weights, func(v, weights *graph.Node) *graph.Node {
			return graph.DotGeneral(v, []int{1}, nil, weights, []int{1}, nil)
		})
		dweights := each(inputs, dproducts, contractRows)
		return t.join(dinputs.onBothAxes(byBTransposed)), join(dweights.onBothAxes(byGTransposed))
	}
}

// firstMaximum returns the gradients of places, of which the first that is the
// highest gets the gradient v of the maximum.
func firstMaximum(places square, highest, v *graph.Node) square {
	zeros := graph.ZerosLike(v)
	dplaces := square{{nil, nil}, {nil, v}}
	for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 0}} {
		dplaces[at[0]][at[1]] = graph.Where(graph.Equal(places[at[0]][at[1]], highest), dplaces[1][1], zeros)
		dplaces[1][1] = graph.Sub(dplaces[1][1], dplaces[at[0]][at[1]])
	}
	return dplaces
}

// cut returns the elements of x under each tile, [batch*rows*columns, channels] at each of
// the 4 x 4 places.
func (t tiling) cut(x *graph.Node) square {
	// The tiles begin at every second row and column, and each covers two pairs of both.
	x = pad(x, graph.PadAxis{},
		graph.PadAxis{Start: t.padding, End: 2*t.rows + 2 - t.height - t.padding},
		graph.PadAxis{Start: t.padding, End: 2*t.columns + 2 - t.width - t.padding})
	pairs := graph.Reshape(x, t.batch, t.rows+1, 2, t.columns+1, 2, t.channels)
	elements := make(square, 4)
	for i := range elements {
		for j := range 4 {
			element := pad(pairs, graph.PadAxis{},
				graph.PadAxis{Start: -(i / 2), End: i/2 - 1}, graph.PadAxis{Start: -(i % 2), End: i%2 - 1},
				graph.PadAxis{Start: -(j / 2), End: j/2 - 1}, graph.PadAxis{Start: -(j % 2), End: j%2 - 1})
			elements[i] = append(elements[i], graph.Reshape(element, -1, t.channels))
		}
	}
	return elements
}

// join returns the gradient of x from those of the elements under each tile, the reverse
// of cut: where tiles overlap, they are added.
func (t tiling) join(elements square) *graph.Node {
	var rows []*graph.Node
	for row := range 2 {
		var columns []*graph.Node
		for column := range 2 {
			var phase *graph.Node
			for i := row; i < 4; i += 2 {
				for j := column; j < 4; j += 2 {
					phase = sum(phase, pad(graph.Reshape(elements[i][j], t.batch, t.rows, 1, t.columns, 1, t.channels), graph.PadAxis{},
						graph.PadAxis{Start: i / 2, End: 1 - i/2}, graph.PadAxis{},
						graph.PadAxis{Start: j / 2, End: 1 - j/2}))
				}
			}
			columns = append(columns, phase)
		}
		rows = append(rows, graph.Concatenate(columns, 4))
	}
	padded := graph.Reshape(graph.Concatenate(rows, 2), t.batch, 2*t.rows+2, 2*t.columns+2, t.channels)
	return pad(padded, graph.PadAxis{},
		graph.PadAxis{Start: -t.padding, End: t.height + t.padding - 2*t.rows - 2},
		graph.PadAxis{Start: -t.padding, End: t.width + t.padding - 2*t.columns - 2})
}

// split returns the matrices [channels, outputs] of a kernel at its places; join is the
// reverse.
func split(kernel *graph.Node) square {
	places := make(square, kernel.Shape().Dim(0))
	for i := range places {
		for j := range kernel.Shape().Dim(1) {
			places[i] = append(places[i], graph.Squeeze(graph.Slice(kernel, graph.AxisElem(i), graph.AxisElem(j)), 0, 1))
		}
	}
	return places
}

func join(places square) *graph.Node {
	var rows []*graph.Node
	for _, row := range places {
		rows = append(rows, graph.Stack(row, 0))
	}
	return graph.Stack(rows, 0)
}
