package embed

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// extractor builds the network of Fig. 1 of the paper,
//
//	Conv(32) - Pool - Conv(64) - Pool - Conv(128) - FC(256) - FC(dim)
//
// from images [batch, height, width, channels], bytes, to embeddings z [batch,
// dim]. relu follows each convolution and FC(256); penultimate, the activation of
// Fig. 2, follows FC(dim).
func extractor(scope *model.Scope, images *graph.Node, dim int, same bool, penultimate activation.Type) *graph.Node {
	scope = scope.WithInitializer(initializer.HeFn(scope))
	x := graph.DivScalar(graph.ConvertDType(images, dtypes.Float32), 255)
	x = relu(convLayer(scope.In("conv1"), x, 32, same, true))
	x = relu(convLayer(scope.In("conv2"), x, 64, same, true))
	x = relu(convLayer(scope.In("conv3"), x, 128, same, false))
	x = graph.Reshape(x, x.Shape().Dim(0), -1)
	x = relu(layers.DenseWithBias(scope.In("fc1"), x, 256))
	z := layers.DenseWithBias(scope.In("embedding").WithInitializer(initializer.XavierNormalFn(scope)), x, dim)
	return activation.Apply(penultimate, z)
}

// convLayer is a 3 x 3 convolution and, with pool, a 2 x 2 maximum pooling, both
// without their bias, which is added last: bias and relu commute with the maximum,
// and a quarter of the elements is left after it.
func convLayer(scope *model.Scope, x *graph.Node, filters int, same, pool bool) *graph.Node {
	g := x.Graph()
	kernel := scope.VariableWithShape("weights", shapes.Make(x.DType(), kernelSize, kernelSize, x.Shape().Dim(-1), filters))
	bias := scope.VariableWithShape("biases", shapes.Make(x.DType(), filters))
	x = convolve(x, kernel.NodeValue(g), same)
	if pool {
		x = maxPool(x)
	}
	return graph.Add(x, graph.ExpandLeftToRank(bias.NodeValue(g), x.Rank()))
}

// kernelSize is the height and width of the convolutions' kernels.
const kernelSize = 3

func relu(x *graph.Node) *graph.Node { return activation.Relu(x) }
