package embed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/embed/explain"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/losses"
)

// A Quantity is a number that a network gives an image: what Result.Function and Result.Explain
// are about.
type Quantity struct {
	kind   quantityKind
	class  string
	over   bool // other: it is a ScoreOver
	other  string
	point  []float64 // nil: that of the class
	number int       // of Coordinate
}

// A quantityKind names a function of an embedding, the class scores and a vector that says what
// it is about: [classes], or [dim] where it is about a point.
type quantityKind string

const (
	kindScore           quantityKind = "score"
	kindProbability     quantityKind = "probability"
	kindLogProbability  quantityKind = "log probability"
	kindDistance        quantityKind = "distance"
	kindSquaredDistance quantityKind = "squared distance"
	kindCosine          quantityKind = "cosine"
	kindCoordinate      quantityKind = "coordinate"
)

// ScoreOf is the score of a class, one of the Result's ClassNames: of those that decide (see
// Technique.Scores), without a margin.
func ScoreOf(class string) Quantity { return Quantity{kind: kindScore, class: class} }

// ScoreOver is the score of a class less that of another: above 0, the network prefers the
// class.
func ScoreOver(class, other string) Quantity {
	return Quantity{kind: kindScore, class: class, over: true, other: other}
}

// ProbabilityOf is the softmax of the scores, for a class: its probability where the scores are
// logits (see Technique.Logits).
func ProbabilityOf(class string) Quantity { return Quantity{kind: kindProbability, class: class} }

// LogProbabilityOf is the natural logarithm of ProbabilityOf.
func LogProbabilityOf(class string) Quantity { return Quantity{kind: kindLogProbability, class: class} }

// DistanceTo is the Euclidean distance of the embedding from a class: from its target, or where
// the technique has none from the mean of its training embeddings.
func DistanceTo(class string) Quantity { return Quantity{kind: kindDistance, class: class} }

// SquaredDistanceTo is the square of DistanceTo.
func SquaredDistanceTo(class string) Quantity {
	return Quantity{kind: kindSquaredDistance, class: class}
}

// CosineTo is the cosine of the angle between the embedding and the target or mean of a class,
// as in DistanceTo, seen from the origin; 0 for an embedding at the origin.
func CosineTo(class string) Quantity { return Quantity{kind: kindCosine, class: class} }

// DistanceFrom is the Euclidean distance of the embedding from a point [dim] of the space.
func DistanceFrom(point []float64) Quantity { return atPoint(kindDistance, point) }

// SquaredDistanceFrom is the square of DistanceFrom.
func SquaredDistanceFrom(point []float64) Quantity { return atPoint(kindSquaredDistance, point) }

// CosineWith is the cosine of the angle between the embedding and a point [dim] of the space,
// seen from the origin; 0 for an embedding at the origin.
func CosineWith(point []float64) Quantity { return atPoint(kindCosine, point) }

func atPoint(kind quantityKind, point []float64) Quantity {
	return Quantity{kind: kind, point: append([]float64{}, point...)} // no point is not that of a class
}

// Coordinate is a coordinate of the embedding, from 0.
func Coordinate(number int) Quantity { return Quantity{kind: kindCoordinate, number: number} }

// String returns the quantity in words.
func (q Quantity) String() string {
	switch {
	case q.kind == kindCoordinate:
		return fmt.Sprintf("coordinate %d", q.number)
	case q.over:
		return fmt.Sprintf("%s of %s less that of %s", q.kind, q.class, q.other)
	case q.point != nil:
		return fmt.Sprintf("%s from %.4g", q.kind, q.point)
	case q.kind == kindDistance || q.kind == kindSquaredDistance:
		return fmt.Sprintf("%s from %s", q.kind, q.class)
	case q.kind == kindCosine:
		return fmt.Sprintf("%s with %s", q.kind, q.class)
	default:
		return fmt.Sprintf("%s of %s", q.kind, q.class)
	}
}

// of returns the quantity [batch] of embeddings z [batch, dim]: scores returns their class
// scores [batch, classes], and about says which classes or which point it is about, as
// Result.about.
func (kind quantityKind) of(z *graph.Node, scores func() *graph.Node, about *graph.Node) *graph.Node {
	of := func(x *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(x, graph.ExpandAxes(about, 0)), -1) }
	to := func(similarity func(x, y *graph.Node) *graph.Node) *graph.Node {
		return graph.Squeeze(similarity(z, graph.ExpandAxes(about, 0)), -1)
	}
	switch kind {
	case kindScore:
		return of(scores())
	case kindLogProbability:
		return of(graph.LogSoftmax(scores()))
	case kindProbability:
		return graph.Exp(of(graph.LogSoftmax(scores())))
	case kindDistance:
		return to(losses.Distances)
	case kindSquaredDistance:
		return to(losses.SquaredDistances)
	case kindCosine:
		return to(losses.Cosines)
	case kindCoordinate:
		return of(z)
	}
	panic(fmt.Errorf("a quantity of the kind %q", string(kind)))
}

// about returns the vector of a quantity: 1 for the class or the coordinate and -1 for the other
// class, or the point.
func (r *Result) about(q Quantity) ([]float64, error) {
	classes, dim := len(r.ClassNames), r.Config.Dim
	switch {
	case q.kind == "":
		return nil, &ValueError{"quantity", "", "one of ScoreOf, DistanceTo and the like"}
	case q.kind == kindCoordinate:
		if q.number < 0 || q.number >= dim {
			return nil, &ValueError{"coordinate", q.number, fmt.Sprintf("0 to %d", dim-1)}
		}
		about := make([]float64, dim)
		about[q.number] = 1
		return about, nil
	case q.point != nil:
		if len(q.point) != dim || !finite(q.point) {
			return nil, &ValueError{"point", q.point, fmt.Sprintf("%d finite numbers", dim)}
		}
		return q.point, nil
	}
	class, err := r.classOf(q.class)
	if err != nil {
		return nil, err
	}
	if slices.Contains([]quantityKind{kindDistance, kindSquaredDistance, kindCosine}, q.kind) {
		return r.place(class)
	}
	about := make([]float64, classes)
	about[class] = 1
	if q.over {
		other, err := r.classOf(q.other)
		if err != nil {
			return nil, err
		}
		about[other]--
	}
	return about, nil
}

func finite(numbers []float64) bool {
	return !slices.ContainsFunc(numbers, func(x float64) bool { return x-x != 0 })
}

// classOf returns the class of a name.
func (r *Result) classOf(name string) (int, error) {
	class := slices.Index(r.ClassNames, name)
	if class < 0 {
		return 0, &ValueError{"class", name, strings.Join(r.ClassNames, ", ")}
	}
	return class, nil
}

// place returns the target of a class, or the mean of its training embeddings.
func (r *Result) place(class int) ([]float64, error) {
	technique, err := r.technique()
	if err != nil {
		return nil, err
	}
	if technique.kind() == Targets {
		return vectors.Rows(r.classVector(class), r.Config.Dim)[0], nil
	}
	if !slices.Contains(r.Train.Labels, int32(class)) {
		return nil, fmt.Errorf("embed: class %q has no training images; allowed: a class that has some", r.ClassNames[class])
	}
	return r.Train.Means()[class], nil
}

// Function returns a quantity as a function of an image: of its pixels [height, width, channels],
// numbers from 0 to 1, as package explain asks for them. It computes in float32, on the
// backend of the Result.
//
// Errors: ErrNoNetwork; a ValueError, for a class, coordinate or point that the Result does not
// have; a class without training images. Those of the function: other numbers of pixels, and
// what goes wrong when graphs are built or run.
func (r *Result) Function(q Quantity) (explain.Function, error) {
	if r.net == nil {
		return explain.Function{}, r.noNetwork()
	}
	about, err := r.about(q)
	if err != nil {
		return explain.Function{}, err
	}
	vector := make([]float32, len(about))
	for i, x := range about {
		vector[i] = float32(x)
	}
	return explain.Function{
		Values: func(images [][]float64) ([]float64, error) {
			values, err := r.net.gauge(gauge{q.kind, false}, vector, images)
			return slices.Concat(vectors.Rows(values, 1)...), err
		},
		Gradients: func(images [][]float64) ([][]float64, error) {
			gradients, err := r.net.gauge(gauge{q.kind, true}, vector, images)
			return vectors.Rows(gradients, r.net.pixels()), err
		},
	}, nil
}

// A gauge is a graph that returns a quantity, or its gradient by the pixels.
type gauge struct {
	kind     quantityKind
	gradient bool
}

// gaugeGraph returns the quantities [batch] of images [batch, height, width, channels], numbers
// from 0 to 1, or their gradients.
func (n *network) gaugeGraph(g gauge) func(scope *model.Scope, images, about *graph.Node) *graph.Node {
	return func(scope *model.Scope, images, about *graph.Node) *graph.Node {
		defer n.keepCause()
		evaluates(scope.At(extractorScope), images.Graph())
		evaluates(scope.At(headScope), images.Graph())
		z := n.embedPixels(scope, images)
		quantity := g.kind.of(z, func() *graph.Node { return n.scored(n.head(scope, z)) }, about)
		if !g.gradient {
			return quantity
		}
		// Images do not know of each other: the gradient of the sum is that of each.
		return graph.Gradient(graph.ReduceAllSum(quantity), images)[0]
	}
}

// gaugeBatch returns the number of images of one execution of a gauge, as embedBatch.
func (n *network) gaugeBatch() int { return min(32, n.embedBatch()) }

// pixels returns the number of numbers of an image.
func (n *network) pixels() int { return n.shape[0] * n.shape[1] * n.shape[2] }

// gauge returns what a gauge says of images [n][height, width, channels], [n] or [n, height,
// width, channels]. An incomplete last batch is filled up with images of before, or zeros.
func (n *network) gauge(g gauge, about []float32, images [][]float64) (values []float32, err error) {
	exec := n.gauges[g]
	if exec == nil {
		if exec, err = model.NewExec(n.backend, n.store, n.gaugeGraph(g)); err != nil {
			return nil, err
		}
		n.gauges[g] = exec
	}
	size, pixels := n.gaugeBatch(), n.pixels()
	batch := make([]float32, size*pixels)
	err = inBatches(len(images), size, func(first, count int) error {
		for i, image := range images[first : first+count] {
			if len(image) != pixels {
				return fmt.Errorf("embed: an image of %d numbers; allowed: %d, for %v (height, width, channels)", len(image), pixels, n.shape)
			}
			for p, x := range image {
				batch[i*pixels+p] = float32(x)
			}
		}
		outputs, err := n.call(exec,
			tensors.FromFlatDataAndDimensions(batch, size, n.shape[0], n.shape[1], n.shape[2]),
			tensors.FromFlatDataAndDimensions(about, len(about)))
		if err != nil {
			return err
		}
		all := tensors.MustCopyFlatData[float32](outputs[0])
		values = append(values, all[:len(all)/size*count]...)
		return finalize(outputs...)
	})
	return values, err
}
