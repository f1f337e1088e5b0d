package explorer

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"golang.org/x/image/draw"

	"github.com/embedspace/embedspace/viz"
)

// numbers are those of an array, in JSON as base64 of their little-endian bytes. Integers from
// 0 to 255 take a byte each, behind a colon.
type numbers[T float32 | int32] []T

// MarshalJSON writes null for an array without numbers.
func (n numbers[T]) MarshalJSON() ([]byte, error) {
	if len(n) == 0 {
		return []byte("null"), nil
	}
	if integers, ok := any([]T(n)).([]int32); ok && slices.Min(integers) >= 0 && slices.Max(integers) <= math.MaxUint8 {
		small := make([]byte, len(n))
		for i, x := range integers {
			small[i] = byte(x)
		}
		return json.Marshal(":" + base64.StdEncoding.EncodeToString(small))
	}
	encoded, err := binary.Append(nil, binary.LittleEndian, []T(n))
	if err != nil {
		return nil, err
	}
	return json.Marshal(encoded)
}

// pageData is what the script of the page reads.
type pageData struct {
	Classes   []classData `json:"classes"`
	Images    imagesData  `json:"images"`
	Reference imagesData  `json:"reference"`
	Spaces    []spaceData `json:"spaces"`
}

type classData struct {
	Name    string   `json:"name"`
	Color   [3]uint8 `json:"color"`
	Unknown bool     `json:"unknown"`
}

type imagesData struct {
	Labels numbers[int32] `json:"labels"`
	Height int            `json:"height"` // of a thumbnail
	Width  int            `json:"width"`
	Tile   int            `json:"tile"`   // the distance of two thumbnails on a sheet
	Across int            `json:"across"` // thumbnails in a row of a sheet, and rows
	First  int            `json:"first"`  // the first sheet
	Source [2]int         `json:"source"` // height and width of the images
}

type spaceData struct {
	Title      string           `json:"title"`
	Dim        int              `json:"dim"`
	Width      int              `json:"width"` // columns of points
	DrawnDim   int              `json:"drawnDim"`
	Points     numbers[float32] `json:"points"`
	Axes       numbers[float32] `json:"axes"`  // to draw points along, or null
	Norms      numbers[float32] `json:"norms"` // of points, in all dimensions
	Vectors    numbers[float32] `json:"vectors"`
	Targets    numbers[float32] `json:"targets"`
	Prototypes struct {
		Points numbers[float32] `json:"points"` // as they are drawn
		Norms  numbers[float32] `json:"norms"`
		Labels numbers[int32]   `json:"labels"`
	} `json:"prototypes"`
	VectorNorms numbers[float32] `json:"vectorNorms"` // in all dimensions, where there are more than 3; else null
	TargetNorms numbers[float32] `json:"targetNorms"` // the same
	Sphere      bool             `json:"sphere"`
	Camera      viz.Camera       `json:"camera"`
	Frame       viz.Frame        `json:"frame"`
	Regions     *regionData      `json:"regions"`
	Predicted   numbers[int32]   `json:"predicted"`
	Score       numbers[float32] `json:"score"` // the largest
	Lead        numbers[float32] `json:"lead"`  // over the second
	Second      numbers[int32]   `json:"second"`
	Reference   numbers[float32] `json:"reference"`
	Metrics     []metricData     `json:"metrics"`
	Curves      []curvesData     `json:"curves"`
	Trace       *traceData       `json:"trace"`
}

type regionData struct {
	Picture string  `json:"picture"` // the URL of a PNG
	Reach   float64 `json:"reach"`   // its width over that of the frame
}

type metricData struct {
	Name   string           `json:"name"`
	Values numbers[float32] `json:"values"`
}

type curvesData struct {
	Title string     `json:"title"`
	Lines []lineData `json:"lines"`
}

type lineData struct {
	Name   string    `json:"name"`
	Values []float64 `json:"values"`
}

type traceData struct {
	Epochs    numbers[float32] `json:"epochs"`
	Indices   numbers[int32]   `json:"indices"`
	Points    numbers[float32] `json:"points"` // as they are drawn
	Predicted numbers[int32]   `json:"predicted"`
	Vectors   numbers[float32] `json:"vectors"` // as they are drawn

	Norms       numbers[float32] `json:"norms"` // see spaceData
	VectorNorms numbers[float32] `json:"vectorNorms"`
}

// data returns what the script of the page reads.
func (p *Page) data() (pageData, error) {
	data := pageData{Images: p.Images.data(0)}
	data.Reference = p.Reference.data(p.Images.sheetCount())
	for class, name := range p.Spaces[0].ClassNames {
		clr := viz.Color(class)
		data.Classes = append(data.Classes, classData{name, [3]uint8{clr.R, clr.G, clr.B}, false})
	}
	if p.hasUnknown() {
		data.Classes = append(data.Classes, classData{unknownName, [3]uint8{0x6b, 0x6b, 0x73}, true})
	}
	for i := range p.Spaces {
		space, err := p.Spaces[i].data()
		if err != nil {
			return data, fmt.Errorf("space %d %q: %w", i+1, p.Spaces[i].Title, err)
		}
		data.Spaces = append(data.Spaces, space)
	}
	return data, nil
}

func (m Images) data(first int) imagesData {
	height, width := m.thumbnail()
	return imagesData{
		Labels: m.Labels, Height: height, Width: width, Tile: m.tile(), Across: across, First: first, Source: [2]int{m.Height, m.Width},
	}
}

func (s *Space) data() (spaceData, error) {
	pr, err := newProjection(s.Points, s.Dim)
	if err != nil {
		return spaceData{}, err
	}
	all := s.withUnknown()
	drawn := viz.Scatter{
		Points: pr.drawn(s.Points), Dim: min(s.Dim, 3), Labels: s.Labels, ClassNames: all.ClassNames,
		ClassVectors: pr.drawn(all.ClassVectors), Targets: pr.drawn(all.Targets),
	}
	frame, err := drawn.Frame()
	if err != nil {
		return spaceData{}, err
	}
	regions, err := s.regions(frame)
	if err != nil {
		return spaceData{}, err
	}
	camera := viz.DefaultCamera
	if s.Camera != nil {
		camera = *s.Camera
	}
	data := spaceData{
		Title: s.Title, Dim: s.Dim, Width: pr.width, DrawnDim: drawn.Dim, Points: pr.columns(s.Points), Axes: pr.axes,
		Vectors: pr.columns(s.ClassVectors), Targets: pr.columns(s.Targets), Reference: pr.columns(s.Reference),
		Sphere: s.Sphere, Camera: camera, Frame: frame, Regions: regions, Predicted: s.Predicted,
	}
	wholeNorms := func(rows []float32) []float32 { // where what is drawn has others
		if s.Dim <= 3 {
			return nil
		}
		return norms(rows, s.Dim)
	}
	for _, prototype := range s.Prototypes {
		data.Prototypes.Points = append(data.Prototypes.Points, pr.drawn(prototype.Point)...)
		data.Prototypes.Norms = append(data.Prototypes.Norms, wholeNorms(prototype.Point)...)
		data.Prototypes.Labels = append(data.Prototypes.Labels, prototype.Label)
	}
	data.Norms, data.VectorNorms, data.TargetNorms = norms(s.Points, s.Dim), wholeNorms(s.ClassVectors), wholeNorms(s.Targets)
	data.Score, data.Lead, data.Second = lead(s.Scores, len(s.ClassNames))
	for _, metric := range s.Metrics {
		values := make([]float32, len(metric.Values))
		for i, x := range metric.Values {
			values[i] = float32(x)
		}
		data.Metrics = append(data.Metrics, metricData{metric.Name, values})
	}
	for _, curves := range s.Curves {
		lines := make([]lineData, len(curves.Lines))
		for i, line := range curves.Lines {
			lines[i] = lineData{line.Name, line.Values}
		}
		data.Curves = append(data.Curves, curvesData{curves.Title, lines})
	}
	if t := s.Trace; t != nil {
		data.Trace = &traceData{t.Epochs, t.Indices, pr.drawn(t.Points), t.Predicted, pr.drawn(t.ClassVectors), wholeNorms(t.Points), wholeNorms(t.ClassVectors)}
	}
	return data, nil
}

// norms returns the norms of rows of dim numbers.
func norms(rows []float32, dim int) (norms []float32) {
	for row := range slices.Chunk(rows, dim) {
		square := 0.
		for _, x := range row {
			square += float64(x) * float64(x)
		}
		norms = append(norms, float32(math.Sqrt(square)))
	}
	return norms
}

// regions returns the picture of the decision regions: transparent tints of the colours of
// the classes, none where it decides that the class is unknown, with gray borders, for light and
// dark pages. It is nil without a rule.
func (s *Space) regions(frame viz.Frame) (*regionData, error) {
	if s.Regions == nil {
		return nil, nil
	}
	classes, err := s.Regions(regionPoints(frame))
	if err != nil {
		return nil, fmt.Errorf("decision regions: %w", err)
	}
	const n = regionPixels
	if len(classes) != n*n {
		return nil, fmt.Errorf("decision regions: %d classes for %d points: %w", len(classes), n*n, viz.ErrLength)
	}
	img := image.NewNRGBA(image.Rect(0, 0, n, n))
	for i, class := range classes {
		if class < 0 || int(class) > len(s.ClassNames) {
			return nil, fmt.Errorf("decision regions: class %d, of %d classes: %w", class, len(s.ClassNames), viz.ErrLabel)
		}
		clr := viz.Color(int(class))
		pixel := color.NRGBA{clr.R, clr.G, clr.B, 0x30}
		if int(class) == len(s.ClassNames) {
			pixel.A = 0
		}
		if i%n < n-1 && classes[i+1] != class || i/n < n-1 && classes[i+n] != class {
			pixel = color.NRGBA{0x8a, 0x8a, 0x94, 0xd0}
		}
		img.SetNRGBA(i%n, i/n, pixel)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		return nil, err
	}
	return &regionData{"data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.Bytes()), regionReach}, nil
}

// Sheets of thumbnails.
const (
	across      = 50 // thumbnails in a row of a sheet, and rows
	perSheet    = across * across
	largest     = 48 // pixels of a thumbnail
	block       = 16 // pixels that a JPEG compresses together: thumbnails start with one
	jpegQuality = 50
)

func (m Images) sheetCount() int { return (len(m.Labels) + perSheet - 1) / perSheet }

// thumbnail returns the size of a thumbnail.
func (m Images) thumbnail() (height, width int) {
	shrink := min(1, largest/float64(max(m.Height, m.Width, 1)))
	return max(1, int(math.Round(shrink*float64(m.Height)))), max(1, int(math.Round(shrink*float64(m.Width))))
}

// tile returns the distance of two thumbnails.
func (m Images) tile() int {
	height, width := m.thumbnail()
	return (max(height, width) + block - 1) / block * block
}

// sheets returns the thumbnails as elements of the page. The template would escape their
// base64.
func (p *Page) sheets() (elements []template.HTML, err error) {
	for _, images := range []Images{p.Images, p.Reference} {
		for first := 0; first < len(images.Labels); first += perSheet {
			sheet, err := images.sheet(first)
			if err != nil {
				return nil, err
			}
			elements = append(elements, template.HTML(`<img class="sheet" hidden alt="" src="data:image/jpeg;base64,`+base64.StdEncoding.EncodeToString(sheet)+`">`))
		}
	}
	return elements, nil
}

// sheet returns the thumbnails from the first on that one sheet holds.
func (m Images) sheet(first int) ([]byte, error) {
	count := min(perSheet, len(m.Labels)-first)
	tile := m.tile()
	height, width := m.thumbnail()
	area := image.Rect(0, 0, across*tile, (count+across-1)/across*tile)
	var sheet draw.Image = image.NewRGBA(area)
	if m.Channels == 1 {
		sheet = image.NewGray(area)
	}
	for k := range count {
		corner := image.Pt(k%across*tile, k/across*tile)
		place := image.Rect(0, 0, width, height).Add(corner)
		img, err := m.at(first + k)
		if err != nil {
			return nil, err
		}
		// JPEG mixes what is beside the thumbnail into its edge: something like it is best.
		draw.NearestNeighbor.Scale(sheet, image.Rect(0, 0, tile, tile).Add(corner), img, img.Bounds(), draw.Src, nil)
		draw.CatmullRom.Scale(sheet, place, img, img.Bounds(), draw.Src, nil)
	}
	var encoded bytes.Buffer
	err := jpeg.Encode(&encoded, sheet, &jpeg.Options{Quality: jpegQuality})
	return encoded.Bytes(), err
}

// at returns image i.
func (m Images) at(i int) (image.Image, error) {
	pixels, err := m.Pixels(i)
	if err != nil {
		return nil, err
	}
	if want := m.Height * m.Width * m.Channels; len(pixels) != want {
		return nil, fmt.Errorf("explorer: image %d has %d bytes; allowed: %d: %w", i, len(pixels), want, ErrImages)
	}
	area := image.Rect(0, 0, m.Width, m.Height)
	if m.Channels == 1 {
		return &image.Gray{Pix: pixels, Stride: m.Width, Rect: area}, nil
	}
	img := image.NewRGBA(area)
	for k := range m.Height * m.Width {
		copy(img.Pix[4*k:], pixels[3*k:3*k+3])
		img.Pix[4*k+3] = 0xff
	}
	return img, nil
}
