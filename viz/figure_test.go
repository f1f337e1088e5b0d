package viz

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// names returns the class names "0", "1", ...
func names(classes int) []string {
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
	s := Scatter{Dim: dim, ClassNames: names(classes)}
	for range n {
		class := rng.IntN(classes)
		s.Labels = append(s.Labels, int32(class))
		for j := range dim {
			s.Points = append(s.Points, float32(centers[class*dim+j]+deviation*rng.NormFloat64()))
		}
	}
	return s
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

// renderSVG returns the text elements of the SVG but the halos, and the number of its images.
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

// TestOnes: two ones stay apart in a small picture.
func TestOnes(t *testing.T) {
	c := vgimg.NewWith(vgimg.UseWH(60, 20), vgimg.UseDPI(72))
	write(c, regular(7), vg.Point{X: 5, Y: 5}, "1111", black)
	img := c.Image()
	ones, was := 0, false
	for x := range img.Bounds().Dx() {
		darkest := 255
		for y := range img.Bounds().Dy() {
			darkest = min(darkest, int(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y))
		}
		is := darkest < 128
		if is && !was {
			ones++
		}
		was = is
	}
	if ones != 4 {
		t.Errorf("%d ones of 4", ones)
	}
}

func TestErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	good := func() Scatter {
		return Scatter{
			Title: "T", Dim: 2, Points: []float32{1, 2, 3, 4, 5, 6}, Labels: []int32{0, 1, 1}, ClassNames: []string{"a", "b"},
		}
	}
	if err := NewFigure(good()).WritePNG(io.Discard); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Scatter)
		want   error
		says   string
	}{
		"dimension":       {func(s *Scatter) { s.Dim = -1 }, ErrDim, "Dim = -1"},
		"no dimension":    {func(s *Scatter) { s.Dim = 0 }, ErrDim, "Dim = 0"},
		"no points":       {func(s *Scatter) { s.Points, s.Labels = nil, nil }, ErrEmpty, "no points"},
		"no names":        {func(s *Scatter) { s.ClassNames = nil }, ErrEmpty, "no class names"},
		"half a point":    {func(s *Scatter) { s.Points = s.Points[:5] }, ErrLength, "5 coordinates"},
		"labels":          {func(s *Scatter) { s.Labels = s.Labels[:2] }, ErrLength, "2 labels for 3 points"},
		"class vectors":   {func(s *Scatter) { s.ClassVectors = []float32{1, 2} }, ErrLength, "2 coordinates of class vectors, not 4"},
		"targets":         {func(s *Scatter) { s.Targets = []float32{} }, ErrLength, "0 coordinates of targets, not 4"},
		"large label":     {func(s *Scatter) { s.Labels[2] = 2 }, ErrLabel, "label 2 of point 2, of 2 classes"},
		"negative label":  {func(s *Scatter) { s.Labels[0] = -1 }, ErrLabel, "label -1 of point 0"},
		"NaN points":      {func(s *Scatter) { s.Points[2], s.Points[5] = nan, inf }, ErrNotFinite, "2 of 3 points have a NaN or Inf, first points[1] = [NaN 4]"},
		"NaN vector":      {func(s *Scatter) { s.ClassVectors = []float32{1, 2, 3, nan} }, ErrNotFinite, "1 of 2 class vectors"},
		"NaN camera":      {func(s *Scatter) { s.Camera = &Camera{Elevation: math.Inf(1)} }, ErrNotFinite, "Elevation:+Inf"},
		"off the circle":  {func(s *Scatter) { s.Sphere, s.Points = true, []float32{0.6, 0.8, 0, 0, 1, 1} }, ErrSphere, "1 of 3 points are not on the unit sphere, first points[2] = [1 1]"},
		"off in the box":  {func(s *Scatter) { *s = s.Projected(); s.Targets = []float32{0, 0.5, 1, 0} }, ErrSphere, "targets[0] = [0 0.5]"},
		"not missing":     {func(s *Scatter) { s.Missing = "not yet" }, ErrMissing, `Missing is "not yet", with 6 coordinates`},
		"infinite target": {func(s *Scatter) { s.Targets = []float32{inf, 2, 3, 4} }, ErrNotFinite, "targets[0] = [-Inf 2]"},
	} {
		s := good()
		test.change(&s)
		for _, write := range []func(io.Writer) error{NewFigure(good(), s).WritePNG, NewFigure(good(), s).WriteSVG} {
			err := write(io.Discard)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), `panel 1 "T"`) {
				t.Errorf("%s: error %v, want %v saying %q", name, err, test.want, test.says)
			}
		}
	}
	if err := NewFigure().WritePNG(io.Discard); !errors.Is(err, ErrEmpty) {
		t.Errorf("no panels: error %v", err)
	}
	for says, f := range map[string]Figure{
		"1 row labels for a grid of 2 rows and 2 columns":    {RowLabels: []string{"a"}},
		"3 column labels for a grid of 2 rows and 2 columns": {ColumnLabels: []string{"a", "b", "c"}},
		"0 row labels":                      {RowLabels: []string{}},
		"a grid of 1 rows and 3 columns":    {Columns: 5, ColumnLabels: make([]string, 5)},
		"2 row labels for a grid of 3 rows": {Columns: 1, RowLabels: make([]string, 2)},
	} {
		f.Panels = []Scatter{good(), good(), good()}
		if f.Columns == 0 {
			f.Columns = 2
		}
		if err := f.WritePNG(io.Discard); !errors.Is(err, ErrLength) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one saying %q", err, says)
		}
	}
	f := Figure{Panels: []Scatter{good()}, Columns: -1}
	if err := f.WriteSVG(io.Discard); !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "-1") {
		t.Errorf("columns: error %v", err)
	}
}

func TestExtremeInput(t *testing.T) {
	const large = math.MaxFloat32
	same := make([]float32, 40)
	for name, s := range map[string]Scatter{
		"one point":       {Dim: 2, Points: []float32{3, 4}, Labels: []int32{0}, ClassNames: names(1)},
		"one in 3-D":      {Dim: 3, Points: []float32{3, 4, 5}, Labels: []int32{0}, ClassNames: names(1)},
		"all at 0":        {Dim: 2, Points: same, Labels: make([]int32, 20), ClassNames: names(10), ClassVectors: make([]float32, 20)},
		"largest":         {Dim: 2, Points: []float32{large, -large, -large, large}, Labels: []int32{0, 1}, ClassNames: names(2), ClassVectors: []float32{large, large, -large, 0}},
		"smallest":        {Dim: 2, Points: []float32{1e-45, 0, 0, 1e-45}, Labels: []int32{0, 1}, ClassNames: names(2), ClassVectors: []float32{1e-45, 0, 0, 0}},
		"far from origin": {Dim: 3, Points: []float32{1e6, 1e6, 1e6, 1e6 + 1, 1e6, 1e6}, Labels: []int32{0, 1}, ClassNames: names(2)},
		"far vectors":     {Dim: 2, Points: []float32{1e6, 0, 1e6 + 1, 0}, Labels: []int32{0, 1}, ClassNames: names(2), ClassVectors: []float32{0, 1, -1, 0}},
		"1000 classes":    {Dim: 2, Points: same, Labels: make([]int32, 20), ClassNames: names(1000)},
		"1-D":             {Dim: 1, Points: []float32{large}, Labels: []int32{0}, ClassNames: names(1), ClassVectors: []float32{-1}},
		"1-D at 0":        {Dim: 1, Points: same, Labels: make([]int32, 40), ClassNames: names(3), ClassVectors: make([]float32, 3), Targets: make([]float32, 3)},
		"1-D, classes":    {Dim: 1, Points: same, Labels: make([]int32, 40), ClassNames: names(1000), Sphere: true},
		"1-D, long name":  {Dim: 1, Points: same, Labels: make([]int32, 40), ClassNames: []string{strings.Repeat("long ", 100)}},
		"one in 4-D":      {Dim: 4, Points: []float32{3, 4, 5, 6}, Labels: []int32{0}, ClassNames: names(1), ClassVectors: []float32{0, 1, 0, 0}},
		"one in 40-D":     {Dim: 40, Points: same, Labels: []int32{0}, ClassNames: names(1), Targets: same},
		"largest in 4-D":  {Dim: 4, Points: []float32{large, -large, large, large, large, large, large, -large}, Labels: []int32{0, 0}, ClassNames: names(1)},
		"smallest in 4-D": {Dim: 4, Points: []float32{1e-45, 0, 0, 0, 0, 1e-45, 0, 0}, Labels: []int32{0, 0}, ClassNames: names(1)},
		"circle of 0":     {Dim: 2, Points: same, Labels: make([]int32, 20), ClassNames: names(2), Sphere: true},
		"sphere of 0":     {Dim: 3, Points: make([]float32, 3), Labels: make([]int32, 1), ClassNames: names(2), Sphere: true, ClassVectors: make([]float32, 6)},
		"6-D sphere of 0": {Dim: 6, Points: make([]float32, 6), Labels: make([]int32, 1), ClassNames: names(1), Sphere: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFigure(s)
			if texts, images := renderSVG(t, f); len(texts) < 2 || images != 1 {
				t.Errorf("%d texts and %d images", len(texts), images)
			}
		})
	}
}

// dots returns the centres of the points of each class: where a pixel and its
// neighbours have the colour of a few points on white.
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
		return near(c.R, want.R) && near(c.G, want.G) && near(c.B, want.B)
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

func near(a, b uint8) bool { return max(a, b)-min(a, b) <= 2 }

func TestEqualAxes(t *testing.T) {
	// A 3-4-5 triangle and the origin, off centre.
	s := Scatter{
		Dim: 2, Points: []float32{10, 20, 13, 20, 10, 24, 11, 21}, Labels: []int32{0, 1, 2, 3}, ClassNames: names(4),
	}
	at := dots(newLayout(t, NewFigure(s)).image(1), 4)
	right, up := at[1].Sub(at[0]), at[2].Sub(at[0])
	if right.Y != 0 || up.X != 0 || right.X <= 0 || up.Y >= 0 {
		t.Fatalf("directions: +x is %v, +y is %v pixels", right, up)
	}
	if x, y := float64(right.X)/3, float64(-up.Y)/4; math.Abs(x/y-1) > 0.01 || x < 100 {
		t.Errorf("%g pixels a unit in x, %g in y", x, y)
	}
	if d := at[3].Sub(at[0]); math.Abs(float64(d.X)-float64(right.X)/3) > 1 || math.Abs(float64(d.Y)-float64(up.Y)/4) > 1 {
		t.Errorf("(1, 1) lies %v off", d)
	}
}

func TestOutliers(t *testing.T) {
	s := blobs(1000, 3, 2, 1)
	inner := spaceOf(t, s)
	texts, _ := renderSVG(t, NewFigure(s))
	if slices.ContainsFunc(texts, func(x svgText) bool { return strings.Contains(x.Body, "outside") }) {
		t.Error("points outside without outliers")
	}
	s.Points[0], s.Points[11], s.Points[100] = 1e30, -5000, 300
	texts, _ = renderSVG(t, NewFigure(s))
	if !slices.Contains(bodies(texts), "3 points outside") {
		t.Errorf("no count of outliers in %q", bodies(texts))
	}
	if half := spaceOf(t, s).half; half > 1.05*inner.half {
		t.Errorf("outliers widen the space from %g to %g", inner.half, half)
	}
	s.Points[0], s.Points[100] = 0, 0
	if texts, _ = renderSVG(t, NewFigure(s)); !slices.Contains(bodies(texts), "1 point outside") {
		t.Errorf("no count of one outlier in %q", bodies(texts))
	}

	cube := blobs(1000, 3, 3, 1)
	cube.Points[0], cube.Points[3], cube.Points[6] = 1e30, 1e30, -1e30
	texts, _ = renderSVG(t, NewFigure(cube))
	outside := texts[slices.Index(bodies(texts), "3 points outside")]
	for _, text := range texts {
		if text != outside && math.Abs(text.Y-outside.Y) < float64(outside.size()) && text.X > outside.X-30 {
			t.Errorf("%q is upon %q", outside.Body, text.Body)
		}
	}
}

func TestRareClassIsShown(t *testing.T) {
	s := blobs(10_000, 1, 2, 1)
	s.ClassNames = names(2)
	for i := range 10 {
		s.Labels[i] = 1
		s.Points[2*i], s.Points[2*i+1] = 500, float32(i)
	}
	f := NewFigure(s)
	lay := newLayout(t, f)
	if lay.panels[0].outside != 0 {
		t.Errorf("%d points outside", lay.panels[0].outside)
	}
}

func TestOriginAndTargetsAreShown(t *testing.T) {
	s := Scatter{Dim: 2, Points: []float32{50, 50, 51, 52}, Labels: []int32{0, 1}, ClassNames: names(2)}
	if spaceOf(t, s).holds(point{}) {
		t.Error("the origin is shown without need")
	}
	s.ClassVectors = []float32{1, 0, 0, 1}
	if !spaceOf(t, s).holds(point{}) {
		t.Error("no origin with class vectors")
	}
	s.Targets = []float32{-90, 0, 0, 0}
	if !spaceOf(t, s).holds(point{-90, 0}) {
		t.Error("no target")
	}
}

func TestRays(t *testing.T) {
	s := Scatter{
		Dim: 2, Points: []float32{10, 0, 0, 10, -10, 0, 0, -10}, Labels: []int32{0, 1, 0, 1}, ClassNames: names(2),
		ClassVectors: []float32{0.001, 0.001, 3, -4},
	}
	f := NewFigure(s)
	lay := newLayout(t, f)
	img := lay.image(1)
	at := func(p point) color.RGBA {
		q := lay.panels[0].view()(p)
		return color.RGBAModel.Convert(img.At(int(q.X*dpi/72), int((lay.height-q.Y)*dpi/72))).(color.RGBA)
	}
	r := math.Sqrt(0.5)
	for _, test := range []struct {
		p    point
		want color.RGBA
	}{
		{point{3 * r, 3 * r}, darker(Color(0))},
		{point{9.8 * r, 9.8 * r}, darker(Color(0))},
		{point{12.5 * r, 12.5 * r}, white},
		{point{3, -4}, darker(Color(1))},
		{point{-3, 4}, white},
	} {
		if got := at(test.p); !near(got.R, test.want.R) || !near(got.G, test.want.G) || !near(got.B, test.want.B) {
			t.Errorf("colour %v at %v, want %v", got, test.p, test.want)
		}
	}
	for i := range s.ClassVectors {
		s.ClassVectors[i] *= 1024
	}
	if !reflect.DeepEqual(img, newLayout(t, f).image(1)) {
		t.Error("the norm of the class vectors changes the picture")
	}
}

func TestTargets(t *testing.T) {
	s := blobs(100, 2, 2, 1)
	s.Targets = []float32{1, 1, 3, -2}
	f := NewFigure(s)
	lay := newLayout(t, f)
	img := lay.image(1)
	for i := range 2 {
		q := lay.panels[0].view()(point{float64(s.Targets[2*i]), float64(s.Targets[2*i+1])})
		x, y := int(q.X*dpi/72), int((lay.height-q.Y)*dpi/72)
		if got := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); got != black {
			t.Errorf("target %d is %v", i, got)
		}
	}
}

func TestNoClassHidesAnother(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	s := Scatter{Dim: 2, ClassNames: names(2)}
	for class := range int32(2) { // all of class 0 come first
		for range 20_000 {
			s.Labels = append(s.Labels, class)
			s.Points = append(s.Points, rng.Float32(), rng.Float32())
		}
	}
	lay := newLayout(t, NewFigure(s))
	p := lay.panels[0]
	img := p.raster(p.view(), 1)
	var first, second int // pixels nearer to the colour of class 0 and 1
	for i := 0; i < len(img.Pix); i += 4 {
		if img.Pix[i+3] > 200 {
			d := func(c color.RGBA) float64 {
				return math.Abs(float64(img.Pix[i])-float64(c.R)) + math.Abs(float64(img.Pix[i+2])-float64(c.B))
			}
			if d(Color(0)) < d(Color(1)) {
				first++
			} else {
				second++
			}
		}
	}
	if share := float64(first) / float64(first+second); share < 0.4 || share > 0.6 {
		t.Errorf("%.2f of the pixels have the colour of class 0", share)
	}
}

func TestLabelsDoNotOverlap(t *testing.T) {
	same := Scatter{Dim: 2, ClassNames: names(10)}
	for i := range 10 {
		same.Labels = append(same.Labels, int32(i))
		same.Points = append(same.Points, 1, 1)
	}
	crowded := blobs(2000, 100, 2, 0.1)
	rays := blobs(1000, 10, 3, 1)
	rays.ClassNames = []string{
		"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
	rays.ClassVectors = make([]float32, 30)
	for i := range rays.ClassVectors {
		rays.ClassVectors[i] = float32(i%7) - 3
	}
	for _, s := range []Scatter{same, crowded, rays} {
		texts, _ := renderSVG(t, NewFigure(s))
		var labels []svgText
		var boxes []vg.Rectangle
		for _, text := range texts {
			if strings.Contains(text.Font, "bold") {
				labels = append(labels, text)
				at := vg.Point{X: vg.Length(text.X), Y: -vg.Length(text.Y)}
				face := bold(text.size())
				boxes = append(boxes, vg.Rectangle{
					Min: at, Max: at.Add(vg.Point{X: face.Width(text.Body), Y: text.size() * capHeight}),
				})
			}
		}
		if len(s.ClassNames) == 10 && len(labels) != 10 || len(labels) < 60 && len(s.ClassNames) == 100 {
			t.Errorf("%d labels: %q", len(labels), bodies(labels))
		}
		for i := range boxes {
			for j := range i {
				if overlap(boxes[i], boxes[j]) {
					t.Errorf("labels %q and %q overlap", labels[i].Body, labels[j].Body)
				}
			}
		}
	}
}

func TestLabelsLeaveSmallClassesVisible(t *testing.T) {
	s := Scatter{Dim: 2, Points: []float32{3, 4}, Labels: []int32{0}, ClassNames: []string{"a long name"}}
	if at := dots(newLayout(t, NewFigure(s)).image(1), 1); at[0] == (image.Point{}) {
		t.Error("the only point is hidden")
	}
}

func TestSVG(t *testing.T) {
	s := blobs(500, 3, 2, 1)
	s.Title = `<a> & "b"` + "\x00\xff"
	s.Note = "Größe 98.4 %"
	s.ClassNames = []string{"T-shirt/top", "]]>", "é"}
	s3 := blobs(500, 3, 3, 1)
	f := &Figure{Title: "two", Panels: []Scatter{s, s3}}
	texts, images := renderSVG(t, f)
	if images != 2 {
		t.Errorf("%d images for 2 panels", images)
	}
	for _, want := range []string{"two", `<a> & "b" ` + "\uFFFD", "Größe 98.4 %", "T-shirt/top", "]]>", "é", "0", "1", "2"} {
		if !slices.Contains(bodies(texts), want) {
			t.Errorf("no text %q in %q", want, bodies(texts))
		}
	}
	for _, text := range texts {
		if !strings.HasPrefix(text.Font, "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;") {
			t.Errorf("text %q has style %q", text.Body, text.Font)
		}
	}
}

func TestSVGSize(t *testing.T) {
	// Noise is the worst case for compression.
	rng := rand.New(rand.NewPCG(1, 2))
	s := Scatter{Dim: 2, ClassNames: names(10)}
	for range 5000 {
		s.Labels = append(s.Labels, int32(rng.IntN(10)))
		s.Points = append(s.Points, rng.Float32(), rng.Float32())
	}
	lay := newLayout(t, NewFigure(s))
	full, err := lay.svg(math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{len(full) + 1, len(full), len(full) / 2} {
		svg, err := lay.svg(limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(svg) >= limit || len(svg) < limit/3 {
			t.Errorf("%d bytes with a limit of %d", len(svg), limit)
		}
	}
}

// Where vectors alone take more than the limit, a figure is larger.
func TestSVGOfManyPanels(t *testing.T) {
	panel := blobs(50, 10, 2, 1)
	svg, err := newLayout(t, NewFigure(panel, panel, panel)).svg(20_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(svg) < 20_000 || len(svg) > 60_000 {
		t.Errorf("%d bytes", len(svg))
	}
}

func TestPNGSize(t *testing.T) {
	lay := newLayout(t, NewFigure(blobs(5000, 10, 2, 1)))
	full, err := lay.png(math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{len(full) + 1, len(full), len(full) / 3} {
		content, err := lay.png(limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) >= limit || len(content) < limit/3 {
			t.Errorf("%d bytes with a limit of %d", len(content), limit)
		}
	}
	for _, dim := range []int{2, 3} {
		content := writePNG(t, NewFigure(blobs(10_000, 10, dim, 1)))
		if len(content) > 300_000 {
			t.Errorf("%d-D: %d bytes", dim, len(content))
		}
		if c, err := png.DecodeConfig(bytes.NewReader(content)); err != nil || c.Width < 860 || c.Width > 940 {
			t.Errorf("%d-D: %d pixels wide, error %v", dim, c.Width, err)
		}
	}
}

func TestDeterminism(t *testing.T) {
	ruled := square()
	flat := blobs(2000, 12, 2, 1)
	f := NewFigure(flat, blobs(2000, 12, 3, 1), flat.Projected(), blobs(2000, 12, 3, 1).Projected(),
		ruled, blobs(2000, 12, 1, 1), blobs(2000, 12, 16, 1), Scatter{Missing: "not yet"})
	var first, second bytes.Buffer
	if err := errors.Join(f.WriteSVG(&first), f.WriteSVG(&second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("SVG differs")
	}
	if !reflect.DeepEqual(newLayout(t, f).image(1), newLayout(t, f).image(1)) {
		t.Error("image differs")
	}
}

func TestGrid(t *testing.T) {
	s := blobs(20, 2, 2, 1)
	for _, test := range []struct{ panels, columns, want int }{
		{1, 0, 1}, {2, 0, 2}, {3, 0, 3}, {4, 0, 2}, {5, 0, 3}, {6, 0, 3}, {9, 0, 3}, {10, 0, 4}, {2, 5, 2}, {6, 2, 2},
	} {
		f := Figure{Panels: slices.Repeat([]Scatter{s}, test.panels), Columns: test.columns}
		lay := newLayout(t, &f)
		lefts := make(map[vg.Length]bool)
		for i, p := range lay.panels {
			lefts[p.area.Min.X] = true
			if page := (vg.Rectangle{Max: vg.Point{X: lay.width, Y: lay.height}}); !inside(p.area, page) {
				t.Errorf("panel %d at %v is not on the page %v", i, p.area, page)
			}
			for j, q := range lay.panels[:i] {
				if overlap(p.area, q.area) {
					t.Errorf("panels %d and %d overlap", i, j)
				}
			}
		}
		if len(lefts) != test.want {
			t.Errorf("%d panels with Columns %d are in %d columns, want %d", test.panels, test.columns, len(lefts), test.want)
		}
	}
}

func TestGridLabels(t *testing.T) {
	s := blobs(20, 2, 2, 1)
	f := Figure{
		Title: "all", Panels: slices.Repeat([]Scatter{s}, 5), Columns: 3,
		RowLabels: []string{"MNIST", "CIFAR-10"}, ColumnLabels: []string{"raw", "", "a column label far too long for the width of one panel, whatever its size"},
	}
	lay := newLayout(t, &f)
	plain := f
	plain.RowLabels, plain.ColumnLabels = nil, nil
	if without := newLayout(t, &plain); lay.width <= without.width || lay.height <= without.height {
		t.Errorf("no room for labels: %g x %g with, %g x %g without", lay.width, lay.height, without.width, without.height)
	}
	if len(lay.labels) != 4 { // the empty one is not drawn
		t.Fatalf("%d labels", len(lay.labels))
	}
	for _, label := range lay.labels {
		for i, p := range lay.panels {
			middle := p.area.Min.Add(p.area.Max).Scale(0.5)
			row := f.RowLabels[i/3]
			if label.up && label.text == row && (math.Abs(float64(label.at.Y-middle.Y)) > 1e-6 || label.at.X > p.area.Min.X) {
				t.Errorf("row label %q is at %v, panel %d at %v", row, label.at, i, p.area)
			}
			column := f.ColumnLabels[i%3]
			if !label.up && label.text == column && (math.Abs(float64(label.at.X-middle.X)) > 1e-6 || label.at.Y < p.area.Max.Y) {
				t.Errorf("column label %q is at %v, panel %d at %v", column, label.at, i, p.area)
			}
			if label.at.X < 0 || label.at.Y > lay.height-margin {
				t.Errorf("label %q at %v is off the page", label.text, label.at)
			}
		}
	}
	img := lay.image(1)
	inked := func(r vg.Rectangle) bool {
		for y := int((lay.height - r.Max.Y) * 2); y < int((lay.height-r.Min.Y)*2); y++ {
			for x := int(r.Min.X * 2); x < int(r.Max.X*2); x++ {
				if color.RGBAModel.Convert(img.At(x, y)).(color.RGBA).R < 0x60 {
					return true
				}
			}
		}
		return false
	}
	first := lay.panels[0].area
	left := vg.Rectangle{Min: vg.Point{X: 0, Y: first.Min.Y}, Max: vg.Point{X: first.Min.X - lay.panels[0].left, Y: first.Max.Y}}
	above := vg.Rectangle{Min: vg.Point{X: first.Min.X, Y: first.Max.Y + 1}, Max: vg.Point{X: first.Max.X, Y: first.Max.Y + 14}}
	second := lay.panels[1].area
	empty := vg.Rectangle{Min: vg.Point{X: second.Min.X, Y: second.Max.Y + 1}, Max: vg.Point{X: second.Max.X, Y: second.Max.Y + 14}}
	if !inked(left) || !inked(above) || inked(empty) {
		t.Errorf("text at the left: %t, above: %t, above without a label: %t", inked(left), inked(above), inked(empty))
	}
	texts, _ := renderSVG(t, &f)
	if !slices.Contains(bodies(texts), "raw") || !slices.ContainsFunc(bodies(texts), func(s string) bool {
		return strings.HasPrefix(s, "a column") && strings.HasSuffix(s, "…")
	}) {
		t.Errorf("column labels in %q", bodies(texts))
	}
}

func TestMissing(t *testing.T) {
	s := blobs(20, 2, 2, 1)
	missing := Scatter{Title: "ArcFace", Missing: "failed: NaN in epoch 2, " + strings.Repeat("and so on ", 100), Dim: 16, ClassNames: []string{"unused"}}
	f := NewFigure(s, missing)
	texts, images := renderSVG(t, f)
	if images != 1 {
		t.Errorf("%d images for one panel with points", images)
	}
	all := strings.Join(bodies(texts), "|")
	if !strings.Contains(all, "ArcFace") || !strings.Contains(all, "failed: NaN in") || strings.Contains(all, "unused") {
		t.Errorf("texts %q", bodies(texts))
	}
	area := newLayout(t, f).panels[1].area
	lines := 0
	for _, text := range texts {
		at := vg.Point{X: vg.Length(text.X), Y: -vg.Length(text.Y)}
		if at.X < area.Min.X || at.Y > area.Max.Y || at.Y < area.Min.Y {
			continue
		}
		lines++
		face := regular(text.size())
		if end := at.X + face.Width(text.Body); end > area.Max.X {
			t.Errorf("%q ends at %g beyond the frame at %g", text.Body, end, area.Max.X)
		}
	}
	if lines < 3 {
		t.Errorf("%d lines of text in the frame", lines)
	}
	// A figure of nothing else has no legend.
	if lay := newLayout(t, NewFigure(Scatter{Missing: "not trained yet"})); len(lay.legend) != 0 {
		t.Errorf("legend %v", lay.legend)
	}
	writePNG(t, NewFigure(Scatter{Missing: "not trained yet"}))
}

func TestWrap(t *testing.T) {
	face := regular(10)
	width := face.Width("failed in epoch")
	for _, test := range []struct {
		text  string
		lines int
		want  []string
	}{
		{"failed in epoch 2 again", 9, []string{"failed in epoch", "2 again"}},
		{"  failed ", 9, []string{"failed"}},
		{"", 9, nil},
	} {
		if got := wrap(face, test.text, width, test.lines); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
	for _, text := range []string{"one two three four five six seven eight nine ten", strings.Repeat("x", 100)} {
		got := wrap(face, text, width, 2)
		if len(got) > 2 || !strings.HasSuffix(got[len(got)-1], "…") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestLegend(t *testing.T) {
	digits, fashion := blobs(20, 2, 2, 1), blobs(20, 2, 2, 1)
	fashion.ClassNames = []string{"Coat", "Bag"}
	fashion.Targets = make([]float32, 4)
	count := func(f *Figure, text string) (n int) {
		lay := newLayout(t, f)
		for _, item := range lay.legend {
			if item.text == text {
				n++
			}
		}
		return n
	}
	f := NewFigure(digits, digits, fashion)
	for text, want := range map[string]int{"0": 1, "1": 1, "Coat": 1, "Bag": 1, "target": 1, "class vector": 0} {
		if n := count(f, text); n != want {
			t.Errorf("%q is %d times in the legend, want %d", text, n, want)
		}
	}
	if f := NewFigure(blobs(20, 101, 2, 1)); count(f, "101 classes") != 1 || count(f, "0") != 0 {
		t.Error("101 classes are listed")
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	f := NewFigure(blobs(100, 2, 2, 1))
	for name, magic := range map[string]string{"a.png": "\x89PNG", "b.SVG": "<?xml"} {
		path := filepath.Join(dir, name)
		if err := f.Save(path); err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(content, []byte(magic)) {
			t.Errorf("%s starts with %.8q, error %v", name, content, err)
		}
	}
	if err := f.Save(filepath.Join(dir, "a.jpg")); !errors.Is(err, ErrExtension) || !strings.Contains(err.Error(), "a.jpg") {
		t.Errorf("extension: error %v", err)
	}
	if err := f.Save(filepath.Join(dir, "missing", "a.png")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: error %v", err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "a.png"))
	if err := NewFigure(Scatter{}).Save(filepath.Join(dir, "a.png")); !errors.Is(err, ErrDim) {
		t.Errorf("invalid: error %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "a.png")); !bytes.Equal(before, after) {
		t.Error("an invalid figure changed the file")
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("left behind: %v", files)
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{-1, 1, 4, "−1.0 −0.5 0.0 0.5 1.0"},
		{-230, 210, 4, "−200 −100 0 100 200"},
		{0.21, 0.29, 3, "0.22 0.24 0.26 0.28"},
		{0, 3e6, 3, "0 1e+06 2e+06 3e+06"},
		{100_000.1, 100_002.1, 3, "100000.5 100001 100001.5 100002"},
		{-2e-9, 2e-9, 4, "−2e−09 −1e−09 0 1e−09 2e−09"},
	} {
		values, format := ticks(test.lo, test.hi, test.n)
		var texts []string
		for _, value := range values {
			texts = append(texts, format(value))
		}
		if got := strings.Join(texts, " "); got != test.want {
			t.Errorf("ticks in [%g, %g]: %s, want %s", test.lo, test.hi, got, test.want)
		}
	}
}

func BenchmarkWritePNG(b *testing.B) {
	for _, dim := range []int{1, 2, 3, 16, 128} {
		b.Run(fmt.Sprintf("%d-D", dim), func(b *testing.B) {
			f := NewFigure(blobs(60_000, 10, dim, 1))
			for b.Loop() {
				if err := f.WritePNG(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRaster(b *testing.B) {
	lay := newLayout(b, NewFigure(blobs(60_000, 10, 2, 1)))
	p := lay.panels[0]
	for b.Loop() {
		p.raster(p.view(), 1)
	}
}
