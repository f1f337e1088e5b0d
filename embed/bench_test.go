package embed

import (
	"testing"

	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

func BenchmarkStep(b *testing.B) {
	for _, name := range []string{"xla:cpu", "go"} {
		for _, same := range []bool{true, false} {
			b.Run(name+map[bool]string{true: "/same", false: "/valid"}[same], func(b *testing.B) {
				backend, err := OpenBackend(name, nil)
				if err != nil {
					b.Fatal(err)
				}
				store := model.NewStore()
				exec, err := model.NewExec(backend, store, func(scope *model.Scope, images, labels *graph.Node) *graph.Node {
					z := extractor(scope.In("extractor"), images, Config{Dim: 2, Activation: "linear", Padding: map[bool]string{true: "same", false: "valid"}[same]})
					W := scope.In("head").VariableWithShape("W", shapes.Make(dtypes.Float32, 10, 2)).NodeValue(z.Graph())
					l := graph.ReduceAllMean(losses.Softmax(z, W, nil, labels))
					optimizer.Adam().LearningRate(1e-3).Done().UpdateGraph(scope, z.Graph(), l)
					return l
				})
				if err != nil {
					b.Fatal(err)
				}
				images := tensors.FromFlatDataAndDimensions(make([]byte, 128*784), 128, 28, 28, 1)
				labels := tensors.FromFlatDataAndDimensions(make([]int32, 128), 128)
				for range 2 {
					exec.Call(images, labels)
				}
				for b.Loop() {
					out, err := exec.Call(images, labels)
					if err != nil {
						b.Fatal(err)
					}
					out[0].FinalizeAll()
				}
				b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}
