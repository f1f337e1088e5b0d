package viz

import (
	"image/color"
	"math"
)

// machado holds the matrices in linear RGB that simulate dichromats (severity
// 1.0; Machado, Oliveira and Fernandes 2009,
// https://doi.org/10.1109/TVCG.2009.113), and the identity.
var machado = map[string][3][3]float64{
	"normal vision": {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia": {
		{0.152286, 1.052583, -0.204868},
		{0.114503, 0.786281, 0.099216},
		{-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {
		{0.367322, 0.860646, -0.227968},
		{0.280085, 0.672501, 0.047413},
		{-0.011820, 0.042940, 0.968881}},
	"tritanopia": {
		{1.255528, -0.076749, -0.178779},
		{-0.078411, 0.930809, 0.147602},
		{0.004733, 0.691367, 0.303900}},
}

// labAs returns the CIELAB (D65) coordinates of a colour as seen by an observer.
func labAs(clr color.RGBA, observer [3][3]float64) (lab [3]float64) {
	in := [3]float64{decodeSRGB(clr.R), decodeSRGB(clr.G), decodeSRGB(clr.B)}
	var rgb [3]float64
	for i, row := range observer {
		for j, m := range row {
			rgb[i] += m * in[j]
		}
		rgb[i] = min(max(rgb[i], 0), 1)
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*rgb[0] + 0.3575761*rgb[1] + 0.1804375*rgb[2]) / 0.95047)
	y := f(0.2126729*rgb[0] + 0.7151522*rgb[1] + 0.0721750*rgb[2])
	z := f((0.0193339*rgb[0] + 0.1191920*rgb[1] + 0.9503041*rgb[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// ciede2000 is the colour difference of Sharma, Wu and Dalal 2005
// (https://doi.org/10.1002/col.20070).
func ciede2000(p, q [3]float64) float64 {
	rad := math.Pi / 180
	c1, c2 := math.Hypot(p[1], p[2]), math.Hypot(q[1], q[2])
	c7 := math.Pow((c1+c2)/2, 7)
	g := 0.5 * (1 - math.Sqrt(c7/(c7+math.Pow(25, 7))))
	a1, a2 := (1+g)*p[1], (1+g)*q[1]
	c1, c2 = math.Hypot(a1, p[2]), math.Hypot(a2, q[2])
	hue := func(b, a float64) float64 {
		if a == 0 && b == 0 {
			return 0
		}
		return math.Mod(math.Atan2(b, a)/rad+360, 360)
	}
	h1, h2 := hue(p[2], a1), hue(q[2], a2)
	dl, dc, dh := q[0]-p[0], c2-c1, h2-h1
	switch {
	case c1*c2 == 0:
		dh = 0
	case dh > 180:
		dh -= 360
	case dh < -180:
		dh += 360
	}
	dH := 2 * math.Sqrt(c1*c2) * math.Sin(dh/2*rad)
	l, c, h := (p[0]+q[0])/2, (c1+c2)/2, (h1+h2)/2
	switch {
	case c1*c2 == 0:
		h = h1 + h2
	case math.Abs(h1-h2) > 180 && h1+h2 < 360:
		h += 180
	case math.Abs(h1-h2) > 180:
		h -= 180
	}
	t := 1 - 0.17*math.Cos((h-30)*rad) + 0.24*math.Cos(2*h*rad) + 0.32*math.Cos((3*h+6)*rad) - 0.20*math.Cos((4*h-63)*rad)
	theta := 30 * math.Exp(-math.Pow((h-275)/25, 2))
	c7 = math.Pow(c, 7)
	rc := 2 * math.Sqrt(c7/(c7+math.Pow(25, 7)))
	sl := 1 + 0.015*(l-50)*(l-50)/math.Sqrt(20+(l-50)*(l-50))
	sc, sh := 1+0.045*c, 1+0.015*c*t
	rt := -math.Sin(2*theta*rad) * rc
	return math.Sqrt(math.Pow(dl/sl, 2) + math.Pow(dc/sc, 2) + math.Pow(dH/sh, 2) + rt*dc/sc*dH/sh)
}
