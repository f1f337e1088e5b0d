package losses_test

import (
	"fmt"
	"log"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/gomlx/core/graph"
)

// The second embedding lies on the weights of class 1, but its label is 0.
func ExampleSoftmax() {
	backend, err := embed.OpenBackend("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	z := [][]float32{{2, 0}, {0, 1}}
	W := [][]float32{{1, 0}, {0, 1}}
	b := []float32{0, 0}
	labels := []int32{0, 0}
	loss, err := graph.CallOnce(backend, losses.Softmax, z, W, b, labels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", loss.Value())
	// Output: [0.1269 1.3133]
}

// The long weights of class 0 count no more than the short ones of class 1.
func ExampleNormalizedSoftmax() {
	backend, err := embed.OpenBackend("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	z := [][]float32{{2, 0}, {0, 2}}
	W := [][]float32{{100, 0}, {0, 0.01}}
	labels := []int32{0, 1}
	loss, err := graph.CallOnce(backend, losses.NormalizedSoftmax, z, W, labels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", loss.Value())
	// Output: [0.1269 0.1269]
}

// The largest logit decides: class 0 for the first embedding, 2 for the second.
func ExampleLogits() {
	backend, err := embed.OpenBackend("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	z := [][]float32{{2, 1}, {-1, 0}}
	W := [][]float32{{1, 0}, {0, 1}, {-1, -1}}
	b := []float32{0, 0.5, 0}
	logits, err := graph.CallOnce(backend, losses.Logits, z, W, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(logits.Value())
	// Output: [[2 1.5 -3] [-1 0.5 1]]
}

func ExampleNormalize() {
	backend, err := embed.OpenBackend("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	unit, err := graph.CallOnce(backend, losses.Normalize, [][]float32{{3, 4}, {0, -0.5}, {0, 0}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(unit.Value())
	// Output: [[0.6 0.8] [0 -1] [0 0]]
}
