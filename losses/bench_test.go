package losses_test

import (
	"fmt"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// benchmarkLoss measures a loss with its gradients in float32, for 10 classes.
func benchmarkLoss(b *testing.B, loss lossFn, names ...string) {
	for _, backend := range embedtest.Backends(b) {
		for _, size := range []struct{ batch, dim int }{{128, 2}, {128, 16}, {128, 64}, {128, 512}, {512, 2}, {512, 16}, {512, 64}, {512, 512}} {
			b.Run(fmt.Sprintf("%s/batch=%d/dim=%d", backend, size.batch, size.dim), func(b *testing.B) {
				p := newPlatform(embedtest.Open(b, backend), dtypes.Float32)
				in, labels := randomInputs(names, size.batch, 10, size.dim)
				var args []any
				for _, name := range names {
					args = append(args, graph.MustExecOnce(p.backend, func(x *graph.Node) *graph.Node {
						return graph.ConvertDType(x, p.dtype)
					}, in[name]))
				}
				args = append(args, tensors.FromValue(labels))
				exec := p.newExec(b, loss, names)
				if _, err := exec.Call(args...); err != nil { // compiles
					b.Fatal(err)
				}
				for b.Loop() {
					outputs, err := exec.Call(args...)
					if err != nil {
						b.Fatal(err)
					}
					for _, output := range outputs {
						output.FinalizeAll()
					}
				}
			})
		}
	}
}

func BenchmarkSoftmax(b *testing.B) { benchmarkLoss(b, softmax, "z", "W", "b") }

func BenchmarkNormalizedSoftmax(b *testing.B) { benchmarkLoss(b, normalizedSoftmax, "z", "W") }

func BenchmarkCosFace(b *testing.B) { benchmarkLoss(b, cosFace(30, 0.05), "z", "W") }

func BenchmarkArcFace(b *testing.B) { benchmarkLoss(b, arcFace(30, 0.1), "z", "W") }

func BenchmarkSphereFace(b *testing.B) { benchmarkLoss(b, sphereFace(2, 5), "z", "W") }

func BenchmarkLSoftmax(b *testing.B) { benchmarkLoss(b, lSoftmax(2, 5), "z", "W") }

func BenchmarkCenter(b *testing.B) { benchmarkLoss(b, center(0.3), "z", "centers") }

func BenchmarkContrastive(b *testing.B) { benchmarkLoss(b, contrastive(2), "z") }

func BenchmarkTripletAll(b *testing.B) { benchmarkLoss(b, tripletAll(1, true), "z") }

func BenchmarkTripletSemiHard(b *testing.B) { benchmarkLoss(b, tripletSemiHard(1), "z") }

func BenchmarkTripletHard(b *testing.B) { benchmarkLoss(b, tripletHard(1, true), "z") }

func BenchmarkTripletSoftHard(b *testing.B) { benchmarkLoss(b, tripletSoftHard(1, 1, true), "z") }

func BenchmarkRegression(b *testing.B) { benchmarkLoss(b, regression, "z", "targets") }

func BenchmarkSupCon(b *testing.B) { benchmarkLoss(b, supCon(0.1), "z") }

func BenchmarkMultiSimilarity(b *testing.B) { benchmarkLoss(b, multiSimilarity(2, 50, 0.5), "z") }

func BenchmarkCircle(b *testing.B) { benchmarkLoss(b, circle(0.4, 80), "z") }

func BenchmarkProxyAnchor(b *testing.B) { benchmarkLoss(b, proxyAnchor(0, 1, 20, 1), "z", "proxies") }

func BenchmarkSubcenterArcFace(b *testing.B) {
	benchmarkLoss(b, subcenterArcFace(30, 0.1), "z", "subcenters")
}

func BenchmarkAdaCos(b *testing.B) { benchmarkLoss(b, adaCos(3), "z", "W") }

func BenchmarkRing(b *testing.B) { benchmarkLoss(b, ring(0.1), "z", "R") }

func BenchmarkCAC(b *testing.B) { benchmarkLoss(b, cac(0.1), "z", "targets") }

func BenchmarkPrototypes(b *testing.B) { benchmarkLoss(b, prototypes(2), "z", "targets") }
