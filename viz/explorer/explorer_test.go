package explorer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/viz"
)

// gray returns the pixels of images of one gray level, which is step times their index.
func gray(size, step int) func(i int) ([]byte, error) {
	return func(i int) ([]byte, error) { return bytes.Repeat([]byte{byte(step * i)}, size), nil }
}

// testPage returns a page of 60 images of three classes, in spaces of these dimensions. Image
// i has the gray level 4 i, class i % 3, and is decided wrongly if it is a multiple of 10; its
// lead grows with i. The first space has a trace of 30 images over 3 epochs.
func testPage(dims ...int) *Page {
	const n = 60
	names := []string{"zero", "one", "two"}
	p := &Page{Title: "A <title>", Images: Images{Pixels: gray(64, 4), Height: 8, Width: 8, Channels: 1}, Reference: Images{Pixels: gray(64, 20), Height: 8, Width: 8, Channels: 1}}
	for i := range n {
		p.Images.Labels = append(p.Images.Labels, int32(i%3))
	}
	for i := range 9 {
		p.Reference.Labels = append(p.Reference.Labels, int32(i%3))
	}
	for k, dim := range dims {
		rng := rand.New(rand.NewPCG(1, uint64(dim)))
		s := Space{Scatter: viz.Scatter{Title: "Space", Note: "a note", Dim: dim, Labels: p.Images.Labels, ClassNames: names}, Rule: "a rule"}
		point := func(label int32) (z []float32) {
			for j := range dim {
				center := 0.
				if j == int(label)%dim {
					center = 4 - 2*float64(label)
				}
				z = append(z, float32(center+rng.NormFloat64()))
			}
			return z
		}
		for i, label := range p.Images.Labels {
			s.Points = append(s.Points, point(label)...)
			predicted := label
			if i%10 == 0 {
				predicted = (label + 1) % 3
			}
			scores := []float32{-100, -100, -100}
			scores[predicted], scores[(predicted+1)%3] = float32(i), 0
			s.Predicted, s.Scores = append(s.Predicted, predicted), append(s.Scores, scores...)
		}
		for _, label := range p.Reference.Labels {
			s.Reference = append(s.Reference, point(label)...)
		}
		for class := range names {
			s.ClassVectors = append(s.ClassVectors, point(int32(class))...)
		}
		if dim == 2 {
			s.Regions = func(points []float32) ([]int32, error) {
				classes := make([]int32, len(points)/2)
				for i := range classes {
					if points[2*i] > 0 {
						classes[i] = 1
					}
				}
				return classes, nil
			}
		}
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i)
		}
		values[5] = math.NaN()
		s.Metrics = []Metric{{"index", values}}
		s.Curves = []viz.Curves{
			{Title: "Loss", Lines: []viz.Line{{Name: "loss", Values: []float64{3, 2, 1}}}},
			{Title: "Accuracy", Lines: []viz.Line{{Name: "train", Values: []float64{50, 70, 90}}, {Name: "test", Values: []float64{40, 60, 70}}}},
		}
		if k == 0 {
			s.Trace = &Trace{Epochs: []float32{0.5, 1, 3}}
			for i := range n / 2 {
				s.Trace.Indices = append(s.Trace.Indices, int32(2*i))
			}
			for epoch := range 3 {
				for _, i := range s.Trace.Indices {
					for _, z := range s.Points[int(i)*dim : (int(i)+1)*dim] {
						s.Trace.Points = append(s.Trace.Points, z*float32(epoch+1)/3)
					}
					s.Trace.Predicted = append(s.Trace.Predicted, s.Predicted[i])
				}
				s.Trace.ClassVectors = append(s.Trace.ClassVectors, s.ClassVectors...)
			}
		}
		p.Spaces = append(p.Spaces, s)
	}
	return p
}

// largePage returns a page of n images of 28 x 28 pixels with noise, in a 3-D space.
func largePage(n int) *Page {
	const size = 28
	rng := rand.New(rand.NewPCG(1, 1))
	s := Space{Scatter: viz.Scatter{Title: "Large", Dim: 3, ClassNames: strings.Split("0123456789", "")}}
	p := &Page{Title: "Large", Images: Images{Height: size, Width: size, Channels: 1}}
	p.Images.Pixels = func(int) ([]byte, error) {
		pixels := make([]byte, size*size)
		for i := range pixels {
			if i%size > 8 && i%size < 20 {
				pixels[i] = byte(rng.Uint32())
			}
		}
		return pixels, nil
	}
	for i := range n {
		p.Images.Labels = append(p.Images.Labels, int32(i%10))
		for j := range 3 {
			s.Points = append(s.Points, float32(3*math.Sin(float64(i%10*(j+2)))+rng.NormFloat64()))
		}
	}
	s.Labels, s.Predicted = p.Images.Labels, p.Images.Labels
	p.Spaces = []Space{s}
	return p
}

func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		change func(p *Page)
		want   error
		says   string
	}{
		"no space":      {func(p *Page) { p.Spaces = nil }, ErrSpaces, "at least one"},
		"other labels":  {func(p *Page) { p.Spaces[1].Labels = make([]int32, 60) }, ErrImages, `space 2 "Space": the labels are not those of the 60 images`},
		"other classes": {func(p *Page) { p.Spaces[1].ClassNames = []string{"a", "b", "c"} }, ErrImages, "first space"},
		"no pixels":     {func(p *Page) { p.Images.Pixels = nil }, ErrImages, "images: no pixels of 60 images"},
		"pixels":        {func(p *Page) { p.Images.Pixels = gray(63, 4) }, ErrImages, "image 0 has 63 bytes; allowed: 64"},
		"not read": {func(p *Page) { p.Images.Pixels = func(int) ([]byte, error) { return nil, os.ErrNotExist } },
			os.ErrNotExist, "file does not exist"},
		"channels":      {func(p *Page) { p.Reference.Channels = 2 }, ErrImages, "reference images: 8 x 8 pixels with 2 channels; allowed"},
		"class":         {func(p *Page) { p.Reference.Labels[3] = 3 }, viz.ErrLabel, "the class of image 3 is 3; allowed: 0 to 2"},
		"one dimension": {func(p *Page) { p.Spaces = testPage(1).Spaces }, viz.ErrDim, "Dim = 1; allowed: 2 or more"},
		"not finite":    {func(p *Page) { p.Spaces[0].Points[4] = float32(math.NaN()) }, viz.ErrNotFinite, "points[2]"},
		"predicted":     {func(p *Page) { p.Spaces[0].Predicted = make([]int32, 59) }, viz.ErrLength, "59 predicted classes; allowed: 60, or none"},
		"scores":        {func(p *Page) { p.Spaces[0].Scores = make([]float32, 60) }, viz.ErrLength, "60 scores; allowed: 180"},
		"reference":     {func(p *Page) { p.Spaces[0].Reference = make([]float32, 2) }, viz.ErrLength, "allowed: 18, or none"},
		"no metric":     {func(p *Page) { p.Spaces[0].Metrics[0].Values = nil }, viz.ErrLength, "0 values of index; allowed: 60"},
		"no line":       {func(p *Page) { p.Spaces[0].Curves[0].Lines[0].Values = nil }, viz.ErrLength, "has no values"},
		"NaN in a line": {func(p *Page) { p.Spaces[0].Curves[0].Lines[0].Values[0] = math.NaN() }, viz.ErrNotFinite, "is NaN; allowed: finite numbers"},
		"metric":        {func(p *Page) { p.Spaces[0].Metrics[0].Values = []float64{1} }, viz.ErrLength, "1 values of index; allowed: 60"},
		"trace":         {func(p *Page) { p.Spaces[0].Trace.Indices[29] = 60 }, ErrTrace, "index 29 is 60; allowed: 0 to 59, ascending"},
		"wrong class":   {func(p *Page) { p.Spaces[0].Predicted[3] = 4 }, viz.ErrLabel, "the predicted class of image 3 is 4; allowed: 0 to 3"},
		"prototype":     {func(p *Page) { p.Spaces[0].Prototypes = []Prototype{{[]float32{1}, 0}} }, viz.ErrLength, "prototype 0 is at [1]; allowed: 2 finite"},
		"of class":      {func(p *Page) { p.Spaces[0].Prototypes = []Prototype{{[]float32{1, 2}, 3}} }, viz.ErrLabel, "the class of prototype 0 is 3; allowed: 0 to 2"},
		"trace order":   {func(p *Page) { p.Spaces[0].Trace.Epochs[2] = 1 }, ErrTrace, "time 2 is 1 epochs"},
		"trace times":   {func(p *Page) { p.Spaces[0].Trace.Epochs = nil }, ErrTrace, "30 points at 0 times"},
		"trace class":   {func(p *Page) { p.Spaces[0].Trace.Predicted[7] = 3 }, ErrTrace, "predicted class 7 is 3; allowed: 0 to 2"},
		"trace NaN":     {func(p *Page) { p.Spaces[0].Trace.Points[1] = float32(math.NaN()) }, ErrTrace, "number 1 of the points is NaN"},
		"trace points":  {func(p *Page) { p.Spaces[0].Trace.Points = make([]float32, 5) }, viz.ErrLength, "5 coordinates; allowed: 180"},
		"trace losses":  {func(p *Page) { p.Spaces[0].Trace.Losses = make([]float32, 2) }, viz.ErrLength, "2 losses; allowed: 3, or none"},
		"regions": {func(p *Page) {
			p.Spaces[0].Regions = func([]float32) ([]int32, error) { return []int32{1}, nil }
		}, viz.ErrLength, "decision regions: 1 classes for 1000000 points"},
	} {
		p := testPage(2, 3)
		test.change(p)
		if err := p.Write(io.Discard); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %v saying %q", name, err, test.want, test.says)
		}
	}
	if err := testPage(2).Save("page.htm"); !errors.Is(err, viz.ErrExtension) {
		t.Errorf("extension: error %v", err)
	}
	if err := testPage(2).Show("page.html"); !errors.Is(err, viz.ErrNotebook) {
		t.Errorf("outside of a notebook: error %v", err)
	}
}

// TestPicture: in the picture of a space, points of unknown classes are unknown, and prototypes
// are stars.
func TestPicture(t *testing.T) {
	p := testPage(2)
	s := &p.Spaces[0]
	s.Labels[1], s.Labels[59] = 3, 3
	s.Stars = []viz.Star{{Name: "other", Point: []float32{0, 0}}}
	s.Prototypes = []Prototype{{[]float32{1, 2}, 2}}
	s.Unknown, s.Arrows = []float32{9, 9}, make([]float32, 120) // which a page does not have
	picture := s.picture()
	if err := picture.Validate(); err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat(s.Points[2:4], s.Points[118:]); !slices.Equal(picture.Unknown, want) || len(picture.Labels) != 58 {
		t.Errorf("unknown points are %v, want %v; %d others", picture.Unknown, want, len(picture.Labels))
	}
	if len(picture.Stars) != 1 || picture.Stars[0].Name != s.ClassNames[2] || !slices.Equal(picture.Stars[0].Point, []float32{1, 2}) {
		t.Errorf("stars are %v", picture.Stars)
	}
}

// TestUnknownRegion: where the rule decides that a point is of no class, the page shows through.
func TestUnknownRegion(t *testing.T) {
	p := testPage(2)
	s := &p.Spaces[0]
	rule := s.Regions
	s.Regions = func(points []float32) ([]int32, error) {
		classes, err := rule(points)
		for i := range classes {
			if points[2*i+1] > 0 {
				classes[i] = int32(len(s.ClassNames))
			}
		}
		return classes, err
	}
	data, err := s.data()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(data.Regions.Picture, "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	for y, want := range map[int]bool{0: false, regionPixels - 1: true} {
		if _, _, _, alpha := img.At(5, y).RGBA(); (alpha > 0) != want {
			t.Errorf("row %d has the opacity %d", y, alpha)
		}
	}
	s.Regions = func(points []float32) ([]int32, error) {
		return slices.Repeat([]int32{4}, len(points)/2), nil
	}
	if _, err := s.data(); !errors.Is(err, viz.ErrLabel) {
		t.Errorf("a class of its own: error %v, want ErrLabel", err)
	}
}

func TestWrite(t *testing.T) {
	var first, second bytes.Buffer
	p := testPage(2, 5)
	if err := p.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("the second page differs, error %v", err)
	}
	for _, text := range []string{"<title>A &lt;title&gt;</title>", "Rule: a rule", "5-D"} {
		if !strings.Contains(first.String(), text) {
			t.Errorf("the page has no %q", text)
		}
	}
	for _, text := range []string{"http://", "https://"} {
		if strings.Contains(strings.ReplaceAll(first.String(), "http://www.w3.org/2000/svg", ""), text) {
			t.Errorf("the page has %q: it must do without a network", text)
		}
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := p.Save(path); err != nil {
		t.Fatal(err)
	}
	if saved, err := os.ReadFile(path); err != nil || !bytes.Equal(saved, first.Bytes()) {
		t.Errorf("the saved page differs, error %v", err)
	}
}

func TestSheet(t *testing.T) {
	for _, images := range []Images{
		{Height: 28, Width: 28, Channels: 1, Labels: make([]int32, 60)},
		{Height: 100, Width: 50, Channels: 3, Labels: make([]int32, 60)},
	} {
		images.Pixels = gray(images.Height*images.Width*images.Channels, 4)
		encoded, err := images.sheet(0)
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := jpeg.Decode(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		height, width := images.thumbnail()
		if height > largest || width > largest || math.Abs(float64(width)/float64(height)-float64(images.Width)/float64(images.Height)) > 0.03 {
			t.Errorf("%d x %d become %d x %d", images.Height, images.Width, height, width)
		}
		for i := range images.Labels {
			x, y := i%across*images.tile(), i/across*images.tile()
			for _, at := range [][2]int{{0, 0}, {width - 1, 0}, {width / 2, height / 2}, {0, height - 1}, {width - 1, height - 1}} {
				r, _, _, _ := sheet.At(x+at[0], y+at[1]).RGBA()
				if math.Abs(float64(r>>8)-float64(4*i)) > 24 {
					t.Fatalf("pixel %v of thumbnail %d of %d x %d has %d, want about %d", at, i, images.Height, images.Width, r>>8, 4*i)
				}
			}
		}
	}
}

func TestLead(t *testing.T) {
	top, leads, second := lead([]float32{1, 5, 3, 2, 2, -1}, 3)
	for k, want := range []struct {
		top, lead float32
		second    int32
	}{{5, 2, 2}, {2, 0, 1}} {
		if top[k] != want.top || leads[k] != want.lead || second[k] != want.second {
			t.Errorf("row %d: %v, %v, %v, want %v", k, top[k], leads[k], second[k], want)
		}
	}
}

// TestProjection: points in a plane of a space of more dimensions keep their distances, as they
// are drawn and in the columns that are on the page: all, or 64 of more.
func TestProjection(t *testing.T) {
	for _, dim := range []int{2, 3, 4, 64, 65, 200} {
		rng := rand.New(rand.NewPCG(1, 1))
		var points []float32
		for range 50 {
			x, y := float32(rng.NormFloat64()), float32(3*rng.NormFloat64())
			row := make([]float32, dim)
			row[0], row[1], row[dim-2], row[dim-1] = x, y, -y, x
			points = append(points, row...)
		}
		pr, err := newProjection(points, dim)
		if err != nil {
			t.Fatal(err)
		}
		columns, places := pr.columns(points), pr.drawn(points)
		if pr.width != min(dim, 64) || len(columns) != 50*pr.width || len(places) != 50*min(dim, 3) {
			t.Fatalf("%d-D: %d columns, %d coordinates, %d of places", dim, pr.width, len(columns), len(places))
		}
		checkDistances(t, columns, points, pr.width, dim)
		checkDistances(t, places, points, min(dim, 3), dim)
	}
}

// checkDistances checks the distances of rows of so many columns to the first.
func checkDistances(t *testing.T, got, want []float32, gotDim, wantDim int) {
	t.Helper()
	distance := func(rows []float32, dim, i, j int) (sum float64) {
		for k := range dim {
			sum += math.Pow(float64(rows[i*dim+k]-rows[j*dim+k]), 2)
		}
		return math.Sqrt(sum)
	}
	for i := 1; i < len(got)/gotDim; i++ {
		if got, want := distance(got, gotDim, 0, i), distance(want, wantDim, 0, i); math.Abs(got-want) > 1e-4 {
			t.Errorf("%d-D: the distance of points 0 and %d is %v, want %v", wantDim, i, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for want, value := range map[string]any{
		`null`:           numbers[float32](nil),
		`"AACAPwAAAEA="`: numbers[float32]{1, 2},
		`"/////w=="`:     numbers[int32]{-1},
		`"AAEAAA=="`:     numbers[int32]{256},
		`":AP8="`:        numbers[int32]{0, 255},
	} {
		if got, err := json.Marshal(value); err != nil || string(got) != want {
			t.Errorf("%v is %s, error %v, want %s", value, got, err, want)
		}
	}
}
