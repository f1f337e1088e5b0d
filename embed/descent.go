package embed

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz"
)

// Variables are the values of a technique's variables by their names, row by row: class
// weights "W" [classes, dim], biases "b" [classes], "centers" [classes, dim], and what a
// technique has beside them.
type Variables map[string][]float32

// A Descent is the loss of points of the embedded space, and where it drives them.
type Descent struct {
	Points       measure.Embedding
	Loss         float64   // the mean of Losses, which a training minimizes
	Losses       []float32 // one value per example, pair or anchor, as the technique's Loss returns them
	Direction    []float32 // [n, Dim], -dLoss/dz: minus the gradient of the mean by each point
	ClassVectors []float32 // [classes, Dim], see Technique.ClassVectors; nil where they are means of classes
	Variables    Variables // after the loss, which moves centers, but trains none of them

	technique Technique
}

// LossAt returns the loss of a technique at points of the embedded space, and the direction
// in which it falls: what the loss does, without a network and in an instant.
//
// Of the Config, Technique, Params, Seed and Backend matter; an empty Backend is pure Go here,
// as the graph is small. Variables start as those of a training, unless they are given. The
// loss is that of the end of a training, where margins are no longer annealed. What a loss
// keeps out of its gradient, as CosFace the scale from that of its margin, is not in the
// direction either.
//
// Errors: ErrUnknown; a ValueError; points that do not fit together or are not finite; fewer
// classes than two; variables that the technique does not have, or of another length, or not
// finite; a loss or gradient that is not finite, ErrDiverged; whatever goes wrong in the graph.
func LossAt(cfg Config, points measure.Embedding, given Variables) (*Descent, error) {
	if err := points.Check("given"); err != nil {
		return nil, err
	}
	if points.Classes < 2 {
		return nil, &ValueError{"the number of classes", points.Classes, "2 or more"}
	}
	cfg.Dim = points.Dim
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	setDefault(&cfg.Backend, backends.Go)
	backend, err := backends.Open(cfg.Backend, nil)
	if err != nil {
		return nil, err
	}
	n, outputs, err := lossAt(cfg, backend, points, nil)
	if err == nil && len(given) > 0 { // once more: now it is known which variables there are
		var variables map[string]*tensors.Tensor
		if variables, err = n.fill(given); err == nil {
			n, outputs, err = lossAt(cfg, backend, points, variables)
		}
	}
	if err != nil {
		return nil, err
	}
	d := &Descent{Points: points, Variables: Variables{}, technique: n.technique}
	d.Losses, d.Direction = tensors.MustCopyFlatData[float32](outputs[0]), tensors.MustCopyFlatData[float32](outputs[1])
	if n.technique.ClassVectors != nil {
		d.ClassVectors = tensors.MustCopyFlatData[float32](outputs[2])
	}
	for i, loss := range d.Losses {
		if loss-loss != 0 {
			return nil, fmt.Errorf("embed: technique %q %w: loss %d is %v", cfg.Technique, ErrDiverged, i, loss)
		}
		d.Loss += float64(loss) / float64(len(d.Losses))
	}
	for i, x := range d.Direction {
		if x-x != 0 {
			return nil, fmt.Errorf("embed: technique %q %w: the gradient of point %d is %v", cfg.Technique, ErrDiverged, i/points.Dim, x)
		}
	}
	for name, variable := range n.headVariables() {
		value, err := variable.Value()
		if err != nil {
			return nil, err
		}
		if value.DType() != dtypes.Float32 { // a counter, for example
			continue
		}
		d.Variables[name] = tensors.MustCopyFlatData[float32](value)
	}
	return d, nil
}

// lossAt builds a head without an extractor and runs its loss on points. It returns the losses,
// minus the gradient of their mean, and the class vectors.
func lossAt(cfg Config, backend compute.Backend, points measure.Embedding, variables map[string]*tensors.Tensor) (*network, []*tensors.Tensor, error) {
	technique, err := LookUp(cfg.Technique)
	if err != nil {
		return nil, nil, err
	}
	n := &network{cfg: cfg, technique: technique, classes: points.Classes, store: model.NewStore(), backend: backend}
	n.cfg.Activation = "" // the points are what it is
	if err := n.store.SetRNGStateFromSeed(cfg.Seed); err != nil {
		return nil, nil, err
	}
	for name, value := range variables {
		if _, err := n.store.CreateVariable(headPath+name, value); err != nil {
			return nil, nil, err
		}
	}
	exec, err := model.NewExec(backend, n.store, func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		defer n.keepCause()
		h := n.head(scope, inputs[0])
		scope.SetTraining(h.Z.Graph(), true)
		vectors := technique.classVectors(h) // before the loss moves centers
		h.Labels, h.monitors = inputs[1], &n.monitors
		h.Progress = graph.OnesLike(graph.Scalar(h.Z.Graph(), h.Z.DType(), 1))
		losses := graph.ConvertDType(technique.Loss(h), dtypes.Float32)
		gradient := graph.Gradient(graph.ReduceAllMean(losses), h.Z)[0]
		return []*graph.Node{graph.Reshape(losses, losses.Shape().Size()), graph.Neg(gradient), vectors}
	})
	if err != nil {
		return nil, nil, err
	}
	outputs, err := n.call(exec,
		tensors.FromFlatDataAndDimensions(points.Z, points.Len(), points.Dim),
		tensors.FromFlatDataAndDimensions(points.Labels, points.Len()))
	return n, outputs, err
}

// headPath begins the paths of a technique's variables.
const headPath = model.ScopeSeparator + headScope + model.ScopeSeparator

// headVariables returns the variables of the head by their names.
func (n *network) headVariables() map[string]*model.Variable {
	all := map[string]*model.Variable{}
	for variable := range n.store.IterVariables() {
		if name, ok := strings.CutPrefix(variable.Path(), headPath); ok {
			all[name] = variable
		}
	}
	return all
}

// fill returns tensors of the given values, in the shapes of the head's variables.
func (n *network) fill(given Variables) (map[string]*tensors.Tensor, error) {
	all, filled := n.headVariables(), map[string]*tensors.Tensor{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		variable, ok := all[name]
		if !ok {
			return nil, &ValueError{"the name of a variable of technique " + n.technique.ID, name, strings.Join(slices.Sorted(maps.Keys(all)), ", ")}
		}
		shape := variable.Shape()
		if len(given[name]) != shape.Size() {
			return nil, &ValueError{"the length of variable " + name, len(given[name]), fmt.Sprintf("%d, for %v", shape.Size(), shape.Dimensions)}
		}
		for i, x := range given[name] {
			if x-x != 0 {
				return nil, &ValueError{fmt.Sprintf("%s[%d]", name, i), x, "finite numbers"}
			}
		}
		filled[name] = tensors.FromFlatDataAndDimensions(given[name], shape.Dimensions...)
	}
	return filled, nil
}

// Scatter returns the picture: the points, with an arrow that shows the Direction of each, and
// the class vectors as in Result.Scatter. Classes are named by their numbers.
func (d *Descent) Scatter() viz.Scatter {
	scatter := viz.Scatter{
		Title:  d.technique.Title,
		Note:   fmt.Sprintf("loss %.3f", d.Loss),
		Points: d.Points.Z, Dim: d.Points.Dim, Labels: d.Points.Labels,
		Arrows: d.Direction,
	}
	for class := range d.Points.Classes {
		scatter.ClassNames = append(scatter.ClassNames, fmt.Sprint(class))
	}
	d.technique.addVectors(&scatter, d.ClassVectors)
	return scatter
}
