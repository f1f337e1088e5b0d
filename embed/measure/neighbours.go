package measure

import (
	"cmp"
	"math"
	"slices"

	"github.com/embedspace/embedspace/embed/internal/parallel"
)

// retrieval is what the reference points around a query say.
type retrieval struct {
	nearest   int32   // the class of the nearest
	vote      int32   // the class of most of the k nearest
	precision float64 // the average precision at R; 0 where R is 0
}

// retrieve asks the reference, which has counts points of each class, about each point.
// All distances are computed and sorted: average precision at R needs a tenth of the
// reference in order for ten classes, where a tree of points doesn't help. A goroutine
// keeps the distances of one query at a time.
func (e Embedding) retrieve(reference Embedding, k int, counts []int) []retrieval {
	retrievals := make([]retrieval, e.Len())
	parallel.For(e.Len(), func() func(i int) {
		ranked, near, votes := newRanking(reference.Len()), make([]int32, reference.Len()), make([]int, len(counts))
		return func(i int) {
			query, r := e.at(i), counts[e.Labels[i]]
			for j := range ranked.squared {
				ranked.squared[j] = squaredDistance(query, reference.Z[j*e.Dim:])
			}
			for place, found := range ranked.first(max(r, k)) {
				near[place] = reference.Labels[found.index]
			}
			retrievals[i] = retrieval{near[0], vote(near[:k], votes), averagePrecision(near[:r], e.Labels[i])}
		}
	})
	return retrievals
}

// vote returns the class that most of the nearest are of. Of classes with as many, the
// one with the nearest wins. votes has a zero for each class, before and after.
func vote(near []int32, votes []int) int32 {
	most := 0
	for _, class := range near {
		votes[class]++
		most = max(most, votes[class])
	}
	winner := near[slices.IndexFunc(near, func(class int32) bool { return votes[class] == most })]
	for _, class := range near {
		votes[class] = 0
	}
	return winner
}

// averagePrecision returns (1/R) sum_i P(i) over those of the R nearest that are of the
// class, where P(i) is the share of the first i that are.
func averagePrecision(near []int32, class int32) float64 {
	found, total := 0., 0.
	for i, other := range near {
		if other == class {
			found++
			total += found / float64(i+1)
		}
	}
	return total / max(1, float64(len(near)))
}

// A ranking sorts points by their distance. Of equal distances, the one with the lower
// index comes first.
type ranking struct {
	squared        []float64 // the squared distances
	entries, spare []entry
}

// An entry is a point with the first bits of its squared distance.
type entry struct {
	key   uint32
	index int32
}

func newRanking(n int) *ranking {
	return &ranking{make([]float64, n), make([]entry, n), make([]entry, n)}
}

// first returns the nearest n points, in order. It is a radix sort by the exponent and 21
// bits of the mantissa, then one by comparison among points that have them in common: the
// time hardly depends on n.
func (r *ranking) first(n int) []entry {
	const bits = 11 // of a digit
	var starts [3][1 << bits]int32
	for i, squared := range r.squared {
		key := uint32(math.Float64bits(squared) >> 31) // the sign is 0
		r.entries[i] = entry{key, int32(i)}
		starts[0][key%(1<<bits)]++
		starts[1][key>>bits%(1<<bits)]++
		starts[2][key>>(2*bits)]++
	}
	for digit := range starts {
		start, total := &starts[digit], int32(0)
		for value, count := range start {
			start[value], total = total, total+count
		}
		for _, e := range r.entries {
			value := e.key >> (digit * bits) % (1 << bits)
			r.spare[start[value]] = e
			start[value]++
		}
		r.entries, r.spare = r.spare, r.entries
	}
	for start, end := 0, 0; start < n; start = end {
		for end < len(r.entries) && r.entries[end].key == r.entries[start].key {
			end++
		}
		if end > start+1 {
			slices.SortFunc(r.entries[start:end], func(a, b entry) int {
				return cmp.Or(cmp.Compare(r.squared[a.index], r.squared[b.index]), cmp.Compare(a.index, b.index))
			})
		}
	}
	return r.entries[:n]
}

// squaredDistance returns ||x - y||^2 by the first coordinates of y.
func squaredDistance(x []float64, y []float32) float64 {
	y = y[:len(x)]
	sum := 0.
	for d := range x {
		difference := x[d] - float64(y[d])
		sum += difference * difference
	}
	return sum
}
