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
// images are those of the whole space, and of more than 64 dimensions those along their first
// 64 principal components, which are all that the page has of them.
//
// The page draws with WebGL 2, and with Canvas 2-D where that is missing or there are more than
// 8 spaces. Its images are JPEGs of quality 50, of at most 48 pixels.
package explorer

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

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
	Labels        []int32 // [n], the true classes; the number of classes stands for unknown ones
}

// A Space is an embedded space of the images. All arrays but those of the Scatter may be nil.
type Space struct {
	// Scatter has the points. Its Labels are those of the images, also of unknown classes,
	// its ClassNames those of the other spaces. Dim is 2 or more; with Dim 2, Regions are drawn.
	// Unknown, Stars and Arrows are not.
	viz.Scatter

	// Prototypes are points that stand for classes, such as the means of a few examples.
	Prototypes []Prototype

	Rule      string    // that decides, in words
	Predicted []int32   // [n], by the rule; the number of classes: it decides that the class is unknown
	Scores    []float32 // [n, classes], the largest decides
	Reference []float32 // [m, Dim], the points of Page.Reference

	Metrics []Metric     // to colour by
	Curves  []viz.Curves // of the training, an x for each epoch
	Trace   *Trace       // the space while it was trained
}

// A Prototype is a point that stands for a class.
type Prototype struct {
	Point []float32 // [Dim]
	Label int32
}

// A Metric is a number for each point.
type Metric struct {
	Name   string
	Values []float64 // [n]; NaN: none
}

// A Trace is some of the points of a space while it was trained, at several times.
type Trace struct {
	Epochs       []float32 // [times], how many were complete: 0.5 is the middle of the first; ascending
	Losses       []float32 // [times], or nil
	Indices      []int32   // [k] of the points, ascending
	Points       []float32 // [times, k, Dim]
	Predicted    []int32   // [times, k]
	ClassVectors []float32 // [times, classes, Dim], or nil
}

// Validate reports the first thing that is wrong with a trace of n points of a space with so
// many dimensions and classes. Errors wrap [ErrTrace].
func (t *Trace) Validate(n, dim, classes int) error {
	k := len(t.Indices)
	if k == 0 || len(t.Epochs) == 0 {
		return fmt.Errorf("%w: %d points at %d times; allowed: 1 or more, at 1 or more", ErrTrace, k, len(t.Epochs))
	}
	for i, index := range t.Indices {
		if index < 0 || int(index) >= n || i > 0 && index <= t.Indices[i-1] {
			return fmt.Errorf("%w: index %d is %d; allowed: 0 to %d, ascending", ErrTrace, i, index, n-1)
		}
	}
	for i, epoch := range t.Epochs {
		if epoch-epoch != 0 || epoch < 0 || i > 0 && epoch <= t.Epochs[i-1] {
			return fmt.Errorf("%w: time %d is %v epochs; allowed: 0 or more, ascending", ErrTrace, i, epoch)
		}
	}
	for i, label := range t.Predicted {
		if label < 0 || int(label) >= classes {
			return fmt.Errorf("%w: predicted class %d is %d; allowed: 0 to %d", ErrTrace, i, label, classes-1)
		}
	}
	for name, rows := range map[string][]float32{"losses": t.Losses, "points": t.Points, "class vectors": t.ClassVectors} {
		if i := slices.IndexFunc(rows, func(x float32) bool { return x-x != 0 }); i >= 0 {
			return fmt.Errorf("%w: number %d of the %s is %v; allowed: finite numbers", ErrTrace, i, name, rows[i])
		}
	}
	for _, l := range []length{
		{"losses", len(t.Losses), len(t.Epochs), true},
		{"coordinates", len(t.Points), len(t.Epochs) * k * dim, false},
		{"classes", len(t.Predicted), len(t.Epochs) * k, false},
		{"coordinates of class vectors", len(t.ClassVectors), len(t.Epochs) * classes * dim, true},
	} {
		if err := l.check(); err != nil {
			return fmt.Errorf("%w: %w", ErrTrace, err)
		}
	}
	return nil
}

// A length is that of an array.
type length struct {
	name      string
	got, want int
	optional  bool
}

// check returns an error of a wrong length.
func (l length) check() error {
	if l.got == l.want || l.optional && l.got == 0 {
		return nil
	}
	allowed := fmt.Sprint(l.want)
	if l.optional {
		allowed += ", or none"
	}
	return fmt.Errorf("%d %s; allowed: %s: %w", l.got, l.name, allowed, viz.ErrLength)
}

// The errors of a page that can't be written, beside those of package viz.
var (
	ErrSpaces = errors.New("a page needs at least one space")
	ErrImages = errors.New("images and points do not fit together")
	ErrTrace  = errors.New("damaged trace")
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

// Show saves the page beside a GoNB notebook and displays it below the running cell: live where
// scripts run, such as in JupyterLab, else as a picture of at most 120 KB, with a link. The
// page is not in the notebook, which stays small; where it is missing, the picture stays.
// Errors are those of [Page.Save], or wrap [viz.ErrNotebook].
func (p *Page) Show(path string) error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("explorer: show: %w", viz.ErrNotebook)
	}
	if err := p.Save(path); err != nil {
		return err
	}
	figure := viz.Figure{Title: p.Title}
	for i := range p.Spaces {
		figure.Panels = append(figure.Panels, p.Spaces[i].picture())
	}
	picture, err := figure.PNG(120_000)
	if err != nil {
		return fmt.Errorf("explorer: show: %w", err)
	}
	html, err := p.frame(gonbui.UniqueId(), path, picture)
	if err != nil {
		return fmt.Errorf("explorer: show: %w", err)
	}
	return viz.Display("", map[protocol.MIMEType]any{protocol.MIMETextHTML: html, protocol.MIMEImagePNG: picture})
}

// frame returns the page that is saved in a file as a part of a notebook, with an id of its
// own: the picture, which the page replaces when it is there and runs.
func (p *Page) frame(id, path string, picture []byte) (string, error) {
	var html strings.Builder
	address := url.URL{Path: filepath.ToSlash(path)} // file names may have any signs
	err := frame.Execute(&html, map[string]any{
		"ID": id, "Path": address.String(), "Title": p.Title,
		"Picture": template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)),
	})
	return html.String(), err
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

// page is the HTML around the scripts, and frame is that of a notebook around the page.
var (
	page  = template.Must(template.New("page").Parse(file("page.html")))
	frame = template.Must(template.New("frame").Parse(file("frame.html")))
)

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
	classes := len(p.Spaces[0].ClassNames)
	if err := p.Images.validate(classes); err != nil { // classes is the unknown one
		return fmt.Errorf("images: %w", err)
	}
	if err := p.Reference.validate(classes - 1); err != nil {
		return fmt.Errorf("reference images: %w", err)
	}
	for i := range p.Spaces {
		if err := p.validateSpace(&p.Spaces[i]); err != nil {
			return fmt.Errorf("space %d %q: %w", i+1, p.Spaces[i].Title, err)
		}
	}
	return nil
}

// validate reports what is wrong with images of the classes 0 to last.
func (m Images) validate(last int) error {
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
		if label < 0 || int(label) > last {
			return fmt.Errorf("the class of image %d is %d; allowed: 0 to %d: %w", i, label, last, viz.ErrLabel)
		}
	}
	return nil
}

// unknownName is the name of the class after the last one.
const unknownName = "unknown"

// withUnknown returns the scatter with a class more, which has no ray and no target of its own.
func (s *Space) withUnknown() viz.Scatter {
	scatter := s.Scatter
	scatter.ClassNames = append(slices.Clone(s.ClassNames), unknownName)
	if s.ClassVectors != nil {
		scatter.ClassVectors = append(slices.Clone(s.ClassVectors), make([]float32, max(0, s.Dim))...)
	}
	if len(s.Targets) >= s.Dim && s.Dim > 0 {
		scatter.Targets = append(slices.Clone(s.Targets), s.Targets[:s.Dim]...)
	}
	return scatter
}

// picture returns the scatter with the points of unknown classes as such, and with prototypes as
// stars.
func (s *Space) picture() viz.Scatter {
	scatter := s.Scatter
	scatter.Points, scatter.Labels, scatter.Unknown, scatter.Arrows = nil, nil, nil, nil
	for i, label := range s.Labels {
		point := s.Points[i*s.Dim : (i+1)*s.Dim]
		if int(label) == len(s.ClassNames) {
			scatter.Unknown = append(scatter.Unknown, point...)
			continue
		}
		scatter.Points, scatter.Labels = append(scatter.Points, point...), append(scatter.Labels, label)
	}
	scatter.Stars = nil
	for _, prototype := range s.Prototypes {
		scatter.Stars = append(scatter.Stars, viz.Star{Name: s.ClassNames[prototype.Label], Point: prototype.Point})
	}
	return scatter
}

// hasUnknown tells whether images are of unknown classes, or are decided to be.
func (p *Page) hasUnknown() bool {
	unknown := int32(len(p.Spaces[0].ClassNames))
	return slices.Contains(p.Images.Labels, unknown) ||
		slices.ContainsFunc(p.Spaces, func(s Space) bool { return slices.Contains(s.Predicted, unknown) })
}

// validateSpace reports what is wrong with a space.
func (p *Page) validateSpace(s *Space) error {
	if len(s.ClassNames) == 0 {
		return fmt.Errorf("no class names: %w", viz.ErrEmpty)
	}
	if err := s.withUnknown().Validate(); err != nil {
		return err
	}
	n, classes := len(p.Images.Labels), len(s.ClassNames)
	for i, label := range s.Predicted {
		if label < 0 || int(label) > classes {
			return fmt.Errorf("the predicted class of image %d is %d; allowed: 0 to %d: %w", i, label, classes, viz.ErrLabel)
		}
	}
	for i, prototype := range s.Prototypes {
		if len(prototype.Point) != s.Dim || slices.ContainsFunc(prototype.Point, func(x float32) bool { return x-x != 0 }) {
			return fmt.Errorf("prototype %d is at %v; allowed: %d finite coordinates: %w", i, prototype.Point, s.Dim, viz.ErrLength)
		}
		if prototype.Label < 0 || int(prototype.Label) >= classes {
			return fmt.Errorf("the class of prototype %d is %d; allowed: 0 to %d: %w", i, prototype.Label, classes-1, viz.ErrLabel)
		}
	}
	switch {
	case s.Dim < 2:
		return fmt.Errorf("dimension Dim = %d; allowed: 2 or more: %w", s.Dim, viz.ErrDim)
	case !slices.Equal(s.Labels, p.Images.Labels):
		return fmt.Errorf("the labels are not those of the %d images: %w", n, ErrImages)
	case !slices.Equal(s.ClassNames, p.Spaces[0].ClassNames):
		return fmt.Errorf("the class names are not those of the first space: %w", ErrImages)
	}
	lengths := []length{
		{"predicted classes", len(s.Predicted), n, true},
		{"scores", len(s.Scores), n * classes, true},
		{"coordinates of reference points", len(s.Reference), len(p.Reference.Labels) * s.Dim, true},
	}
	for _, metric := range s.Metrics {
		lengths = append(lengths, length{"values of " + metric.Name, len(metric.Values), n, false})
	}
	for _, curves := range s.Curves {
		for _, line := range curves.Lines {
			if len(line.Values) == 0 {
				return fmt.Errorf("the line %q of %q has no values; allowed: 1 or more: %w", line.Name, curves.Title, viz.ErrLength)
			}
			for i, y := range line.Values {
				if math.IsNaN(y) || math.IsInf(y, 0) {
					return fmt.Errorf("value %d of the line %q of %q is %v; allowed: finite numbers: %w", i, line.Name, curves.Title, y, viz.ErrNotFinite)
				}
			}
		}
	}
	for _, l := range lengths {
		if err := l.check(); err != nil {
			return err
		}
	}
	if s.Trace == nil {
		return nil
	}
	return s.Trace.Validate(n, s.Dim, classes)
}

// mostColumns is the largest number of columns of the points on a page.
const mostColumns = 64

// A projection says which columns of a space are on the page, and along which axes they are
// drawn. nil: all, as they are.
type projection struct {
	kept  []float32 // unit vectors [columns, Dim], or nil
	axes  []float32 // unit vectors [3, columns], or nil
	width int       // columns
}

// newProjection returns the projection of points [n, dim].
func newProjection(points []float32, dim int) (projection, error) {
	if dim <= 3 {
		return projection{width: dim}, nil
	}
	count := 3
	if dim > mostColumns {
		count = mostColumns
	}
	components, _, err := viz.PrincipalAxes(points, dim, count)
	if err != nil {
		return projection{}, err
	}
	var flat []float32
	for _, x := range slices.Concat(components...) {
		flat = append(flat, float32(x))
	}
	if dim <= mostColumns {
		return projection{axes: flat, width: dim}, nil
	}
	first := make([]float32, 3*mostColumns) // the components are in order
	for j := range 3 {
		first[j*mostColumns+j] = 1
	}
	return projection{flat, first, mostColumns}, nil
}

// columns returns the columns of rows that are on the page.
func (pr projection) columns(rows []float32) []float32 {
	return along(rows, pr.kept, len(pr.kept)/max(1, pr.width))
}

// drawn returns rows as they are drawn.
func (pr projection) drawn(rows []float32) []float32 {
	return along(pr.columns(rows), pr.axes, pr.width)
}

// along returns rows of dim columns along axes [k, dim]; the rows themselves, if there are none.
func along(rows, axes []float32, dim int) []float32 {
	if axes == nil || rows == nil {
		return rows
	}
	places := make([]float32, 0, len(axes)/dim*len(rows)/dim)
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
