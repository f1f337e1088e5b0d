package embed

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/embedspace/embedspace/losses"
)

// A Technique is a loss that shapes the embedded space, with the rule that decides
// for a class.
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
	// Scores returns the class scores [batch, classes] of embeddings: the largest
	// decides. Margins have no place in it. nil: the nearest center decides, the
	// scores are -||z - c_j||^2 (see Head.Centers).
	Scores func(h Head) *graph.Node
	// ClassVectors returns what stands for each class in the embedded space
	// [classes, dim]. nil: the centers.
	ClassVectors func(h Head) *graph.Node
	// Kind says what the class vectors are; empty: Weights, or Centers when
	// ClassVectors is nil.
	Kind Kind
	// Balanced takes each batch from few classes with as many images of each, so that
	// pairs and triplets find positives: the parameter classes-per-batch says from how
	// many (Register adds it).
	Balanced bool
	// LearningRate is the default of a Config with this technique; 0: that of Defaults.
	LearningRate float64

	own bool // registered, not one of the paper
}

// A Kind says what class vectors are.
type Kind string

// The kinds of class vectors.
const (
	Weights Kind = "weights" // of the last layer; drawn as rays
	Centers Kind = "centers" // the means of the classes; not drawn, labels stand there
	Targets Kind = "targets" // where each class shall go; drawn as black crosses
)

// A Param is a number that shapes a technique.
type Param struct {
	Name     string
	Default  float64
	Min, Max float64 // the interval that is allowed, with its ends
	Whole    bool    // only whole numbers are allowed
	Reason   string  // for the default, which the paper leaves open
}

// Allowed says which numbers are allowed.
func (p Param) Allowed() string {
	kind := ""
	if p.Whole {
		kind = "whole numbers, "
	}
	if math.IsInf(p.Max, 1) {
		return fmt.Sprintf("%s%g or more", kind, p.Min)
	}
	return fmt.Sprintf("%s%g to %g", kind, p.Min, p.Max)
}

// check returns an error unless the value is allowed.
func (p Param) check(value float64) error {
	if value >= p.Min && value <= p.Max && !math.IsInf(value, 0) && (!p.Whole || value == math.Trunc(value)) {
		return nil
	}
	return fmt.Errorf("embed: %s is %v; allowed: %s", p.Name, value, p.Allowed())
}

// A Head is what the graph functions of a Technique see.
type Head struct {
	Scope    *model.Scope // where the technique's variables live
	Z        *graph.Node  // embeddings [batch, dim]
	Labels   *graph.Node  // classes [batch], int32; nil outside of Loss
	Progress *graph.Node  // scalar, 0 at the start of training and 1 at its end; nil outside of Loss
	Classes  int
	Params   map[string]float64 // by the names of Technique.Params

	activation string // that the embeddings come from
	monitors   *[]monitor
}

// A monitor is a number that a training follows beside its loss.
type monitor struct {
	name  string
	value *graph.Node
}

// Monitor adds a scalar to the history of the training, where its mean over each
// epoch is kept by that name (see Epoch). It is for Technique.Loss.
func (h Head) Monitor(name string, value *graph.Node) {
	*h.monitors = append(*h.monitors, monitor{name, graph.ConvertDType(value, dtypes.Float32)})
}

// Weights returns the weights W [classes, dim], one vector per class. Its rows
// start as directions drawn from a normal distribution, with a norm of 0.1 in the root
// mean square. Behind a sigmoid, W and b learn 200 times as fast as all else: see Defaults.
func (h Head) Weights() *graph.Node {
	dim := h.Z.Shape().Dim(-1)
	deviation := initialNorm / h.classRate() / math.Sqrt(float64(dim))
	return h.classVariable(h.Scope.WithInitializer(initializer.RandomNormalFn(h.Scope, deviation)), "W", h.Classes, dim)
}

// Biases returns the biases b [classes], which start at zero.
func (h Head) Biases() *graph.Node {
	return h.classVariable(h.Scope.WithInitializer(initializer.Zero), "b", h.Classes)
}

// classVariable returns classRate times a variable: with Adam, whose steps do not know
// the size of a gradient, it learns that many times as fast.
func (h Head) classVariable(scope *model.Scope, name string, dimensions ...int) *graph.Node {
	variable := scope.VariableWithShape(name, shapes.Make(h.Z.DType(), dimensions...)).NodeValue(h.Z.Graph())
	return graph.MulScalar(variable, h.classRate())
}

// classRate says how many times as fast as all else class weights and biases learn.
func (h Head) classRate() float64 {
	if h.activation == "sigmoid" {
		return sigmoidClassRate
	}
	return 1
}

// Centers returns the centers of the classes [classes, dim], which start at zero and
// have no gradient. Where the nearest center decides, they follow the batches as running
// means, and are set to the class means of 2,000 training images after each
// epoch. At the end of a training they are those of all training images.
func (h Head) Centers() *graph.Node { return h.centers().NodeValue(h.Z.Graph()) }

func (h Head) centers() *model.Variable {
	return h.Scope.WithInitializer(initializer.Zero).
		VariableWithShape(centersName, shapes.Make(h.Z.DType(), h.Classes, h.Z.Shape().Dim(-1))).SetTrainable(false)
}

// centersName is the name of the variable of the centers.
const centersName = "centers"

// MoveCenters sets the centers [classes, dim] for the next batch. It is for
// Technique.Loss.
func (h Head) MoveCenters(centers *graph.Node) { h.centers().SetNodeValue(centers) }

// Constant returns an array [rows, columns] as a constant of the graph.
func (h Head) Constant(array [][]float64) *graph.Node {
	return graph.ConvertDType(graph.Const(h.Z.Graph(), array), h.Z.DType())
}

// initialNorm is the root mean square of the norm of a class weight before training.
const initialNorm = 0.1

// sigmoidClassRate is how many times as fast as all else class weights and biases learn
// behind a sigmoid.
const sigmoidClassRate = 200

// Register adds a technique of your own: a Config can name it from then on, in the
// whole process. The error names what is missing or taken.
func Register(technique Technique) error {
	if technique.ID == "" || technique.Loss == nil {
		return fmt.Errorf("embed: technique %q needs an ID and a Loss", technique.ID)
	}
	if strings.ContainsAny(technique.ID, `/\,`) {
		return fmt.Errorf("embed: the ID of a technique is %q; allowed: a name for a folder, without a comma", technique.ID)
	}
	if _, err := LookUp(technique.ID); err == nil {
		return fmt.Errorf("embed: there is a technique %q already", technique.ID)
	}
	if technique.Title == "" {
		technique.Title = technique.ID
	}
	if technique.Balanced && !slices.ContainsFunc(technique.Params, func(p Param) bool { return p.Name == classesPerBatch.Name }) {
		technique.Params = append(slices.Clone(technique.Params), classesPerBatch)
	}
	technique.own = true
	techniques = append(techniques, technique)
	return nil
}

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

var classesPerBatch = Param{Name: "classes-per-batch", Default: 8, Min: 1, Max: math.Inf(1), Whole: true,
	Reason: "8 classes of 16 images at batch 128: many positives and many negatives"}

// kind returns what the class vectors are.
func (t Technique) kind() Kind {
	switch {
	case t.Kind != "":
		return t.Kind
	case t.ClassVectors == nil:
		return Centers
	default:
		return Weights
	}
}

// scores returns the class scores [batch, classes].
func (t Technique) scores(h Head) *graph.Node {
	if t.Scores == nil {
		return nearest(h, h.Centers())
	}
	return t.Scores(h)
}

// classVectors returns the class vectors [classes, dim].
func (t Technique) classVectors(h Head) *graph.Node {
	if t.ClassVectors == nil {
		return h.Centers()
	}
	return t.ClassVectors(h)
}

// nearest returns the scores -||z_i - x_j||^2 [batch, classes] for points x [classes,
// dim].
func nearest(h Head, x *graph.Node) *graph.Node {
	return graph.Neg(losses.SquaredDistances(h.Z, x))
}
