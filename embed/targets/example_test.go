package targets_test

import (
	"context"
	"fmt"
	"math"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/embed/targets"
)

// Ten targets on a circle, in an order in which classes that resemble each other are
// neighbours: here by the means of their pixels.
func ExampleAssign() {
	images, _, err := datasets.Load(context.Background(), "mnist-sample", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	pixels := measure.Embedding{Dim: 28 * 28, Labels: images.Labels, Classes: 10}
	for _, value := range images.Images {
		pixels.Z = append(pixels.Z, float32(value))
	}
	circle, err := targets.Circle(10, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	assigned, err := targets.Assign(circle, pixels.Means())
	if err != nil {
		fmt.Println(err)
		return
	}
	apart := func(a, b int) float64 {
		return math.Hypot(assigned[a][0]-assigned[b][0], assigned[a][1]-assigned[b][1])
	}
	fmt.Printf("4 and 9: %.2f\n", apart(4, 9))
	fmt.Printf("0 and 1: %.2f\n", apart(0, 1))
	// Output:
	// 4 and 9: 0.62
	// 0 and 1: 1.90
}
