// Package explorer writes embedded spaces as a page to look into: one HTML file that holds
// all it needs and opens in any browser, without a server and without a network.
//
// A [Page] shows one or more spaces of the same images side by side. Points can be turned and
// zoomed, hovering shows the image, and what is chosen in one space is chosen in all of them:
//
//	page := explorer.Page{
//		Title:  "Softmax beside CosFace",
//		Images: explorer.Images{Pixels: pixelsOf, Height: 28, Width: 28, Channels: 1, Labels: labels},
//		Spaces: []explorer.Space{{Scatter: softmax}, {Scatter: cosface}},
//	}
//	err := page.Save("spaces.html")
//
// More than three dimensions are shown by their first three principal components; nearest
// images are those of the whole space.
//
// The page draws with WebGL 2, and with Canvas 2-D where that is missing or there are more than
// 8 spaces. Its images are JPEGs of quality 50, of at most 48 pixels.
package explorer

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"

	"github.com/embedspace/embedspace/viz"
)

// A Page shows spaces of the same images.
type Page struct {
	Title string
	Note  string // a line below the title, such as the name of the data

	Images    Images // those of the points, in their order
	Reference Images // others, of which the nearest are shown; none without Labels

	Spaces []Space // at least one
}

// Images are images of one size with their classes.
type Images struct {
	// Pixels returns those of image i [Height, Width, Channels]. It is called once for each
	// image, so that large ones need not all be in memory.
	Pixels        func(i int) ([]byte, error)
	Height, Width int
	Channels      int     // 1 (gray) or 3 (red, green, blue)
	Labels        []int32 // [n], the true classes
}

// A Space is an embedded space of the images. All arrays but those of the Scatter may be nil.
type Space struct {
	// Scatter has the points. Its Labels are those of the images, its ClassNames those of
	// the other spaces. Dim is 2 or more; with Dim 2, Regions are drawn.
	viz.Scatter

	Rule      string    // that decides, in words
	Predicted []int32   // [n], by the rule
	Scores    []float32 // [n, classes], the largest decides
	Reference []float32 // [m, Dim], the points of Page.Reference

	Metrics []Metric     // to colour by
	Curves  []viz.Curves // of the training, an x for each epoch
	Trace   *Trace       // the space after each epoch
}

// A Metric is a number for each point.
type Metric struct {
	Name   string
	Values []float64 // [n]; NaN: none
}

// A Trace is some of the points of a space after each epoch of a training.
type Trace struct {
	Indices      []int32   // [k] of the points, ascending
	Points       []float32 // [epochs, k, Dim]
	Predicted    []int32   // [epochs, k]
	ClassVectors []float32 // [epochs, classes, Dim]
}

// The errors of a page that can't be written, beside those of package viz.
var (
	ErrSpaces = errors.New("a page needs at least one space")
	ErrImages = errors.New("images and points do not fit together")
)

// Save writes the page to a file, which is replaced as a whole. The extension of the path is
// ".html". Errors wrap [viz.ErrExtension] or are those of [Page.Write].
func (p *Page) Save(path string) error {
	if strings.ToLower(filepath.Ext(path)) != ".html" {
		return fmt.Errorf("explorer: save %q: extension must be .html: %w", path, viz.ErrExtension)
	}
	var page bytes.Buffer
	if err := p.Write(&page); err != nil {
		return err
	}
	if err := renameio.WriteFile(path, page.Bytes(), 0o666); err != nil {
		return fmt.Errorf("explorer: save %q: %w", path, err)
	}
	return nil
}

// Show saves the page beside a GoNB notebook, and displays a link to it below the running
// cell: the notebook stays small. Errors are those of [Page.Save], or wrap [viz.ErrNotebook].
func (p *Page) Show(path string) error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("explorer: show: %w", viz.ErrNotebook)
	}
	if err := p.Save(path); err != nil {
		return err
	}
	gonbui.DisplayHTML(p.link(path))
	gonbui.Sync() // the program may end right after, and the link would be lost
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("explorer: show: %w", err)
	}
	return nil
}

// link returns a link to the page as HTML.
func (p *Page) link(path string) string {
	return fmt.Sprintf(`<a href="%s" target="_blank">%s</a> (look into the space: turn it, hover to see the images)`,
		template.HTMLEscapeString(filepath.ToSlash(path)), template.HTMLEscapeString(p.Title))
}

// files are the parts of the page, in the order in which they are put together.
//
//go:embed page
var files embed.FS

// scripts are the parts of the page's script.
var scripts = []string{"math.js", "data.js", "points.js", "space.js", "state.js", "pointer.js", "side.js", "main.js"}

// file returns a part of the page.
func file(name string) string {
	content, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(content)
}

// page is the HTML around the scripts.
var page = template.Must(template.New("page").Parse(file("page.html")))

// Write writes the page as HTML.
//
// Errors wrap [ErrSpaces], [ErrImages] or an error of package viz; those of a Scatter's
// Regions and of w are returned as well.
func (p *Page) Write(w io.Writer) error {
	if err := p.validate(); err != nil {
		return fmt.Errorf("explorer: %w", err)
	}
	data, err := p.data()
	if err != nil {
		return fmt.Errorf("explorer: %w", err)
	}
	encoded, err := json.Marshal(data) // escapes <, > and &
	if err != nil {
		return fmt.Errorf("explorer: %w", err)
	}
	var script strings.Builder
	for _, name := range scripts {
		script.WriteString(file(name))
	}
	sheets, err := p.sheets()
	if err != nil {
		return fmt.Errorf("explorer: %w", err)
	}
	return page.Execute(w, map[string]any{
		"Title": p.Title, "Note": p.Note, "Spaces": p.Spaces,
		"Style": template.CSS(file("page.css")), "Script": template.JS(script.String()), "Data": template.JS(encoded), "Sheets": sheets,
	})
}

// validate reports the first thing that is wrong with the page.
func (p *Page) validate() error {
	if len(p.Spaces) == 0 {
		return ErrSpaces
	}
	for name, images := range map[string]Images{"images": p.Images, "reference images": p.Reference} {
		if err := images.validate(len(p.Spaces[0].ClassNames)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for i := range p.Spaces {
		if err := p.validateSpace(&p.Spaces[i]); err != nil {
			return fmt.Errorf("space %d %q: %w", i+1, p.Spaces[i].Title, err)
		}
	}
	return nil
}

// validate reports what is wrong with images of so many classes.
func (m Images) validate(classes int) error {
	n := len(m.Labels)
	if n == 0 {
		return nil
	}
	if m.Height < 1 || m.Width < 1 || m.Channels != 1 && m.Channels != 3 {
		return fmt.Errorf("%d x %d pixels with %d channels; allowed: 1 x 1 or more, with 1 or 3: %w", m.Height, m.Width, m.Channels, ErrImages)
	}
	if m.Pixels == nil {
		return fmt.Errorf("no pixels of %d images: %w", n, ErrImages)
	}
	for i, label := range m.Labels {
		if label < 0 || int(label) >= classes {
			return fmt.Errorf("the class of image %d is %d; allowed: 0 to %d: %w", i, label, classes-1, viz.ErrLabel)
		}
	}
	return nil
}

// validateSpace reports what is wrong with a space.
func (p *Page) validateSpace(s *Space) error {
	if err := s.Validate(); err != nil {
		return err
	}
	n, classes := len(p.Images.Labels), len(s.ClassNames)
	switch {
	case s.Dim < 2:
		return fmt.Errorf("dimension Dim = %d; allowed: 2 or more: %w", s.Dim, viz.ErrDim)
	case !slices.Equal(s.Labels, p.Images.Labels):
		return fmt.Errorf("the labels are not those of the %d images: %w", n, ErrImages)
	case !slices.Equal(s.ClassNames, p.Spaces[0].ClassNames):
		return fmt.Errorf("the class names are not those of the first space: %w", ErrImages)
	}
	type length struct {
		name      string
		got, want int
	}
	lengths := []length{
		{"predicted classes", len(s.Predicted), n},
		{"scores", len(s.Scores), n * classes},
		{"coordinates of reference points", len(s.Reference), len(p.Reference.Labels) * s.Dim},
	}
	for _, metric := range s.Metrics {
		lengths = append(lengths, length{"values of " + metric.Name, len(metric.Values), n})
	}
	if t := s.Trace; t != nil {
		if len(t.Indices) == 0 || len(t.Predicted) == 0 || int(slices.Max(t.Indices)) >= n || slices.Min(t.Indices) < 0 {
			return fmt.Errorf("a trace of %d points; allowed: 1 or more of the %d images: %w", len(t.Indices), n, ErrImages)
		}
		epochs := len(t.Predicted) / len(t.Indices)
		lengths = append(lengths,
			length{"classes in the trace", len(t.Predicted), epochs * len(t.Indices)},
			length{"coordinates in the trace", len(t.Points), epochs * len(t.Indices) * s.Dim},
			length{"coordinates of class vectors in the trace", len(t.ClassVectors), epochs * classes * s.Dim})
	}
	for _, l := range lengths {
		if l.got != 0 && l.got != l.want {
			return fmt.Errorf("%d %s; allowed: %d, or none: %w", l.got, l.name, l.want, viz.ErrLength)
		}
	}
	return nil
}

// projection returns the first three principal components of points [n, dim], as unit
// vectors [3, dim]; nil, where no more than three dimensions can be drawn as they are.
func projection(points []float32, dim int) (axes []float32, err error) {
	if dim <= 3 {
		return nil, nil
	}
	components, _, err := viz.PrincipalAxes(points, dim, 3)
	for _, x := range slices.Concat(components...) {
		axes = append(axes, float32(x))
	}
	return axes, err
}

// projected returns rows of dim columns along axes [3, dim]; the rows themselves, if there
// are none.
func projected(rows, axes []float32, dim int) []float32 {
	if axes == nil || rows == nil {
		return rows
	}
	places := make([]float32, 0, 3*len(rows)/dim)
	for row := range slices.Chunk(rows, dim) {
		for axis := range slices.Chunk(axes, dim) {
			sum := 0.
			for k, x := range row {
				sum += float64(x) * float64(axis[k])
			}
			places = append(places, float32(sum))
		}
	}
	return places
}

// lead returns the largest of the scores [n, classes] of each point, by how much it leads,
// and the class in second place.
func lead(scores []float32, classes int) (top, lead []float32, second []int32) {
	for row := range slices.Chunk(scores, classes) {
		first, next := -1, -1
		for class, score := range row {
			switch {
			case first < 0 || score > row[first]:
				first, next = class, first
			case next < 0 || score > row[next]:
				next = class
			}
		}
		next = max(next, 0) // with a single class
		top, lead, second = append(top, row[first]), append(lead, row[first]-row[next]), append(second, int32(next))
	}
	return top, lead, second
}

// regionPixels is the width of the picture of the decision regions, and regionReach its
// width over that of the frame: it reaches further, as the page can be moved.
const (
	regionPixels = 1000
	regionReach  = 2.0
)

// regionPoints returns the centers of the pixels of the picture of the regions, row by row
// from the top.
func regionPoints(frame viz.Frame) []float32 {
	coordinate := func(k, axis int) float32 {
		x := frame.Center[axis] + regionReach*frame.Half*(float64(2*k+1)/regionPixels-1)
		return float32(min(max(x, -math.MaxFloat32), math.MaxFloat32))
	}
	points := make([]float32, 0, 2*regionPixels*regionPixels)
	for y := range regionPixels {
		for x := range regionPixels {
			points = append(points, coordinate(x, 0), coordinate(regionPixels-1-y, 1))
		}
	}
	return points
}
