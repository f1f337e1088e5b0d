package fewshot_test

import (
	"fmt"

	"github.com/embedspace/embedspace/embed/fewshot"
)

// Two classes of two points each, and a point that has the direction of one and is near to the
// other.
func ExampleMethod_Classify() {
	support := fewshot.Support{Way: 2, Z: [][]float64{{1, 0}, {2, 0}, {4, 4}, {5, 5}}, Labels: []int32{0, 0, 1, 1}}
	for _, method := range fewshot.Methods() {
		classes, err := method.Classify(support, [][]float64{{0.5, 0.4}})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(method.Name, classes)
	}
	// Output:
	// prototype [0]
	// prototype-cosine [1]
	// nearest [0]
	// logistic [0]
}
