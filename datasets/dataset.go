package datasets

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Dataset is a labelled set of images, held in memory or, where a folder has too many,
// read from their files when they are needed.
//
// The functions of this package fill in every field. A Dataset made by hand
// needs all but Checksum and Canonical; [Dataset.Validate] checks it.
type Dataset struct {
	// Name says what the set is, e.g. "mnist". Parts append what they are:
	// "mnist[5000, seed 1]".
	Name string
	// Images has the layout [n, height, width, channels]. It is nil where the images are
	// read from files: [Dataset.At] and [Dataset.AppendPixels] get the pixels of all datasets.
	Images []byte
	// Labels has one class, 0 to classes-1, per image.
	Labels []int32
	// Height and Width are in pixels. Channels is 1 (gray) or 3 (red, green, blue).
	Height, Width, Channels int
	// ClassNames has the name of each class.
	ClassNames []string
	// Checksum identifies the content; see [Dataset.ComputeChecksum].
	Checksum string
	// Canonical says that the images and labels are those of the original
	// publication, or a part of them: their checksum was compared.
	Canonical bool

	files   *imageFiles // nil: the pixels are in Images
	indices []int       // of the images in files
}

// Len returns the number of images.
func (d *Dataset) Len() int { return len(d.Labels) }

// Classes returns the number of classes, those without an image included.
func (d *Dataset) Classes() int { return len(d.ClassNames) }

// imageSize is the number of bytes of one image.
func (d *Dataset) imageSize() int { return d.Height * d.Width * d.Channels }

// At returns the pixels of image i, [height, width, channels]. They are not
// copied where they are in Images. Where they are read from a file that has changed or
// gone since it was listed, At panics with the error of [Dataset.AppendPixels].
func (d *Dataset) At(i int) []byte {
	if d.files == nil {
		size := d.imageSize()
		return d.Images[i*size : (i+1)*size : (i+1)*size]
	}
	pixels, err := d.AppendPixels(nil, i)
	if err != nil {
		panic(err)
	}
	return pixels
}

// Points returns the images as points of the space of their pixels, 0 to 1 [n, height x width x
// channels]. The error is that of [Dataset.AppendPixels].
func (d *Dataset) Points() ([][]float64, error) {
	points := make([][]float64, d.Len())
	for i := range points {
		pixels, err := d.AppendPixels(nil, i)
		if err != nil {
			return nil, err
		}
		points[i] = make([]float64, len(pixels))
		for p, value := range pixels {
			points[i][p] = float64(value) / 255
		}
	}
	return points, nil
}

// AppendPixels appends the pixels of these images to pixels, [len(images), height, width,
// channels]. Where they are read from files, the program's processors decode them, and a
// file that has changed or gone since it was listed is an error.
func (d *Dataset) AppendPixels(pixels []byte, images ...int) ([]byte, error) {
	if d.files == nil {
		for _, i := range images {
			pixels = append(pixels, d.At(i)...)
		}
		return pixels, nil
	}
	start, added := len(pixels), len(images)*d.imageSize()
	pixels = slices.Grow(pixels, added)[:start+added]
	return pixels, d.files.read(pick(d.indices, images), pixels[start:])
}

// Image returns image i: an [image.Gray], which shares its pixels with d, or
// an opaque [image.NRGBA].
func (d *Dataset) Image(i int) image.Image {
	bounds := image.Rect(0, 0, d.Width, d.Height)
	pixels := d.At(i)
	if d.Channels == 1 {
		return &image.Gray{Pix: pixels, Stride: d.Width, Rect: bounds}
	}
	img := image.NewNRGBA(bounds)
	for p := range d.Height * d.Width {
		copy(img.Pix[4*p:], pixels[3*p:3*p+3])
		img.Pix[4*p+3] = 255
	}
	return img
}

// Validate reports what is wrong with a Dataset, in particular with one made
// by hand: it must have an image, Height and Width must be positive, Channels
// 1 or 3, Images and Labels of matching lengths, and each label below
// len(ClassNames).
func (d *Dataset) Validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("datasets: %s: %s", d.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case d.Height < 1 || d.Width < 1:
		return fail("images of height %d and width %d; allowed: 1 or more", d.Height, d.Width)
	case d.Channels != 1 && d.Channels != 3:
		return fail("%d channels; allowed: 1 (gray) or 3 (red, green, blue)", d.Channels)
	case len(d.Labels) == 0:
		return fail("no labels; allowed: one for each image, of at least one image")
	case d.files != nil && len(d.indices) != len(d.Labels):
		return fail("%d labels; allowed: %d, one for each image", len(d.Labels), len(d.indices))
	case d.files == nil && len(d.Images) != len(d.Labels)*d.imageSize():
		return fail("%d bytes of images; allowed: %d, for %d labels and images of %dx%dx%d",
			len(d.Images), len(d.Labels)*d.imageSize(), len(d.Labels), d.Height, d.Width, d.Channels)
	}
	for i, label := range d.Labels {
		if label < 0 || int(label) >= len(d.ClassNames) {
			return fail("label %d is %d; allowed: 0 to %d, for %d class names", i, label, len(d.ClassNames)-1, len(d.ClassNames))
		}
	}
	return nil
}

// ComputeChecksum returns the hex SHA-256 of, one after the other: the line
// "n height width channels", a line per class name in Go's %q, the images, and
// the labels as little-endian int32. For images that are read from files, it is the
// SHA-256 of each that counts, of one byte for a pixel where all of its pixels are gray.
// Name and Canonical do not count.
func (d *Dataset) ComputeChecksum() string {
	h := sha256.New()
	fmt.Fprintln(h, d.Len(), d.Height, d.Width, d.Channels)
	for _, name := range d.ClassNames {
		fmt.Fprintf(h, "%q\n", name)
	}
	h.Write(d.Images)
	for _, i := range d.indices {
		h.Write(d.files.digests[i][:])
	}
	binary.Write(h, binary.LittleEndian, d.Labels)
	return hex.EncodeToString(h.Sum(nil))
}

// Subset returns n images drawn at random, stratified: each class keeps its
// share of the set, rounded to a whole number of images. The images stay in
// the order of d. The same seed gives the same subset. Errors: n is not 1 to
// Len; those of Validate.
func (d *Dataset) Subset(n int, seed int64) (*Dataset, error) {
	if n < 1 || n > d.Len() {
		return nil, fmt.Errorf("datasets: %s: a subset of %d images; allowed: 1 to %d", d.Name, n, d.Len())
	}
	drawn, err := d.draw(n, seed)
	if err != nil {
		return nil, err
	}
	return d.take(fmt.Sprintf("%s[%d, seed %d]", d.Name, n, seed), drawn), nil
}

// Split divides the set at random into n images and the rest, stratified like
// [Dataset.Subset]: first is what Subset(n, seed) returns. Neither part may be
// empty: n is 1 to Len-1. Errors: another n; those of Validate.
func (d *Dataset) Split(n int, seed int64) (first, rest *Dataset, err error) {
	if n < 1 || n >= d.Len() {
		return nil, nil, fmt.Errorf("datasets: %s: a split at %d images; allowed: 1 to %d", d.Name, n, d.Len()-1)
	}
	drawn, err := d.draw(n, seed)
	if err != nil {
		return nil, nil, err
	}
	first = d.take(fmt.Sprintf("%s[%d, seed %d]", d.Name, n, seed), drawn)
	rest = d.take(fmt.Sprintf("%s[all but %d, seed %d]", d.Name, n, seed), d.allBut(drawn))
	return first, rest, nil
}

// HoldOut divides the set at random into training and test images, class by
// class: of a class with c images, share*c are for test, rounded to a whole
// number, but at least one and at most c-1. So every class is in both parts,
// where a small class can miss one of those of [Dataset.Split]. The images stay
// in the order of d. The same share and seed give the same parts. Errors: a
// share that is not between 0 and 1; a class with fewer than two images; those
// of Validate.
func (d *Dataset) HoldOut(share float64, seed int64) (train, test *Dataset, err error) {
	if !validShare(share) {
		return nil, nil, fmt.Errorf("datasets: %s: a share of %v for test; allowed: more than 0, less than 1", d.Name, share)
	}
	if err := d.Validate(); err != nil {
		return nil, nil, err
	}
	byClass := d.byClass()
	quota := make([]int, d.Classes())
	for c, members := range byClass {
		count := len(members)
		if count < 2 {
			return nil, nil, fmt.Errorf("datasets: %s: class %q has too few images, %d; allowed: 2 or more (one to train, one to test)", d.Name, d.ClassNames[c], count)
		}
		quota[c] = min(max(int(math.Round(share*float64(count))), 1), count-1)
	}
	held := drawQuota(byClass, quota, seed)
	train = d.take(fmt.Sprintf("%s[all but test %v, seed %d]", d.Name, share, seed), d.allBut(held))
	test = d.take(fmt.Sprintf("%s[test %v, seed %d]", d.Name, share, seed), held)
	return train, test, nil
}

func validShare(share float64) bool { return share > 0 && share < 1 }

// Select returns the images of these classes. Class classes[k] of d becomes
// class k of the result. Errors: no class; one that d lacks, or that is named
// twice; classes without an image; those of Validate.
func (d *Dataset) Select(classes ...int) (*Dataset, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if len(classes) == 0 {
		return nil, fmt.Errorf("datasets: %s: no class selected; allowed: some of 0 to %d", d.Name, d.Classes()-1)
	}
	newLabel := make(map[int32]int32, len(classes))
	names := make([]string, len(classes))
	for k, c := range classes {
		if c < 0 || c >= d.Classes() {
			return nil, fmt.Errorf("datasets: %s: class %d selected; allowed: 0 to %d", d.Name, c, d.Classes()-1)
		}
		if _, twice := newLabel[int32(c)]; twice {
			return nil, fmt.Errorf("datasets: %s: class %d selected twice; allowed: each class once", d.Name, c)
		}
		newLabel[int32(c)] = int32(k)
		names[k] = d.ClassNames[c]
	}
	renamed := *d
	renamed.ClassNames = names
	renamed.Labels = make([]int32, d.Len())
	var kept []int
	for i, label := range d.Labels {
		if k, ok := newLabel[label]; ok {
			renamed.Labels[i] = k
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("datasets: %s: the classes %v have no image; allowed: classes with at least one image in all", d.Name, classes)
	}
	return renamed.take(fmt.Sprintf("%s[classes %s]", d.Name, strings.Trim(fmt.Sprint(classes), "[]")), kept), nil
}

// draw returns the ascending indices of a stratified random draw of n images.
// A class with share n*count/Len gets the whole part of it; the images that
// are then missing go to the classes with the largest remainders (of equal
// ones to the smaller class index).
func (d *Dataset) draw(n int, seed int64) ([]int, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	byClass := d.byClass()
	quota := make([]int, d.Classes())
	missing := n
	for c, members := range byClass {
		quota[c] = n * len(members) / d.Len()
		missing -= quota[c]
	}
	order := make([]int, d.Classes())
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return n*len(byClass[b])%d.Len() - n*len(byClass[a])%d.Len()
	})
	for _, c := range order[:missing] {
		quota[c]++
	}
	return drawQuota(byClass, quota, seed), nil
}

// byClass returns the ascending indices of the images of each class.
func (d *Dataset) byClass() [][]int {
	indices := make([][]int, d.Classes())
	for i, label := range d.Labels {
		indices[label] = append(indices[label], i)
	}
	return indices
}

// drawQuota draws quota[c] of the indices byClass[c] at random, for each class
// c, and returns them in ascending order. It shuffles byClass.
func drawQuota(byClass [][]int, quota []int, seed int64) []int {
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	var drawn []int
	for c, members := range byClass {
		rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		drawn = append(drawn, members[:quota[c]]...)
	}
	slices.Sort(drawn)
	return drawn
}

// allBut returns the ascending indices of the images that were not drawn.
func (d *Dataset) allBut(drawn []int) []int {
	isDrawn := make([]bool, d.Len())
	for _, i := range drawn {
		isDrawn[i] = true
	}
	var rest []int
	for i := range d.Len() {
		if !isDrawn[i] {
			rest = append(rest, i)
		}
	}
	return rest
}

// take returns the part with these indices. It copies the images that are in memory.
func (d *Dataset) take(name string, indices []int) *Dataset {
	part := &Dataset{
		Name:   name,
		Labels: pick(d.Labels, indices),
		Height: d.Height, Width: d.Width, Channels: d.Channels,
		ClassNames: slices.Clone(d.ClassNames),
		Canonical:  d.Canonical,
		files:      d.files,
	}
	if d.files != nil {
		part.indices = pick(d.indices, indices)
	} else {
		part.Images = make([]byte, 0, len(indices)*d.imageSize())
		for _, i := range indices {
			part.Images = append(part.Images, d.At(i)...)
		}
	}
	part.Checksum = part.ComputeChecksum()
	return part
}

// pick returns the elements with these indices.
func pick[T any](elements []T, indices []int) []T {
	picked := make([]T, len(indices))
	for k, i := range indices {
		picked[k] = elements[i]
	}
	return picked
}

// digest identifies the pixels of image i.
func (d *Dataset) digest(i int) [sha256.Size]byte {
	if d.files != nil {
		return d.files.digests[d.indices[i]]
	}
	return digestOf(d.At(i), d.Channels)
}
