// Package fewshot learns classes from a few embeddings of each, by methods that train no
// network, and measures them over episodes. It takes arrays, and knows neither networks nor
// datasets.
//
// An episode is N-way K-shot: the support has K points of each of N classes, and further
// points of these classes, the queries, are classified by it.
package fewshot

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/internal/vectors"
)

// A Support has the points by which classes are learned.
type Support struct {
	Z      [][]float64 // [n, dim]
	Labels []int32     // [n], 0 to Way-1, each of them at least once
	Way    int
}

// A Method classifies by a support. Of classes that fit as well, the lowest wins.
type Method struct {
	Name    string
	Formula string // what the class of a query z has the least or most of
	Source  string

	classify func(s Support, query [][]float64) ([]int32, error)
}

// Methods returns the methods.
func Methods() []Method {
	return []Method{
		{"prototype", "least ||z - c_j||^2, c_j the mean of class j", "arXiv 1703.05175", prototype},
		{"prototype-cosine", "most cos(z, mean of the unit vectors of class j)", "arXiv 1904.04232", prototypeCosine},
		{"nearest", "least ||z - x||, x a point of class j", "arXiv 1911.04623", Nearest(1)},
		{"logistic", "most w_j . z + b_j, W and b of Logistic with l2 = 1", "arXiv 2003.11539", logistic},
	}
}

// Classify returns the classes [n] of queries [n, dim]. Errors: a support or queries that do not
// fit together, coordinates that are not finite.
func (m Method) Classify(s Support, query [][]float64) ([]int32, error) {
	if m.classify == nil {
		return nil, fmt.Errorf("fewshot: method %q has no function; allowed: those of Methods", m.Name)
	}
	if err := s.check(query); err != nil {
		return nil, err
	}
	return m.classify(s, query)
}

// Prototypes returns the mean of each class [way, dim].
//
// Source: Snell et al., arXiv 1703.05175.
func (s Support) Prototypes() [][]float64 { return vectors.Means(s.Z, s.Labels, s.Way) }

// SquaredDistances returns ||z_i - c_j||^2 [n, way] of queries [n, dim] from the prototypes:
// the probabilities of the classes are the softmax of the negative ones.
func (s Support) SquaredDistances(query [][]float64) [][]float64 {
	squared, prototypes := make([][]float64, len(query)), s.Prototypes()
	for i, z := range query {
		squared[i] = vectors.Distances(z, prototypes)
		floats.Mul(squared[i], squared[i])
	}
	return squared
}

func prototype(s Support, query [][]float64) ([]int32, error) {
	return each(s.SquaredDistances(query), floats.MinIdx), nil
}

func prototypeCosine(s Support, query [][]float64) ([]int32, error) {
	s.Z = vectors.Units(s.Z)
	return cosineOfMean(s, query)
}

// cosineOfMean classifies by the largest cosine to a prototype; that of the origin is 0.
func cosineOfMean(s Support, query [][]float64) ([]int32, error) {
	prototypes := s.Prototypes()
	return each(query, func(z []float64) int {
		return floats.MaxIdx(vectors.Each(prototypes, func(c []float64) float64 {
			return floats.Dot(z, c) / max(math.Sqrt(floats.Dot(z, z))*math.Sqrt(floats.Dot(c, c)), math.SmallestNonzeroFloat64)
		}))
	}), nil
}

func logistic(s Support, query [][]float64) ([]int32, error) {
	model, err := Logistic(s, 1)
	if err != nil {
		return nil, err
	}
	return model.classify(query), nil
}

// Nearest returns the rule of the k nearest points of the support: the class of most of them.
// Of points at the same distance, the first is nearer; of classes with as many, that of the
// nearest point wins. Errors are those of Method.Classify, and a k that is not 1 to the number of points.
func Nearest(k int) func(s Support, query [][]float64) ([]int32, error) {
	return func(s Support, query [][]float64) ([]int32, error) {
		if err := s.check(query); err != nil {
			return nil, err
		}
		if k < 1 || k > len(s.Z) {
			return nil, fmt.Errorf("fewshot: the %d nearest of %d points; allowed: 1 to %[2]d", k, len(s.Z))
		}
		near := make([]int, 0, k+1) // the nearest first
		return each(query, func(z []float64) int {
			distances := vectors.Distances(z, s.Z)
			near = near[:0]
			for i, distance := range distances {
				place := len(near)
				for place > 0 && distance < distances[near[place-1]] {
					place--
				}
				if place < k {
					near = slices.Insert(near, place, i)[:min(k, len(near)+1)]
				}
			}
			votes, nearest := make([]int, s.Way), make([]int, s.Way)
			for place, i := range near {
				class := s.Labels[i]
				if votes[class] == 0 {
					nearest[class] = place
				}
				votes[class]++
			}
			classes := make([]int, s.Way)
			for class := range classes {
				classes[class] = class
			}
			return slices.MinFunc(classes, func(a, b int) int {
				return cmp.Or(cmp.Compare(votes[b], votes[a]), cmp.Compare(nearest[a], nearest[b]))
			})
		}), nil
	}
}

// each returns a class of each row.
func each(rows [][]float64, class func(row []float64) int) []int32 {
	classes := make([]int32, len(rows))
	for i, row := range rows {
		classes[i] = int32(class(row))
	}
	return classes
}

func (s Support) check(query [][]float64) error {
	if s.Way < 1 {
		return fmt.Errorf("fewshot: %d classes; allowed: 1 or more", s.Way)
	}
	if len(s.Z) == 0 || len(s.Labels) != len(s.Z) {
		return fmt.Errorf("fewshot: %d classes of %d points; allowed: as many, 1 or more", len(s.Labels), len(s.Z))
	}
	counts := make([]int, s.Way)
	for i, class := range s.Labels {
		if class < 0 || int(class) >= s.Way {
			return fmt.Errorf("fewshot: the class of point %d is %d; allowed: 0 to %d", i, class, s.Way-1)
		}
		counts[class]++
	}
	if class := slices.Index(counts, 0); class >= 0 {
		return fmt.Errorf("fewshot: class %d has no points; allowed: 1 or more", class)
	}
	dim := len(s.Z[0])
	return errors.Join(checkRows("point", s.Z, dim), checkRows("query", query, dim))
}

// checkRows returns an error unless each row has that many finite numbers.
func checkRows(what string, rows [][]float64, width int) error {
	for i, row := range rows {
		if len(row) != width {
			return fmt.Errorf("fewshot: %s %d has %d dimensions; allowed: %d", what, i, len(row), width)
		}
		for _, x := range row {
			if x-x != 0 {
				return fmt.Errorf("fewshot: %v in %s %d; allowed: finite numbers", x, what, i)
			}
		}
	}
	return nil
}
