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
// sample those of its dataset. [OpenSetImages] makes the parts. Errors: a dataset without
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

// An OpenSet has the images of an open-set split, by what they are for.
type OpenSet struct {
	Train       *Dataset // training images of the known classes
	Calibration *Dataset // others of them, by which a threshold is chosen
	Test        *Dataset // test images of the known classes
	Unknown     *Dataset // test images of the other classes, which are its classes 0 to 3
}

// calibrationShare is the share of the training images of each known class that are for the
// calibration: few to miss in the training, and enough for a threshold that accepts 95 % of
// the known within a point, by the 3,600 of MNIST. The seed is not that of a training: all
// training runs on a split have the same images.
const (
	calibrationShare = 0.1
	calibrationSeed  = 1
)

// OpenSetImages returns the images of a split of a dataset, see [OpenSetSplit], of its
// training and test images as [Load] returns them. Of the training images of each known class, a
// tenth is for the calibration, the same in every call. Errors are those of OpenSetSplit,
// [Dataset.Select] and [Dataset.HoldOut].
func OpenSetImages(name string, split int, train, test *Dataset) (images OpenSet, err error) {
	known, unknown, err := OpenSetSplit(name, split)
	if err != nil {
		return OpenSet{}, err
	}
	all, err := train.Select(known...)
	if err != nil {
		return OpenSet{}, err
	}
	if images.Train, images.Calibration, err = all.HoldOut(calibrationShare, calibrationSeed); err != nil {
		return OpenSet{}, err
	}
	if images.Test, err = test.Select(known...); err != nil {
		return OpenSet{}, err
	}
	images.Unknown, err = test.Select(unknown...)
	return images, err
}
