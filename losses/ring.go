package losses

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Ring returns the ring loss, which draws the norms of embeddings to one radius,
//
//	L_i = lambda/2 (||z_i|| - R)^2
//
// The radius R is learned. lambda weights the loss against the softmax loss that it is added
// to, which keeps the classes apart.
//
// Shapes: z [batch, dim], R [1]; returns [batch]. An embedding at the origin
// has no gradient.
//
// Source: Zheng et al., arXiv 1803.00130.
func Ring(z, R *graph.Node, lambda float64) *graph.Node {
	checkDims("R", R, 1)
	return graph.MulScalar(graph.Square(graph.Sub(norms(z), R)), lambda/2)
}
