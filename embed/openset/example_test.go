package openset_test

import (
	"fmt"

	"github.com/embedspace/embedspace/embed/openset"
)

// A threshold that accepts three of four known images, and what it answers to two that are new.
func ExampleConformal() {
	threshold, err := openset.Conformal([]float64{0.9, 0.4, 0.8, 0.7, 0.6, 0.95, 0.85}, 0.75)
	if err != nil {
		fmt.Println(err)
		return
	}
	share, low, high := threshold.Share()
	fmt.Printf("threshold %.1f accepts %.0f %% of the known, %.0f to %.0f %%\n", threshold.Score, 100*share, 100*low, 100*high)
	classes, err := openset.Decide([]int32{1, 0}, []float64{0.8, 0.3}, threshold.Score, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(classes) // 2 is unknown
	// Output:
	// threshold 0.6 accepts 75 % of the known, 42 to 96 %
	// [1 2]
}
