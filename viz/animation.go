package viz

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Animation shows how an embedded space changes, such as over a training: an animated GIF.
//
// All frames have one scale, which holds them all. More than 3 dimensions are shown along the
// principal components of the last frame. From frame to frame the points move straight.
//
// Losses do not see a rotation or reflection of the space, so that a training may turn it.
// Therefore each frame is turned so that its points, and the directions of its class vectors,
// are as near as they can be to those of the frame after it (orthogonal Procrustes): the last
// frame stays as it is, with true axes, and what moves in the picture are points against each
// other. With class vectors or Sphere, the origin stays in its place. Without, distances are
// all that counts, and the mean of the points stays in its place. Unknown points, stars and
// arrows turn and move with the points. Targets have places of their own: with them, nothing is
// turned.
type Animation struct {
	// Frames are at least two scatters of the same points, from the first to the last. They
	// share Dim, Labels, ClassNames, Sphere, Targets, the number of unknown points and the
	// names of stars. Regions are not drawn.
	Frames []Scatter

	// Lines are numbers of the frames, such as the loss, which are drawn below the points:
	// Values [frames], without X.
	Lines []Line

	// Fixed says that the axes have a meaning of their own: nothing is turned.
	Fixed bool
}

// The number of the frames of a GIF, and their time in hundredths of a second.
const (
	mostFrames = 60
	titleDelay = 120 // of the last frame, when it comes first
	startDelay = 80  // of the first frame
	delay      = 8
	endDelay   = 300 // of the last frame
)

// animationSharpness is the sharpness of an animation: a panel is 480 pixels wide.
const animationSharpness = 0.6

// WriteGIF writes the animation as a GIF of less than 3 MB and at most 60 frames, which runs
// for ever. It begins with the last frame, which is what is seen where a GIF does not run, and
// stays at it for 3 seconds in the end. Where there are fewer frames, some are added between
// those that move most; of more, some are left out.
//
// It returns an error that wraps one of this package's errors for an invalid animation, and
// the error of w.
func (a *Animation) WriteGIF(w io.Writer) error {
	picture, err := a.gif(maxSize)
	if err != nil {
		return err
	}
	if _, err := w.Write(picture); err != nil {
		return fmt.Errorf("viz: write GIF: %w", err)
	}
	return nil
}

// Save writes the animation to a file, as [Animation.WriteGIF] does. Its name ends in ".gif";
// any other is an error that wraps [ErrExtension]. The file is replaced as a whole.
func (a *Animation) Save(path string) error {
	if strings.ToLower(filepath.Ext(path)) != ".gif" {
		return fmt.Errorf("viz: save %q: extension must be .gif: %w", path, ErrExtension)
	}
	picture, err := a.gif(maxSize)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, picture, 0o666); err != nil {
		return fmt.Errorf("viz: save %q: %w", path, err)
	}
	return nil
}

// notebookGIF is the largest size of an animation in a notebook, which is to stay below 2 MB.
const notebookGIF = 650_000

// Show displays the animation below the running cell of a GoNB notebook, as a GIF of less than
// 650 KB; on paper, there is its last frame. Errors are those of [Figure.Show].
func (a *Animation) Show() error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("viz: show: %w", ErrNotebook)
	}
	picture, err := a.gif(notebookGIF)
	if err != nil {
		return err
	}
	last, err := gif.Decode(bytes.NewReader(picture)) // it comes first
	if err != nil {
		return fmt.Errorf("viz: show: %w", err)
	}
	var still bytes.Buffer
	if err := png.Encode(&still, last); err != nil {
		return fmt.Errorf("viz: show: %w", err)
	}
	// The GIF is in HTML, which all that show notebooks know; not so image/gif.
	html := `<img alt="animation" src="data:image/gif;base64,` + base64.StdEncoding.EncodeToString(picture) + `">`
	return Display("", map[protocol.MIMEType]any{protocol.MIMETextHTML: html, protocol.MIMEImagePNG: still.Bytes()})
}

// validate reports the first thing that is wrong with the animation.
func (a *Animation) validate() error {
	if len(a.Frames) < 2 {
		return fmt.Errorf("an animation of %d frames; allowed: 2 or more: %w", len(a.Frames), ErrEmpty)
	}
	last := a.Frames[len(a.Frames)-1]
	for i, s := range a.Frames {
		err := s.Validate()
		switch {
		case err != nil:
		case s.Missing != "":
			err = ErrEmpty
		case s.Dim != last.Dim, s.Sphere != last.Sphere:
			err = fmt.Errorf("it has Dim %d and Sphere %t, not %d and %t as the last frame: %w", s.Dim, s.Sphere, last.Dim, last.Sphere, ErrFrames)
		case !slices.Equal(s.Labels, last.Labels):
			err = fmt.Errorf("labels are not those of the last frame: %w", ErrFrames)
		case !slices.Equal(s.ClassNames, last.ClassNames):
			err = fmt.Errorf("class names are not those of the last frame: %w", ErrFrames)
		case (s.ClassVectors == nil) != (last.ClassVectors == nil):
			err = fmt.Errorf("class vectors in some frames only: %w", ErrFrames)
		case !slices.Equal(s.Targets, last.Targets):
			err = fmt.Errorf("targets are not those of the last frame: %w", ErrFrames)
		case len(s.Unknown) != len(last.Unknown):
			err = fmt.Errorf("%d unknown points, not %d as in the last frame: %w", len(s.Unknown)/s.Dim, len(last.Unknown)/s.Dim, ErrFrames)
		case (s.Arrows == nil) != (last.Arrows == nil):
			err = fmt.Errorf("arrows in some frames only: %w", ErrFrames)
		case !slices.EqualFunc(s.Stars, last.Stars, func(a, b Star) bool { return a.Name == b.Name }):
			err = fmt.Errorf("stars are not those of the last frame: %w", ErrFrames)
		}
		if err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
	}
	for _, l := range a.Lines {
		if len(l.Values) != len(a.Frames) {
			return fmt.Errorf("%d values of line %q for %d frames: %w", len(l.Values), l.Name, len(a.Frames), ErrLength)
		}
	}
	if len(a.Lines) > 0 {
		return (&Curves{Lines: a.Lines}).validate()
	}
	return nil
}

// gif returns the animation as a GIF of less than limit bytes.
func (a *Animation) gif(limit int) ([]byte, error) {
	film, err := a.film()
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	picture, err := sharpest(limit, animationSharpness, func(sharpness float64) ([]byte, error) {
		var encoded bytes.Buffer
		err := gif.EncodeAll(&encoded, film.gif(sharpness))
		return encoded.Bytes(), err
	})
	if err != nil {
		return nil, fmt.Errorf("viz: write GIF: %w", err)
	}
	return picture, nil
}

// A film is an animation about to be drawn: all that does not depend on the canvas is decided.
type film struct {
	animation *Animation
	contents  []content // of the frames, aligned
	space     space     // that holds them all
	layout    *layout   // of the last frame
	strip     vg.Rectangle
}

// film checks the animation, aligns its frames and decides on their scale.
func (a *Animation) film() (*film, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	frames, err := a.aligned()
	if err != nil {
		return nil, err
	}
	last := frames[len(frames)-1]
	last.Regions = nil
	pr, err := last.projection()
	if err != nil {
		return nil, err
	}
	f := &film{animation: a}
	for _, s := range frames {
		f.contents = append(f.contents, s.along(pr))
	}
	if f.layout, err = NewFigure(last).layout(); err != nil {
		return nil, err
	}
	drawn := f.layout.cells[0].drawing.(*plotted)
	f.space = drawn.wholeSpace()
	if !drawn.hasSphere() {
		f.space = spaceOfAll(f.contents)
	}
	if len(a.Lines) > 0 {
		f.layout.raise(stripHeight)
		area := f.layout.cells[0].area
		f.strip.Min = vg.Point{X: area.Min.X, Y: margin}
		f.strip.Max = vg.Point{X: area.Max.X, Y: stripHeight}
	}
	return f, nil
}

// aligned returns the frames, turned as the documentation of Animation says.
func (a *Animation) aligned() ([]Scatter, error) {
	frames := slices.Clone(a.Frames)
	last := frames[len(frames)-1]
	if a.Fixed || last.Targets != nil {
		return frames, nil
	}
	dim := last.Dim
	origin := make([]float64, dim)
	mean := origin
	centered := last.ClassVectors == nil && !last.Sphere
	if centered {
		mean = meanOf(last.Points, dim)
	}
	next := rowsFrom(mean, last.Points)
	for k := len(frames) - 2; k >= 0; k-- {
		s, after := &frames[k], frames[k+1]
		center := origin
		if centered {
			center = meanOf(s.Points, dim)
		}
		points := rowsFrom(center, s.Points)
		from, to := []*mat.Dense{points}, []*mat.Dense{next}
		if s.ClassVectors != nil {
			from = append(from, rowsFrom(origin, normalized(s.ClassVectors, dim)))
			to = append(to, rowsFrom(origin, normalized(after.ClassVectors, dim)))
		}
		turn, err := procrustes(from, to)
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", k, err)
		}
		turned := func(rows []float32, center, moved []float64) []float32 {
			if len(rows) == 0 {
				return rows
			}
			var m mat.Dense
			m.Mul(rowsFrom(center, rows), turn)
			return rows32(&m, moved)
		}
		next.Mul(points, turn)
		s.Points = rows32(next, mean)
		s.Unknown = turned(s.Unknown, center, mean)
		s.ClassVectors = turned(s.ClassVectors, origin, origin)
		s.Arrows = turned(s.Arrows, origin, origin)
		s.Stars = slices.Clone(s.Stars)
		for i, star := range s.Stars {
			s.Stars[i].Point = turned(star.Point, center, mean)
		}
	}
	return frames, nil
}

// rowsFrom returns rows as a matrix, without a center that is as long as each.
func rowsFrom(center []float64, rows []float32) *mat.Dense {
	dim := len(center)
	m := mat.NewDense(len(rows)/dim, dim, nil)
	for i, x := range rows {
		m.Set(i/dim, i%dim, float64(x)-center[i%dim])
	}
	return m
}

// rows32 returns the rows of a matrix, with a vector added to each.
func rows32(m *mat.Dense, added []float64) (rows []float32) {
	n, _ := m.Dims()
	for i := range n {
		for j, x := range m.RawRowView(i) {
			rows = append(rows, float32(x+added[j]))
		}
	}
	return rows
}

// procrustes returns the orthogonal matrix R that makes the sum of the squares of x R - y
// smallest: U V^T, of the singular value decomposition U S V^T of x^T y (Schönemann 1966,
// https://doi.org/10.1007/BF02289451). Of several pairs x and y, each counts as much as the
// others: they are divided by their norms. All have the same columns.
func procrustes(xs, ys []*mat.Dense) (*mat.Dense, error) {
	_, dim := xs[0].Dims()
	cross := mat.NewDense(dim, dim, nil)
	for i, x := range xs {
		size := mat.Norm(x, 2) * mat.Norm(ys[i], 2)
		if size == 0 {
			continue
		}
		var part mat.Dense
		part.Mul(x.T(), ys[i])
		part.Scale(1/size, &part)
		cross.Add(cross, &part)
	}
	var u, v, turn mat.Dense
	var svd mat.SVD
	if !svd.Factorize(cross, mat.SVDFull) {
		return nil, fmt.Errorf("orthogonal Procrustes: the singular values did not converge")
	}
	svd.UTo(&u)
	svd.VTo(&v)
	turn.Mul(&u, v.T())
	return &turn, nil
}

// spaceOfAll returns the space that holds what the space of each content holds, with rays of
// the last one's length.
func spaceOfAll(contents []content) space {
	var sp space
	all := newBox()
	for i := range contents {
		sp = contents[i].space()
		half := point{sp.half, sp.half, sp.half}
		all.add(sp.center.sub(half))
		all.add(sp.center.add(half))
	}
	for j := range sp.dim {
		sp.center[j] = (all.lo[j] + all.hi[j]) / 2
		sp.half = max(sp.half, (all.hi[j]-all.lo[j])/2)
	}
	return sp
}

// between returns what is drawn at a share of the way from content a to content b.
func between(a, b content, share float64) content {
	c := b
	straight := func(from, to []point) (way []point) {
		for i := range to {
			way = append(way, from[i].scale(1-share).add(to[i].scale(share)))
		}
		return way
	}
	c.points, c.unknown = straight(a.points, b.points), straight(a.unknown, b.unknown)
	c.arrows, c.stars = straight(a.arrows, b.arrows), straight(a.stars, b.stars)
	c.rays = slices.Clone(b.rays)
	for i := range c.rays {
		c.rays[i] = a.rays[i].scale(1 - share).add(b.rays[i].scale(share))
		if n := c.rays[i].norm(); n > 0 { // a mean of two directions is shorter than they are
			c.rays[i] = c.rays[i].scale(((1-share)*a.rays[i].norm() + share*b.rays[i].norm()) / n)
		}
	}
	return c
}

// times returns where the frames of the GIF are, from the first on, in frames of the
// animation: 0.5 is half way from the first to the second.
func (f *film) times() (times []float64) {
	const count = mostFrames - 1 // beside that which comes first
	last := len(f.contents) - 1
	if last >= count {
		for i := range count {
			times = append(times, math.Round(float64(i)*float64(last)/float64(count-1)))
		}
		return times
	}
	// One step from each frame to the next, and one more where it is longest, again and again.
	steps, lengths := make([]int, last), make([]float64, last)
	for k := range last {
		steps[k], lengths[k] = 1, f.motion(k)
	}
	for range count - 1 - last {
		longest := 0
		for k := range last {
			if lengths[k]/float64(steps[k]) > lengths[longest]/float64(steps[longest]) {
				longest = k
			}
		}
		steps[longest]++
	}
	for k := range last {
		for i := range steps[k] {
			times = append(times, float64(k)+float64(i)/float64(steps[k]))
		}
	}
	return append(times, float64(last))
}

// motion returns how far the points go from frame k to the next, in all.
func (f *film) motion(k int) (sum float64) {
	for i, p := range f.contents[k].points {
		sum += f.contents[k+1].points[i].sub(p).norm()
	}
	return sum
}

// gif returns the frames as a GIF: each holds only the rectangle that changes, and in it only
// the pixels that do.
func (f *film) gif(sharpness float64) *gif.GIF {
	colors := newInks(f.layout.cells[0].drawing.(*plotted).scatter.ClassNames)
	g := &gif.GIF{}
	var before *image.Paletted
	add := func(at float64, delay int) {
		now := colors.paint(f.image(at, sharpness))
		changed := now
		if before != nil {
			changed = difference(before, now)
		}
		g.Image = append(g.Image, changed)
		g.Delay = append(g.Delay, delay)
		g.Disposal = append(g.Disposal, gif.DisposalNone)
		before = now
	}
	add(float64(len(f.contents)-1), titleDelay)
	for _, at := range f.times() {
		add(at, delay)
	}
	g.Delay[1], g.Delay[len(g.Delay)-1] = startDelay, endDelay
	g.Config = image.Config{ColorModel: colors.palette, Width: before.Rect.Dx(), Height: before.Rect.Dy()}
	return g
}

// image returns the picture at a time.
func (f *film) image(at, sharpness float64) *image.RGBA {
	first := int(at)
	frame := f.animation.Frames[first]
	lay := *f.layout
	lay.cells = slices.Clone(lay.cells)
	cell := &lay.cells[0]
	cell.title, cell.note = frame.Heading()
	drawn := *cell.drawing.(*plotted)
	drawn.area = cell.area
	drawn.content = f.contents[first]
	if share := at - float64(first); share > 0 {
		drawn.content = between(f.contents[first], f.contents[first+1], share)
	}
	drawn.show(f.space)
	cell.drawing = &drawn
	c := vgimg.NewWith(vgimg.UseWH(lay.width, lay.height), vgimg.UseDPI(int(sharpness*dpi)))
	lay.draw(c, sharpness)
	for i, l := range f.animation.Lines {
		f.drawLine(c, l, i, at)
	}
	return c.Image().(*image.RGBA)
}

// stripHeight is the height of the strip of lines, with the margin below it.
const stripHeight vg.Length = 52

// drawLine draws line i of the strip, up to a time.
func (f *film) drawLine(c vg.Canvas, l Line, i int, at float64) {
	const size = 9
	width := (f.strip.Max.X - f.strip.Min.X + gap) / vg.Length(len(f.animation.Lines))
	left := f.strip.Min.X + width*vg.Length(i)
	lo, hi := slices.Min(l.Values), slices.Max(l.Values)
	text := printable(l.Name) + " "
	baseline := vg.Point{X: left, Y: f.strip.Max.Y - size}
	face := regular(size)
	drawText(c, face, baseline, text, gray)
	baseline.X += face.Width(text)
	decimals := 0
	if largest := max(math.Abs(lo), math.Abs(hi)); largest > 0 {
		decimals = max(0, 2-int(math.Floor(math.Log10(largest))))
	}
	drawText(c, bold(size), baseline, strconv.FormatFloat(l.Values[int(at)], 'f', decimals, 64), ink)

	place := func(x, value float64) vg.Point {
		share := 0.5
		if hi > lo {
			share = (value - lo) / (hi - lo)
		}
		return vg.Point{
			X: left + (width-gap)*vg.Length(x/float64(len(l.Values)-1)),
			Y: f.strip.Min.Y + (f.strip.Max.Y-f.strip.Min.Y-1.8*size)*vg.Length(share),
		}
	}
	var whole, done []vg.Point
	for k, value := range l.Values {
		whole = append(whole, place(float64(k), value))
		if float64(k) <= at {
			done = append(done, whole[k])
		}
	}
	if k := int(at); float64(k) < at {
		done = append(done, place(at, l.Values[k]+(at-float64(k))*(l.Values[k+1]-l.Values[k])))
	}
	c.SetLineWidth(1)
	c.SetColor(axisLine)
	c.Stroke(line(whole...))
	c.SetLineWidth(1.4)
	c.SetColor(ink)
	if len(done) > 1 {
		c.Stroke(line(done...))
	}
	c.Fill(circle(done[len(done)-1], 2.4))
}

// difference returns what changes from one picture to another: the rectangle of the pixels that
// do, in which the others are transparent.
func difference(before, now *image.Paletted) *image.Paletted {
	changed := image.Rectangle{}
	for y := range now.Rect.Max.Y {
		for x := range now.Rect.Max.X {
			if i := now.PixOffset(x, y); now.Pix[i] != before.Pix[i] {
				changed = changed.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if changed.Empty() {
		changed = image.Rect(0, 0, 1, 1) // a GIF has no empty frames
	}
	part := image.NewPaletted(changed, now.Palette)
	for y := changed.Min.Y; y < changed.Max.Y; y++ {
		for x := changed.Min.X; x < changed.Max.X; x++ {
			if i := now.PixOffset(x, y); now.Pix[i] != before.Pix[i] {
				part.Pix[part.PixOffset(x, y)] = now.Pix[i]
			}
		}
	}
	return part
}

// inks are the at most 256 colours that all frames of a GIF share: those of the classes and
// what is between them and white, grays, and at index 0 the transparent one.
type inks struct {
	palette color.Palette
	nearest map[color.RGBA]uint8 // of the colours that were painted
}

// newInks returns the colours of the classes with those names.
func newInks(classNames []string) inks {
	palette := color.Palette{color.RGBA{}, white, black, ink, gray, axisLine, gridLine, wall, sphereLine}
	const grays = 12
	for k := 1; k < grays; k++ {
		palette = append(palette, mix(black, white, float64(k)/grays))
	}
	room := (256 - len(palette)) / max(1, len(classNames)) // for each class
	for i := range classNames {
		clr := Color(i)
		if len(palette) == 256 {
			break
		}
		palette = append(palette, clr)
		if room < 4 {
			continue
		}
		palette = append(palette, darker(clr), mix(white, darker(clr), 0.5))
		tints := min(room-3, 9)
		for k := range tints {
			palette = append(palette, mix(white, clr, float64(k+1)/float64(tints+1)))
		}
	}
	return inks{palette, map[color.RGBA]uint8{}}
}

// paint returns an opaque image in the nearest of the colours.
func (s inks) paint(img *image.RGBA) *image.Paletted {
	painted := image.NewPaletted(img.Rect, s.palette)
	var before color.RGBA // most pixels have the colour of the one before
	var index uint8
	for i := range painted.Pix {
		clr := color.RGBA{img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3]}
		if clr != before {
			before = clr
			var known bool
			if index, known = s.nearest[clr]; !known {
				index = uint8(1 + s.palette[1:].Index(clr))
				s.nearest[clr] = index
			}
		}
		painted.Pix[i] = index
	}
	return painted
}
