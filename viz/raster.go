package viz

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/plot/vg"
)

// disc is a point of a scatter in an image: its centre and radius are in pixels.
type disc struct {
	x, y, radius float64
	hole         float64 // its radius, in pixels: 0, or the disc is a ring
	near         float64 // as in spot
	color        color.RGBA
}

// stamps holds the masks of discs that were drawn. Radius and position are rounded to
// fractions of a pixel that the eye can't see, so that a few masks serve all points.
type stamps map[stampKey]stamp

// stampKey is a radius and that of the hole, in steps of 1/radiusSteps pixel, and the
// position of the centre within its pixel, in steps of 1/phases.
type stampKey struct{ radius, hole, fx, fy int }

// stamp is the mask of a disc: the share of each pixel that it covers.
type stamp struct {
	x0, y0, width int     // relative to the pixel of the centre
	cover         []uint8 // 0 to 255, row by row
}

const (
	phaseBits    = 2
	phases       = 1 << phaseBits // positions per pixel and direction
	radiusSteps  = 8              // radii per pixel
	subsamples   = 16             // per pixel and direction
	maxStampSize = 64             // largest radius in pixels
)

// draw blends the discs into an image, in their order, all with the same opacity in
// [0, 1].
func (s stamps) draw(img *image.RGBA, discs []disc, opacity float64) {
	alpha := uint32(opacity*255 + 0.5)
	for _, d := range discs {
		px, py := int(math.Floor(d.x*phases+0.5)), int(math.Floor(d.y*phases+0.5))
		radius := min(max(int(d.radius*radiusSteps+0.5), 1), maxStampSize*radiusSteps)
		hole := int(d.hole*radiusSteps + 0.5)
		x, y := px>>phaseBits, py>>phaseBits
		s.get(stampKey{radius, hole, px & (phases - 1), py & (phases - 1)}).blend(img, x, y, d.color, alpha)
	}
}

// get returns the stamp of a key, which it makes the first time.
func (s stamps) get(key stampKey) stamp {
	if st, ok := s[key]; ok {
		return st
	}
	r, hole := float64(key.radius)/radiusSteps, float64(key.hole)/radiusSteps
	cx, cy := float64(key.fx)/phases, float64(key.fy)/phases
	x0, y0 := int(math.Floor(cx-r)), int(math.Floor(cy-r))
	width, height := int(math.Ceil(cx+r))-x0, int(math.Ceil(cy+r))-y0
	st := stamp{x0: x0, y0: y0, width: width, cover: make([]uint8, width*height)}
	for i := range st.cover {
		hits := 0
		for j := range subsamples * subsamples {
			dx := float64(x0+i%width) + (float64(j%subsamples)+0.5)/subsamples - cx
			dy := float64(y0+i/width) + (float64(j/subsamples)+0.5)/subsamples - cy
			if square := dx*dx + dy*dy; square <= r*r && square >= hole*hole {
				hits++
			}
		}
		st.cover[i] = uint8(hits * 255 / (subsamples * subsamples))
	}
	s[key] = st
	return st
}

// blend draws the stamp over the image in a colour, with the centre of the disc in pixel
// (x, y). The opacity alpha is in 0 to 255.
func (s stamp) blend(img *image.RGBA, x, y int, clr color.RGBA, alpha uint32) {
	area := image.Rect(0, 0, s.width, len(s.cover)/s.width).Add(image.Pt(x+s.x0, y+s.y0))
	visible := area.Intersect(img.Rect)
	for py := visible.Min.Y; py < visible.Max.Y; py++ {
		cover := s.cover[(py-area.Min.Y)*s.width+visible.Min.X-area.Min.X:]
		pix := img.Pix[img.PixOffset(visible.Min.X, py):img.PixOffset(visible.Max.X, py)]
		for i := 0; i < len(pix); i += 4 {
			a := uint32(cover[i/4]) * alpha
			if a == 0 {
				continue
			}
			const one = 255 * 255
			over := func(dst *uint8, src uint32) {
				*dst = uint8((src*a + uint32(*dst)*(one-a) + one/2) / one)
			}
			over(&pix[i], uint32(clr.R))
			over(&pix[i+1], uint32(clr.G))
			over(&pix[i+2], uint32(clr.B))
			over(&pix[i+3], 255)
		}
	}
}

// The ring of an unknown point, by the radius of a point: it stands out around a point, and
// leaves its colour to be seen.
const (
	ringRadius = 1.5
	ringHole   = 1
)

// raster returns an image of the area of the panel with the points, the unknown ones on top
// of the others of the same depth, and in a cube their shadows.
func (p *plotted) raster(v view, sharpness float64) *image.RGBA {
	scale := dpi / 72 * sharpness
	pixels := p.pixels(sharpness)
	img := image.NewRGBA(image.Rect(0, 0, pixels, pixels))
	radius := float64(p.radius()) * scale
	opacity := min(0.85, 0.55*math.Pow(float64(len(p.content.points))/10_000, -0.15))

	colors := make([]color.RGBA, len(p.scatter.ClassNames))
	for i := range colors {
		colors[i] = Color(i)
	}
	place := func(q point, class int32) disc {
		at := v(q)
		return disc{
			x:      float64(at.X-p.area.Min.X) * scale,
			y:      float64(p.area.Max.Y-at.Y) * scale,
			radius: radius, near: at.near, color: colors[class],
		}
	}
	discs := make([]disc, len(p.content.points))
	for k, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(p.content.points)) {
		discs[k] = place(p.content.points[i], p.content.labels[i])
	}
	for _, q := range p.content.unknown {
		ring := place(q, 0)
		ring.color, ring.radius, ring.hole = ink, ringRadius*radius, ringHole*radius
		discs = append(discs, ring)
	}
	masks := stamps{}
	if p.content.dim == 3 && !p.scatter.Sphere {
		shadows := make([]disc, len(p.content.points))
		for i, q := range p.content.points {
			q[2] = p.space.center[2] - p.floor()*p.space.half
			shadows[i] = place(q, p.content.labels[i])
			shadows[i].color = mix(shadows[i].color, gray, 0.5)
		}
		masks.draw(img, shadows, 0.15*opacity)
	}
	if p.content.dim == 3 {
		slices.SortStableFunc(discs, func(a, b disc) int { return cmp.Compare(a.near, b.near) })
		for i := range discs {
			d := &discs[i]
			d.radius *= 0.75 + 0.5*d.near
			d.hole *= 0.75 + 0.5*d.near
			d.color = mix(white, d.color, 0.5+math.Round(8*d.near)/16) // few colours make a small file
		}
		opacity = min(0.9, 1.4*opacity)
	}
	masks.draw(img, discs, opacity)
	return img
}

// radius returns the radius of a point on the page.
func (p *plotted) radius() vg.Length {
	r := min(3.4, 1.4*math.Pow(float64(len(p.content.points))/10_000, -0.2))
	return vg.Length(r * math.Pow(float64(p.side/400), 0.7))
}

// pixels returns the width of the panel in pixels, of a picture with sharpness times 144
// dots per inch.
func (p *plotted) pixels(sharpness float64) int {
	return max(1, int(float64(p.side)*dpi/72*sharpness+0.5))
}
