// Package vectors holds what gonum's floats lack for rows of vectors.
package vectors

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Each returns a number of each row.
func Each(rows [][]float64, number func(row []float64) float64) []float64 {
	numbers := make([]float64, len(rows))
	for i, row := range rows {
		numbers[i] = number(row)
	}
	return numbers
}

// Rows returns the rows [n][width] of numbers that follow each other.
func Rows(flat []float32, width int) [][]float64 {
	rows := make([][]float64, len(flat)/width)
	for i := range rows {
		rows[i] = make([]float64, width)
		for j := range rows[i] {
			rows[i][j] = float64(flat[i*width+j])
		}
	}
	return rows
}

// Distances returns ||z - x_j||.
func Distances(z []float64, x [][]float64) []float64 {
	return Each(x, func(x []float64) float64 { return floats.Distance(z, x, 2) })
}

// Dots returns z . x_j.
func Dots(z []float64, x [][]float64) []float64 {
	return Each(x, func(x []float64) float64 { return floats.Dot(z, x) })
}

// Unit returns z/||z||; the origin stays.
func Unit(z []float64) []float64 {
	return floats.ScaleTo(make([]float64, len(z)), 1/max(floats.Norm(z, 2), math.SmallestNonzeroFloat32), z)
}

// Units returns each row as Unit does.
func Units(rows [][]float64) [][]float64 {
	units := make([][]float64, len(rows))
	for i, row := range rows {
		units[i] = Unit(row)
	}
	return units
}

// Softmax returns exp(l_j) / sum_k exp(l_k).
func Softmax(l []float64) []float64 {
	sum, p := floats.LogSumExp(l), make([]float64, len(l))
	for j, x := range l {
		p[j] = math.Exp(x - sum)
	}
	return p
}

// Means returns the mean of the rows x of each class; nil for a class without a row.
func Means(x [][]float64, labels []int32, classes int) [][]float64 {
	means, counts := make([][]float64, classes), make([]float64, classes)
	for i, class := range labels {
		if means[class] == nil {
			means[class] = make([]float64, len(x[i]))
		}
		floats.Add(means[class], x[i])
		counts[class]++
	}
	for class, mean := range means {
		for d := range mean { // times 1/n, the mean of equal points would not be that point
			mean[d] /= counts[class]
		}
	}
	return means
}
