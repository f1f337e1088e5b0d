package losses_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/losses"
)

func proxyAnchor(m, alpha, beta, base float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.ProxyAnchor(in["z"], in["proxies"], in["labels"], m, alpha, beta, base)
	}
}

func subcenterArcFace(s, m float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.SubcenterArcFace(in["z"], in["subcenters"], in["labels"], scalar(in["z"], s), m)
	}
}

func adaCos(s float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.CosFace(in["z"], in["W"], in["labels"], nextScale(s)(in), 0)
	}
}

// nextScale is the scale of AdaCos after a batch.
func nextScale(s float64) lossFn {
	return func(in nodes) *graph.Node {
		return losses.AdaCosScale(in["z"], in["W"], in["labels"], scalar(in["z"], s))
	}
}

var weightLosses = []testedLoss{
	{"proxy-anchor, as published", []string{"z", "proxies"}, nil, proxyAnchor(0.1, 16, 16, 0), naiveProxyAnchor(0.1, 16, 16, 0), nil},
	{"proxy-anchor", []string{"z", "proxies"}, nil, proxyAnchor(0.1, 2, 20, 0.7), naiveProxyAnchor(0.1, 2, 20, 0.7), nil},
	{"subcenter-arcface", []string{"z", "subcenters"}, nil, subcenterArcFace(4, 0.5), naiveSubcenterArcFace(4, 0.5), nil},
	{"adacos", []string{"z", "W"}, nil, adaCos(3), naiveAdaCos(3), heldAdaCos(3)},
}

func naiveProxyAnchor(m, alpha, beta, base float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 {
		proxies := in["proxies"].([][]float64)
		pull, push, withPositive := 0.0, 0.0, 0
		for j, proxy := range proxies {
			sumP, sumN := 1.0, 1.0
			for i, z := range in["z"].([][]float64) {
				if int(labels[i]) == j {
					sumP += math.Exp(-alpha * (cosine(z, proxy) - base - m))
				} else {
					sumN += math.Exp(beta * (cosine(z, proxy) - base + m))
				}
			}
			if sumP > 1 {
				withPositive++
			}
			pull += math.Log(sumP)
			push += math.Log(sumN)
		}
		return []float64{pull/float64(withPositive) + alpha/beta*push/float64(len(proxies))}
	}
}

// naiveSubcenterArcFace is ArcFace with the nearest sub-center of each class as its weight.
func naiveSubcenterArcFace(s, m float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) (result []float64) {
		for i, z := range in["z"].([][]float64) {
			var nearest [][]float64
			for _, subcenters := range in["subcenters"].([][][]float64) {
				nearest = append(nearest, slices.MaxFunc(subcenters, func(v, w []float64) int {
					if cosine(z, v) < cosine(z, w) {
						return -1
					}
					return 1
				}))
			}
			result = append(result, naiveArcFace(s, m)(arrays{"z": [][]float64{z}, "W": nearest}, labels[i:i+1])...)
		}
		return result
	}
}

func naiveAdaCos(s float64) func(in arrays, labels []int32) []float64 {
	return func(in arrays, labels []int32) []float64 { return heldAdaCos(s)(in, labels)(in, labels) }
}

// heldAdaCos is the softmax loss of cosines with the scale that the inputs at set.
func heldAdaCos(s float64) func(at arrays, labels []int32) func(in arrays, labels []int32) []float64 {
	return func(at arrays, labels []int32) func(in arrays, labels []int32) []float64 {
		z, W := at["z"].([][]float64), at["W"].([][]float64)
		B := 0.0
		var angles []float64
		for i := range z {
			for j, w := range W {
				if j != int(labels[i]) {
					B += math.Exp(s*cosine(z[i], w)) / float64(len(z))
				}
			}
			angles = append(angles, math.Acos(cosine(z[i], W[labels[i]])))
		}
		slices.Sort(angles)
		median := (angles[(len(angles)-1)/2] + angles[len(angles)/2]) / 2
		return naiveCosFace(math.Log(B)/math.Cos(min(math.Pi/4, median)), 0)
	}
}

// TestOneSubcenter: with one sub-center per class, or with equal ones, it is ArcFace.
func TestOneSubcenter(t *testing.T) {
	in, labels := randomInputs([]string{"z", "W"}, 8, 5, 3)
	for name, k := range map[string]int{"one": 1, "three equal ones": 3} {
		onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
			checkSame(t, p, name, func(in nodes) *graph.Node {
				subcenters := graph.BroadcastToDims(graph.ExpandAxes(in["W"], 1), 5, k, 3)
				return losses.SubcenterArcFace(in["z"], subcenters, in["labels"], scalar(in["z"], 16), 0.3)
			}, arcFace(16, 0.3), in, labels)
		})
	}
}

// TestAdaCosScale: where all examples have the same angle, the scale settles where their
// probability is 1/2.
func TestAdaCosScale(t *testing.T) {
	var in = arrays{}
	var z, W [][]float64
	var labels []int32
	for j := range 10 {
		at := func(angle float64) []float64 {
			sin, cos := math.Sincos(2*math.Pi*float64(j)/10 + angle)
			return []float64{cos, sin}
		}
		z, W, labels = append(z, at(0.2)), append(W, at(0)), append(labels, int32(j))
	}
	in["z"], in["W"], in["s"] = z, W, []float64{math.Sqrt2 * math.Log(9)}
	onBackends(t, dtypes.Float64, func(t *testing.T, p platform) {
		step := p.evaluator(t, func(in nodes) *graph.Node {
			next := losses.AdaCosScale(in["z"], in["W"], in["labels"], graph.Reshape(in["s"]))
			loss := losses.CosFace(in["z"], in["W"], in["labels"], next, 0)
			return graph.Concatenate([]*graph.Node{loss, graph.Reshape(next, 1)}, 0)
		}, "z", "W", "s")
		var values []float64
		for range 300 {
			values, _ = step(in, labels)
			in["s"] = values[10:]
		}
		want := make([]float64, 10)
		for i := range want {
			want[i] = math.Ln2
		}
		checkClose(t, "losses", values[:10], want, p.tolerance)
	})
}
