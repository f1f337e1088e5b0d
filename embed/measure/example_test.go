package measure_test

import (
	"fmt"

	"github.com/embedspace/embedspace/embed/measure"
)

// Points of two classes in the plane, by a reference: one of the three points of class 1 has
// gone over to class 0. (embed.Result.Metrics measures what was trained.)
func ExampleEmbedding_Metrics() {
	reference := measure.Embedding{Dim: 2, Classes: 2,
		Z:      []float32{4, 0, 5, 0, 6, 0, 0, 4, 0, 5, 0, 6},
		Labels: []int32{0, 0, 0, 1, 1, 1}}
	test := measure.Embedding{Dim: 2, Classes: 2,
		Z:         []float32{4, 0, 5, 0, 5, 0, 0, 5, 0, 6, 3, 0},
		Labels:    []int32{0, 0, 0, 1, 1, 1},
		Predicted: []int32{0, 0, 0, 1, 1, 0}}
	metrics, err := test.Metrics(reference)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f, by the nearest mean %.2f\n", metrics.Accuracy, metrics.NearestMeanAccuracy)
	fmt.Printf("MAP@R %.2f, silhouette %.2f\n", metrics.MAPAtR, metrics.Silhouette)
	for _, touch := range metrics.Touching {
		fmt.Printf("classes %v touch: %.0f %%\n", touch.Classes, 100*touch.Share)
	}
	// Output:
	// accuracy 0.83, by the nearest mean 0.83
	// MAP@R 0.83, silhouette 0.48
	// classes [0 1] touch: 33 %
}
