package embed_test

import (
	"context"
	"fmt"
	"io"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/embed/openset"
	"github.com/embedspace/embedspace/losses"
)

// The whole path: train on some of the digits that come with the library, then
// embed others. (Train takes a whole dataset by its name.)
func Example() {
	train, test, err := datasets.Load(context.Background(), "mnist-sample", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	few, others, err := test.Split(200, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := embed.Config{Train: 128, Epochs: 1}
	result, err := embed.Fit(context.Background(), cfg, train, few, embed.Options{Progress: io.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Config.Technique, "in", result.Config.Dim, "dimensions, with", result.Data.TrainImages, "images of", len(result.ClassNames), "classes")
	fmt.Println("tested with", result.Test.Len(), "images")
	one, err := others.Subset(1, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	embedding, err := result.Embed(one)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("another image has", len(embedding.Z), "coordinates")
	// Output:
	// softmax in 2 dimensions, with 128 images of 10 classes
	// tested with 200 images
	// another image has 2 coordinates
}

// Trained on six digits, how well does an embedding tell the four others, by the score that the
// technique has by default? Command embedspace openset does the same for all techniques.
func ExampleResult_Known() {
	train, test, err := datasets.Load(context.Background(), "mnist-sample", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	images, err := datasets.OpenSetImages("mnist-sample", 1, train, test)
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := embed.Config{Technique: "center", Epochs: 2}
	result, err := embed.Fit(context.Background(), cfg, images.Train, images.Test, embed.Options{Progress: io.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	strangers, err := result.Embed(images.Unknown)
	if err != nil {
		fmt.Println(err)
		return
	}
	sample := openset.Sample{Correct: result.Test.Correct()}
	if sample.Known, err = result.Known("", result.Test.Z); err != nil {
		fmt.Println(err)
		return
	}
	if sample.Unknown, err = result.Known("", strangers.Z); err != nil {
		fmt.Println(err)
		return
	}
	measures, err := sample.Measures()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(sample.Known), "images of", result.ClassNames, "and", len(sample.Unknown), "of", images.Unknown.ClassNames)
	fmt.Println("better than chance:", measures.AUROC > 0.5)
	// Output:
	// 600 images of [2 4 5 9 8 3] and 400 of [0 1 6 7]
	// better than chance: true
}

func ExampleLookUp() {
	technique, err := embed.LookUp("softmax-normalized")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(technique.Title)
	fmt.Println("section", technique.Section)
	_, err = embed.LookUp("hardmax")
	fmt.Println(err != nil)
	// Output:
	// Softmax, normalized weights
	// section II-C
	// true
}

func ExampleTechniques() {
	for _, technique := range embed.Techniques()[:2] {
		fmt.Println(technique.ID)
	}
	// Output:
	// softmax
	// softmax-normalized
}

// The extractor of the paper's Fig. 1 for MNIST.
func ExampleLayers() {
	layers, err := embed.Layers(embed.Config{Dim: 2, Padding: "valid"}, 28, 28, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, layer := range layers {
		fmt.Println(layer.Name, layer.Output, layer.Parameters)
	}
	// Output:
	// image [28 28 1] 0
	// Conv(32) - Pool [13 13 32] 320
	// Conv(64) - Pool [5 5 64] 18496
	// Conv(128) [3 3 128] 73856
	// FC(256) [256] 295168
	// FC(2) [2] 514
}

func ExampleConfig_Set() {
	var cfg embed.Config
	fmt.Println(cfg.Set("activation", "relu"), cfg.Activation)
	fmt.Println(cfg.Set("learning-rate", "2"))
	// Output:
	// <nil> relu
	// embed: learning-rate is 2; allowed: more than 0, at most 1
}

// A technique of your own: the loss of neighbourhood components analysis, the probability
// that an image picks one of its own class as its partner. The nearest center decides.
func ExampleRegister() {
	err := embed.Register(embed.Technique{ID: "nca", Title: "Neighbourhood components", Balanced: true,
		Loss: func(h embed.Head) *graph.Node {
			notItself := graph.LogicalNot(graph.Diagonal(h.Z.Graph(), h.Z.Shape().Dim(0)))
			same := graph.Equal(graph.ExpandAxes(h.Labels, 0), graph.ExpandAxes(h.Labels, 1))
			closeness := graph.MaskedSoftmax(graph.Neg(losses.SquaredDistances(h.Z, h.Z)), notItself, -1)
			right := graph.MaskedReduceSum(closeness, same, -1)
			return graph.Neg(graph.Log(graph.AddScalar(right, 1e-6)))
		}})
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := embed.Config{Technique: "nca", Train: 256, Epochs: 1}
	result, err := embed.Train(context.Background(), cfg, embed.Options{Progress: io.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Config.Technique, len(result.Test.Predicted))
	// Output: nca 1000
}

// A network of your own: images are flattened, and one layer makes the features.
func ExampleRegisterExtractor() {
	err := embed.RegisterExtractor("dense", func(scope *model.Scope, images *graph.Node) *graph.Node {
		x := graph.Reshape(images, images.Shape().Dim(0), -1)
		return activation.Relu(layers.DenseWithBias(scope.In("hidden"), x, 64))
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	layers, err := embed.Layers(embed.Config{Extractor: "dense", Dim: 2}, 28, 28, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, layer := range layers {
		fmt.Println(layer.Name, layer.Output, layer.Parameters)
	}
	// Output:
	// image [28 28 1] 0
	// dense [64] 50240
	// FC(2) [2] 130
}

// What can be explained of an image.
func ExampleQuantity() {
	fmt.Println(embed.ScoreOf("3"))
	fmt.Println(embed.ScoreOver("3", "5"))
	fmt.Println(embed.DistanceTo("3"))
	fmt.Println(embed.CosineTo("3"))
	fmt.Println(embed.DistanceFrom([]float64{1, 2.5}))
	fmt.Println(embed.Coordinate(0))
	// Output:
	// score of 3
	// score of 3 less that of 5
	// distance from 3
	// cosine with 3
	// distance from [1 2.5]
	// coordinate 0
}

// What softmax does to two points of one class, with given weights: both are driven towards
// its weight and away from the other, the wrong one more.
func ExampleLossAt() {
	points := measure.Embedding{Dim: 2, Z: []float32{1, 0, 0, 1}, Labels: []int32{0, 0}, Classes: 2}
	d, err := embed.LossAt(embed.Config{Technique: "softmax"}, points, embed.Variables{"W": {1, 0, 0, 1}, "b": {0, 0}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("losses %.2f, minus the gradient of their mean %.2f\n", d.Losses, d.Direction)
	// Output: losses [0.31 1.31], minus the gradient of their mean [0.13 -0.13 0.37 -0.37]
}
