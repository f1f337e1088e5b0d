package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// OpenSetSplits is the number of open-set splits of a dataset, see [OpenSetSplit].
const OpenSetSplits = 5

// The known classes of the published splits.
var (
	digitSplits = [OpenSetSplits][]int{{2, 4, 5, 9, 8, 3}, {3, 2, 6, 9, 4, 0}, {5, 8, 3, 2, 4, 6}, {3, 7, 8, 4, 0, 5}, {6, 3, 4, 9, 8, 2}}
	photoSplits = [OpenSetSplits][]int{{0, 6, 4, 9, 1, 7}, {7, 6, 4, 9, 0, 1}, {1, 5, 7, 3, 9, 4}, {8, 6, 1, 9, 0, 7}, {2, 4, 1, 7, 9, 6}}
)

// openSetSplits has the datasets that have splits. Fashion-MNIST has none that were
// published: its are those of MNIST.
var openSetSplits = []struct {
	name  string
	known [OpenSetSplits][]int
}{
	{"mnist", digitSplits}, {"fashion-mnist", digitSplits}, {"cifar-10", photoSplits},
	{"mnist-sample", digitSplits}, {"fashion-mnist-sample", digitSplits},
}

// OpenSetSplit returns the six classes of a dataset that are known in one of five fixed
// splits, 1 to 5, and the four others, in their order: open-set recognition trains on the
// known ones and asks which images are of the others. The splits of MNIST and CIFAR-10 are
// those that publications compare by. Fashion-MNIST takes the class numbers of MNIST, and a
// sample those of its dataset. [Dataset.Select] makes the parts. Errors: a dataset without
// splits, and another split.
//
// Source: Vaze et al., arXiv 2110.06207.
func OpenSetSplit(name string, split int) (known, unknown []int, err error) {
	var names []string
	for _, dataset := range openSetSplits {
		if dataset.name != name {
			names = append(names, dataset.name)
			continue
		}
		if split < 1 || split > OpenSetSplits {
			return nil, nil, fmt.Errorf("datasets: open-set split %d of %s; allowed: 1 to %d", split, name, OpenSetSplits)
		}
		known = slices.Clone(dataset.known[split-1])
		for class := range 10 {
			if !slices.Contains(known, class) {
				unknown = append(unknown, class)
			}
		}
		return known, unknown, nil
	}
	return nil, nil, fmt.Errorf("datasets: %q has no open-set splits; allowed: %s", name, strings.Join(names, ", "))
}
