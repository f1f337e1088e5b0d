package embed

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/internal/conv"
	"github.com/embedspace/embedspace/viz"
)

// A layer of the extractor maps features [batch, ...] to features.
type layer struct {
	scope string // of its variables
	name  string
	apply func(scope *model.Scope, x *graph.Node) *graph.Node
}

// An Extractor is the network up to the embedding: from images [batch, height, width,
// channels], numbers from 0 to 1, to features [batch, ...]. FC(dim) follows, with the
// activation of Fig. 2. Its variables live in the scope.
type Extractor func(scope *model.Scope, images *graph.Node) *graph.Node

// extractors holds the extractors that were registered, by name.
var extractors = struct {
	sync.RWMutex
	byName map[string]Extractor
}{byName: map[string]Extractor{}}

// RegisterExtractor adds an extractor of your own: from then on a Config can name it, in
// the whole process. The error names what is missing or taken.
func RegisterExtractor(name string, extractor Extractor) error {
	if name == "" || extractor == nil {
		return fmt.Errorf("embed: extractor %q needs a name and a function", name)
	}
	extractors.Lock()
	defer extractors.Unlock()
	if name == defaultExtractor || has(extractors.byName, name) {
		return fmt.Errorf("embed: extractor %q is registered already", name)
	}
	extractors.byName[name] = extractor
	return nil
}

// Extractors lists the names of the extractors: "paper", then those that were registered.
func Extractors() []string {
	extractors.RLock()
	defer extractors.RUnlock()
	return append([]string{defaultExtractor}, slices.Sorted(maps.Keys(extractors.byName))...)
}

// registeredExtractor returns the extractor that was registered by that name, nil for none.
func registeredExtractor(name string) Extractor {
	extractors.RLock()
	defer extractors.RUnlock()
	return extractors.byName[name]
}

// extractorLayers is the network of Fig. 1 of the paper,
//
//	Conv(32) - Pool - Conv(64) - Pool - Conv(128) - FC(256) - FC(dim)
//
// with relu after each convolution and FC(256), or another extractor in front of
// FC(dim). The activation of Fig. 2 comes after FC(dim).
func extractorLayers(cfg Config) []layer {
	same := cfg.Padding == "same"
	features := []layer{
		{"conv1", "Conv(32) - Pool", convLayer(32, same, true)},
		{"conv2", "Conv(64) - Pool", convLayer(64, same, true)},
		{"conv3", "Conv(128)", convLayer(128, same, false)},
		{"fc", "FC(256)", denseLayer(256, relu, initializer.HeFn)},
	}
	if own := registeredExtractor(cfg.Extractor); own != nil {
		features = []layer{{"features", cfg.Extractor, own}}
	}
	return append(features,
		layer{"embedding", fmt.Sprintf("FC(%d)", cfg.Dim), denseLayer(cfg.Dim, activations[cfg.Activation], embeddingInit(cfg))})
}

// extract returns the embeddings z [batch, dim] of images x [batch, height, width,
// channels], numbers from 0 to 1.
func extract(scope *model.Scope, x *graph.Node, cfg Config) *graph.Node {
	for _, l := range extractorLayers(cfg) {
		x = l.apply(scope.In("%s", l.scope), x)
	}
	return x
}

// pixels returns bytes as numbers from 0 to 1.
func pixels(images *graph.Node) *graph.Node {
	return graph.DivScalar(graph.ConvertDType(images, dtypes.Float32), 255)
}

// kernelSize is the height and width of the convolutions' kernels.
const kernelSize = 3

// convLayer is a 3 x 3 convolution with relu and, with pool, a 2 x 2 maximum
// pooling. Bias and relu commute with the maximum: they come after it, where a
// quarter of the elements is left.
func convLayer(filters int, same, pool bool) func(scope *model.Scope, x *graph.Node) *graph.Node {
	return func(scope *model.Scope, x *graph.Node) *graph.Node {
		g := x.Graph()
		scope = scope.WithInitializer(initializer.HeFn(scope))
		kernel := scope.VariableWithShape("weights", shapes.Make(x.DType(), kernelSize, kernelSize, x.Shape().Dim(-1), filters))
		bias := scope.VariableWithShape("biases", shapes.Make(x.DType(), filters))
		x = conv.Convolve(x, kernel.NodeValue(g), same, pool)
		return relu(graph.Add(x, graph.ExpandLeftToRank(bias.NodeValue(g), x.Rank())))
	}
}

// denseLayer is a fully connected layer with an activation.
func denseLayer(outputs int, act func(x *graph.Node) *graph.Node, init func(model.StoreProvider) model.VariableInitializer) func(scope *model.Scope, x *graph.Node) *graph.Node {
	return func(scope *model.Scope, x *graph.Node) *graph.Node {
		g := x.Graph()
		scope = scope.In("dense").WithInitializer(init(scope))
		weights := scope.VariableWithShape("weights", shapes.Make(x.DType(), x.Shape().Size()/x.Shape().Dim(0), outputs))
		biases := scope.VariableWithShape("biases", shapes.Make(x.DType(), outputs))
		return act(graph.Add(conv.Multiply(x, weights.NodeValue(g)), graph.ExpandLeftToRank(biases.NodeValue(g), 2)))
	}
}

// activations are the functions of Fig. 2.
var activations = map[string]func(x *graph.Node) *graph.Node{
	"linear":  func(x *graph.Node) *graph.Node { return x },
	"sigmoid": graph.Sigmoid,
	"relu":    relu,
	"selu":    selu,
}

func relu(x *graph.Node) *graph.Node { return activation.Relu(x) }

// selu is scale x for x > 0 and scale alpha (exp(x) - 1) else (arXiv 1706.02515).
// GoMLX's own has a gradient that is not a number where exp(x) overflows.
func selu(x *graph.Node) *graph.Node {
	const scale, alpha = 1.0507009873554805, 1.6732632423543772
	positive := graph.GreaterThan(x, graph.ZerosLike(x))
	negative := graph.MulScalar(graph.AddScalar(graph.Exp(graph.MinScalar(x, 0)), -1), alpha)
	return graph.MulScalar(graph.Where(positive, x, negative), scale)
}

// embeddingInit is Xavier's, with two exceptions. Biases before relu start at 1, since one of
// two units that start around zero is often dead, with no gradient to revive it. And where
// classes have fixed targets, near the origin, the norms of embeddings start as in 3-D in more
// dimensions, too: from far outside, all that a network learns first is to be smaller, and
// relu's units die of it.
func embeddingInit(cfg Config) func(model.StoreProvider) model.VariableInitializer {
	technique, err := LookUp(cfg.Technique)
	isFar := err == nil && technique.Kind == Targets && cfg.Dim > 3
	return func(scope model.StoreProvider) model.VariableInitializer {
		weights := initializer.XavierNormalFn(scope)
		return func(g *graph.Graph, shape shapes.Shape) *graph.Node {
			switch {
			case shape.Rank() == 1 && cfg.Activation == "relu":
				return graph.Ones(g, shape)
			case shape.Rank() == 2 && isFar:
				return graph.MulScalar(weights(g, shape), math.Sqrt(3/float64(cfg.Dim)))
			}
			return weights(g, shape)
		}
	}
}

// Layers describes the extractor of a Config for images of height x width x
// channels: the paper's Fig. 1 with shapes and numbers of parameters, the image first.
// [viz.Network] draws it. Errors are those of a Config and of images that are too small.
func Layers(cfg Config, height, width, channels int) ([]viz.Layer, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkImageShape([3]int{height, width, channels}, cfg); err != nil {
		return nil, err
	}
	backend, err := backends.Open(backends.Go, nil)
	if err != nil {
		return nil, err
	}
	var described []viz.Layer
	exec, err := model.NewExec(backend, model.NewStore(), func(scope *model.Scope, images *graph.Node) *graph.Node {
		described = []viz.Layer{{Name: "image", Output: []int{height, width, channels}}}
		x := pixels(images)
		for _, l := range extractorLayers(cfg) {
			layerScope := scope.In("%s", l.scope)
			x = l.apply(layerScope, x)
			described = append(described, viz.Layer{Name: l.name, Output: x.Shape().Dimensions[1:], Parameters: layerScope.NumParameters()})
		}
		return x
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	_, err = exec.Compile(shapes.Make(dtypes.Uint8, 1, height, width, channels)) // executes nothing, so that no variable takes memory
	return described, err
}

// checkImageShape returns an error when images are too small for the paper's extractor.
func checkImageShape(shape [3]int, cfg Config) error {
	if cfg.Extractor != defaultExtractor {
		return nil
	}
	smallest := map[string]int{
		"same":  4,  // two poolings: 4-2-1
		"valid": 18, // 18-16-8-6-3-1
	}[cfg.Padding]
	if shape[0] < smallest || shape[1] < smallest || shape[2] < 1 {
		return fmt.Errorf("embed: images are %d x %d x %d (height, width, channels); allowed with padding %s: %d x %d or more, 1 channel or more",
			shape[0], shape[1], shape[2], cfg.Padding, smallest, smallest)
	}
	return nil
}
