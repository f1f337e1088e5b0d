package losses_test

import (
	"fmt"
	"log"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/gomlx/core/graph"
)

// The second embedding lies on the weight vector of class 1, but its label is 0.
func ExampleSoftmax() {
	backend, err := backends.Open("go", nil)
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

// The long weight vector of class 0 counts no more than the short one of class 1.
func ExampleNormalizedSoftmax() {
	backend, err := backends.Open("go", nil)
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

// The largest logit decides: class 0 for the first embedding, class 2 for the second.
func ExampleLogits() {
	backend, err := backends.Open("go", nil)
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
	backend, err := backends.Open("go", nil)
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

// An embedding on its own weight vector, 60 degrees from that of the other class. The margin
// is subtracted from the cosine of the true class.
func ExampleCosFace() {
	backend, err := backends.Open("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	z := [][]float32{{5, 0}}
	W := [][]float32{{1, 0}, {0.5, 0.8660254}}
	labels := []int32{0}
	for _, margin := range []float64{0, 0.2, 0.5} {
		loss, err := graph.CallOnce(backend, func(z, W, labels *graph.Node) *graph.Node {
			return losses.CosFace(z, W, labels, graph.Scalar(z.Graph(), z.DType(), 10), margin)
		}, z, W, labels)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.4f\n", loss.Value())
	}
	// Output:
	// [0.0067]
	// [0.0486]
	// [0.6931]
}

// Two embeddings of class 0 at distance 1, and one of class 1 at distance 2 from the first
// and 3 from the second. The margin is 2.5.
func ExampleContrastive() {
	backend, err := backends.Open("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	loss, err := graph.CallOnce(backend, func(z, labels *graph.Node) *graph.Node {
		return losses.Contrastive(z, labels, 2.5)
	}, [][]float32{{0, 0}, {-1, 0}, {2, 0}}, []int32{0, 0, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loss.Value())
	// Output: [0.3125 0.25 0.0625]
}

// Two anchors have a positive and a negative, at squared distances 1 and 4 for the first, 1 and
// 9 for the second. With a margin of 4 the first has a loss of 1, the second none.
func ExampleTripletHard() {
	backend, err := backends.Open("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	outputs, err := graph.CallOnceN(backend, func(z, labels *graph.Node) []*graph.Node {
		loss, share := losses.TripletHard(z, labels, 4, false)
		return []*graph.Node{graph.ReduceAllMean(loss), share}
	}, [][]float32{{0, 0}, {-1, 0}, {2, 0}}, []int32{0, 0, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(outputs[0].Value(), outputs[1].Value())
	// Output: 0.5 0.5
}

func ExampleRegression() {
	backend, err := backends.Open("go", nil)
	if err != nil {
		log.Fatal(err)
	}
	targets := [][]float32{{1, 0}, {0, 1}}
	loss, err := graph.CallOnce(backend, losses.Regression, [][]float32{{1, 0.5}, {1, 0}}, targets, []int32{0, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loss.Value())
	// Output: [0.25 2]
}
