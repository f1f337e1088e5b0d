package openset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// BenchmarkScores measures the scores that take longest, of as many points as six classes of
// MNIST have.
func BenchmarkScores(b *testing.B) {
	const classes, train, test = 6, 30000, 4000
	scores := slices.Repeat([][]float64{make([]float64, classes)}, test) // which these do without
	for _, dim := range []int{2, 64} {
		random := rand.New(rand.NewPCG(1, 1))
		points := func(n int) (z [][]float64, labels []int32) {
			for i := range n {
				class := i % classes
				row := make([]float64, dim)
				for d := range row {
					row[d] = random.NormFloat64()
				}
				row[class%dim] += 5
				z, labels = append(z, row), append(labels, int32(class))
			}
			return z, labels
		}
		var s Space
		s.Train, s.Labels = points(train)
		s.Vectors = s.Train[:classes]
		z, _ := points(test)
		for _, name := range []string{"knn", "mahalanobis", "relative-mahalanobis", "class-mahalanobis"} {
			score, err := LookUp(name)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%d-D", name, dim), func(b *testing.B) {
				for b.Loop() {
					if _, err := score.Of(s, Points{Z: z, Scores: scores}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
