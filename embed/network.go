package embed

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/embedspace/embedspace/datasets"
)

// A network is an extractor and a technique's head with their variables, compiled
// for one backend and one shape of images.
type network struct {
	cfg       Config
	technique Technique
	classes   int
	shape     [3]int // height, width, channels
	store     *model.Store

	trainExec, embedExec, vectorsExec *model.Exec
}

func newNetwork(cfg Config, backend compute.Backend, shape [3]int, classes int) (*network, error) {
	technique, err := LookUp(cfg.Technique)
	if err != nil {
		return nil, err
	}
	if err := checkImageShape(shape, cfg.Padding); err != nil {
		return nil, err
	}
	n := &network{cfg: cfg, technique: technique, classes: classes, shape: shape, store: model.NewStore()}
	if err := n.store.SetRNGStateFromSeed(cfg.Seed); err != nil {
		return nil, err
	}
	if n.trainExec, err = model.NewExec(backend, n.store, n.trainGraph); err != nil {
		return nil, err
	}
	if n.embedExec, err = model.NewExec(backend, n.store, n.embedGraph); err != nil {
		return nil, err
	}
	if n.vectorsExec, err = model.NewExec(backend, n.store, n.vectorsGraph); err != nil {
		return nil, err
	}
	return n, nil
}

// embed returns the embeddings z [batch, dim] of images.
func (n *network) embed(scope *model.Scope, images *graph.Node) *graph.Node {
	return extractor(scope.In("extractor"), images, n.cfg)
}

func (n *network) head(scope *model.Scope, z *graph.Node) Head {
	return Head{Scope: scope.In("head"), Z: z, Classes: n.classes, Params: n.cfg.Params}
}

// predict returns the classes [batch] of the highest scores.
func (n *network) predict(h Head) *graph.Node {
	return graph.ArgMax(n.technique.Scores(h), -1, dtypes.Int32)
}

// trainGraph is one step of the training. It returns the mean loss and the share
// of the batch that was decided right before the step.
func (n *network) trainGraph(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
	images, labels, learningRate, progress := inputs[0], inputs[1], inputs[2], inputs[3]
	g := images.Graph()
	variablesChange(scope, g)

	h := n.head(scope, n.embed(scope, images))
	h.Labels, h.Progress = labels, progress
	loss := graph.ReduceAllMean(n.technique.Loss(h))
	right := graph.ConvertDType(graph.Equal(n.predict(h), labels), dtypes.Float32)

	optimizer.LearningRateVar(scope, learningRate.DType(), 0).SetNodeValue(learningRate)
	optimizer.Adam().Done().UpdateGraph(scope, g, loss)
	return []*graph.Node{loss, graph.ReduceAllMean(right)}
}

// variablesChange tells GoMLX that a graph runs between steps of the training: else,
// on the pure-Go backend, it holds the values that the variables have when it is
// built.
func variablesChange(scope *model.Scope, g *graph.Graph) { scope.SetTraining(g, true) }

// embedGraph returns the embeddings [batch, dim] and predicted classes [batch].
func (n *network) embedGraph(scope *model.Scope, images *graph.Node) (z, predicted *graph.Node) {
	variablesChange(scope, images.Graph())
	z = n.embed(scope, images)
	return z, n.predict(n.head(scope, z))
}

// vectorsGraph returns the class vectors [classes, dim].
func (n *network) vectorsGraph(scope *model.Scope, g *graph.Graph) *graph.Node {
	variablesChange(scope, g)
	return n.technique.ClassVectors(n.head(scope, graph.Zeros(g, shapes.Make(dtypes.Float32, 1, n.cfg.Dim))))
}

// train runs one step.
func (n *network) train(images []byte, labels []int32, learningRate, progress float64) (loss, accuracy float32, err error) {
	outputs, err := n.trainExec.Call(
		n.imagesTensor(images), tensors.FromFlatDataAndDimensions(labels, len(labels)),
		float32(learningRate), float32(progress))
	if err != nil {
		return 0, 0, err
	}
	loss, accuracy = tensors.ToScalar[float32](outputs[0]), tensors.ToScalar[float32](outputs[1])
	return loss, accuracy, finalize(outputs...)
}

// embedBatch is the number of images that are embedded in one execution.
const embedBatch = 256

// embedAll returns the embedding of a dataset; classes are predicted by the
// technique's own rule.
func (n *network) embedAll(data *datasets.Dataset) (Embedding, error) {
	e := Embedding{Dim: n.cfg.Dim, Labels: data.Labels}
	size := n.shape[0] * n.shape[1] * n.shape[2]
	batch := make([]byte, embedBatch*size)
	for from := 0; from < data.Len(); from += embedBatch {
		count := min(embedBatch, data.Len()-from)
		copy(batch, data.Images[from*size:(from+count)*size])
		outputs, err := n.embedExec.Call(n.imagesTensor(batch))
		if err != nil {
			return e, err
		}
		z := tensors.MustCopyFlatData[float32](outputs[0])
		predicted := tensors.MustCopyFlatData[int32](outputs[1])
		e.Z = append(e.Z, z[:count*e.Dim]...)
		e.Predicted = append(e.Predicted, predicted[:count]...)
		if err := finalize(outputs...); err != nil {
			return e, err
		}
	}
	return e, nil
}

// classVectors returns the class vectors [classes, dim].
func (n *network) classVectors() ([]float32, error) {
	outputs, err := n.vectorsExec.Call()
	if err != nil {
		return nil, err
	}
	return tensors.MustCopyFlatData[float32](outputs[0]), finalize(outputs...)
}

func (n *network) imagesTensor(images []byte) *tensors.Tensor {
	size := n.shape[0] * n.shape[1] * n.shape[2]
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
