package viz

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// classNames returns the class names "0", "1", ...
func classNames(classes int) []string {
	list := make([]string, classes)
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	return list
}

// blobs returns n points in Gaussian clouds around random centres.
func blobs(n, classes, dim int, deviation float64) Scatter {
	rng := rand.New(rand.NewPCG(3, uint64(dim)))
	centers := make([]float64, classes*dim)
	for i := range centers {
		centers[i] = 4 * rng.NormFloat64()
	}
	s := Scatter{Dim: dim, ClassNames: classNames(classes)}
	for range n {
		class := rng.IntN(classes)
		s.Labels = append(s.Labels, int32(class))
		for j := range dim {
			s.Points = append(s.Points, float32(centers[class*dim+j]+deviation*rng.NormFloat64()))
		}
	}
	return s
}

// atAngles returns a scatter of one class on the unit circle, at angles in degrees.
func atAngles(degrees ...float64) Scatter {
	s := Scatter{Dim: 2, ClassNames: classNames(1), Labels: make([]int32, len(degrees)), Sphere: true}
	for _, d := range degrees {
		sin, cos := math.Sincos(d * math.Pi / 180)
		s.Points = append(s.Points, float32(cos), float32(sin))
	}
	return s
}

// halves is the rule by which class 1 owns all points with x > 3 or y > 4.
func halves(points []float32) ([]int32, error) {
	classes := make([]int32, len(points)/2)
	for i := range classes {
		if points[2*i] > 3 || points[2*i+1] > 4 {
			classes[i] = 1
		}
	}
	return classes, nil
}

// ruled returns a scatter with decision regions. Its targets fix the range.
func ruled() Scatter {
	return Scatter{
		Title: "T", Dim: 2, Points: []float32{5, 0}, Labels: []int32{1}, ClassNames: classNames(2),
		Targets: []float32{-10, -10, 10, 10}, Regions: halves,
	}
}

func spaceOf(t testing.TB, s Scatter) space {
	t.Helper()
	d, err := s.content()
	if err != nil {
		t.Fatal(err)
	}
	return d.space()
}

func newLayout(t testing.TB, f *Figure) *layout {
	t.Helper()
	lay, err := f.layout()
	if err != nil {
		t.Fatal(err)
	}
	return lay
}

// panel returns the scatter that is panel i.
func (l *layout) panel(i int) *plotted { return l.cells[i].drawing.(*plotted) }

func writePNG(t testing.TB, f *Figure) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := f.WritePNG(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// svgText is a text element of an SVG.
type svgText struct {
	X    float64 `xml:"x,attr"`
	Y    float64 `xml:"y,attr"`
	Body string  `xml:",chardata"`
	Font string  `xml:"style,attr"`
	Halo bool    `xml:"aria-hidden,attr"`
}

func (s svgText) size() vg.Length {
	_, rest, _ := strings.Cut(s.Font, "font-size:")
	number, _, _ := strings.Cut(rest, "px")
	size, _ := strconv.ParseFloat(number, 64)
	return vg.Length(size)
}

// renderSVG returns the text elements of the SVG, without the halos, and the number of its
// images.
func renderSVG(t testing.TB, f *Figure) (texts []svgText, images int) {
	t.Helper()
	var buf bytes.Buffer
	if err := f.WriteSVG(&buf); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&buf)
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts, images
		}
		if err != nil {
			t.Fatalf("SVG is not XML: %v", err)
		}
		element, ok := token.(xml.StartElement)
		switch {
		case ok && element.Name.Local == "text":
			var text svgText
			if err := d.DecodeElement(&text, &element); err != nil {
				t.Fatal(err)
			}
			if !text.Halo {
				texts = append(texts, text)
			} else if !strings.Contains(text.Font, "stroke-width:0.32em") {
				t.Errorf("halo of %q has the style %q", text.Body, text.Font)
			}
		case ok && element.Name.Local == "image":
			images++
		}
	}
}

func bodies(texts []svgText) (list []string) {
	for _, text := range texts {
		list = append(list, text.Body)
	}
	return list
}

// dots returns the centre of the points of each class, which must be few, on white. A
// pixel belongs to a class if it and its neighbours have the colour of its points.
func dots(picture image.Image, classes int) []image.Point {
	img := picture.(*image.RGBA)
	type sum struct{ x, y, n int }
	sums := make([]sum, classes)
	want := make([]color.RGBA, classes)
	for i := range want {
		want[i] = mix(white, Color(i), 0.85)
	}
	is := func(x, y int, want color.RGBA) bool {
		c := img.RGBAAt(x, y)
		return closeTo(c.R, want.R) && closeTo(c.G, want.G) && closeTo(c.B, want.B)
	}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			for i, w := range want {
				if is(x, y, w) && is(x-1, y, w) && is(x+1, y, w) && is(x, y-1, w) && is(x, y+1, w) {
					sums[i].x, sums[i].y, sums[i].n = sums[i].x+x, sums[i].y+y, sums[i].n+1
				}
			}
		}
	}
	centers := make([]image.Point, classes)
	for i, s := range sums {
		if s.n > 0 {
			centers[i] = image.Pt(s.x/s.n, s.y/s.n)
		}
	}
	return centers
}

// pixel returns the colour of the picture at a point of the space of a panel.
func pixel(lay *layout, img image.Image, index int, p point) color.RGBA {
	q := lay.panel(index).view()(p)
	return color.RGBAModel.Convert(img.At(int(q.X*dpi/72), int((lay.height-q.Y)*dpi/72))).(color.RGBA)
}

func closeTo(a, b uint8) bool { return max(a, b)-min(a, b) <= 2 }
