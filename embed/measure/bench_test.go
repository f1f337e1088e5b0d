package measure

import (
	"fmt"
	"testing"
)

// BenchmarkMetrics measures as many test points as MNIST has by a reference, ten classes
// around the corners of a cube that overlap a little.
func BenchmarkMetrics(b *testing.B) {
	for _, size := range []struct{ reference, dim int }{{20_000, 2}, {60_000, 2}, {60_000, 3}, {60_000, 16}} {
		b.Run(fmt.Sprintf("%dx%d", size.reference, size.dim), func(b *testing.B) {
			test, reference := clouds(10_000, size.dim, 10, 0.3, 1), clouds(size.reference, size.dim, 10, 0.3, 2)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := test.Metrics(reference); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
