package explain_test

import (
	"fmt"

	"github.com/embedspace/embedspace/embed/explain"
)

// What lies between two classes, and what is nearest to a point.
func ExamplePoints() {
	points := explain.Points{
		Z:      [][]float64{{0, 0}, {1, 0}, {2, 1}, {4, 0}, {5, 0}},
		Labels: []int32{0, 0, 0, 1, 1},
	}
	near, err := points.Nearest([]float64{3, 0}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("nearest: point %d of class %d in the distance %.2f\n", near[0].Index, near[0].Class, near[0].Distance)
	path, err := points.Path([]float64{0, 0}, []float64{5, 0}, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range explain.Distinct(path) {
		fmt.Println("step", s, "point", path[s].Nearest.Index)
	}
	_, err = points.Nearest([]float64{3, 0}, 1, 7)
	fmt.Println(err)
	// Output:
	// nearest: point 3 of class 1 in the distance 1.00
	// step 0 point 0
	// step 2 point 1
	// step 5 point 2
	// step 6 point 3
	// step 10 point 4
	// explain: no point of the classes [7]; allowed: classes that have one, such as 0
}

// The attribution of a product of two pixels: gradient x input counts it twice, integrated
// gradients add up to it.
func ExampleFunction() {
	f := explain.Function{
		Values: func(images [][]float64) (values []float64, err error) {
			for _, x := range images {
				values = append(values, x[0]*x[1])
			}
			return values, nil
		},
		Gradients: func(images [][]float64) (gradients [][]float64, err error) {
			for _, x := range images {
				gradients = append(gradients, []float64{x[1], x[0]})
			}
			return gradients, nil
		},
	}
	x, black := []float64{1, 4}, []float64{0, 0}
	product, err := f.GradientTimesInput(x, black)
	if err != nil {
		fmt.Println(err)
		return
	}
	in, err := f.IntegratedGradients(x, black, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f %.2f, sum %.2f of %.2f\n", product, in.Attribution, in.Sum, in.Value)
	// Output:
	// [4.00 4.00] [2.00 2.00], sum 4.00 of 4.00
}
