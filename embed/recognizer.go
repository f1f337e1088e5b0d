package embed

import (
	"fmt"
	"slices"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/embed/openset"
)

// Known returns how known points z [n, Dim] of the embedded space are, at least one: larger is
// more known. score is the name of one of openset.Scores; empty: Technique.Known. A Result that
// was made by hand has ErrNoNetwork.
func (r *Result) Known(score string, z []float32) ([]float64, error) {
	own, err := r.Scores(z)
	if err != nil {
		return nil, err
	}
	if score == "" {
		technique, err := r.technique()
		if err != nil {
			return nil, err
		}
		score = technique.Known
	}
	by, err := openset.LookUp(score)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	space, err := r.Space()
	if err != nil {
		return nil, err
	}
	return by.Of(space, openset.Points{Z: vectors.Rows(z, r.Config.Dim), Scores: vectors.Rows(own, len(r.ClassNames))})
}

// Space returns what openset.Score judges points by: the training embeddings and the class
// vectors. It needs no network. The error is that of LookUp for the technique.
func (r *Result) Space() (openset.Space, error) {
	technique, err := r.technique()
	if err != nil {
		return openset.Space{}, err
	}
	return openset.Space{
		Train:     r.Train.Points(),
		Labels:    r.Train.Labels,
		Predicted: r.Train.Predicted,
		Vectors:   vectors.Rows(r.ClassVectors, r.Config.Dim),
		Logits:    technique.Logits,
	}, nil
}

// A Recognizer classifies as its Result does, but answers that points are unknown where a score
// is below a threshold.
type Recognizer struct {
	Score     string // one of openset.Scores; empty: Technique.Known
	Threshold openset.Threshold

	result *Result
}

// Recognizer returns a Recognizer that accepts a share of the images of known classes, more
// than 0 and up to 1: see openset.Conformal. The threshold is chosen by images of these classes
// that were held out for it: they are neither training nor test images. Errors are those of
// Known and Embed.
func (r *Result) Recognizer(score string, heldOut *datasets.Dataset, accept float64) (*Recognizer, error) {
	e, err := r.Embed(heldOut)
	if err != nil {
		return nil, err
	}
	known, err := r.Known(score, e.Z)
	if err != nil {
		return nil, err
	}
	threshold, err := openset.Conformal(known, accept)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return &Recognizer{score, threshold, r}, nil
}

// recognized is how many points Classify takes at once: memory is for these.
const recognized = 100_000

// Classify returns the classes [n] of points z [n, Dim] of the embedded space, at least one.
// Unknown is the class after the last one, the number of ClassNames. It is the Regions of a
// viz.Scatter. Errors are those of Known.
func (k *Recognizer) Classify(z []float32) ([]int32, error) {
	if k.result == nil {
		return nil, fmt.Errorf("embed: %w, as the Recognizer was made by hand; allowed: one of Result.Recognizer", ErrNoNetwork)
	}
	if len(z) <= recognized*k.result.Config.Dim {
		return k.classify(z)
	}
	var classes []int32
	for part := range slices.Chunk(z, recognized*k.result.Config.Dim) {
		more, err := k.classify(part)
		if err != nil {
			return nil, err
		}
		classes = append(classes, more...)
	}
	return classes, nil
}

func (k *Recognizer) classify(z []float32) ([]int32, error) {
	known, err := k.result.Known(k.Score, z)
	if err != nil {
		return nil, err
	}
	predicted, err := k.result.Classify(z)
	if err != nil {
		return nil, err
	}
	return openset.Decide(predicted, known, k.Threshold.Score, len(k.result.ClassNames))
}
