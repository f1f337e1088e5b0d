package embed

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/embed/targets"
	"github.com/embedspace/embedspace/losses"
)

// The losses after the paper see directions where their geometry is Sphere. What decides then
// is a direction too: that of a trained vector or a target, or else that of the mean unit
// vector of a class. Mean embeddings would point where the longest ones do, and lengths are
// left to chance. Embeddings are kept as they are.

// ofPairs returns the technique of a loss of the cosines of pairs.
func ofPairs(t Technique, loss func(h Head) *graph.Node) Technique {
	t.Section, t.Notebook = "II-F", "11-after-the-paper"
	t.Params = append(t.Params, classesPerBatch)
	t.Geometry, t.Balanced = Sphere, true // cosines of pairs
	t.Loss = func(h Head) *graph.Node {
		monitorPairs(h, losses.Normalize(h.Z))
		return loss(h)
	}
	return t
}

var supCon = ofPairs(Technique{
	ID:       "supcon",
	Title:    "SupCon",
	Source:   "arXiv 2004.11362",
	Equation: `L_a = -\frac{1}{|P_a|} \sum_{p \in P_a} \log \frac{\exp(\cos\theta_{ap} / \tau)}{\sum_{k \ne a} \exp(\cos\theta_{ak} / \tau)}`,
	Params: []Param{
		{Name: "temperature", Default: 0.1, Min: 0.001, Max: 100, Reason: "as published"},
	},
}, func(h Head) *graph.Node { return losses.SupCon(h.Z, h.Labels, h.Number("temperature")) })

var multiSimilarity = ofPairs(Technique{
	ID:       "multi-similarity",
	Title:    "Multi-similarity loss",
	Source:   "arXiv 1904.06627",
	Equation: `L_a = \frac{1}{\alpha} \log\Big(1 + \sum_{p \in P_a} e^{-\alpha(\cos\theta_{ap} - b)}\Big) + \frac{1}{\beta} \log\Big(1 + \sum_{n \in N_a} e^{\beta(\cos\theta_{an} - b)}\Big)`,
	Params: []Param{
		{Name: "alpha", Default: 0.1, Min: 0.001, Max: 1e4, Reason: "of the positives; 2 as published, with which those on the wrong side of the circle decide: in the plane classes end on each other then"},
		{Name: "beta", Default: 20, Min: 0.001, Max: 1e4, Reason: "50 as published; softer, so that more than the nearest few images count"},
		{Name: "base", Default: 1, Min: -1, Max: 1, Reason: "a cosine; 0.5 as published keeps 60 degrees between classes, for which the plane has room for six"},
	},
}, func(h Head) *graph.Node {
	return losses.MultiSimilarity(h.Z, h.Labels, h.Number("alpha"), h.Number("beta"), h.Number("base"))
})

var circle = ofPairs(Technique{
	ID:       "circle",
	Title:    "Circle loss",
	Source:   "arXiv 2002.10857",
	Equation: `L_a = \log\Big(1 + \sum_{n \in N_a} e^{\gamma\alpha_n(\cos\theta_{an} - m)} e^{-\frac{\gamma}{|P_a|} \sum_{p \in P_a} \alpha_p(\cos\theta_{ap} - 1 + m)}\Big), \quad \alpha_n = [\cos\theta_{an} + m]_+, \quad \alpha_p = [1 + m - \cos\theta_{ap}]_+`,
	Params: []Param{
		{Name: "margin", Default: 0.4, Min: 0, Max: 1, Reason: "a difference of cosines, as published"},
		{Name: "gamma", Default: 3, Min: 0.001, Max: 1e4, Reason: "80 as published, with which the hardest few images decide"},
		{Name: "positives", Default: "mean", Words: []string{"mean", "sum"}, Reason: "of an anchor: all count by their weights; sum (of exponentials) as published, with which those on the wrong side of the circle decide: in the plane classes end on each other then"},
	},
}, func(h Head) *graph.Node {
	loss := losses.CircleMean
	if h.Word("positives") == "sum" {
		loss = losses.Circle
	}
	return loss(h.Z, h.Labels, h.Number("margin"), h.Number("gamma"))
})

var proxyAnchor = Technique{
	ID:       "proxy-anchor",
	Title:    "Proxy-anchor loss",
	Section:  "II-F",
	Source:   "arXiv 2003.13911",
	Equation: `L = \frac{1}{|J|} \sum_{j \in J} \log\Big(1 + \sum_{i: y_i = j} e^{-\alpha(\cos\theta_{ij} - b - m)}\Big) + \frac{\alpha}{\beta C} \sum_j \log\Big(1 + \sum_{i: y_i \ne j} e^{\beta(\cos\theta_{ij} - b + m)}\Big)`,
	Notebook: "11-after-the-paper",
	Params: []Param{
		{Name: "margin", Default: 0, Min: 0, Max: 1, Reason: "a difference of cosines; 0.1 as published"},
		{Name: "alpha", Default: 0.1, Min: 0.001, Max: 1e4, Reason: "of the class; 32 as published, with which images on the wrong side of the circle decide"},
		{Name: "beta", Default: 20, Min: 0.001, Max: 1e4, Reason: "of the other classes; that of multi-similarity; alpha as published"},
		{Name: "base", Default: 1, Min: -1, Max: 1, Reason: "a cosine; 0 as published asks for a right angle between classes, for which the plane has no room"},
	},
	Loss: func(h Head) *graph.Node {
		return losses.ProxyAnchor(h.Z, h.Weights(), h.Labels, h.Number("margin"), h.Number("alpha"), h.Number("beta"), h.Number("base"))
	},
	Scores:       cosines,
	ClassVectors: unitWeights,
	Geometry:     Sphere, // the cosines know no lengths
	Known:        "max-cosine",
}

func subcenters(h Head) *graph.Node {
	return h.classWeights("subcenters", h.Classes, int(h.Number("subcenters")))
}

var subcenterArcFace = Technique{
	ID:       "subcenter-arcface",
	Title:    "Sub-center ArcFace",
	Section:  "II-D",
	Source:   "Deng et al., ECCV 2020",
	Equation: `L_i = -\log \frac{e^{s\cos(\theta_{y_i} + m)}}{e^{s\cos(\theta_{y_i} + m)} + \sum_{j \ne y_i} e^{s\cos\theta_j}}, \quad \theta_j = \min_k \theta_{jk}`,
	Notebook: "11-after-the-paper",
	Params: []Param{
		{Name: "subcenters", Default: 3, Min: 1, Max: 100, Whole: true, Reason: "of each class, as published"},
		arcFace.Params[0], angularScale, scaling,
	},
	Loss: func(h Head) *graph.Node {
		h.moveToMeans(losses.Normalize(h.Z))
		return losses.SubcenterArcFace(h.Z, subcenters(h), h.Labels, scaleOf(h), h.Number("margin"))
	},
	Scores:       func(h Head) *graph.Node { return losses.SubcenterCosines(h.Z, subcenters(h)) },
	ClassVectors: mainSubcenters,
	Geometry:     Sphere, // the angles know no lengths
}

// mainSubcenters returns the sub-center of each class that is nearest to its mean direction,
// [classes, dim] of norm 1.
func mainSubcenters(h Head) *graph.Node {
	all := subcenters(h)
	classes, k, dim := all.Shape().Dim(0), all.Shape().Dim(1), all.Shape().Dim(2)
	all = graph.Reshape(losses.Normalize(graph.Reshape(all, classes*k, dim)), classes, k, dim)
	nearness := graph.ReduceSum(graph.Mul(all, graph.ExpandAxes(h.Centers(), 1)), -1)
	nearest := graph.OneHot(graph.ArgMax(nearness, -1, dtypes.Int32), k, all.DType())
	return graph.ReduceSum(graph.Mul(all, graph.ExpandAxes(nearest, -1)), 1)
}

var adaCos = Technique{
	ID:       "adacos",
	Title:    "AdaCos",
	Section:  "II-D",
	Source:   "arXiv 1905.00292",
	Equation: `L_i = -\log \frac{e^{s\cos\theta_{y_i}}}{\sum_j e^{s\cos\theta_j}}, \quad s = \frac{\log \frac{1}{N} \sum_i \sum_{j \ne y_i} e^{s_{\mathrm{before}}\cos\theta_{ij}}}{\cos(\min(\pi/4, \mathrm{median}\,\theta_{y_i}))}`,
	Notebook: "11-after-the-paper",
	Params: []Param{
		{Name: "scale", Default: 30, Min: 1, Max: 1000, Reason: "the largest: in the plane the scale grows without a bound as long as the median angle is wide"},
		scaling,
	},
	Loss: func(h Head) *graph.Node {
		most := h.Number("scale")
		start := min(most, max(1, math.Sqrt2*math.Log(float64(max(2, h.Classes)-1))))
		variable := h.Scope.WithInitializer(initializer.BroadcastTensorToShape(tensors.FromValue(float32(start)))).
			VariableWithShape("scale", shapes.Make(h.Z.DType())).SetTrainable(false)
		scale := losses.AdaCosScale(h.Z, h.Weights(), h.Labels, variable.NodeValue(h.Z.Graph()))
		scale = graph.MinScalar(graph.MaxScalar(scale, 1), most) // below 1 nothing would be learned
		variable.SetNodeValue(scale)
		h.Monitor("scale", scale)
		if h.Word("scaling") == "norm" {
			scale = graph.Min(losses.NormScale(h.Z, most), scale)
		}
		return losses.CosFace(h.Z, h.Weights(), h.Labels, scale, 0)
	},
	Scores:       cosines,
	ClassVectors: unitWeights,
	Geometry:     Sphere,       // the cosines know no lengths
	Known:        "max-cosine", // one scale for all lengths
}

var ring = Technique{
	ID:       "ring",
	Title:    "Ring loss",
	Section:  "II-E",
	Source:   "arXiv 1803.00130",
	Equation: `L_i = L_i^{\mathrm{softmax}} + \frac{\lambda}{2} (\|z_i\| - R)^2`,
	Notebook: "11-after-the-paper",
	Params: []Param{
		{Name: "lambda", Default: 0.1, Min: 0, Max: math.Inf(1), Reason: "that of the center loss"},
	},
	Loss: func(h Head) *graph.Node {
		R := h.Scope.WithInitializer(initializer.One).VariableWithShape("R", shapes.Make(h.Z.DType(), 1)).NodeValue(h.Z.Graph())
		h.Monitor("radius", graph.Reshape(R))
		return graph.Add(losses.Softmax(h.Z, h.Weights(), nil, h.Labels), losses.Ring(h.Z, R, h.Number("lambda")))
	},
	Scores:       func(h Head) *graph.Node { return losses.Logits(h.Z, h.Weights(), nil) },
	Logits:       true,
	ClassVectors: Head.Weights,
	Geometry:     Sphere, // all lengths are drawn to one
}

// onSphere returns one point per class [classes, dim], spread on a sphere around the origin.
func onSphere(h Head, radius float64) *graph.Node {
	points, err := targets.Sphere(h.Classes, h.Z.Shape().Dim(-1))
	if err != nil {
		panic(err)
	}
	for _, point := range points {
		floats.Scale(radius, point)
	}
	return h.Constant(points)
}

func cacTargets(h Head) *graph.Node { return onSphere(h, h.Number("radius")) }

var cac = Technique{
	ID:       "cac",
	Title:    "Class anchor clustering",
	Section:  "II-G",
	Source:   "arXiv 2004.02434",
	Equation: `L_i = \log\Big(1 + \sum_{j \ne y_i} e^{d_{y_i} - d_j}\Big) + \lambda d_{y_i}, \quad d_j = \|z_i - t_j\|`,
	Notebook: "11-after-the-paper",
	Params: []Param{
		{Name: "lambda", Default: 0.1, Min: 0, Max: math.Inf(1), Reason: "as published"},
		{Name: "radius", Default: 10, Min: 0.001, Max: 1e4, Reason: "of the circle or sphere of targets: the length of the published anchors"},
	},
	Loss:         func(h Head) *graph.Node { return losses.CAC(h.Z, cacTargets(h), h.Labels, h.Number("lambda")) },
	Scores:       func(h Head) *graph.Node { return nearest(h, cacTargets(h)) },
	ClassVectors: cacTargets,
	Kind:         Targets,
	Geometry:     Space, // distances from the targets
	Known:        "cac", // as published
}

func prototypeDirections(h Head) *graph.Node { return onSphere(h, 1) }

var prototypes = Technique{
	ID:       "prototypes",
	Title:    "Prototypes on a sphere",
	Section:  "II-G",
	Source:   "arXiv 1901.10514",
	Equation: `L_i = (1 - \cos\theta_i)^k`,
	Notebook: "11-after-the-paper",
	Params: []Param{
		{Name: "exponent", Default: 1, Min: 1, Max: 10, Reason: "2 as published, flat near the target: in the plane, an image on the wrong neighbour costs 0.04, one on the opposite side 4"},
	},
	Loss: func(h Head) *graph.Node {
		return losses.Prototypes(h.Z, prototypeDirections(h), h.Labels, h.Number("exponent"))
	},
	Scores:       func(h Head) *graph.Node { return losses.Cosines(h.Z, prototypeDirections(h)) },
	ClassVectors: prototypeDirections,
	Kind:         Weights, // they are directions
	Geometry:     Sphere,  // the cosines know no lengths
	Known:        "max-cosine",
}
