package embed

import (
	"math"
	"slices"
	"testing"
)

func TestOneCycle(t *testing.T) {
	const highest = 0.005
	for _, want := range []struct{ progress, rate float64 }{
		{0, highest / 25},
		{0.125, highest * (1 + 1./25) / 2}, // half of the cosine up
		{0.25, highest},
		{0.625, highest / 2}, // half of the cosine down
		{1, 0},
	} {
		if got := oneCycle(highest, want.progress); math.Abs(got-want.rate) > 1e-15 {
			t.Errorf("at %g of the training the learning rate is %g, want %g", want.progress, got, want.rate)
		}
	}
	for i := range 1000 {
		before, after := oneCycle(highest, float64(i)/1000), oneCycle(highest, float64(i+1)/1000)
		if rises := i < 250; rises && after <= before || !rises && after >= before {
			t.Errorf("at %g %% of the training the learning rate goes from %g to %g", float64(i)/10, before, after)
		}
	}
}

func TestEpochOrder(t *testing.T) {
	const n = 1000
	order := epochOrder(n, 1, 0)
	if !slices.Equal(order, epochOrder(n, 1, 0)) {
		t.Error("the order of an epoch isn't repeated")
	}
	sorted := slices.Sorted(slices.Values(order))
	for i, example := range sorted {
		if example != i {
			t.Fatalf("the order of %d examples is no permutation: %v", n, sorted)
		}
	}
	for name, other := range map[string][]int{
		"the given order": sorted, "another epoch": epochOrder(n, 1, 1), "another seed": epochOrder(n, 2, 0),
	} {
		same := 0
		for i := range order {
			if order[i] == other[i] {
				same++
			}
		}
		if same > 10 { // 1 is expected of two random permutations
			t.Errorf("%d of %d examples have the same place as in %s", same, n, name)
		}
	}
}
