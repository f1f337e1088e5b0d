package losses

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// checkDims panics unless x has these dimensions (-1: any).
func checkDims(name string, x *graph.Node, dimensions ...int) {
	if x.Shape().CheckDims(dimensions...) != nil {
		exceptions.Panicf("losses: %s has the shape %s, its dimensions must be %v (-1: any)",
			name, x.Shape(), dimensions)
	}
}
