package embed

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/embedspace/embedspace/losses"
)

// A Technique is a loss that shapes the embedded space, with the rule that decides
// for a class: argmax of the scores.
type Technique struct {
	ID       string // how a Config names it
	Title    string
	Section  string // of the paper
	Figure   string // of the paper
	Equation string // LaTeX
	Notebook string // the tutorial notebook
	Params   []Param

	// Loss returns the loss of a batch: one value per example, pair or anchor.
	// The training minimizes its mean.
	Loss func(h Head) *graph.Node
	// Scores returns the class scores [batch, classes] of embeddings, the larger
	// the better. Margins have no place in it.
	Scores func(h Head) *graph.Node
	// ClassVectors returns what stands for each class in the embedded space
	// [classes, dim]: weights, centers, or targets.
	ClassVectors func(h Head) *graph.Node
}

// A Head is what the graph functions of a Technique see.
type Head struct {
	Scope    *model.Scope // where the technique's variables live
	Z        *graph.Node  // embeddings [batch, dim]
	Labels   *graph.Node  // classes [batch], int32; nil outside of Loss
	Progress *graph.Node  // scalar, 0 at the start of training and 1 at its end; nil outside of Loss
	Classes  int
	Params   map[string]float64 // by the names of Technique.Params
}

// Weights returns the variable W [classes, dim], one vector per class. Its rows
// start as directions drawn from a normal distribution, as long as initialNorm on
// average.
func (h Head) Weights() *graph.Node {
	dim := h.Z.Shape().Dim(-1)
	scope := h.Scope.WithInitializer(initializer.RandomNormalFn(h.Scope, initialNorm/math.Sqrt(float64(dim))))
	return scope.VariableWithShape("W", shapes.Make(h.Z.DType(), h.Classes, dim)).NodeValue(h.Z.Graph())
}

// Biases returns the variable b [classes], which starts at zero.
func (h Head) Biases() *graph.Node {
	return h.Scope.WithInitializer(initializer.Zero).
		VariableWithShape("b", shapes.Make(h.Z.DType(), h.Classes)).NodeValue(h.Z.Graph())
}

// initialNorm is the root mean square of the norm of a class weight before training.
const initialNorm = 0.1

var softmax = Technique{
	ID:       "softmax",
	Title:    "Softmax",
	Section:  "II-C",
	Figure:   "Fig. 2, Fig. 3",
	Equation: `L_i = -\log \frac{\exp(w_{y_i} \cdot z_i + b_{y_i})}{\sum_j \exp(w_j \cdot z_i + b_j)}`,
	Notebook: "02-softmax",
	Loss:     func(h Head) *graph.Node { return losses.Softmax(h.Z, h.Weights(), h.Biases(), h.Labels) },
	Scores:   func(h Head) *graph.Node { return losses.Logits(h.Z, h.Weights(), h.Biases()) },
	ClassVectors: func(h Head) *graph.Node {
		return h.Weights()
	},
}

var softmaxNormalized = Technique{
	ID:       "softmax-normalized",
	Title:    "Softmax, normalized weights",
	Section:  "II-C",
	Figure:   "Fig. 3",
	Equation: `L_i = -\log \frac{\exp(\hat w_{y_i} \cdot z_i)}{\sum_j \exp(\hat w_j \cdot z_i)}, \quad \hat w_j = w_j / \|w_j\|`,
	Notebook: "02-softmax",
	Loss:     func(h Head) *graph.Node { return losses.NormalizedSoftmax(h.Z, h.Weights(), h.Labels) },
	Scores: func(h Head) *graph.Node {
		return losses.Logits(h.Z, losses.Normalize(h.Weights()), nil)
	},
	ClassVectors: func(h Head) *graph.Node { return losses.Normalize(h.Weights()) },
}

// techniques is the registry, in the paper's order.
var techniques = []Technique{softmax, softmaxNormalized}

// Techniques returns the registered techniques, those of the paper in its order.
func Techniques() []Technique { return slices.Clone(techniques) }

// LookUp returns the technique of that ID. The error lists the IDs there are.
func LookUp(id string) (Technique, error) {
	var ids []string
	for _, technique := range techniques {
		if technique.ID == id {
			return technique, nil
		}
		ids = append(ids, technique.ID)
	}
	return Technique{}, fmt.Errorf("embed: unknown technique %q; there are: %s", id, strings.Join(ids, ", "))
}
