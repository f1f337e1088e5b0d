package embed

import (
	"fmt"

	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz"
)

// Animation returns the embedding of the traced test images over the training, with the loss
// (the mean over the steps of the epoch so far) and the accuracy of these images by the
// technique's own rule. Frames are turned towards each other, see viz.Animation, unless an
// activation in front of the embedding gives the axes a meaning. Error: ErrNoTrace.
func (r *Result) Animation() (*viz.Animation, error) {
	t := r.Trace
	if t == nil {
		return nil, fmt.Errorf("embed: %w: %s in %d-D; allowed: results of a training with Options.Trace (embedspace train -explore)",
			ErrNoTrace, r.Config.Technique, r.Config.Dim)
	}
	last := r.Scatter()
	k, dim, classes := len(t.Indices), r.Config.Dim, len(r.ClassNames)
	last.Labels = make([]int32, k)
	for j, i := range t.Indices {
		last.Labels[j] = r.Test.Labels[i]
	}
	animation := &viz.Animation{Fixed: r.Config.Activation != "linear"}
	loss, accuracy := viz.Line{Name: "loss"}, viz.Line{Name: "test accuracy in %"}
	for f, epoch := range t.Epochs {
		frame := last
		digits := 4
		if epoch < 1 {
			digits = 2
		}
		frame.Note = fmt.Sprintf("%s, epoch %.*g of %d", r.Config.Dataset, digits, epoch, r.Config.Epochs)
		frame.Points = t.Points[f*k*dim : (f+1)*k*dim]
		if last.ClassVectors != nil {
			frame.ClassVectors = t.ClassVectors[f*classes*dim : (f+1)*classes*dim]
		}
		animation.Frames = append(animation.Frames, frame)
		loss.Values = append(loss.Values, float64(t.Losses[f]))
		decided := measure.Embedding{Labels: last.Labels, Predicted: t.Predicted[f*k : (f+1)*k]}
		accuracy.Values = append(accuracy.Values, 100*decided.Accuracy())
	}
	animation.Lines = []viz.Line{loss, accuracy}
	return animation, nil
}
