package embed

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/embedspace/embedspace/embed/openset"
	"github.com/embedspace/embedspace/losses"
)

// A Technique is a loss that shapes the embedded space, with the rule that decides
// for a class.
type Technique struct {
	ID       string // how a Config names it
	Title    string
	Family   Family // which Register leaves empty
	Section  string // of the paper; After: that of the technique it comes from
	Figure   string // of the paper
	Source   string // After: where it was published
	Equation string // LaTeX
	Notebook string // the tutorial notebook
	Params   []Param

	// Loss returns the loss of a batch: one value per example, pair or anchor.
	// The training minimizes its mean.
	Loss func(h Head) *graph.Node
	// Scores returns the class scores [batch, classes] of embeddings: the largest
	// decides. Margins have no place in it. nil: the nearest center decides, the
	// scores are -||z - c_j||^2; with the geometry Sphere the nearest direction, the scores
	// are cos(z, c_j) (see Head.Centers).
	Scores func(h Head) *graph.Node
	// ClassVectors returns what stands for each class in the embedded space
	// [classes, dim]. nil: the centers.
	ClassVectors func(h Head) *graph.Node
	// Kind says what the class vectors are; empty: Weights, or Centers when
	// ClassVectors is nil.
	Kind Kind
	// Geometry says which distances the loss controls; empty: Space.
	Geometry Geometry
	// Logits says that the Scores are logits: their softmax are the probabilities of classes.
	Logits bool
	// Known names the score that tells known points from unknown ones, one of
	// openset.Scores. It follows from what the loss shapes, never from a test. Empty:
	//
	//	Weights            max-logit, which has the direction and the norm
	//	Centers in Space   nearest-mean
	//	Centers on Sphere  cosine-mean
	//	Targets            nearest-vector
	Known string
	// Balanced takes each batch from few classes with as many images of each, so that
	// pairs and triplets find positives: the parameter classes-per-batch says from how
	// many (Register adds it).
	Balanced bool
	// LearningRate is the default of a Config with this technique; 0: that of Defaults.
	LearningRate float64
}

// A Family says where a technique comes from. Its name stands for its techniques in a
// compare.Overview.
type Family string

// The families.
const (
	Paper Family = "paper" // the techniques of the paper
	After Family = "after" // later losses, each beside the technique of the paper that it changes
)

// Families returns the families in the order of Techniques.
func Families() []Family { return []Family{Paper, After} }

// A Kind says what class vectors are.
type Kind string

// The kinds of class vectors.
const (
	Weights Kind = "weights" // of the last layer; drawn as rays
	Centers Kind = "centers" // the means of the classes; not drawn, labels stand there
	Targets Kind = "targets" // points that the classes are drawn to; drawn as black crosses
)

// A Geometry says by which distances the space of a technique is to be measured (see
// measure.Metrics), with the linear activation: others put classes at the origin or into a
// corner, where directions don't tell them apart.
type Geometry string

// The geometries.
const (
	Space  Geometry = "space"  // Euclidean distances of embeddings as they are
	Sphere Geometry = "sphere" // directions: Euclidean distances of embeddings with the norm 1
)

// A Param is a number or a word that shapes a technique.
type Param struct {
	Name     string
	Default  any      // a number, or a string
	Min, Max float64  // of a number: the interval that is allowed, with its ends
	Whole    bool     // only whole numbers are allowed
	Words    []string // of a word: those that are allowed
	Reason   string   // for the default, which the paper leaves open
}

// Allowed says which numbers or words are allowed.
func (p Param) Allowed() string {
	if p.Words != nil {
		return strings.Join(p.Words, ", ")
	}
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
func (p Param) check(value any) error {
	ok := false
	switch value := value.(type) {
	case float64:
		ok = p.Words == nil && value >= p.Min && value <= p.Max && !math.IsInf(value, 0) && (!p.Whole || value == math.Trunc(value))
	case string:
		ok = slices.Contains(p.Words, value)
	}
	if !ok {
		return &ValueError{p.Name, value, p.Allowed()}
	}
	return nil
}

// asNumber returns a value of Params: all numbers become float64, as in JSON.
func asNumber(value any) any {
	switch v := reflect.ValueOf(value); {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanFloat():
		return v.Float()
	}
	return value
}

// A Head is what the graph functions of a Technique see.
type Head struct {
	Scope    *model.Scope // where the technique's variables live
	Z        *graph.Node  // embeddings [batch, dim]
	Labels   *graph.Node  // classes [batch], int32; nil outside of Loss
	Progress *graph.Node  // scalar, 0 at the start of training and 1 at its end; nil outside of Loss
	Classes  int

	params     Params
	activation string // that the embeddings come from
	monitors   *[]monitor
}

// Number returns the parameter of that name, one of Technique.Params. Another name, or one
// of a word, ends the training with an error that lists the names.
func (h Head) Number(name string) float64 { return readParam[float64](h, name) }

// Word returns the parameter of that name, one of Technique.Params. Another name, or one
// of a number, ends the training with an error that lists the names.
func (h Head) Word(name string) string { return readParam[string](h, name) }

func readParam[T float64 | string](h Head, name string) T {
	value, ok := h.params[name].(T)
	if !ok {
		var names []string
		for _, other := range slices.Sorted(maps.Keys(h.params)) {
			if _, sameType := h.params[other].(T); sameType {
				names = append(names, other)
			}
		}
		kind := "number"
		if _, isWord := any(value).(string); isWord {
			kind = "word"
		}
		panic(fmt.Errorf("%q is no %s of its parameters; allowed: %s", name, kind, strings.Join(names, ", ")))
	}
	return value
}

// A monitor is a number that a training follows beside its loss.
type monitor struct {
	name  string
	value *graph.Node
}

// Monitor adds a scalar to the history of the training, where its mean over each
// epoch is kept by that name (see Epoch). It is for Technique.Loss.
func (h Head) Monitor(name string, value *graph.Node) {
	if !value.IsScalar() {
		panic(fmt.Errorf("monitor %q has the shape %s; allowed: a scalar", name, value.Shape()))
	}
	*h.monitors = append(*h.monitors, monitor{name, graph.ConvertDType(value, dtypes.Float32)})
}

// Weights returns the weights W [classes, dim], one vector per class. Its rows
// start as directions drawn from a normal distribution, with a norm of 0.1 in the root
// mean square. Behind a sigmoid, W and b learn 200 times as fast as all else: see Defaults.
func (h Head) Weights() *graph.Node { return h.classWeights("W", h.Classes) }

// classWeights returns trained vectors [dimensions..., dim], which start as those of Weights.
func (h Head) classWeights(name string, dimensions ...int) *graph.Node {
	dim := h.Z.Shape().Dim(-1)
	deviation := initialNorm / h.classRate() / math.Sqrt(float64(dim))
	return h.classVariable(h.Scope.WithInitializer(initializer.RandomNormalFn(h.Scope, deviation)), name, append(dimensions, dim)...)
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
// epoch. At the end of a training they are those of all training images. With the geometry
// Sphere the means are those of the unit vectors z/||z||.
func (h Head) Centers() *graph.Node { return h.centers().NodeValue(h.Z.Graph()) }

func (h Head) centers() *model.Variable {
	return h.Scope.WithInitializer(initializer.Zero).
		VariableWithShape(centersName, shapes.Make(h.Z.DType(), h.Classes, h.Z.Shape().Dim(-1))).SetTrainable(false)
}

// centersName is the name of the variable of the centers.
const centersName = "centers"

// MoveCenters sets the centers [classes, dim] for the next batch. It is for
// Technique.Loss; where the nearest center decides (Technique.Scores is nil), the running means
// move them further after it.
func (h Head) MoveCenters(centers *graph.Node) { h.centers().SetNodeValue(centers) }

// moveToMeans moves the centers towards the class means of points of the batch [batch, dim],
// for the next batch.
func (h Head) moveToMeans(points *graph.Node) {
	h.MoveCenters(losses.RunningMeans(points, h.Centers(), h.Labels, centerRate))
}

// Constant returns an array [rows, columns] as a constant of the graph.
func (h Head) Constant(array [][]float64) *graph.Node {
	return graph.ConvertDType(graph.Const(h.Z.Graph(), array), h.Z.DType())
}

// centerRate is how far the centers of Head.Centers move towards the class means of a batch,
// where no loss uses them.
const centerRate = 0.5

// initialNorm is the root mean square of the norm of a class weight before training.
const initialNorm = 0.1

// sigmoidClassRate is how many times as fast as all else class weights and biases learn
// behind a sigmoid.
const sigmoidClassRate = 200

// registry holds the techniques: those of the paper in its order, those after it, then those
// that were registered.
var registry = struct {
	sync.RWMutex
	techniques []Technique
}{techniques: slices.Concat(
	family(Paper, softmax, softmaxNormalized, cosFace, arcFace, sphereFace, lSoftmax, center, centerNormalized,
		contrastive, tripletAll, tripletHard, tripletSemiHard, regressionRaster, regressionCircle),
	family(After, subcenterArcFace, adaCos, ring, supCon, multiSimilarity, circle, proxyAnchor, cac, prototypes),
)}

// family returns the techniques as those of a family, each with its Known.
func family(f Family, techniques ...Technique) []Technique {
	for i := range techniques {
		techniques[i].Family = f
		techniques[i].Known = techniques[i].known()
	}
	return techniques
}

// Register adds a technique of your own: from then on a Config can name it, in the whole
// process. The error names what is missing, taken or not allowed.
//
// A technique is a loss and the rule that decides. Softmax with a temperature, for example:
//
//	err := embed.Register(embed.Technique{
//		ID:     "warm-softmax",
//		Params: []embed.Param{{Name: "temperature", Default: 2, Min: 0.01, Max: 100, Reason: "softer than 1"}},
//		Loss: func(h embed.Head) *graph.Node {
//			z := graph.DivScalar(h.Z, h.Number("temperature"))
//			return losses.Softmax(z, h.Weights(), h.Biases(), h.Labels)
//		},
//		Scores:       func(h embed.Head) *graph.Node { return losses.Logits(h.Z, h.Weights(), h.Biases()) },
//		ClassVectors: embed.Head.Weights,
//	})
//
// Without Scores and ClassVectors the nearest class mean decides. Config{Technique:
// "warm-softmax"} trains it; metrics, pictures and notebooks show it as any other.
func Register(technique Technique) error {
	if technique.ID == "" || technique.Loss == nil {
		return fmt.Errorf("embed: technique %q needs an ID and a Loss", technique.ID)
	}
	if strings.ContainsAny(technique.ID, `/\,`) {
		return &ValueError{"the ID of a technique", technique.ID, "a name for a folder, without a comma"}
	}
	if slices.Contains(Families(), Family(technique.ID)) {
		return &ValueError{"the ID of a technique", technique.ID, "not the name of a family"}
	}
	technique = technique.clone()
	technique.Family = ""
	if technique.Title == "" {
		technique.Title = technique.ID
	}
	switch technique.Geometry {
	case "":
		technique.Geometry = Space
	case Space, Sphere:
	default:
		return &ValueError{"the geometry of technique " + technique.ID, technique.Geometry, fmt.Sprintf("%s, %s", Space, Sphere)}
	}
	switch technique.Kind {
	case "", Weights, Centers, Targets:
	default:
		return &ValueError{"the kind of technique " + technique.ID, technique.Kind, fmt.Sprintf("%s, %s, %s", Weights, Centers, Targets)}
	}
	technique.Known = technique.known()
	if _, err := openset.LookUp(technique.Known); err != nil {
		return fmt.Errorf("embed: technique %q: %w", technique.ID, err)
	}
	if technique.Balanced && !slices.ContainsFunc(technique.Params, func(p Param) bool { return p.Name == classesPerBatch.Name }) {
		technique.Params = append(technique.Params, classesPerBatch)
	}
	if err := technique.checkParams(); err != nil {
		return fmt.Errorf("%w (a parameter of technique %q)", err, technique.ID)
	}
	registry.Lock()
	defer registry.Unlock()
	if slices.ContainsFunc(registry.techniques, func(t Technique) bool { return t.ID == technique.ID }) {
		return fmt.Errorf("embed: technique %q is registered already", technique.ID)
	}
	registry.techniques = append(registry.techniques, technique)
	return nil
}

// checkParams returns an error unless the parameters can be set, and have defaults.
func (t Technique) checkParams() error {
	seen := map[string]bool{"": true}
	for _, s := range settings {
		seen[s.Name] = true
	}
	for _, p := range t.Params {
		if seen[p.Name] {
			return &ValueError{"the name of a parameter", p.Name, "a name that no other parameter and no field of a Config has"}
		}
		seen[p.Name] = true
		if p.Name == classesPerBatch.Name && (!p.Whole || p.Min < 1) {
			return fmt.Errorf("embed: %s has Whole %t and Min %v; allowed: whole numbers, 1 or more", p.Name, p.Whole, p.Min)
		}
		for _, word := range p.Words {
			if _, err := strconv.ParseFloat(word, 64); err == nil {
				return &ValueError{p.Name, word, "words that are no numbers"}
			}
		}
		if err := p.check(p.Default); err != nil {
			return err
		}
	}
	return nil
}

// Techniques returns the registered techniques: those of the paper in its order, those after
// it in that of the techniques that they come from, then your own.
func Techniques() (all []Technique) {
	registry.RLock()
	defer registry.RUnlock()
	for _, technique := range registry.techniques {
		all = append(all, technique.clone())
	}
	return all
}

// LookUp returns the technique of that ID. The error, ErrUnknown, lists the IDs.
func LookUp(id string) (Technique, error) {
	all := Techniques()
	i := slices.IndexFunc(all, func(t Technique) bool { return t.ID == id })
	if i < 0 {
		return Technique{}, fmt.Errorf("embed: %w technique %q; allowed: %s", ErrUnknown, id, strings.Join(techniqueIDs(), ", "))
	}
	return all[i], nil
}

// techniqueIDs lists the IDs of Techniques.
func techniqueIDs() (ids []string) {
	for _, technique := range Techniques() {
		ids = append(ids, technique.ID)
	}
	return ids
}

// clone returns a copy that shares no parameters, with numbers as Params has them.
func (t Technique) clone() Technique {
	t.Params = slices.Clone(t.Params)
	for i := range t.Params {
		p := &t.Params[i]
		p.Default, p.Words = asNumber(p.Default), slices.Clone(p.Words)
	}
	return t
}

// complete returns the parameters of the technique: those that are given, else their
// defaults.
func (t Technique) complete(given Params) (Params, error) {
	params := Params{}
	names := []string{}
	for _, p := range t.Params {
		names = append(names, p.Name)
		params[p.Name] = p.Default
		if value, ok := given[p.Name]; ok {
			params[p.Name] = asNumber(value)
		}
		if err := p.check(params[p.Name]); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !has(params, name) {
			for _, s := range settings {
				names = append(names, s.Name)
			}
			return nil, &ValueError{"the name of a parameter of technique " + t.ID, name, strings.Join(names, ", ")}
		}
	}
	return params, nil
}

var classesPerBatch = Param{Name: "classes-per-batch", Default: 8., Min: 1, Max: math.Inf(1), Whole: true,
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

// known returns Technique.Known, or what stands for an empty one.
func (t Technique) known() string {
	switch kind := t.kind(); {
	case t.Known != "":
		return t.Known
	case kind == Targets:
		return "nearest-vector"
	case kind == Weights:
		return "max-logit"
	case t.Geometry == Sphere:
		return "cosine-mean"
	default:
		return "nearest-mean"
	}
}

// scores returns the class scores [batch, classes].
func (t Technique) scores(h Head) *graph.Node {
	switch {
	case t.Scores != nil:
		scores, batch := t.Scores(h), h.Z.Shape().Dim(0)
		if shape := scores.Shape(); shape.Rank() != 2 || shape.Dim(0) != batch || shape.Dim(1) != h.Classes {
			panic(fmt.Errorf("the class scores are %s; allowed: [%d, %d], of the batch and the classes", shape, batch, h.Classes))
		}
		return scores
	case t.Geometry == Sphere:
		return losses.Cosines(h.Z, h.Centers())
	default:
		return nearest(h, h.Centers())
	}
}

// classVectors returns the class vectors [classes, dim].
func (t Technique) classVectors(h Head) *graph.Node {
	if t.ClassVectors == nil {
		return h.Centers()
	}
	return t.ClassVectors(h)
}

// points returns the points whose means are the centers: z, or with the geometry Sphere its
// unit vectors.
func (t Technique) points(z *graph.Node) *graph.Node {
	if t.Geometry == Sphere {
		return losses.Normalize(z)
	}
	return z
}

// nearest returns the scores -||z_i - x_j||^2 [batch, classes] for points x [classes,
// dim].
func nearest(h Head, x *graph.Node) *graph.Node {
	return graph.Neg(losses.SquaredDistances(h.Z, x))
}
