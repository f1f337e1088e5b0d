package fewshot

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkLogistic(b *testing.B) {
	for _, shot := range []int{1, 5, 20} {
		for _, dim := range []int{2, 64, 3072} {
			b.Run(fmt.Sprintf("shot=%d/dim=%d", shot, dim), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				s := Support{Way: 4}
				for i := range 4 * shot {
					z := make([]float64, dim)
					for k := range z {
						z[k] = r.NormFloat64()
					}
					z[0] += 3 * float64(i%4/2)
					z[1] += 3 * float64(i%2)
					s.Z, s.Labels = append(s.Z, z), append(s.Labels, int32(i%4))
				}
				for b.Loop() {
					if _, err := Logistic(s, 1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
