package embed

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// risingShare is the share of the training in which the learning rate rises.
const risingShare = 0.25

// oneCycle returns the learning rate at a progress of 0 to 1 through the training:
// from 1/25 of highest it rises along a cosine to highest, then falls along one to
// zero.
//
// Source: Smith and Topin, arXiv 1708.07120.
func oneCycle(highest, progress float64) float64 {
	const start = 1. / 25
	if progress < risingShare {
		return highest * (start + (1-start)*(1-math.Cos(math.Pi*progress/risingShare))/2)
	}
	return highest * (1 + math.Cos(math.Pi*(progress-risingShare)/(1-risingShare))) / 2
}

// epochOrder returns the order in which an epoch visits n training images. It is a
// function of its arguments alone, so that a resumed run goes on in the same order.
func epochOrder(n int, seed int64, epoch int) []int {
	return rand.New(rand.NewPCG(uint64(seed), uint64(epoch))).Perm(n)
}

// balancedOrder returns the order in which an epoch visits images with these labels, so
// that each batch holds images of as many classes, and as many of each as the batch
// has room for. The classes of a batch are drawn anew; the images of a class come one after
// the other in an order drawn anew whenever all were seen.
func balancedOrder(labels []int32, classesInBatch, batch int, seed int64, epoch int) []int {
	random := rand.New(rand.NewPCG(uint64(seed), uint64(epoch)))
	byClass := map[int32][]int{}
	for i, label := range labels {
		byClass[label] = append(byClass[label], i)
	}
	classes := slices.Sorted(maps.Keys(byClass))
	classesInBatch = min(classesInBatch, len(classes))
	waiting := map[int32][]int{}
	next := func(class int32) int {
		if len(waiting[class]) == 0 {
			waiting[class] = slices.Clone(byClass[class])
			random.Shuffle(len(waiting[class]), func(i, j int) {
				waiting[class][i], waiting[class][j] = waiting[class][j], waiting[class][i]
			})
		}
		first := waiting[class][0]
		waiting[class] = waiting[class][1:]
		return first
	}
	var order []int
	for range len(labels) / batch {
		drawn := random.Perm(len(classes))[:classesInBatch]
		for i := range batch {
			order = append(order, next(classes[drawn[i%classesInBatch]]))
		}
	}
	return order
}
