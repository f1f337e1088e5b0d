package embed

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/measure"
)

// The scopes of the variables of a network; those outside belong to the optimizer.
const (
	extractorScope = "extractor"
	headScope      = "head"
)

// A network is an extractor and a technique's head with their variables, compiled
// for one backend and one shape of images.
type network struct {
	cfg       Config
	technique Technique
	classes   int
	shape     [3]int // height, width, channels
	store     *model.Store
	backend   compute.Backend

	trainExec, embedExec, classifyExec, scoresExec, vectorsExec *model.Exec

	gauges map[gauge]*model.Exec // those that were asked for

	mesh *backends.Mesh // of trainExec; nil: one device

	monitors []monitor // of the graph of trainExec
	cause    any       // what a graph function panicked with
}

func newNetwork(cfg Config, backend compute.Backend, shape [3]int, classes int) (*network, error) {
	technique, err := LookUp(cfg.Technique)
	if err != nil {
		return nil, err
	}
	if err := cfg.checkField("extractor"); err != nil { // that of a saved Config, in another program
		return nil, err
	}
	if err := checkImageShape(shape, cfg); err != nil {
		return nil, err
	}
	n := &network{cfg: cfg, technique: technique, classes: classes, shape: shape, store: model.NewStore(), backend: backend, gauges: map[gauge]*model.Exec{}}
	if n.trainExec, err = model.NewExec(backend, n.store, n.trainGraph); err != nil {
		return nil, err
	}
	if cfg.Devices > 1 {
		if n.mesh, err = backends.NewMesh(cfg.Devices, true, true, false, false); err != nil { // images, labels; rate, progress
			return nil, err
		}
		n.mesh.Distribute(n.trainExec)
	}
	// GoMLX's random state must know the mesh from the start.
	if err := n.store.SetRNGStateFromSeed(cfg.Seed); err != nil {
		return nil, err
	}
	if n.embedExec, err = model.NewExec(backend, n.store, n.embedGraph); err != nil {
		return nil, err
	}
	if n.classifyExec, err = model.NewExec(backend, n.store, n.classifyGraph); err != nil {
		return nil, err
	}
	if n.scoresExec, err = model.NewExec(backend, n.store, n.scoresGraph); err != nil {
		return nil, err
	}
	n.vectorsExec, err = model.NewExec(backend, n.store, n.vectorsGraph)
	return n, err
}

// embed returns the embeddings z [batch, dim] of images, bytes.
func (n *network) embed(scope *model.Scope, images *graph.Node) *graph.Node {
	return n.embedPixels(scope, pixels(images))
}

// embedPixels returns the embeddings z [batch, dim] of images, numbers from 0 to 1.
func (n *network) embedPixels(scope *model.Scope, x *graph.Node) *graph.Node {
	return extract(scope.In(extractorScope), x, n.cfg)
}

func (n *network) head(scope *model.Scope, z *graph.Node) Head {
	return Head{Scope: scope.In(headScope), Z: z, Classes: n.classes, params: n.cfg.Params, activation: n.cfg.Activation}
}

// scored returns the class scores [batch, classes] of a head that is not trained. Classes without
// training images, whose centers are zero, have the lowest: a point near the origin is of none of them.
func (n *network) scored(h Head) *graph.Node {
	scores := n.technique.scores(h)
	variable := n.store.GetVariable(headPath + presentName)
	if variable == nil {
		return scores
	}
	g, shape := h.Z.Graph(), scores.Shape()
	isPresent := graph.BroadcastToShape(graph.ExpandAxes(variable.NodeValue(g), 0), shape)
	lowest := graph.BroadcastToShape(graph.Scalar(g, shape.DType, -math.MaxFloat32), shape)
	return graph.Where(graph.GreaterThan(isPresent, graph.ZerosLike(scores)), scores, lowest)
}

// presentName is the name of the variable that says which classes have a center, 1 or 0 [classes].
// Without it, all have.
const presentName = "centers-present"

// predict returns the classes [batch] of the highest scores.
func (n *network) predict(h Head) *graph.Node {
	return graph.ArgMax(n.technique.scores(h), -1, dtypes.Int32)
}

// trainGraph is one step of the training. It returns the mean loss, the share of the
// batch that was decided right before the step, and the monitors.
func (n *network) trainGraph(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
	defer n.keepCause()
	images, labels, learningRate, progress := inputs[0], inputs[1], inputs[2], inputs[3]
	g := images.Graph()
	scope.SetTraining(g, true)

	n.monitors = nil
	h := n.head(scope, n.embed(scope, images))
	h.Labels, h.Progress, h.monitors = labels, progress, &n.monitors
	loss := graph.ReduceAllMean(n.technique.Loss(h))
	right := graph.ConvertDType(graph.Equal(n.predict(h), labels), dtypes.Float32)
	if n.technique.Scores == nil {
		h.moveToMeans(n.technique.points(h.Z))
	}

	optimizer.LearningRateVar(scope, learningRate.DType(), 0).SetNodeValue(learningRate)
	optimizer.Adam().Done().UpdateGraph(scope, g, loss)
	outputs := []*graph.Node{loss, graph.ReduceAllMean(right)}
	for _, m := range n.monitors {
		outputs = append(outputs, m.value)
	}
	return outputs
}

// evaluates tells GoMLX that a graph evaluates what the training has come to: layers that
// differ in training, such as dropout and batch normalization, take their other form. The
// variables in the scope become parameters of the graph first: else the pure-Go backend
// holds the values that they have when the graph is built.
func evaluates(scope *model.Scope, g *graph.Graph) {
	scope.SetTraining(g, true)
	for variable := range scope.IterVariables() {
		variable.NodeValue(g)
	}
	scope.SetTraining(g, false)
}

// embedGraph returns the embeddings [batch, dim] of images.
func (n *network) embedGraph(scope *model.Scope, images *graph.Node) *graph.Node {
	defer n.keepCause()
	evaluates(scope.At(extractorScope), images.Graph())
	return n.embed(scope, images)
}

// classifyGraph returns the classes [batch] that are predicted for embeddings.
func (n *network) classifyGraph(scope *model.Scope, z *graph.Node) *graph.Node {
	defer n.keepCause()
	evaluates(scope.At(headScope), z.Graph())
	return graph.ArgMax(n.scored(n.head(scope, z)), -1, dtypes.Int32)
}

// scoresGraph returns the class scores [batch, classes] of embeddings.
func (n *network) scoresGraph(scope *model.Scope, z *graph.Node) *graph.Node {
	defer n.keepCause()
	evaluates(scope.At(headScope), z.Graph())
	return n.scored(n.head(scope, z))
}

// vectorsGraph returns the class vectors [classes, dim].
func (n *network) vectorsGraph(scope *model.Scope, g *graph.Graph) *graph.Node {
	defer n.keepCause()
	evaluates(scope.At(headScope), g)
	return n.technique.classVectors(n.head(scope, graph.Zeros(g, shapes.Make(dtypes.Float32, 1, n.cfg.Dim))))
}

// keepCause keeps what a graph function panics with, before GoMLX wraps it.
func (n *network) keepCause() {
	if n.cause = recover(); n.cause != nil {
		panic(n.cause)
	}
}

// call runs a graph. Whatever is wrong with it comes back as an error, also when a function
// of the technique or the extractor panics.
func (n *network) call(exec *model.Exec, args ...any) (outputs []*tensors.Tensor, err error) {
	failed := func(cause any) error {
		if n.cause != nil {
			cause = n.cause
		}
		if err, ok := cause.(error); ok {
			return fmt.Errorf("embed: technique %q: %w", n.technique.ID, err)
		}
		return fmt.Errorf("embed: technique %q: %v", n.technique.ID, cause)
	}
	n.cause = nil
	defer func() {
		if panicked := recover(); panicked != nil {
			err = failed(panicked)
		}
	}()
	if outputs, err = exec.Call(args...); err != nil {
		return nil, failed(err)
	}
	return outputs, nil
}

// A stepResult is what is known of a step of the training.
type stepResult struct {
	loss, accuracy float64
	monitors       map[string]float64
}

// train runs one step.
func (n *network) train(images []byte, labels []int32, learningRate, progress float64) (stepResult, error) {
	args := []any{
		n.imagesTensor(images), tensors.FromFlatDataAndDimensions(labels, len(labels)),
		float32(learningRate), float32(progress),
	}
	if n.mesh != nil {
		var err error
		if args, err = n.mesh.Spread(args); err != nil {
			return stepResult{}, err
		}
	}
	outputs, err := n.call(n.trainExec, args...)
	if err != nil {
		return stepResult{}, err
	}
	// Those of the first device come first, and those of the others are equal.
	value := func(i int) float64 { return float64(tensors.ToScalar[float32](outputs[i])) }
	result := stepResult{loss: value(0), accuracy: value(1), monitors: map[string]float64{}}
	for i, m := range n.monitors {
		result.monitors[m.name] = value(2 + i)
	}
	return result, finalize(outputs...)
}

// embedBatch is the number of images that are embedded in one execution, at most.
const embedBatch = 128

// embedBatch returns the number of images that are embedded in one execution: of images
// larger than 32 x 32, no more than a step of the training takes, to need no more memory.
func (n *network) embedBatch() int {
	if n.shape[0]*n.shape[1] <= 32*32 {
		return embedBatch
	}
	return min(embedBatch, n.cfg.Batch)
}

// classifyBatch returns the number of embeddings that are classified in one execution: as
// many as take two million numbers by all classes and dimensions, 128 to 4096.
func (n *network) classifyBatch() int {
	return max(128, min(2<<20/(n.classes*n.cfg.Dim), 4096))
}

// inBatches calls run for n rows, in batches of one size: for count rows from first on.
func inBatches(n, size int, run func(first, count int) error) error {
	for first := 0; first < n; first += size {
		if err := run(first, min(size, n-first)); err != nil {
			return err
		}
	}
	return nil
}

// embedAll returns the embedding of a dataset, without predicted classes.
func (n *network) embedAll(data *datasets.Dataset) (measure.Embedding, error) {
	all := make([]int, data.Len())
	for i := range all {
		all[i] = i
	}
	z, err := n.embedSome(data, all)
	return measure.Embedding{Dim: n.cfg.Dim, Z: z, Labels: data.Labels, Classes: data.Classes()}, err
}

// embedSome returns the embeddings [len(images), dim] of some images of a dataset. An
// incomplete last batch is filled up with images of before, or zeros.
func (n *network) embedSome(data *datasets.Dataset, images []int) (z []float32, err error) {
	batch := make([]byte, n.embedBatch()*n.pixels())
	err = inBatches(len(images), n.embedBatch(), func(first, count int) error {
		if _, err := data.AppendPixels(batch[:0], images[first:first+count]...); err != nil {
			return err
		}
		outputs, err := n.call(n.embedExec, n.imagesTensor(batch))
		if err != nil {
			return err
		}
		z = append(z, tensors.MustCopyFlatData[float32](outputs[0])[:count*n.cfg.Dim]...)
		return finalize(outputs...)
	})
	return z, err
}

// classify returns the classes [n] that are predicted for embeddings z [n, dim].
func (n *network) classify(z []float32) ([]int32, error) {
	return ofPoints[int32](n, n.classifyExec, z, 1)
}

// scores returns the class scores [n, classes] of embeddings z [n, dim].
func (n *network) scores(z []float32) ([]float32, error) {
	return ofPoints[float32](n, n.scoresExec, z, n.classes)
}

// ofPoints returns what a graph says of embeddings z [n, dim], so many numbers of each. An
// incomplete last batch is filled up with rows of before, or zeros.
func ofPoints[T int32 | float32](n *network, exec *model.Exec, z []float32, width int) (values []T, err error) {
	dim, size := n.cfg.Dim, n.classifyBatch()
	batch := make([]float32, size*dim)
	err = inBatches(len(z)/dim, size, func(first, count int) error {
		copy(batch, z[first*dim:][:count*dim])
		outputs, err := n.call(exec, tensors.FromFlatDataAndDimensions(batch, size, dim))
		if err != nil {
			return err
		}
		values = append(values, tensors.MustCopyFlatData[T](outputs[0])[:count*width]...)
		return finalize(outputs...)
	})
	return values, err
}

// classVectors returns the class vectors [classes, dim].
func (n *network) classVectors() ([]float32, error) {
	outputs, err := n.call(n.vectorsExec)
	if err != nil {
		return nil, err
	}
	vectors := outputs[0]
	if want := shapes.Make(dtypes.Float32, n.classes, n.cfg.Dim); !vectors.Shape().Equal(want) {
		return nil, fmt.Errorf("embed: the class vectors are %s; allowed: %s", vectors.Shape(), want)
	}
	return tensors.MustCopyFlatData[float32](vectors), finalize(outputs...)
}

// setCenters sets the technique's centers, if it has any, to the class means of an
// embedding, on the unit sphere where that is the geometry.
func (n *network) setCenters(e measure.Embedding) error {
	centers := n.store.GetVariable(headPath + centersName)
	if centers == nil {
		return nil
	}
	if err := n.setPresent(e.Labels); err != nil {
		return err
	}
	if n.technique.Geometry == Sphere {
		e = e.OnSphere()
	}
	flat := make([]float32, 0, n.classes*e.Dim)
	for _, mean := range e.Means() {
		for _, coordinate := range mean {
			flat = append(flat, float32(coordinate))
		}
	}
	return centers.SetValue(tensors.FromFlatDataAndDimensions(flat, n.classes, e.Dim))
}

// setPresent says which classes have a center, if one has none, or had none before.
func (n *network) setPresent(labels []int32) error {
	if n.technique.Scores != nil {
		return nil
	}
	present := make([]float32, n.classes)
	for _, class := range labels {
		present[class] = 1
	}
	value := tensors.FromFlatDataAndDimensions(present, n.classes)
	if variable := n.store.GetVariable(headPath + presentName); variable != nil {
		return variable.SetValue(value)
	}
	if !slices.Contains(present, 0) {
		return nil
	}
	variable, err := n.store.CreateVariable(headPath+presentName, value)
	if err != nil {
		return err
	}
	variable.SetTrainable(false)
	return nil
}

func (n *network) imagesTensor(images []byte) *tensors.Tensor {
	size := n.pixels()
	return tensors.FromFlatDataAndDimensions(images, len(images)/size, n.shape[0], n.shape[1], n.shape[2])
}

// finalize frees tensors at once, rather than when the garbage collector runs.
func finalize(all ...*tensors.Tensor) error {
	for _, tensor := range all {
		if err := tensor.FinalizeAll(); err != nil {
			return err
		}
	}
	return nil
}
