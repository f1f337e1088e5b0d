package viz

import (
	"image/color"
	"math"
)

// palette holds the colours of the first ten classes.
var palette = [...]color.RGBA{
	{0x15, 0x6c, 0xa8, 0xff}, // blue
	{0xd9, 0x69, 0x00, 0xff}, // orange
	{0x00, 0xa8, 0x6d, 0xff}, // green
	{0xbb, 0x00, 0x02, 0xff}, // red
	{0x9a, 0x81, 0xf2, 0xff}, // violet
	{0x71, 0x35, 0x45, 0xff}, // maroon
	{0xff, 0x9f, 0xb3, 0xff}, // pink
	{0x91, 0x79, 0x87, 0xff}, // mauve
	{0xd4, 0xcd, 0x3b, 0xff}, // yellow
	{0x45, 0xdb, 0xf9, 0xff}, // sky
}

// Color returns the opaque sRGB colour of class i >= 0.
//
// The first ten colours were searched for so that readers with normal colour vision,
// protanopia, deuteranopia or tritanopia can tell any two of them apart. The smallest
// CIEDE2000 difference between two is 23 for normal vision, and 15 for the others as
// simulated by Machado, Oliveira and Fernandes (2009,
// https://doi.org/10.1109/TVCG.2009.113). For the common palette "tab10" it is 16 and 1.
//
// The colours after those go round the hues of OKLCH in steps of the golden angle, while
// the lightness cycles through three levels. There are as many as needed, and consecutive
// ones differ in both, but not every pair is easy to tell apart.
func Color(i int) color.RGBA {
	if i < len(palette) {
		return palette[i]
	}
	const goldenAngle = math.Pi * (3 - 2.2360679774997896964)
	lightness := [...]float64{0.50, 0.64, 0.78}
	hue := math.Mod(float64(i)*goldenAngle, 2*math.Pi)
	return oklch{l: lightness[i%len(lightness)], c: 0.13, h: hue}.rgb()
}

// oklch is a colour in polar coordinates of the perceptual colour space OKLab (Ottosson
// 2020, https://bottosson.github.io/posts/oklab/): its lightness in [0, 1], its chroma and
// its hue in radians.
type oklch struct{ l, c, h float64 }

// rgb converts to sRGB. A colour outside of its gamut loses chroma.
func (o oklch) rgb() color.RGBA {
	for {
		if rgb, ok := o.linear(); ok || o.c == 0 {
			return color.RGBA{R: encodeSRGB(rgb[0]), G: encodeSRGB(rgb[1]), B: encodeSRGB(rgb[2]), A: 0xff}
		}
		o.c = max(0, o.c-0.005)
	}
}

// linear converts to linear RGB and reports whether the colour is in the gamut of sRGB.
func (o oklch) linear() (rgb [3]float64, inGamut bool) {
	sin, cos := math.Sincos(o.h)
	a, b := o.c*cos, o.c*sin
	l := cubed(o.l + 0.3963377774*a + 0.2158037573*b)
	m := cubed(o.l - 0.1055613458*a - 0.0638541728*b)
	s := cubed(o.l - 0.0894841775*a - 1.2914855480*b)
	rgb = [3]float64{
		4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		-1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		-0.0041960863*l - 0.7034186147*m + 1.7076147010*s,
	}
	const slack = 1e-4
	inGamut = min(rgb[0], rgb[1], rgb[2]) >= -slack && max(rgb[0], rgb[1], rgb[2]) <= 1+slack
	return rgb, inGamut
}

// toOKLCH converts from sRGB, the inverse of rgb.
func toOKLCH(clr color.RGBA) oklch {
	r, g, b := decodeSRGB(clr.R), decodeSRGB(clr.G), decodeSRGB(clr.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	y := 1.9779984951*l - 2.4285922050*m + 0.4505937099*s
	z := 0.0259040371*l + 0.7827717662*m - 0.8086757660*s
	return oklch{
		l: 0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		c: math.Hypot(y, z),
		h: math.Atan2(z, y),
	}
}

func cubed(x float64) float64 { return x * x * x }

// encodeSRGB is the transfer function of sRGB: from linear light in [0, 1] to 0..255.
func encodeSRGB(x float64) uint8 {
	x = min(max(x, 0), 1)
	if x <= 0.0031308 {
		x *= 12.92
	} else {
		x = 1.055*math.Pow(x, 1/2.4) - 0.055
	}
	return uint8(x*255 + 0.5)
}

// decodeSRGB is the inverse of encodeSRGB.
func decodeSRGB(v uint8) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

// darker returns the colour with less lightness, for rays and text on white.
func darker(clr color.RGBA) color.RGBA {
	o := toOKLCH(clr)
	o.l = min(o.l-0.08, 0.50)
	return o.rgb()
}

// mix returns (1-t) a + t b, by channel.
func mix(a, b color.RGBA, t float64) color.RGBA {
	channel := func(a, b uint8) uint8 { return uint8(float64(a)*(1-t) + float64(b)*t + 0.5) }
	return color.RGBA{channel(a.R, b.R), channel(a.G, b.G), channel(a.B, b.B), channel(a.A, b.A)}
}

// The colours of everything but the data.
var (
	white    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	black    = color.RGBA{0x00, 0x00, 0x00, 0xff}
	ink      = color.RGBA{0x22, 0x22, 0x26, 0xff} // titles
	gray     = color.RGBA{0x6b, 0x6b, 0x73, 0xff} // notes, ticks
	axisLine = color.RGBA{0xc4, 0xc4, 0xca, 0xff}
	gridLine = color.RGBA{0xec, 0xec, 0xef, 0xff}
	wall     = color.RGBA{0xfa, 0xfa, 0xfb, 0xff} // of the cube, the sphere and empty panels

	borderLine = color.RGBA{0x8a, 0x8a, 0x94, 0xff} // between decision regions
	sphereLine = color.RGBA{0x9a, 0x9a, 0xa2, 0xff} // outline of the unit circle and sphere
)

// tint returns the colour of the region of class i.
func tint(i int) color.RGBA { return mix(white, Color(i), 0.18) }
