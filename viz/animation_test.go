package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// randomTurn returns an orthogonal matrix.
func randomTurn(dim int, seed uint64) *mat.Dense {
	rng := rand.New(rand.NewPCG(seed, uint64(dim)))
	m := mat.NewDense(dim, dim, nil)
	for i := range dim {
		for j := range dim {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(m)
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

// turned returns rows of dim columns, times a matrix, plus shift in each coordinate.
func turned(rows []float32, turn *mat.Dense, shift float64) (result []float32) {
	dim, _ := turn.Dims()
	for row := range slices.Chunk(rows, dim) {
		for j := range dim {
			sum := shift
			for k, x := range row {
				sum += float64(x) * turn.At(k, j)
			}
			result = append(result, float32(sum))
		}
	}
	return result
}

func nearly(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Abs(float64(got[i]-want[i])) > tolerance {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestProcrustes: a rotation or reflection is found again, also of noisy points.
func TestProcrustes(t *testing.T) {
	for _, dim := range []int{1, 2, 3, 8} {
		for seed := range uint64(4) {
			rng := rand.New(rand.NewPCG(seed, 1))
			x := mat.NewDense(50, dim, nil)
			for i := range 50 {
				for j := range dim {
					x.Set(i, j, rng.NormFloat64())
				}
			}
			want := randomTurn(dim, seed)
			var y mat.Dense
			y.Mul(x, want)
			got, err := procrustes([]*mat.Dense{x}, []*mat.Dense{&y})
			if err != nil {
				t.Fatal(err)
			}
			if !mat.EqualApprox(got, want, 1e-9) {
				t.Fatalf("%d-D: got %v, want %v", dim, mat.Formatted(got), mat.Formatted(want))
			}
			// Whatever the points, it is orthogonal, and no other turn is better.
			y.Apply(func(_, _ int, v float64) float64 { return v + rng.NormFloat64() }, &y)
			if got, err = procrustes([]*mat.Dense{x}, []*mat.Dense{&y}); err != nil {
				t.Fatal(err)
			}
			var square mat.Dense
			square.Mul(got.T(), got)
			one := mat.NewDiagDense(dim, slices.Repeat([]float64{1}, dim))
			if !mat.EqualApprox(&square, one, 1e-9) {
				t.Fatalf("%d-D: %v is not orthogonal", dim, mat.Formatted(got))
			}
			distance := func(turn *mat.Dense) float64 {
				var d mat.Dense
				d.Mul(x, turn)
				d.Sub(&d, &y)
				return mat.Norm(&d, 2)
			}
			if other := randomTurn(dim, seed+100); distance(got) > distance(other)+1e-9 {
				t.Errorf("%d-D: another turn is nearer", dim)
			}
		}
	}
	origin := []*mat.Dense{mat.NewDense(3, 2, nil)}
	none, err := procrustes(origin, origin)
	if err != nil || !mat.EqualApprox(none, mat.NewDiagDense(2, []float64{1, 1}), 1e-12) {
		t.Errorf("points at the origin are turned by %v, error %v", mat.Formatted(none), err)
	}
}

// spinning returns frames of the same points, grown and turned each time.
func spinning(last Scatter, frames int) *Animation {
	a := &Animation{Frames: make([]Scatter, frames)}
	for k := range frames {
		s := last
		turn := randomTurn(s.Dim, uint64(k))
		if k == frames-1 {
			turn = mat.NewDense(s.Dim, s.Dim, nil)
			for j := range s.Dim {
				turn.Set(j, j, 1)
			}
		}
		s.Points = turned(s.Points, turn, 0)
		if s.ClassVectors != nil {
			s.ClassVectors = turned(s.ClassVectors, turn, 0)
		}
		s.Unknown, s.Arrows = turned(s.Unknown, turn, 0), turned(s.Arrows, turn, 0)
		s.Stars = slices.Clone(s.Stars)
		for i, star := range s.Stars {
			s.Stars[i].Point = turned(star.Point, turn, 0)
		}
		a.Frames[k] = s
	}
	return a
}

// TestAligned: frames that differ by a turn only, and without class vectors also by a move,
// become the last one.
func TestAligned(t *testing.T) {
	for _, dim := range []int{2, 3, 6} {
		s := blobs(60, 3, dim, 0.5)
		s.Unknown, s.Arrows = slices.Clone(s.Points[5*dim:9*dim]), slices.Clone(s.Points)
		s.Stars = []Star{{"one", s.Points[dim : 2*dim]}, {"two", s.Points[3*dim : 4*dim]}}
		vectors := s
		vectors.ClassVectors = s.Points[:3*dim]
		a := spinning(vectors, 4)
		frames, err := a.aligned()
		if err != nil {
			t.Fatal(err)
		}
		for k, frame := range frames {
			nearly(t, "points", frame.Points, vectors.Points, 1e-4)
			nearly(t, "vectors", frame.ClassVectors, vectors.ClassVectors, 1e-4)
			nearly(t, "unknown points", frame.Unknown, s.Unknown, 1e-4)
			nearly(t, "arrows", frame.Arrows, s.Arrows, 1e-4)
			for i, star := range frame.Stars {
				nearly(t, "star "+star.Name, star.Point, s.Stars[i].Point, 1e-4)
			}
			if k < 3 && slices.Equal(a.Frames[k].Points, vectors.Points) {
				t.Error("the frames of the animation are changed")
			}
		}
		moved := spinning(s, 2)
		first, turn := &moved.Frames[0], randomTurn(dim, 77)
		first.Points, first.Unknown, first.Arrows = turned(first.Points, turn, 5), turned(first.Unknown, turn, 5), turned(first.Arrows, turn, 0)
		for i := range first.Stars {
			first.Stars[i].Point = turned(first.Stars[i].Point, turn, 5)
		}
		if frames, err = moved.aligned(); err != nil {
			t.Fatal(err)
		}
		nearly(t, "moved points", frames[0].Points, s.Points, 1e-4)
		nearly(t, "moved unknown points", frames[0].Unknown, s.Unknown, 1e-4)
		nearly(t, "moved arrows", frames[0].Arrows, s.Arrows, 1e-4)
		nearly(t, "moved star", frames[0].Stars[1].Point, s.Stars[1].Point, 1e-4)
		fixed := *a
		fixed.Fixed = true
		if frames, _ = fixed.aligned(); !reflect.DeepEqual(frames, a.Frames) {
			t.Error("fixed frames are turned")
		}
		for k := range a.Frames {
			a.Frames[k].Targets = vectors.ClassVectors
		}
		if frames, _ = a.aligned(); !reflect.DeepEqual(frames, a.Frames) {
			t.Error("frames with targets are turned")
		}
	}
}

// TestTimes: all frames are shown, if there are not too many, and the longest ways get most of
// the frames between them.
func TestTimes(t *testing.T) {
	for _, frames := range []int{2, 3, 20, 58, 59, 60, 61, 500} {
		f := film{}
		for k := range frames { // each way is twice as long as the one before, at first
			f.contents = append(f.contents, content{points: []point{{float64(min(int(1)<<min(k, 30), 1<<30))}}})
		}
		times := f.times()
		if len(times) != mostFrames-1 || times[0] != 0 || times[len(times)-1] != float64(frames-1) {
			t.Errorf("%d frames: %d times from %v to %v", frames, len(times), times[0], times[len(times)-1])
		}
		whole := 0
		between := map[int]int{}
		for i, at := range times {
			if i > 0 && at <= times[i-1] {
				t.Errorf("%d frames: %v comes after %v", frames, at, times[i-1])
			}
			if at == math.Trunc(at) {
				whole++
			}
			between[int(at)]++
		}
		if want := min(frames, mostFrames-1); whole != want {
			t.Errorf("%d frames: %d are shown, want %d", frames, whole, want)
		}
		if frames == 20 && (between[18] < 10 || between[18] < between[17] || between[3] != 1) {
			t.Errorf("frames on each way: %v", between)
		}
	}
}

// growing returns an animation of points that move away from the origin.
func growing(s Scatter) *Animation {
	a := &Animation{Lines: []Line{{Name: "loss", Values: []float64{2.5, 1, 0.1}}, {Name: "accuracy in %", Values: []float64{10, 50, 99}}}}
	for k := range 3 {
		frame := s
		frame.Points = slices.Clone(s.Points)
		for i := range frame.Points {
			frame.Points[i] *= float32(k+1) / 3
		}
		frame.Note = []string{"epoch 0", "epoch 1", "epoch 2"}[k]
		a.Frames = append(a.Frames, frame)
	}
	return a
}

// TestGIF: what a viewer puts together from the parts is each picture as a whole.
func TestGIF(t *testing.T) {
	a := growing(blobs(300, 10, 2, 1))
	var encoded bytes.Buffer
	if err := a.WriteGIF(&encoded); err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(&encoded)
	if err != nil {
		t.Fatal(err)
	}
	const last = mostFrames - 1
	if len(g.Image) != mostFrames || g.LoopCount != 0 || g.Delay[0] != titleDelay || g.Delay[1] != startDelay || g.Delay[2] != delay || g.Delay[last] != endDelay {
		t.Errorf("%d frames, loop count %d, delays %v", len(g.Image), g.LoopCount, g.Delay)
	}
	f, err := a.film()
	if err != nil {
		t.Fatal(err)
	}
	colors := newInks(classNames(10))
	page := image.Rect(0, 0, g.Config.Width, g.Config.Height)
	seen := image.NewRGBA(page)
	for i, at := range append([]float64{2}, f.times()...) { // the end comes first
		draw.Draw(seen, g.Image[i].Rect, g.Image[i], g.Image[i].Rect.Min, draw.Over)
		if i > 0 && g.Image[i].Rect == page {
			t.Errorf("frame %d is drawn as a whole", i)
		}
		if i%20 > 1 && i != last {
			continue
		}
		want := image.NewRGBA(page)
		draw.Draw(want, page, colors.paint(f.image(at, animationSharpness)), image.Point{}, draw.Src)
		if !bytes.Equal(seen.Pix, want.Pix) {
			t.Fatalf("frame %d is not the picture at %v", i, at)
		}
	}
}

// TestFilm: spaces of all dimensions, and directions, have pictures, the same each time.
func TestFilm(t *testing.T) {
	turning := spinning(blobs(100, 3, 2, 1).Projected(), 3)
	turning.Fixed = true
	marked := blobs(100, 3, 2, 1)
	marked.Unknown, marked.Arrows, marked.Stars = marked.Points[:40], marked.Points, []Star{{"a star", marked.Points[:2]}}
	for name, a := range map[string]*Animation{
		"1-D": growing(blobs(100, 3, 1, 1)), "circle": turning, "sphere": spinning(blobs(100, 3, 3, 1).Projected(), 3),
		"5-D": growing(blobs(100, 30, 5, 1)), "no lines": spinning(blobs(100, 3, 2, 1), 3),
		"marked": spinning(marked, 3),
	} {
		f, err := a.film()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var before *image.RGBA
		for _, at := range []float64{0, 0.5, 1, 2} {
			now := f.image(at, 0.3)
			if !bytes.Equal(now.Pix, f.image(at, 0.3).Pix) {
				t.Errorf("%s: the picture at %v is not the same again", name, at)
			}
			if before != nil && bytes.Equal(now.Pix, before.Pix) != (name == "sphere" || name == "no lines" || name == "marked") { // which are aligned
				t.Errorf("%s: nothing moves before %v, or what is aligned moves", name, at)
			}
			before = now
		}
	}
}

// TestGIFSize: a picture that would be too large is less sharp.
func TestGIFSize(t *testing.T) {
	const limit = 300_000
	a := growing(blobs(300, 10, 2, 1))
	picture, err := a.gif(limit)
	if err != nil {
		t.Fatal(err)
	}
	config, err := gif.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if len(picture) >= limit || config.Width < 100 || config.Width > 500 {
		t.Errorf("%d bytes with a limit of %d, %d pixels wide", len(picture), limit, config.Width)
	}
}

// TestAnimationScale: all frames have one scale, which holds the points of all.
func TestAnimationScale(t *testing.T) {
	a := growing(blobs(100, 3, 2, 1))
	a.Fixed = true
	for i := range a.Frames[1].Points {
		a.Frames[1].Points[i] *= 4 // the middle is largest
	}
	f, err := a.film()
	if err != nil {
		t.Fatal(err)
	}
	for k := range f.contents {
		if dropped := f.contents[k].dropOutside(f.space); dropped > 0 {
			t.Errorf("frame %d: %d points outside", k, dropped)
		}
	}
}

func TestInks(t *testing.T) {
	for _, classes := range []int{1, 10, 100, 1000} {
		inks := newInks(classNames(classes))
		if len(inks.palette) > 256 {
			t.Errorf("%d classes: %d colours", classes, len(inks.palette))
		}
		img := image.NewRGBA(image.Rect(0, 0, 2, 1))
		img.SetRGBA(0, 0, white)
		img.SetRGBA(1, 0, Color(0))
		painted := inks.paint(img)
		for x, want := range []color.RGBA{white, Color(0)} {
			if got := painted.At(x, 0); got != want {
				t.Errorf("%d classes: %v is painted as %v", classes, want, got)
			}
		}
	}
}

func TestAnimationRefuses(t *testing.T) {
	good := func() *Animation { return growing(blobs(30, 3, 2, 1)) }
	for name, test := range map[string]struct {
		change func(a *Animation)
		want   error
		says   string
	}{
		"one frame":   {func(a *Animation) { a.Frames = a.Frames[:1] }, ErrEmpty, "an animation of 1 frames; allowed: 2 or more"},
		"no points":   {func(a *Animation) { a.Frames[1].Points = nil }, ErrEmpty, "frame 1: no points"},
		"missing":     {func(a *Animation) { a.Frames[1] = Scatter{Missing: "failed"} }, ErrEmpty, "frame 1"},
		"dimension":   {func(a *Animation) { a.Frames[0] = blobs(30, 3, 3, 1) }, ErrFrames, "frame 0: it has Dim 3"},
		"labels":      {func(a *Animation) { a.Frames[0].Labels = make([]int32, 30) }, ErrFrames, "labels"},
		"class names": {func(a *Animation) { a.Frames[0].ClassNames = classNames(4) }, ErrFrames, "class names"},
		"vectors":     {func(a *Animation) { a.Frames[0].ClassVectors = make([]float32, 6) }, ErrFrames, "class vectors"},
		"targets":     {func(a *Animation) { a.Frames[0].Targets = make([]float32, 6) }, ErrFrames, "targets"},
		"unknown":     {func(a *Animation) { a.Frames[0].Unknown = make([]float32, 4) }, ErrFrames, "2 unknown points, not 0"},
		"arrows":      {func(a *Animation) { a.Frames[0].Arrows = make([]float32, 60) }, ErrFrames, "arrows in some frames"},
		"stars":       {func(a *Animation) { a.Frames[0].Stars = []Star{{"a", make([]float32, 2)}} }, ErrFrames, "stars are not"},
		"values":      {func(a *Animation) { a.Lines[1].Values = a.Lines[1].Values[:2] }, ErrLength, `2 values of line "accuracy in %" for 3 frames`},
		"NaN":         {func(a *Animation) { a.Lines[0].Values[2] = math.NaN() }, ErrNotFinite, `line "loss"`},
	} {
		a := good()
		test.change(a)
		err := a.WriteGIF(new(bytes.Buffer))
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %v saying %q", name, err, test.want, test.says)
		}
	}
	path := filepath.Join(t.TempDir(), "a.png")
	if err := good().Save(path); !errors.Is(err, ErrExtension) {
		t.Errorf("extension: error %v", err)
	}
	if err := good().Show(); !errors.Is(err, ErrNotebook) {
		t.Errorf("Show: error %v", err)
	}
}
