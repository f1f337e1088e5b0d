package embed

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/internal/memory"
)

// A Speed is what Bench measures.
type Speed struct {
	Backend                  string  `json:"backend"`
	Batch                    int     `json:"batch"`
	Padding                  string  `json:"padding"`
	TrainImagesPerSecond     float64 `json:"train_images_per_second"`
	InferenceImagesPerSecond float64 `json:"inference_images_per_second"`
	MillisecondsPerStep      float64 `json:"ms_per_step"`
	// PeakMemory is the most memory that the process held while it trained and
	// embedded, in bytes; 0 where the system does not tell.
	PeakMemory int64  `json:"peak_memory"`
	Parts      []Part `json:"parts"`
}

// A Part is a layer of the network, timed alone on a batch.
type Part struct {
	Name                 string  `json:"name"`
	ForwardMilliseconds  float64 `json:"forward_ms"`
	BackwardMilliseconds float64 `json:"backward_ms"` // gradients of its variables and input
}

// mostEmbedded is the largest number of images that Bench embeds.
const mostEmbedded = 100_000

// Bench measures training steps, the embedding of as many images, up to 100,000, and each layer
// alone, of the Config's network on random images of MNIST's shape. Only the training steps take more
// than one of the Config's devices. Compilation and two steps to warm up are not counted.
// Errors are those of Fit.
func Bench(cfg Config, steps int) (Speed, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return Speed{}, err
	}
	setDefault(&cfg.Batch, defaultBatch)
	if err := cfg.check(); err != nil {
		return Speed{}, err
	}
	if steps < 1 {
		return Speed{}, fmt.Errorf("embed: steps is %d; allowed: 1 or more", steps)
	}
	backend, err := backends.OpenDevices(cfg.Backend, cfg.Devices, nil)
	if err != nil {
		return Speed{}, err
	}
	cfg.Backend = backends.Name(backend)
	if err := checkMemory(cfg, [3]int{28, 28, 1}, os.DirFS("/"), io.Discard); err != nil {
		return Speed{}, err
	}
	images := randomDigits(max(cfg.Batch, min(steps, mostEmbedded/cfg.Batch)*cfg.Batch/embedBatch*embedBatch))
	net, err := newNetwork(cfg, backend, [3]int{images.Height, images.Width, images.Channels}, images.Classes())
	if err != nil {
		return Speed{}, err
	}

	memory.ResetPeak()
	batch, labels := images.Images[:cfg.Batch*len(images.At(0))], images.Labels[:cfg.Batch]
	trainTime, err := timed(steps, func() error {
		_, err := net.train(batch, labels, cfg.LearningRate, 0)
		return err
	})
	if err != nil {
		return Speed{}, err
	}
	embedTime, err := timed(1, func() error { _, err := net.embedAll(images); return err })
	if err != nil {
		return Speed{}, err
	}
	speed := Speed{
		Backend: cfg.Backend, Batch: cfg.Batch, Padding: cfg.Padding,
		TrainImagesPerSecond:     float64(steps*cfg.Batch) / trainTime.Seconds(),
		InferenceImagesPerSecond: float64(images.Len()) / embedTime.Seconds(),
		MillisecondsPerStep:      1000 * trainTime.Seconds() / float64(steps),
		PeakMemory:               memory.Peak(),
	}
	speed.Parts, err = net.benchParts(backend, steps)
	return speed, err
}

// benchParts measures each layer of the extractor alone, on noise.
func (n *network) benchParts(backend compute.Backend, steps int) ([]Part, error) {
	var parts []Part
	input := noise(n.cfg.Batch, n.shape[0], n.shape[1], n.shape[2])
	for i, l := range extractorLayers(n.cfg) {
		store := model.NewStore()
		forward := func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
			y := l.apply(scope, inputs[0])
			return []*graph.Node{firstElement(y), y}
		}
		backward := func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
			x, dy := inputs[0], inputs[1]
			y := l.apply(scope, x)
			var of []*graph.Node
			if i > 0 { // images need no gradient
				of = append(of, x)
			}
			for variable := range store.IterVariables() {
				if variable.Trainable {
					of = append(of, variable.NodeValue(x.Graph()))
				}
			}
			gradients := graph.Gradient(graph.ReduceAllSum(graph.Mul(y, dy)), of...)
			return append([]*graph.Node{firstElement(gradients[0])}, gradients...)
		}
		forwardTime, shape, err := n.benchGraph(backend, store, forward, steps, input)
		if err != nil {
			return nil, err
		}
		output := noise(shape.Dimensions...)
		bothTime, _, err := n.benchGraph(backend, store, backward, steps, input, output)
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{l.name, forwardTime, bothTime - forwardTime})
		input = output
	}
	return parts, nil
}

// firstElement returns one number of x, that tells when x is complete.
func firstElement(x *graph.Node) *graph.Node {
	return graph.Squeeze(graph.Slice(graph.Reshape(x, -1), graph.AxisElem(0)))
}

// benchGraph returns the milliseconds that a graph takes, and the shape of its second
// output.
func (n *network) benchGraph(backend compute.Backend, store *model.Store, build func(*model.Scope, []*graph.Node) []*graph.Node, steps int, inputs ...any) (milliseconds float64, shape shapes.Shape, err error) {
	exec, err := model.NewExec(backend, store, build)
	if err != nil {
		return 0, shape, err
	}
	defer exec.Finalize()
	duration, err := timed(steps, func() error {
		outputs, err := n.call(exec, inputs...)
		if err != nil {
			return err
		}
		tensors.ToScalar[float32](outputs[0])
		shape = outputs[1].Shape()
		return finalize(outputs...)
	})
	return 1000 * duration.Seconds() / float64(steps), shape, err
}

// noise returns a tensor of numbers from 0 to 1.
func noise(dims ...int) *tensors.Tensor {
	random := rand.New(rand.NewPCG(1, 1))
	flat := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
	for i := range flat {
		flat[i] = random.Float32()
	}
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}

// timed returns how long n calls of run take, after two to warm up.
func timed(n int, run func() error) (time.Duration, error) {
	var started time.Time
	for i := range n + 2 {
		if i == 2 {
			started = time.Now()
		}
		if err := run(); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

// randomDigits returns n images of MNIST's shape, of noise.
func randomDigits(n int) *datasets.Dataset {
	random := rand.New(rand.NewPCG(1, 1))
	d := &datasets.Dataset{
		Name: "noise", Height: 28, Width: 28, Channels: 1,
		Images: make([]byte, n*28*28), Labels: make([]int32, n), ClassNames: make([]string, 10),
	}
	for i := range d.Images {
		d.Images[i] = byte(random.Uint32())
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 10)
	}
	return d
}
