package embed_test

import (
	"context"
	"fmt"
	"io"

	"github.com/embedspace/embedspace/embed"
)

// The whole path: train on digits that come with the library, then use the
// embedding.
func Example() {
	cfg := embed.Config{Dataset: "mnist-sample", Train: 512, Epochs: 1}
	result, err := embed.Train(context.Background(), cfg, embed.Options{Progress: io.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Test.Len(), "test images in", result.Test.Dim, "dimensions,", len(result.ClassNames), "classes")
	fmt.Println(result.Config.Technique, "for", len(result.History), "epoch of", result.Data.TrainImages, "images")
	// Output:
	// 1000 test images in 2 dimensions, 10 classes
	// softmax for 1 epoch of 512 images
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
