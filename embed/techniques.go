package embed

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/embedspace/embedspace/embed/targets"
	"github.com/embedspace/embedspace/losses"
)

var softmax = Technique{
	ID:           "softmax",
	Title:        "Softmax",
	Section:      "II-C",
	Figure:       "Fig. 2, Fig. 3",
	Equation:     `L_i = -\log \frac{\exp(w_{y_i} \cdot z_i + b_{y_i})}{\sum_j \exp(w_j \cdot z_i + b_j)}`,
	Notebook:     "02-softmax",
	Loss:         func(h Head) *graph.Node { return losses.Softmax(h.Z, h.Weights(), h.Biases(), h.Labels) },
	Scores:       func(h Head) *graph.Node { return losses.Logits(h.Z, h.Weights(), h.Biases()) },
	Logits:       true,
	ClassVectors: Head.Weights,
	Geometry:     Sphere, // lengths grow without a bound, and but for the biases directions decide
}

var softmaxNormalized = Technique{
	ID:           "softmax-normalized",
	Title:        "Softmax, normalized weights",
	Section:      "II-C",
	Figure:       "Fig. 3",
	Equation:     `L_i = -\log \frac{\exp(\hat w_{y_i} \cdot z_i)}{\sum_j \exp(\hat w_j \cdot z_i)}, \quad \hat w_j = w_j / \|w_j\|`,
	Notebook:     "02-softmax",
	Loss:         func(h Head) *graph.Node { return losses.NormalizedSoftmax(h.Z, h.Weights(), h.Labels) },
	Scores:       normalizedLogits,
	Logits:       true,
	ClassVectors: unitWeights,
	Geometry:     Sphere, // lengths grow without a bound, directions decide
}

func unitWeights(h Head) *graph.Node { return losses.Normalize(h.Weights()) }

func normalizedLogits(h Head) *graph.Node { return losses.Logits(h.Z, unitWeights(h), nil) }

func cosines(h Head) *graph.Node { return losses.Cosines(h.Z, h.Weights()) }

var (
	angularScale = Param{Name: "scale", Default: 30, Min: 0.1, Max: 1000, Reason: "10 classes on a circle need 15 to 30 for a loss near 0"}
	scaling      = Param{Name: "scaling", Default: "norm", Words: []string{"norm", "constant"},
		Reason: "norm: that of each embedding, up to the scale, with which classes pass each other at the origin, and hold where they overlap; constant as published"}
)

// scaleOf returns the scale of the cosines of CosFace, ArcFace and sub-center ArcFace.
func scaleOf(h Head) *graph.Node {
	s := h.Number("scale")
	if h.Word("scaling") == "norm" {
		return losses.NormScale(h.Z, s)
	}
	return graph.Scalar(h.Z.Graph(), h.Z.DType(), s)
}

var cosFace = Technique{
	ID:       "cosface",
	Title:    "CosFace",
	Section:  "II-D",
	Figure:   "Fig. 4",
	Equation: `L_i = -\log \frac{e^{s(\cos\theta_{y_i} - m)}}{e^{s(\cos\theta_{y_i} - m)} + \sum_{j \ne y_i} e^{s\cos\theta_j}}`,
	Notebook: "03-angular-margin",
	Params: []Param{
		{Name: "margin", Default: 0.05, Min: 0, Max: 1, Reason: "a difference of cosines; the middle one of Fig. 4; 0.191 is the bound of 10 classes in 2-D"},
		angularScale, scaling,
	},
	Loss: func(h Head) *graph.Node {
		return losses.CosFace(h.Z, h.Weights(), h.Labels, scaleOf(h), h.Number("margin"))
	},
	Scores:       cosines,
	ClassVectors: unitWeights,
	Geometry:     Sphere, // the cosines know no lengths
}

var arcFace = Technique{
	ID:       "arcface",
	Title:    "ArcFace",
	Section:  "II-D",
	Figure:   "named beside Fig. 4",
	Equation: `L_i = -\log \frac{e^{s\cos(\theta_{y_i} + m)}}{e^{s\cos(\theta_{y_i} + m)} + \sum_{j \ne y_i} e^{s\cos\theta_j}}`,
	Notebook: "03-angular-margin",
	Params: []Param{
		{Name: "margin", Default: 0.1, Min: 0, Max: math.Pi / 2, Reason: "radians; small, as that of CosFace: the bound of 10 classes in 2-D is 0.63; the 0.5 of faces trains, too"},
		angularScale, scaling,
	},
	Loss: func(h Head) *graph.Node {
		return losses.ArcFace(h.Z, h.Weights(), h.Labels, scaleOf(h), h.Number("margin"))
	},
	Scores:       cosines,
	ClassVectors: unitWeights,
	Geometry:     Sphere, // the angles know no lengths
}

var multiplicativeMargin = []Param{
	{Name: "margin", Default: 2, Min: 1, Max: 8, Whole: true, Reason: "multiplies the angle: 10 classes in 2-D leave no room for 4"},
	{Name: "lambda-min", Default: 5, Min: 0, Max: math.Inf(1), Reason: "that of the published SphereFace (0 for L-Softmax): the margin stays softened; lambda falls to it from 1000, over the first third of the training"},
}

const softened = `\varphi(\theta) = \frac{\lambda\cos\theta + \psi(\theta)}{1 + \lambda}, \quad \psi(\theta) = (-1)^k\cos(m\theta) - 2k, \quad k = \lfloor m\theta/\pi \rfloor`

var sphereFace = Technique{
	ID:       "sphereface",
	Title:    "SphereFace",
	Section:  "II-D",
	Figure:   "named beside Fig. 4",
	Equation: `L_i = -\log \frac{e^{\|z_i\|\varphi(\theta_{y_i})}}{e^{\|z_i\|\varphi(\theta_{y_i})} + \sum_{j \ne y_i} e^{\|z_i\|\cos\theta_j}}, \quad ` + softened,
	Notebook: "03-angular-margin",
	Params:   multiplicativeMargin,
	Loss: func(h Head) *graph.Node {
		return losses.SphereFace(h.Z, h.Weights(), h.Labels, int(h.Number("margin")), losses.AnnealedLambda(h.Progress, h.Number("lambda-min")))
	},
	Scores:       cosines,
	ClassVectors: unitWeights,
	Geometry:     Sphere, // as softmax-normalized, with a margin of angles
}

var lSoftmax = Technique{
	ID:       "lsoftmax",
	Title:    "L-Softmax",
	Section:  "II-D",
	Figure:   "named beside Fig. 4",
	Equation: `L_i = -\log \frac{e^{\|w_{y_i}\|\|z_i\|\varphi(\theta_{y_i})}}{e^{\|w_{y_i}\|\|z_i\|\varphi(\theta_{y_i})} + \sum_{j \ne y_i} e^{\|w_j\|\|z_i\|\cos\theta_j}}, \quad ` + softened,
	Notebook: "03-angular-margin",
	Params:   multiplicativeMargin,
	Loss: func(h Head) *graph.Node {
		return losses.LSoftmax(h.Z, h.Weights(), h.Labels, int(h.Number("margin")), losses.AnnealedLambda(h.Progress, h.Number("lambda-min")))
	},
	Scores:       func(h Head) *graph.Node { return losses.Logits(h.Z, h.Weights(), nil) },
	Logits:       true,
	ClassVectors: Head.Weights,
	Geometry:     Sphere, // as softmax without biases, with a margin of angles
}

var (
	centerLambda = Param{Name: "lambda", Default: 0.1, Min: 0, Max: math.Inf(1), Reason: "compact classes that softmax still keeps apart"}
	centerAlpha  = Param{Name: "alpha", Default: 0.5, Min: 0, Max: 1, Reason: "that of Wen et al.: how far centers follow a batch"}
	centerUpdate = Param{Name: "update", Default: "means", Words: []string{"means", "wen"}, Reason: "of the centers: as running means of their classes, as the paper has it, or by the rule of Wen et al."}
)

// withCenters adds the center loss to that of a classifier.
func withCenters(h Head, classifier *graph.Node) *graph.Node {
	centers := h.Centers()
	follow := losses.RunningMeans
	if h.Word("update") == "wen" {
		follow = losses.WenCenters
	}
	h.MoveCenters(follow(h.Z, centers, h.Labels, h.Number("alpha")))
	return graph.Add(classifier, losses.Center(h.Z, centers, h.Labels, h.Number("lambda")))
}

// centerBiases returns the biases of the center technique, nil if it has none.
func centerBiases(h Head) *graph.Node {
	if h.Word("biases") == "none" {
		return nil
	}
	return h.Biases()
}

var center = Technique{
	ID:       "center",
	Title:    "Center loss",
	Section:  "II-E",
	Figure:   "Fig. 5",
	Equation: `L_i = L_i^{\mathrm{softmax}} + \frac{\lambda}{2} \|z_i - c_{y_i}\|^2`,
	Notebook: "04-center",
	Params: []Param{centerLambda, centerAlpha, centerUpdate,
		{Name: "biases", Default: "none", Words: []string{"none", "trained"}, Reason: "of the last layer: they distort the picture"}},
	Loss: func(h Head) *graph.Node {
		return withCenters(h, losses.Softmax(h.Z, h.Weights(), centerBiases(h), h.Labels))
	},
	Scores:       func(h Head) *graph.Node { return losses.Logits(h.Z, h.Weights(), centerBiases(h)) },
	Logits:       true,
	ClassVectors: Head.Weights,
	Geometry:     Space,          // Euclidean distances from the centers hold the lengths
	Known:        "nearest-mean", // the loss draws points to the means
}

var centerNormalized = Technique{
	ID:       "center-normalized",
	Title:    "Center loss, normalized weights",
	Section:  "II-E",
	Figure:   "Fig. 5",
	Equation: `L_i = -\log \frac{\exp(\hat w_{y_i} \cdot z_i)}{\sum_j \exp(\hat w_j \cdot z_i)} + \frac{\lambda}{2} \|z_i - c_{y_i}\|^2`,
	Notebook: "04-center",
	Params:   []Param{centerLambda, centerAlpha, centerUpdate},
	Loss: func(h Head) *graph.Node {
		return withCenters(h, losses.NormalizedSoftmax(h.Z, h.Weights(), h.Labels))
	},
	Scores:       normalizedLogits,
	Logits:       true,
	ClassVectors: unitWeights,
	Geometry:     Space,          // Euclidean distances from the centers hold the lengths
	Known:        "nearest-mean", // the loss draws points to the means
}

// monitorPairs follows the distances of pairs of points [batch, dim], which tell whether an
// embedding collapses.
func monitorPairs(h Head, points *graph.Node) {
	positive, negative := losses.PairDistances(points, h.Labels)
	h.Monitor(positiveDistance, positive)
	h.Monitor(negativeDistance, negative)
}

// The names of what monitorPairs follows.
const (
	positiveDistance = "positive distance"
	negativeDistance = "negative distance"
)

var contrastive = Technique{
	ID:       "contrastive",
	Title:    "Contrastive loss",
	Section:  "II-F",
	Figure:   "Fig. 6",
	Equation: `L_{ij} = \begin{cases} \frac{1}{2} d_{ij}^2 & y_i = y_j \\ \frac{1}{2} \max(0, m - d_{ij})^2 & y_i \ne y_j \end{cases}`,
	Notebook: "05-contrastive-triplet",
	Params:   []Param{{Name: "margin", Default: 1, Min: 0, Max: math.Inf(1), Reason: "a distance; it only sets the size of the picture"}, classesPerBatch},
	Geometry: Space, // distances of pairs
	Balanced: true,
	Loss: func(h Head) *graph.Node {
		monitorPairs(h, h.Z)
		return losses.Contrastive(h.Z, h.Labels, h.Number("margin"))
	},
}

var (
	tripletMargin = Param{Name: "margin", Default: 1, Min: 0, Max: math.Inf(1), Reason: "a squared distance; it only sets the size of the picture"}
	meanOver      = Param{Name: "mean-over", Default: "active", Words: []string{"active", "all"}, Reason: "the triplets, or the anchors of triplet-hard: only those that have a loss, so that it does not fade with their number"}
)

const tripletEquation = `L_{apn} = \max(0, \|z_a - z_p\|^2 - \|z_a - z_n\|^2 + m)`

var tripletAll = Technique{
	ID:       "triplet-all",
	Title:    "Triplet loss, all triplets",
	Section:  "II-F",
	Figure:   "Fig. 6",
	Equation: tripletEquation,
	Notebook: "05-contrastive-triplet",
	Params:   []Param{tripletMargin, meanOver, classesPerBatch},
	Geometry: Space, // distances of triplets
	Balanced: true,
	Loss: func(h Head) *graph.Node {
		loss, share := losses.TripletAll(h.Z, h.Labels, h.Number("margin"), h.Word("mean-over") == "active")
		monitorTriplets(h, share)
		return loss
	},
}

func monitorTriplets(h Head, share *graph.Node) {
	monitorPairs(h, h.Z)
	h.Monitor("active triplets", share)
}

// mined returns the technique of a mining of triplets.
func mined(id, title, equation string, params []Param, loss func(h Head) (loss, share *graph.Node)) Technique {
	t := tripletAll
	t.ID, t.Title, t.Equation, t.Params, t.LearningRate = id, title, equation, append(params, classesPerBatch), 0.002
	t.Loss = func(h Head) *graph.Node {
		loss, share := loss(h)
		monitorTriplets(h, share)
		return loss
	}
	return t
}

var tripletHard = mined("triplet-hard", "Triplet loss, hardest triplets",
	`L_a = \max(0, \sum_p w_{ap} \|z_a - z_p\| - \sum_n w_{an} \|z_a - z_n\| + m), \quad w_{ap} \propto e^{\|z_a - z_p\|/t}, \quad w_{an} \propto e^{-\|z_a - z_n\|/t}`, []Param{
		{Name: "margin", Default: 1, Min: 0, Max: math.Inf(1), Reason: "a distance, squared with mining=strict; it only sets the size of the picture, together with the temperature"},
		{Name: "mining", Default: "soft", Words: []string{"soft", "strict"},
			Reason: "strict, as published: the hardest positive and negative of each anchor, with which classes that overlap collapse onto one point; soft: means of all, weighted by hardness"},
		{Name: "temperature", Default: 1, Min: 1e-3, Max: math.Inf(1), Reason: "a distance, of mining=soft: that of the margin"},
		meanOver,
	},
	func(h Head) (loss, share *graph.Node) {
		margin, active := h.Number("margin"), h.Word("mean-over") == "active"
		if h.Word("mining") == "strict" {
			return losses.TripletHard(h.Z, h.Labels, margin, active)
		}
		return losses.TripletSoftHard(h.Z, h.Labels, margin, h.Number("temperature"), active)
	})

var tripletSemiHard = mined("triplet-semihard", "Triplet loss, semi-hard triplets", tripletEquation, []Param{tripletMargin,
	{Name: "mining", Default: "mixed", Words: []string{"mixed", "strict"},
		Reason: "strict, as published: semi-hard triplets alone, with which classes that overlap blow up; mixed: half of the loss is that of all triplets"},
},
	func(h Head) (loss, share *graph.Node) {
		loss, share = losses.TripletSemiHard(h.Z, h.Labels, h.Number("margin"))
		if h.Word("mining") == "strict" {
			return loss, share
		}
		all, _ := losses.TripletAll(h.Z, h.Labels, h.Number("margin"), true)
		return graph.DivScalar(graph.Add(loss, all), 2), share
	})

// Regression returns the technique that draws each class to a target. targets returns
// them [classes, dim], one per class: a function of package targets, such as Raster, or one
// of your own. Its error ends the training. Register makes the technique known.
func Regression(id, title string, targets func(classes, dim int) ([][]float64, error)) Technique {
	constant := func(h Head) *graph.Node {
		rows, err := targets(h.Classes, h.Z.Shape().Dim(-1))
		if err != nil {
			panic(err)
		}
		return h.Constant(rows)
	}
	return Technique{
		ID: id, Title: title, Section: "II-G", Figure: "Fig. 7", Equation: `L_i = \|z_i - t_{y_i}\|^2`, Notebook: "06-regression",
		Loss:         func(h Head) *graph.Node { return losses.Regression(h.Z, constant(h), h.Labels) },
		Scores:       func(h Head) *graph.Node { return nearest(h, constant(h)) },
		ClassVectors: constant,
		Kind:         Targets,
		Geometry:     Space, // distances from the targets
	}
}

var regressionRaster = Regression("regression-raster", "Regression to a raster", targets.Raster)

var regressionCircle = Regression("regression-circle", "Regression to a circle", targets.Circle)
