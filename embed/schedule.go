package embed

import (
	"math"
	"math/rand/v2"
)

// warmUp is the share of the training in which the learning rate rises.
const warmUp = 0.25

// oneCycle returns the learning rate at a progress of 0 to 1 through the training:
// from 1/25 of highest it rises along a cosine to highest, then falls along one to
// zero.
//
// Source: Smith and Topin, arXiv 1708.07120.
func oneCycle(highest, progress float64) float64 {
	const start = 1. / 25
	if progress < warmUp {
		return highest * (start + (1-start)*(1-math.Cos(math.Pi*progress/warmUp))/2)
	}
	return highest * (1 + math.Cos(math.Pi*(progress-warmUp)/(1-warmUp))) / 2
}

// epochOrder returns the order in which an epoch visits n training images. It is a
// function of its arguments alone, so that a resumed run goes on in the same order.
func epochOrder(n int, seed int64, epoch int) []int {
	return rand.New(rand.NewPCG(uint64(seed), uint64(epoch))).Perm(n)
}
