package embed

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/explain"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/viz"
)

// An Attribution says how much each pixel adds to a Quantity of an image, by integrated
// gradients from a black image.
type Attribution struct {
	explain.Integral           // of pixels and channels
	Pixels           []float64 // [height, width], the sum over the channels
}

// An Explanation says which parts of an image move a Quantity of it.
type Explanation struct {
	Quantity Quantity
	Attribution
	// Occlusion has the drops of the quantity where a black square hides a part of the image,
	// of a seventh of its shorter side, moved by half of that.
	Occlusion explain.Occlusion
}

// Explain explains a quantity of image i of a dataset, such as
//
//	explanation, err := result.Explain(test, 12, embed.ScoreOf("3"))
//
// The attributions add up to the difference between the quantity of the image and that of a
// black image, within 1 %. Black pixels get none. For other baselines, windows and methods,
// Function gives the quantity to package explain.
//
// Errors: those of Function; images of another shape than in training; an index out of range;
// explain.ErrIncomplete, with the Explanation, where the attributions do not add up.
func (r *Result) Explain(images *datasets.Dataset, i int, q Quantity) (Explanation, error) {
	if err := r.checkImages(images); err != nil {
		return Explanation{}, err
	}
	one, err := only(images, i)
	if err != nil {
		return Explanation{}, err
	}
	attribution, incomplete := r.attribute(one, q)
	if incomplete != nil && !errors.Is(incomplete, explain.ErrIncomplete) {
		return Explanation{}, incomplete
	}
	f, err := r.Function(q)
	if err != nil {
		return Explanation{}, err
	}
	size := max(1, min(images.Height, images.Width)/7)
	occlusion, err := f.Occlude(numbers(one), r.net.shape, explain.Window{Size: size, Stride: max(1, size/2)})
	if err != nil {
		return Explanation{}, err
	}
	return Explanation{q, attribution, occlusion}, incomplete
}

// attribute attributes a quantity to the pixels of the only image of a dataset.
func (r *Result) attribute(one *datasets.Dataset, q Quantity) (Attribution, error) {
	f, err := r.Function(q)
	if err != nil {
		return Attribution{}, err
	}
	x := numbers(one)
	integral, incomplete := f.IntegratedGradients(x, make([]float64, len(x)), 0)
	if incomplete != nil && !errors.Is(incomplete, explain.ErrIncomplete) {
		return Attribution{}, incomplete
	}
	pixels, err := explain.PerPixel(integral.Attribution, one.Channels)
	if err != nil {
		return Attribution{}, err
	}
	if incomplete != nil {
		incomplete = fmt.Errorf("embed: %s: %w", q, incomplete)
	}
	return Attribution{integral, pixels}, incomplete
}

// only returns a dataset of image i alone. A file that has changed or gone is an error.
func only(d *datasets.Dataset, i int) (*datasets.Dataset, error) {
	if i < 0 || i >= d.Len() {
		return nil, &ValueError{"the index of an image", i, fmt.Sprintf("0 to %d", d.Len()-1)}
	}
	pixels, err := d.AppendPixels(nil, i)
	if err != nil {
		return nil, err
	}
	return &datasets.Dataset{
		Name: d.Name, Images: pixels, Labels: d.Labels[i : i+1],
		Height: d.Height, Width: d.Width, Channels: d.Channels, ClassNames: d.ClassNames,
	}, nil
}

// numbers returns the pixels of the images as numbers from 0 to 1.
func numbers(d *datasets.Dataset) []float64 {
	x := make([]float64, len(d.Images))
	for p, b := range d.Images {
		x[p] = float64(b) / 255
	}
	return x
}

// A Decision says why a network decides for one class and not for another.
type Decision struct {
	Image            image.Image
	Name             string // of the image
	Label, Predicted string // classes
	Sides            [2]Side
	// Difference attributes the score of the first side less that of the second: what adds to it
	// speaks for the first class.
	Difference Attribution
}

// A Side is what speaks for one of two classes.
type Side struct {
	Class        string
	Score        Attribution       // see ScoreOf
	Distance     float64           // see DistanceTo
	Nearest      explain.Neighbour // the nearest training image of the class
	NearestImage image.Image
}

// Decide explains why image i of a dataset is of one class and not of another: by scores,
// distances, nearest training images and pixels. train is the dataset that the Result was
// trained on, or on a part of it.
//
// An empty class is the one that is predicted. An empty other one is the class of the image's
// label or, where that is no other, the one with the largest score among the rest.
//
// Errors: those of Explain, but for explain.ErrIncomplete: the gaps are in the Decision, and in
// its picture where they are more than 1 %; ErrOtherRun, for training images that are not those
// of the Result; one class twice; a class without training images.
func (r *Result) Decide(train, images *datasets.Dataset, i int, class, against string) (Decision, error) {
	if err := r.checkImages(images); err != nil {
		return Decision{}, err
	}
	if r.Train.Len() == 0 {
		return Decision{}, errNoTraining
	}
	one, err := only(images, i)
	if err != nil {
		return Decision{}, err
	}
	if train, err = r.trainingImages(train); err != nil {
		return Decision{}, err
	}
	e, err := r.Embed(one)
	if err != nil {
		return Decision{}, err
	}
	z := e.Points()[0]
	d := Decision{
		Image: one.Image(0), Name: fmt.Sprintf("image %d of %s", i, images.Name),
		Label: images.ClassNames[one.Labels[0]], Predicted: r.ClassNames[e.Predicted[0]],
	}
	class = cmp.Or(class, d.Predicted)
	if against == "" {
		if against, err = r.rival(e.Z, class, d.Label); err != nil {
			return Decision{}, err
		}
	}
	if class == against {
		return Decision{}, &ValueError{"the other class", against, "a class other than " + class}
	}
	points := explain.Points{Z: r.Train.Points(), Labels: r.Train.Labels}
	for k, name := range []string{class, against} {
		number, err := r.classOf(name)
		if err != nil {
			return Decision{}, err
		}
		place, err := r.place(number)
		if err != nil {
			return Decision{}, err
		}
		nearest, err := points.Nearest(z, 1, int32(number))
		if err != nil {
			return Decision{}, err
		}
		side := Side{Class: name, Distance: floats.Distance(z, place, 2), Nearest: nearest[0]}
		if side.NearestImage, err = r.trainingImage(train, side.Nearest.Index); err != nil {
			return Decision{}, err
		}
		if side.Score, err = r.attribute(one, ScoreOf(name)); err != nil && !errors.Is(err, explain.ErrIncomplete) {
			return Decision{}, err
		}
		d.Sides[k] = side
	}
	if d.Difference, err = r.attribute(one, ScoreOver(class, against)); err != nil && !errors.Is(err, explain.ErrIncomplete) {
		return Decision{}, err
	}
	return d, nil
}

// rival returns the class that an image with the embedding z and a label could be of, other than
// one.
func (r *Result) rival(z []float32, class, label string) (string, error) {
	if label != class && slices.Contains(r.ClassNames, label) {
		return label, nil
	}
	number, err := r.classOf(class)
	if err != nil {
		return "", err
	}
	if len(r.ClassNames) < 2 {
		return "", &ValueError{"the other class", "", "a class other than " + class + ", which the Result does not have"}
	}
	all, err := r.Scores(z)
	if err != nil {
		return "", err
	}
	scores := vectors.Rows(all, len(r.ClassNames))[0]
	scores[number] = math.Inf(-1)
	return r.ClassNames[floats.MaxIdx(scores)], nil
}

// trainingImages returns those of a dataset that the Result was trained on.
func (r *Result) trainingImages(train *datasets.Dataset) (*datasets.Dataset, error) {
	if train == nil {
		return nil, errors.New("embed: no training images; allowed: those of the Result")
	}
	train, err := r.partOf(train)
	if err != nil {
		return nil, err
	}
	if sum := checksum(train); sum != r.Data.TrainChecksum {
		return nil, fmt.Errorf("embed: %w: the Result was trained on %s, not on %s with the checksum %s", ErrOtherRun, r.Data.Train, train.Name, sum)
	}
	return train, nil
}

// trainingImage returns an image of Train.
func (r *Result) trainingImage(train *datasets.Dataset, i int) (image.Image, error) {
	if i >= train.Len() {
		return r.learned.images[i-train.Len()], nil
	}
	one, err := only(train, i)
	if err != nil {
		return nil, err
	}
	return one.Image(0), nil
}

// Gallery returns the decision as a picture: for each class the nearest training image and the
// attribution of its score, and the attribution of the difference, with a scale of its own.
func (d Decision) Gallery() *viz.Gallery {
	class, against := d.Sides[0].Class, d.Sides[1].Class
	g := &viz.Gallery{
		Title:   fmt.Sprintf("Why %s and not %s?", class, against),
		Note:    fmt.Sprintf("%s: %s, predicted as %s", d.Name, d.Label, d.Predicted),
		Columns: 3, Unit: "score",
	}
	largest := floats.Norm(d.Difference.Pixels, math.Inf(1))
	first := []viz.Tile{
		{Title: "the image", Image: d.Image},
		{
			Title: fmt.Sprintf("for %s, not %s", class, against), Image: d.Image, Attribution: d.Difference.Pixels, Scale: largest,
			Note: "difference of the scores " + short(d.Difference.Value) + d.Difference.gapNote(),
		},
	}
	for k, side := range d.Sides {
		g.Tiles = append(g.Tiles, first[k],
			viz.Tile{
				Title: "nearest " + side.Class, Image: side.NearestImage,
				Note: fmt.Sprintf("distance %s, of the class %s", short(side.Nearest.Distance), short(side.Distance)),
			},
			viz.Tile{
				Title: "for " + side.Class, Image: d.Image, Attribution: side.Score.Pixels,
				Note: fmt.Sprintf("score %s, of a black image %s", short(side.Score.Value), short(side.Score.Baseline)) + side.Score.gapNote(),
			})
	}
	return g
}

// gapNote says what is missing where an attribution does not add up.
func (a Attribution) gapNote() string {
	difference := a.Value - a.Baseline
	if math.Abs(a.Gap) <= 0.01*math.Abs(difference) {
		return ""
	}
	return fmt.Sprintf("; the attribution adds up to %s instead of %s", short(a.Sum), short(difference))
}

// short returns a number with three digits.
func short(x float64) string {
	return strings.ReplaceAll(fmt.Sprintf("%.3g", x), "-", "−")
}
