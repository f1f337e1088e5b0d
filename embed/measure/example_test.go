package measure_test

import (
	"fmt"

	"github.com/embedspace/embedspace/embed/measure"
)

// Points of two classes on two rays, as of a loss that sees directions only: in the space a
// short point is far from the long one of its class. (embed.Result.Metrics measures what was
// trained.)
func ExampleEmbedding_Metrics() {
	reference := measure.Embedding{Dim: 2, Classes: 2,
		Z:      []float32{1, 0, 9, 0, 0, 1, 0, 9},
		Labels: []int32{0, 0, 1, 1}}
	test := measure.Embedding{Dim: 2, Classes: 2,
		Z:         []float32{1, 0, 8, 1, 0, 1, 4, 3},
		Labels:    []int32{0, 0, 1, 1},
		Predicted: []int32{0, 0, 1, 0}}
	metrics, err := test.Metrics(reference)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f\n", metrics.Accuracy)
	fmt.Printf("in the space: MAP@R %.2f, silhouette %.2f\n", metrics.MAPAtR, metrics.Silhouette)
	fmt.Printf("on the sphere: MAP@R %.2f, silhouette %.2f\n", metrics.OnSphere.MAPAtR, metrics.OnSphere.Silhouette)
	for _, touch := range metrics.OnSphere.Touching {
		fmt.Printf("classes %v touch: %.0f %%\n", touch.Classes, 100*touch.Share)
	}
	// Output:
	// accuracy 0.75
	// in the space: MAP@R 0.56, silhouette -0.17
	// on the sphere: MAP@R 0.75, silhouette 0.43
	// classes [0 1] touch: 50 %
}
