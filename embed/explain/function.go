package explain

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/integrate"
)

// A Function gives each image a number, such as the score of a class or a distance. Images are
// their pixels: rows of as many numbers, [height, width, channels] of each. It is asked about at
// most 64 images at once, which it must not keep.
//
// The methods return its errors, and their own: images of different lengths, and pixels, values
// or gradients that are not finite numbers.
type Function struct {
	Values    func(images [][]float64) ([]float64, error)   // [n]
	Gradients func(images [][]float64) ([][]float64, error) // [n][pixels], of each value by its image
}

// most is the number of images that a Function is asked about at once, at most.
const most = 64

// value returns f(x).
func (f Function) value(x []float64) (float64, error) {
	values, err := f.values(1, len(x), func(_ int, image []float64) { copy(image, x) })
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// values returns the values of n images with so many pixels, which draw writes into zeros.
func (f Function) values(n, pixels int, draw func(i int, image []float64)) (values []float64, err error) {
	err = inBatches(n, pixels, draw, func(images [][]float64) error {
		some, err := f.Values(images)
		if err != nil {
			return err
		}
		if len(some) != len(images) {
			return fmt.Errorf("explain: %d values of %d images; allowed: as many", len(some), len(images))
		}
		values = append(values, some...)
		return checkFinite("the values", some)
	})
	return values, err
}

// addGradients adds the gradients of n images to sum.
func (f Function) addGradients(sum []float64, n int, draw func(i int, image []float64)) error {
	return inBatches(n, len(sum), draw, func(images [][]float64) error {
		gradients, err := f.Gradients(images)
		if err != nil {
			return err
		}
		if len(gradients) != len(images) {
			return fmt.Errorf("explain: %d gradients of %d images; allowed: as many", len(gradients), len(images))
		}
		for _, gradient := range gradients {
			if len(gradient) != len(sum) {
				return fmt.Errorf("explain: a gradient of %d numbers; allowed: %d, one for each pixel and channel", len(gradient), len(sum))
			}
			floats.Add(sum, gradient)
		}
		return checkFinite("the sum of the gradients", sum)
	})
}

// inBatches calls run for n images, which draw writes into zeros.
func inBatches(n, pixels int, draw func(i int, image []float64), run func(images [][]float64) error) error {
	batch := make([][]float64, min(n, most))
	for i := range batch {
		batch[i] = make([]float64, pixels)
	}
	for first := 0; first < n; first += most {
		images := batch[:min(most, n-first)]
		for i, image := range images {
			clear(image)
			draw(first+i, image)
		}
		if err := run(images); err != nil {
			return err
		}
	}
	return nil
}

// checkImage returns an error unless the image has pixels, all of them finite.
func checkImage(x []float64) error {
	if len(x) == 0 {
		return errors.New("explain: an image without pixels; allowed: 1 or more")
	}
	return checkFinite("the image", x)
}

// checkImages returns an error unless the image has pixels, the baseline as many, and all are
// finite.
func checkImages(x, baseline []float64) error {
	if err := checkImage(x); err != nil {
		return err
	}
	if len(baseline) != len(x) {
		return fmt.Errorf("explain: an image of %d numbers and a baseline of %d; allowed: as many", len(x), len(baseline))
	}
	return checkFinite("the baseline", baseline)
}

// Gradient returns the gradient of f at an image, [pixels].
func (f Function) Gradient(x []float64) ([]float64, error) {
	if err := checkImage(x); err != nil {
		return nil, err
	}
	gradient := make([]float64, len(x))
	return gradient, f.addGradients(gradient, 1, func(_ int, image []float64) { copy(image, x) })
}

// GradientTimesInput returns the attribution of the first order,
//
//	g_p (x_p - baseline_p),  g the gradient of f at x
//
// [pixels]. For a linear f it is complete: it adds up to f(x) - f(baseline).
//
// Source: Shrikumar et al., arXiv 1605.01713.
func (f Function) GradientTimesInput(x, baseline []float64) ([]float64, error) {
	if err := checkImages(x, baseline); err != nil {
		return nil, err
	}
	gradient, err := f.Gradient(x)
	if err != nil {
		return nil, err
	}
	return floats.MulTo(gradient, gradient, floats.SubTo(make([]float64, len(x)), x, baseline)), nil
}

// An Integral is the attribution of an image by integrated gradients.
type Integral struct {
	Attribution []float64 // [pixels], positive where the pixel adds to f
	Value       float64   // f(x)
	Baseline    float64   // f(baseline)
	Nodes       int       // N
	Sum         float64   // of Attribution
	Gap         float64   // Sum - (Value - Baseline): 0 if it is complete
}

// ErrIncomplete: attributions do not add up to the difference of the values.
var ErrIncomplete = errors.New("incomplete")

// The numbers of nodes that IntegratedGradients chooses from are the first one, three times as
// many, and so on: each set of nodes holds the one before. The gap is to be at most a share of
// the difference of the values.
const (
	firstNodes = 9
	mostNodes  = 6561
	gapShare   = 0.01
)

// IntegratedGradients returns the attribution
//
//	(x_p - b_p) 1/N sum_i g_p(b + (i + 1/2)/N (x - b)),  i = 0, ..., N-1
//
// of an image x: the integral, by the midpoint rule, of the gradient g of f along the straight
// line from the baseline b. It adds up to f(x) - f(b), but for the gap of the rule.
//
// nodes is N; 0 chooses it: 9, 27, and so on up to 6561, until the gap is at most 1 % of
// |f(x) - f(b)|. Where none is enough, the error is ErrIncomplete and names the gap; the
// Integral with the most nodes is there all the same.
//
// Source: Sundararajan et al., arXiv 1703.01365.
func (f Function) IntegratedGradients(x, baseline []float64, nodes int) (Integral, error) {
	if err := checkImages(x, baseline); err != nil {
		return Integral{}, err
	}
	if nodes < 0 {
		return Integral{}, fmt.Errorf("explain: %d nodes; allowed: 1 or more, or 0, to choose them", nodes)
	}
	ends, err := f.values(2, len(x), func(i int, image []float64) { copy(image, [][]float64{x, baseline}[i]) })
	if err != nil {
		return Integral{}, err
	}
	difference := floats.SubTo(make([]float64, len(x)), x, baseline)
	in := Integral{Value: ends[0], Baseline: ends[1]}
	sum := make([]float64, len(x)) // of the gradients
	// add adds those of n nodes to the sum, and computes the attribution.
	add := func(n int, position func(i int) float64) error {
		err := f.addGradients(sum, n, func(i int, image []float64) { floats.AddScaledTo(image, baseline, position(i), difference) })
		if err != nil {
			return err
		}
		in.Nodes += n
		in.Attribution = floats.MulTo(make([]float64, len(x)), sum, difference)
		floats.Scale(1/float64(in.Nodes), in.Attribution)
		in.Sum = floats.Sum(in.Attribution)
		in.Gap = in.Sum - (in.Value - in.Baseline)
		return nil
	}
	n := float64(nodes)
	if nodes == 0 {
		n = firstNodes
	}
	if err := add(int(n), func(i int) float64 { return (float64(i) + 0.5) / n }); err != nil || nodes > 0 {
		return in, err
	}
	allowed := gapShare * math.Abs(in.Value-in.Baseline)
	for math.Abs(in.Gap) > allowed {
		if in.Nodes >= mostNodes {
			return in, fmt.Errorf("explain: integrated gradients are %w: with %d nodes they add up to %v, with a gap of %v; allowed: %v, 1 %% of the difference from the baseline",
				ErrIncomplete, in.Nodes, in.Sum, in.Gap, allowed)
		}
		n = 3 * float64(in.Nodes)
		between := func(i int) float64 { return (float64(3*(i/2)+2*(i%2)) + 0.5) / n } // of three nodes, that in the middle is there
		if err := add(2*in.Nodes, between); err != nil {
			return in, err
		}
	}
	return in, nil
}

// PerPixel returns the attribution of the pixels [height, width] from that of their channels
// [height, width, channels]: its sum. Errors: channels that do not divide it.
func PerPixel(attribution []float64, channels int) ([]float64, error) {
	if channels < 1 || len(attribution)%channels != 0 {
		return nil, fmt.Errorf("explain: %d numbers of %d channels; allowed: a multiple of them", len(attribution), channels)
	}
	pixels := make([]float64, len(attribution)/channels)
	for i := range pixels {
		pixels[i] = floats.Sum(attribution[i*channels : (i+1)*channels])
	}
	return pixels, nil
}

// Deletion returns f after 0, 1, ... pixels of an image were set to the baseline, those with the
// largest attribution first, [pixels + 1]: it falls fast where the attribution is right.
// attribution has one number for each pixel; of equal ones, the first pixel comes first.
//
// Source: Petsiuk et al., arXiv 1806.07421.
func (f Function) Deletion(x, baseline, attribution []float64) ([]float64, error) {
	return f.exchange(x, baseline, attribution)
}

// Insertion returns f after 0, 1, ... pixels of the baseline were set to those of an image, as
// Deletion: it rises fast where the attribution is right.
func (f Function) Insertion(x, baseline, attribution []float64) ([]float64, error) {
	return f.exchange(baseline, x, attribution)
}

// exchange returns f after 0, 1, ... pixels of one image were set to those of another, those with
// the largest attribution first.
func (f Function) exchange(from, to, attribution []float64) ([]float64, error) {
	if err := errors.Join(checkImages(from, to), checkFinite("the attribution", attribution)); err != nil {
		return nil, err
	}
	pixels := len(attribution)
	if pixels == 0 || len(from) != pixels && len(from) != 3*pixels {
		return nil, fmt.Errorf("explain: %d attributions of an image of %d numbers; allowed: one for each pixel, of 1 or 3 channels", pixels, len(from))
	}
	falling, order := floats.ScaleTo(make([]float64, pixels), -1, attribution), make([]int, pixels)
	floats.ArgsortStable(falling, order)
	channels := len(from) / pixels
	return f.values(pixels+1, len(from), func(n int, image []float64) {
		copy(image, from)
		for _, pixel := range order[:n] {
			copy(image[pixel*channels:(pixel+1)*channels], to[pixel*channels:])
		}
	})
}

// Area returns the area under a curve of Deletion or Insertion, by trapezoids between shares of
// pixels from 0 to 1: low for a good Deletion, high for a good Insertion.
func Area(curve []float64) float64 {
	if len(curve) < 2 {
		return math.NaN()
	}
	shares := floats.Span(make([]float64, len(curve)), 0, 1)
	return integrate.Trapezoidal(shares, curve)
}

// A Window is what hides a part of an image: a square of pixels that have one value.
type Window struct {
	Size, Stride int     // in pixels; Stride is at most Size, so that every pixel is hidden at some time
	Fill         float64 // the value of all channels of a hidden pixel
}

// An Occlusion says how much f falls where windows hide parts of an image.
type Occlusion struct {
	Rows, Columns int       // of windows
	Drops         []float64 // [Rows, Columns], f(x) - f(x with the window)
	Map           []float64 // [height, width], the mean drop of the windows over each pixel
}

// Occlude moves a window over an image x [height, width, channels] of this shape. A window
// that reaches over the edge is cut off there: there are as many as it takes to have every
// pixel in one. Errors: a shape that is not that of the image; sizes and strides less than 1,
// strides larger than the window.
//
// Source: Zeiler and Fergus, arXiv 1311.2901.
func (f Function) Occlude(x []float64, shape [3]int, w Window) (Occlusion, error) {
	height, width, channels := shape[0], shape[1], shape[2]
	if err := errors.Join(checkImage(x), checkFinite("the window", []float64{w.Fill})); err != nil {
		return Occlusion{}, err
	}
	if height < 1 || width < 1 || channels < 1 || len(x) != height*width*channels {
		return Occlusion{}, fmt.Errorf("explain: an image of %d numbers with the shape %v (height, width, channels); allowed: the product of the shape", len(x), shape)
	}
	if w.Size < 1 || w.Stride < 1 || w.Stride > w.Size {
		return Occlusion{}, fmt.Errorf("explain: a window of size %d and stride %d; allowed: sizes of 1 or more, strides from 1 to the size", w.Size, w.Stride)
	}
	places := func(length int) int { return 1 + (max(0, length-w.Size)+w.Stride-1)/w.Stride }
	o := Occlusion{Rows: places(height), Columns: places(width)}
	// hidden calls do for each pixel under a window.
	hidden := func(window int, do func(pixel int)) {
		row, column := window/o.Columns*w.Stride, window%o.Columns*w.Stride
		for i := row; i < min(row+w.Size, height); i++ {
			for j := column; j < min(column+w.Size, width); j++ {
				do(i*width + j)
			}
		}
	}
	value, err := f.value(x)
	if err != nil {
		return Occlusion{}, err
	}
	o.Drops, err = f.values(o.Rows*o.Columns, len(x), func(window int, image []float64) {
		copy(image, x)
		hidden(window, func(pixel int) {
			for channel := range channels {
				image[pixel*channels+channel] = w.Fill
			}
		})
	})
	if err != nil {
		return Occlusion{}, err
	}
	floats.Scale(-1, o.Drops)
	floats.AddConst(value, o.Drops)
	o.Map = make([]float64, height*width)
	over := make([]float64, height*width) // the windows over each pixel
	for window, drop := range o.Drops {
		hidden(window, func(pixel int) { o.Map[pixel], over[pixel] = o.Map[pixel]+drop, over[pixel]+1 })
	}
	floats.Div(o.Map, over)
	return o, nil
}
