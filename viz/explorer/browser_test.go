package explorer

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/embedspace/embedspace/viz"
)

// A browser shows a page in headless Chromium.
type browser struct {
	t   testing.TB
	ctx context.Context
}

// open saves a page and opens it from its file, in a window of this size. Without Chromium
// the test is skipped. An exception in the page fails the test.
func open(t testing.TB, p *Page, width, height int64, options ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := p.Save(path); err != nil {
		t.Fatal(err)
	}
	return openFile(t, path, width, height, options...)
}

func openFile(t testing.TB, path string, width, height int64, options ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil || strings.HasPrefix(chromium, "/snap/") { // which has a /tmp of its own
		t.Skip("chromium is not installed, or as a snap: the page is not tested in a browser")
	}
	options = append(append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("enable-unsafe-swiftshader", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND")), options...)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	chromedp.ListenTarget(ctx, func(event any) {
		if thrown, ok := event.(*runtime.EventExceptionThrown); ok {
			t.Errorf("exception in the page: %s", thrown.ExceptionDetails.Error())
		}
	})
	b := &browser{t, ctx}
	b.run(chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+path))
	b.frames()
	return b
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// frames waits until what was asked for is drawn.
func (b *browser) frames() {
	b.t.Helper()
	value[bool](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// value returns what a JavaScript expression is, or the promise that it is comes to.
func value[T any](b *browser, expression string, args ...any) (result T) {
	b.t.Helper()
	b.run(chromedp.Evaluate(fmt.Sprintf(expression, args...), &result,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return result
}

// check fails unless a JavaScript expression has a value.
func check[T comparable](b *browser, want T, expression string, args ...any) {
	b.t.Helper()
	if got := value[T](b, expression, args...); got != want {
		b.t.Errorf("%s is %v, want %v", fmt.Sprintf(expression, args...), got, want)
	}
}

// place returns where a point of a space is in the window.
func (b *browser) place(space, i int) (x, y float64) {
	b.t.Helper()
	at := value[[]float64](b, `(() => { const view = views[%d], box = view.plot.getBoundingClientRect();
		return [box.left + view.plot.clientLeft + view.x[%d], box.top + view.plot.clientTop + view.y[%d]]; })()`, space, i, i)
	return at[0], at[1]
}

// drag presses the mouse at the first of some places, moves it to the others, and lets go.
func (b *browser) drag(modifier input.Modifier, places ...[2]float64) {
	b.t.Helper()
	mouse := func(kind input.MouseType, at [2]float64) chromedp.Action {
		return input.DispatchMouseEvent(kind, at[0], at[1]).WithButton(input.Left).WithButtons(1).WithModifiers(modifier).WithClickCount(1)
	}
	b.run(mouse(input.MousePressed, places[0]))
	for _, at := range places[1:] {
		b.run(mouse(input.MouseMoved, at))
	}
	b.run(mouse(input.MouseReleased, places[len(places)-1]))
	b.frames()
}

// click clicks on the first element that a selector finds.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.run(chromedp.Click(selector, chromedp.ByQuery))
	b.frames()
}

func TestLoad(t *testing.T) {
	b := open(t, testPage(2, 3), 1280, 900)
	check(b, "WebGL 2", `views[0].renderer.name`)
	check(b, 2, `views.length`)
	check(b, false, `document.body.innerText.includes('undefined')`)
	check(b, "60 of 60 images", `byId('count').textContent`)
	for space := range 2 {
		ink := value[int](b, `(() => { const c = document.createElement('canvas'); [c.width, c.height] = [views[%d].points.width, views[%d].points.height];
			const g = c.getContext('2d'); g.drawImage(views[%d].points, 0, 0); let n = 0;
			for (const [k, x] of g.getImageData(0, 0, c.width, c.height).data.entries()) if (k %% 4 === 3 && x > 0) n++; return n; })()`, space, space, space)
		if ink < 200 {
			t.Errorf("space %d has %d pixels of points", space, ink)
		}
	}
	check(b, 0, `performance.getEntriesByType('resource').filter((e) => !e.name.startsWith('data:')).length`)
}

func TestCanvas(t *testing.T) {
	b := open(t, testPage(3), 600, 800, chromedp.Flag("disable-3d-apis", true))
	check(b, "Canvas 2-D", `views[0].renderer.name`)
	check(b, true, `[...views[0].points.getContext('2d').getImageData(0, 0, views[0].points.width, views[0].points.height).data].some((x) => x > 0)`)
}

func TestHover(t *testing.T) {
	b := open(t, testPage(2, 3), 1280, 900)
	for _, i := range []int{7, 31} {
		x, y := b.place(0, i)
		b.run(chromedp.MouseEvent(input.MouseMoved, x, y))
		b.frames()
		check(b, i, `state.hover`)
		check(b, fmt.Sprintf("image %d", i), `document.querySelector('.tip div').firstChild.textContent`)
		check(b, fmt.Sprintf("Image %d", i), `document.querySelector('#detail h2').textContent`)
		gray := value[float64](b, `document.querySelector('.tip canvas').getContext('2d').getImageData(4, 4, 1, 1).data[0]`)
		if math.Abs(gray-float64(4*i)) > 6 {
			t.Errorf("the thumbnail of image %d has gray level %v, want about %d", i, gray, 4*i)
		}
		ringed := `views[1].front.getContext('2d').getImageData(Math.round(views[1].x[%d] + views[1].radius() + 5), Math.round(views[1].y[%d]), 1, 1).data[3] > 0`
		check(b, true, ringed, i, i)
	}
	b.run(chromedp.MouseClickXY(b.place(1, 12)))
	check(b, 12, `state.pinned`)
	check(b, "Image 12 (kept)", `document.querySelector('#detail h2').textContent`)
	check(b, 2*8, `document.querySelectorAll('#detail .near button:enabled').length`)
	check(b, 2*8, `document.querySelectorAll('#detail .near button:disabled').length`)
	check(b, "decided", `document.querySelector('#detail dt').textContent`)
}

func TestFilter(t *testing.T) {
	b := open(t, testPage(2), 1280, 900)
	b.click("#mistakes")
	check(b, "6 of 60 images", `byId('count').textContent`)
	check(b, "Images: 6", `byId('table-title').textContent`)
	check(b, 6, `document.querySelectorAll('tbody tr').length`)
	check(b, -1, `views[0].pick(views[0].x[1], views[0].y[1], 2)`) // it is right, and not drawn
	b.click("#mistakes")
	b.click("#classes label:nth-of-type(2) input")
	check(b, "40 of 60 images", `byId('count').textContent`)
	b.click("#none")
	check(b, "0 of 60 images", `byId('count').textContent`)
	b.click("#all")
	value[bool](b, `(() => { byId('unsure').value = 10; byId('unsure').dispatchEvent(new Event('input')); return true; })()`)
	check(b, "6 of 60 images", `byId('count').textContent`)
	check(b, true, `[0, 1, 2, 3, 4, 5].every((i) => state.shown[i] === 1)`) // the lead grows with the index
	b.run(chromedp.SendKeys("#index", "33\r", chromedp.ByQuery))
	check(b, 33, `state.pinned`)
}

func TestColors(t *testing.T) {
	b := open(t, testPage(2), 1280, 900)
	for _, by := range []string{"prediction", "mistakes", "norm", "lead of the best score", "index", "class"} {
		value[bool](b, `(() => { byId('color-by').value = %q; byId('color-by').dispatchEvent(new Event('change')); return true; })()`, by)
		b.frames()
		check(b, by, `state.colorBy`)
	}
	check(b, true, `byId('scale').hidden`)
}

func TestLasso(t *testing.T) {
	b := open(t, testPage(2, 3), 1280, 900)
	around := func(space, i int, reach float64) (places [][2]float64) {
		x, y := b.place(space, i)
		for _, corner := range [][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
			places = append(places, [2]float64{x + reach*corner[0], y + reach*corner[1]})
		}
		return places
	}
	b.click("#lasso")
	b.drag(0, around(0, 7, 6)...)
	check(b, 1, `state.selected[7]`)
	n := value[int](b, `state.selected.reduce((sum, x) => sum + x, 0)`)
	if n < 1 || n > 10 {
		t.Errorf("%d images are selected, want a few", n)
	}
	check(b, n, `document.querySelectorAll('tbody tr').length`)
	check(b, fmt.Sprintf("Selection: %d images", n), `byId('table-title').textContent`)
	check(b, true, `byId('table-text').textContent.includes('one: ')`)
	// The other space shows the same images, the others dimmed.
	check(b, n, `(() => { let n = 0; for (let k = 0; k < 60; k++) if (views[1].discs.colors[4 * k + 3] > 200) n++; return n; })()`)
	b.click("#lasso")
	check(b, false, `byId('lasso').checked`)
	box := value[[]float64](b, `(() => { const { left, top, right, bottom } = views[0].plot.getBoundingClientRect(); return [left + 2, top + 2, right - 2, bottom - 2]; })()`)
	b.drag(input.ModifierShift, [2]float64{box[0], box[1]}, [2]float64{box[2], box[1]}, [2]float64{box[2], box[3]}, [2]float64{box[0], box[3]})
	check(b, 60, `state.selected.reduce((sum, x) => sum + x, 0)`)
}

func TestTraining(t *testing.T) {
	b := open(t, testPage(2, 3), 1280, 900)
	check(b, "after 3 of 3 epochs", `byId('time-text').textContent`)
	check(b, 2, `document.querySelectorAll('#curves svg').length`)
	before := value[float64](b, `views[0].x[8]`)
	slide := func(k int) {
		t.Helper()
		value[bool](b, `(() => { byId('time').value = %d; byId('time').dispatchEvent(new Event('input')); return true; })()`, k)
		b.frames()
	}
	slide(0)
	check(b, "after 0.50 of 3 epochs (30 of the images)", `byId('time-text').textContent`)
	slide(1)
	check(b, "after 1 of 3 epochs (30 of the images)", `byId('time-text').textContent`)
	if after := value[float64](b, `views[0].x[8]`); after == before {
		t.Error("the point of image 8 is where it was in the end")
	}
	check(b, true, `views[0].isDrawn(8) && !views[0].isDrawn(9)`)
	check(b, 60, `views[1].order.filter((i) => views[1].isDrawn(i)).length`) // it has no trace
	check(b, true, `(() => { setTime(0.5); const middle = views[0].places[24];
		setTime(0); const first = views[0].places[24]; setTime(1); return Math.abs(middle - (first + views[0].places[24]) / 2) < 1e-5; })()`)
	b.click("#play")
	b.run(chromedp.Poll(`state.epoch === Infinity && playing === null`, nil))
}

func TestKeyboard(t *testing.T) {
	b := open(t, testPage(2, 3), 1280, 900)
	press := func(keys string) {
		t.Helper()
		b.run(chromedp.KeyEvent(keys))
		b.frames()
	}
	focus := func(space int) { value[bool](b, `(() => { views[%d].plot.focus(); return true; })()`, space) }
	focus(1)
	azimuth := value[float64](b, `views[1].azimuth`)
	press("\u0302") // arrow left
	if value[float64](b, `views[1].azimuth`) == azimuth {
		t.Error("an arrow does not turn the 3-D space")
	}
	press("+")
	check(b, 1.25, `views[1].zoom`)
	press("0")
	check(b, 1.0, `views[1].zoom`)
	press("n")
	check(b, 0, `state.pinned`)
	press("n")
	press("n")
	press("p")
	check(b, 1, `state.pinned`)
	check(b, "Image 1, one, Space 2-D: one, Space 3-D: one", `byId('status').textContent`)
	press("\u001b")
	check(b, -1, `state.pinned`)
	focus(0)
	press("\u0301")
	check(b, true, `views[0].pan[1] !== 0`)
	// The focus stays when an image is chosen, and no button is replaced while a training plays.
	value[bool](b, `(() => { pin(3); document.querySelector('#detail .near button').focus(); document.activeElement.click(); return true; })()`)
	check(b, true, `byId('detail').contains(document.activeElement)`)
	check(b, true, `(() => { setTime(0); const before = document.querySelector('#detail .near button'); setTime(1); return before.isConnected; })()`)
	// Everything that can be used can be reached.
	check(b, 0, `[...document.querySelectorAll('button, input, select, .plot')].filter((e) => e.tabIndex < 0).length`)
}

func TestPointer(t *testing.T) {
	b := open(t, testPage(2, 3), 1280, 900)
	x, y := b.place(1, 3)
	b.drag(0, [2]float64{x, y}, [2]float64{x + 50, y + 20})
	check(b, -75.0, `views[1].azimuth`)
	check(b, 30.0, `views[1].elevation`)
	middle := value[int](b, `views[0].pick(views[0].width / 2, views[0].height / 2, 1000)`)
	x, y = b.place(0, middle)
	b.drag(0, [2]float64{x, y}, [2]float64{x + 40, y + 30})
	if nx, ny := b.place(0, middle); math.Hypot(nx-x-40, ny-y-30) > 1 {
		t.Errorf("after a drag by (40, 30) the point is at (%v, %v), was at (%v, %v)", nx, ny, x, y)
	}
	x, y = b.place(0, middle)
	b.run(input.DispatchMouseEvent(input.MouseWheel, x, y).WithDeltaX(0).WithDeltaY(-400))
	b.frames()
	if zoom := value[float64](b, `views[0].zoom`); zoom < 1.5 {
		t.Errorf("the wheel has zoomed to %v", zoom)
	}
	if nx, ny := b.place(0, middle); math.Hypot(nx-x, ny-y) > 1 {
		t.Errorf("zooming has moved the point under the pointer from (%v, %v) to (%v, %v)", x, y, nx, ny)
	}
	zoom := value[float64](b, `views[0].zoom`)
	touch := func(kind input.TouchType, xs ...float64) {
		var points []*input.TouchPoint
		for id, dx := range xs {
			points = append(points, &input.TouchPoint{X: x + dx, Y: y, ID: float64(id + 1)})
		}
		b.run(input.DispatchTouchEvent(kind, points))
	}
	touch(input.TouchStart, -20, 20)
	touch(input.TouchMove, -40, 40)
	touch(input.TouchEnd)
	b.frames()
	if got := value[float64](b, `views[0].zoom`) / zoom; math.Abs(got-2) > 0.1 {
		t.Errorf("fingers twice as far apart have zoomed %v times", got)
	}
	value[bool](b, `(() => { byId('lasso').checked = true; select(new Uint8Array(count).fill(1)); return true; })()`)
	touch(input.TouchStart, -20)
	touch(input.TouchStart, -20, 20)
	touch(input.TouchMove, -40, 40)
	touch(input.TouchEnd)
	b.frames()
	check(b, true, `state.selected !== null`)
}

func TestThemes(t *testing.T) {
	b := open(t, testPage(2), 390, 844)
	check(b, true, `document.documentElement.scrollWidth <= 390`)
	contrast := func() {
		t.Helper()
		if lowest := value[float64](b, `Math.min(...theme.texts.map((c) => contrast(c, theme.paper)), contrast(theme.ink, theme.paper), contrast(theme.quiet, theme.paper))`); lowest < 4.4 {
			t.Errorf("the contrast of a text is %.2f", lowest)
		}
	}
	check(b, false, `theme.dark`)
	contrast()
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
	b.frames()
	check(b, true, `theme.dark`)
	contrast()
	check(b, true, `RAMP.every((_, k) => contrast(ramp(k / (RAMP.length - 1), theme.ramp), theme.paper) > 1.9)`)
	value[bool](b, `(() => { play(); return true; })()`)
	b.run(chromedp.Poll(`playing === null`, nil))
	value[bool](b, `(() => { window.dispatchEvent(new Event('beforeprint')); return true; })()`)
	check(b, false, `theme.dark`)
}

// TestPrint: a page of paper has the whole table, and canvases that are layers of their own:
// printed, a canvas that is cleared would clear what is below it.
func TestPrint(t *testing.T) {
	b := open(t, testPage(2, 3), 700, 900)
	b.run(emulation.SetEmulatedMedia().WithMedia("print"))
	value[bool](b, `(() => { window.dispatchEvent(new Event('beforeprint')); return true; })()`)
	b.frames()
	check(b, true, `document.documentElement.scrollWidth <= 700 && document.querySelector('table').clientWidth <= 700`)
	check(b, 0, `[...document.querySelectorAll('.plot > canvas')].filter((canvas) => getComputedStyle(canvas).opacity === '1').length`)
	check(b, 0, `byId('tools').clientHeight`)
}

// TestUnknown: images of unknown classes are a class of their own, without a ray, and
// prototypes are drawn.
func TestUnknown(t *testing.T) {
	p := testPage(2, 3)
	for i := 50; i < 60; i++ {
		p.Images.Labels[i] = 3 // also of the spaces
		p.Spaces[0].Predicted[i] = int32(3 - i%2)
	}
	p.Spaces[0].Prototypes = []Prototype{{[]float32{1, 2}, 0}, {[]float32{-3, 1}, 2}}
	b := open(t, p, 1280, 900)
	check(b, 4, `document.querySelectorAll('#classes label').length`)
	check(b, 4, `data.classes.length`)
	check(b, 3, `known`)
	check(b, false, `isMistake(data.spaces[0], 50) || !isMistake(data.spaces[0], 51)`)
	check(b, true, `isMistake(data.spaces[1], 50)`)
	value[bool](b, `(() => { pin(50); return true; })()`)
	check(b, "Image 50, unknown, Space 2-D: unknown, Space 3-D: zero", `byId('status').textContent`)
	check(b, 2, `views[0].prototypes.length / 3`)
	check(b, true, `(() => { const view = views[0], [x, y] = view.projection()(1, 2, 0), [r, g, blue] = view.front.getContext('2d').getImageData(x, y, 1, 1).data;
		return [r, g, blue].join() === theme.classes[0].join(); })()`)
	b.click("#none")
	b.click("#classes label:nth-of-type(4) input")
	check(b, "10 of 60 images", `byId('count').textContent`)
}

// TestImages: images in the place of points do not cover each other.
func TestImages(t *testing.T) {
	b := open(t, largePage(3_000), 900, 700)
	b.click("#images")
	check(b, "", `(() => {
		const drawn = [], draw = drawImage;
		window.drawImage = (context, images, i, x, y, width, height) => { drawn.push([x, y, width, height]); };
		views[0].drawFront();
		window.drawImage = draw;
		if (drawn.length < 30) return drawn.length + ' images';
		for (const [k, [x, y, width, height]] of drawn.entries()) {
			for (const [u, v] of drawn.slice(0, k)) if (Math.abs(x - u) < width && Math.abs(y - v) < height) return [x, y, u, v].join();
		}
		return '';
	})()`)
}

// TestDirections: without their norms, points of more dimensions than are drawn keep the length that
// they have along the axes, also on the way of a training.
func TestDirections(t *testing.T) {
	b := open(t, testPage(5), 1280, 900)
	length := func(i int) float64 {
		return value[float64](b, `Math.hypot(...views[0].places.subarray(3 * %d, 3 * %d + 3))`, i, i)
	}
	before, norm := length(7), value[float64](b, `data.spaces[0].norms[7]`)
	ray := value[float64](b, `Math.hypot(...views[0].rays.subarray(0, 3))`)
	b.click("#sphere")
	if got, want := length(7), before/norm; math.Abs(got-want) > 1e-5 || want > 0.999 {
		t.Errorf("point 7 has the length %v, want %v, less than 1", got, want)
	}
	if again := value[float64](b, `Math.hypot(...views[0].rays.subarray(0, 3))`); ray > 0.999 || again != ray {
		t.Errorf("the first ray has the length %v, and %v without norms; want both the same, less than 1", ray, again)
	}
	value[bool](b, `(setTime(0), true)`)
	i := value[int](b, `data.spaces[0].trace.indices[1]`)
	if got := length(i); got > 0.999 || got < 0.1 {
		t.Errorf("in the training, point %d has the length %v, want less than 1", i, got)
	}
}

// TestFrame: in a notebook, the page takes the place of its picture when it is there and runs.
func TestFrame(t *testing.T) {
	p := testPage(2)
	folder := t.TempDir()
	html, err := p.frame("one", "page.html", []byte("a picture"))
	if err != nil {
		t.Fatal(err)
	}
	notebook := filepath.Join(folder, "notebook.html")
	if err := os.WriteFile(notebook, []byte("<!DOCTYPE html>"+html), 0o666); err != nil {
		t.Fatal(err)
	}
	shown := `JSON.stringify([document.querySelector('img').hidden, document.querySelector('iframe').clientHeight > 500])`
	b := openFile(t, notebook, 1000, 800)
	time.Sleep(500 * time.Millisecond)
	check(b, `[false,false]`, "%s", shown)
	if err := p.Save(filepath.Join(folder, "page.html")); err != nil {
		t.Fatal(err)
	}
	b = openFile(t, notebook, 1000, 800)
	b.run(chromedp.Poll(`document.querySelector('img').hidden`, nil))
	check(b, `[true,true]`, "%s", shown)
	if !strings.Contains(html, "A &lt;title&gt;") || strings.Contains(html, "A <title>") {
		t.Errorf("the title is not escaped: %s", html)
	}
}

// TestManyClasses: their list scrolls, and the page is not wider for it.
func TestManyClasses(t *testing.T) {
	p := &Page{Title: "Many", Images: Images{Pixels: gray(1, 0), Height: 1, Width: 1, Channels: 1}}
	s := viz.Scatter{Title: "Many", Dim: 2}
	for class := range 120 {
		s.ClassNames = append(s.ClassNames, fmt.Sprintf("a long name of class %d", class))
		for k := range 2 {
			p.Images.Labels = append(p.Images.Labels, int32(class))
			s.Points = append(s.Points, float32(class%11), float32(class/11+k))
		}
	}
	s.Labels = p.Images.Labels
	p.Spaces = []Space{{Scatter: s}}
	b := open(t, p, 390, 844)
	check(b, true, `document.documentElement.scrollWidth <= 390`)
	check(b, true, `byId('classes').clientHeight < 300`)
	check(b, true, `byId('mistakes-label').hidden && byId('unsure-label').hidden && byId('training').hidden && byId('regions-label').hidden`)
	b.click("#images")
}

// TestFade: the color of a point at the far end is nearest to that of its own class. Distances
// are those of OKLab.
func TestFade(t *testing.T) {
	p := testPage(2)
	for class := 3; class < 10; class++ {
		p.Spaces[0].ClassNames = append(p.Spaces[0].ClassNames, fmt.Sprint(class))
	}
	p.Spaces[0].Scores, p.Spaces[0].ClassVectors, p.Spaces[0].Trace = nil, nil, nil
	b := open(t, p, 600, 600)
	for _, dark := range []bool{false, true} {
		check(b, "", `(() => {
			const lab = (color) => {
				const [r, g, b] = color.map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
				const l = Math.cbrt(0.4122 * r + 0.5363 * g + 0.0514 * b), m = Math.cbrt(0.2119 * r + 0.6807 * g + 0.1074 * b), s = Math.cbrt(0.0883 * r + 0.2817 * g + 0.63 * b);
				return [0.2105 * l + 0.7936 * m - 0.0041 * s, 1.978 * l - 2.4286 * m + 0.4506 * s, 0.0259 * l + 0.7828 * m - 0.8087 * s];
			};
			setTheme(%t);
			const near = theme.classes.map(lab);
			return theme.classes.map((color, k) => nearest(near.flat(), 3, lab(faded(color, theme.paper, 0)), 1, -1)[0] === k ? '' : k).join('');
		})()`, dark)
	}
}

// TestScript tests the functions of the page that know nothing of it.
func TestScript(t *testing.T) {
	b := open(t, testPage(2), 600, 600)
	for expression, want := range map[string]string{
		`[...byDepth(Float32Array.of(0.9, 0.1, 0.5, 1))]`:                                           `[1,2,0,3]`,
		`[...shuffled(9)].sort()`:                                                                   `[0,1,2,3,4,5,6,7,8]`,
		`nearest(Float32Array.of(0, 0, 3, 4, 1, 0, 0, 2), 2, [0, 0], 2, 0)`:                         `[2,3]`,
		`nearest(Float32Array.of(5, 1, 3), 1, [0], 9, -1)`:                                          `[1,2,0]`,
		`[...ranks(Float32Array.of(3, 1, 2, 9))]`:                                                   `[0.5,0,0.25,0.75]`,
		`[isInside([[0, 0], [4, 0], [0, 4]], 1, 1), isInside([[0, 0], [4, 0], [0, 4]], 3, 3)]`:      `[true,false]`,
		`[...placed(Float32Array.of(1, 2, 3, 4), 2, null)]`:                                         `[1,2,0,3,4,0]`,
		`[...placed(Float32Array.of(1, 2, 3, 4), 4, [0,0,0,1, 1,0,0,0, 0,2,0,0])]`:                  `[4,1,4]`,
		`[...normalize(Float32Array.of(3, 0, 4, 0, 0, 0))].map((x) => x.toFixed(1))`:                `["0.6","0.0","0.8","0.0","0.0","0.0"]`,
		`ticks(-1, 1, 4).map(({ text }) => text)`:                                                   `["−1.0","−0.5","0.0","0.5","1.0"]`,
		`[short(1234567), short(-0.5), short(0), short(NaN), short(12.34567)]`:                      `["1.23e+6","−0.5","0","none","12.35"]`,
		`Math.round(contrast([0, 0, 0], [255, 255, 255]))`:                                          `21`,
		`contrast(readable([255, 255, 0], [255, 255, 255], [0, 0, 0], 4.5), [255, 255, 255]) > 4.5`: `true`,
		`[ramp(0, RAMP), ramp(1, RAMP), ramp(NaN, RAMP)]`:                                           `[[68,1,84],[253,231,37],[128,128,128]]`,
		`ticks(1, 1 + 2 ** -52, 3).length < 31`:                                                     `true`,
		`[0.5, 12.5, 123.4, 7].map(epochText)`:                                                      `["0.50","12.5","123.4","7"]`,
		`[...decodeIntegers(':AP8='), ...decodeIntegers('/////w==')]`:                               `[0,255,-1]`,
		`[...decode('AACAPwAAAEA=', Float32Array)]`:                                                 `[1,2]`,
	} {
		check(b, want, `JSON.stringify(%s)`, expression)
	}
}

// BenchmarkTurn measures the time to the first picture and that of a frame while a 3-D space
// is turned. Where EMBEDSPACE_PLOTLY is the path of plotly.js's gl3d bundle (npm
// plotly.js-gl3d-dist-min), plotly draws the same points, to compare.
func BenchmarkTurn(b *testing.B) {
	plotly := os.Getenv("EMBEDSPACE_PLOTLY")
	for _, n := range []int{10_000, 70_000} {
		for _, bench := range []struct {
			name string
			open func(b *testing.B) *browser
			turn string // turns by 3 degrees
		}{
			{"webgl", func(b *testing.B) *browser { return open(b, largePage(n), 1280, 900) }, `views[0].turn(3, 0)`},
			{"canvas", func(b *testing.B) *browser {
				return open(b, largePage(n), 1280, 900, chromedp.Flag("disable-3d-apis", true))
			}, `views[0].turn(3, 0)`},
			{"plotly", func(b *testing.B) *browser { return openPlotly(b, plotly, n) }, `await turn(3)`},
		} {
			b.Run(fmt.Sprint(n, "/", bench.name), func(b *testing.B) {
				if bench.name == "plotly" && plotly == "" {
					b.Skip("EMBEDSPACE_PLOTLY is not set: no comparison with plotly")
				}
				page := bench.open(b)
				frame := 0.
				for b.Loop() {
					frame = value[float64](page, `(async () => {
						const times = [];
						let before = performance.now();
						for (let k = 0; k < 11; k++) {
							%s;
							await new Promise(requestAnimationFrame);
							times.push(performance.now() - before);
							before = performance.now();
						}
						return times.sort((x, y) => x - y)[5];
					})()`, bench.turn)
				}
				b.ReportMetric(frame, "ms/frame")
				b.ReportMetric(value[float64](page, `performance.getEntriesByName('drawn')[0].startTime`), "ms-to-first-picture")
			})
		}
	}
}

// openPlotly opens a page on which plotly draws the points of largePage(n) in the colours of
// their classes.
func openPlotly(b *testing.B, library string, n int) *browser {
	b.Helper()
	space := largePage(n).Spaces[0]
	var coordinates [3][]float32
	var colors []string
	for i, label := range space.Labels {
		for j := range coordinates {
			coordinates[j] = append(coordinates[j], space.Points[3*i+j])
		}
		clr := viz.Color(int(label))
		colors = append(colors, fmt.Sprintf("#%02x%02x%02x", clr.R, clr.G, clr.B))
	}
	data, err := json.Marshal(map[string]any{"x": coordinates[0], "y": coordinates[1], "z": coordinates[2], "colors": colors})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "plotly.html")
	if err := os.WriteFile(path, fmt.Appendf(nil, `<!DOCTYPE html><meta charset="utf-8"><script src="file://%s"></script>
		<div id="plot" style="width: 880px; height: 612px"></div><script>
		const { x, y, z, colors } = %s;
		const plot = document.getElementById('plot');
		let angle = 0;
		const eye = () => ({ x: 1.6 * Math.cos(angle), y: 1.6 * Math.sin(angle), z: 0.7 });
		const turn = (degrees) => { angle += degrees * Math.PI / 180; return Plotly.relayout(plot, { 'scene.camera.eye': eye() }); };
		Plotly.newPlot(plot, [{ type: 'scatter3d', mode: 'markers', x, y, z, marker: { size: 2, color: colors, opacity: 0.9 } }],
			{ scene: { camera: { eye: eye() } }, margin: { l: 0, r: 0, t: 0, b: 0 } }).then(() => performance.mark('drawn'));
		</script>`, library, data), 0o666); err != nil {
		b.Fatal(err)
	}
	page := openFile(b, path, 1280, 900)
	page.run(chromedp.Poll(`performance.getEntriesByName('drawn').length > 0`, nil))
	return page
}
