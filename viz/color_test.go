package viz

import (
	"fmt"
	"image/color"
	"math"
	"testing"
)

// closest returns the smallest difference between two of the colours, as an observer
// sees them.
func closest(colors []color.RGBA, observer string) float64 {
	least := math.Inf(1)
	for i, p := range colors {
		for _, q := range colors[:i] {
			least = min(least, ciede2000(labAs(p, machado[observer]), labAs(q, machado[observer])))
		}
	}
	return least
}

func TestPaletteForColourBlindReaders(t *testing.T) {
	var tab10 []color.RGBA
	for _, hex := range []int{
		0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728, 0x9467bd, 0x8c564b, 0xe377c2, 0x7f7f7f, 0xbcbd22, 0x17becf,
	} {
		tab10 = append(tab10, color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff})
	}
	for observer, want := range map[string]float64{
		"normal vision": 23, "protanopia": 15, "deuteranopia": 15, "tritanopia": 15,
	} {
		ours, theirs := closest(palette[:], observer), closest(tab10, observer)
		t.Logf("%-13s closest pair %.1f, in tab10 %.1f", observer, ours, theirs)
		if ours < want || ours < 1.4*theirs {
			t.Errorf("%s: closest pair %.1f, in tab10 %.1f", observer, ours, theirs)
		}
	}
	for i, clr := range palette {
		if d := ciede2000(labAs(clr, machado["normal vision"]), [3]float64{100, 0, 0}); d < 20 {
			t.Errorf("colour %d is only %.1f from white", i, d)
		}
	}
}

// The pairs are from table 1 of Sharma, Wu and Dalal (2005).
func TestCIEDE2000(t *testing.T) {
	for _, test := range []struct {
		p, q [3]float64
		want float64
	}{
		{[3]float64{50, 2.6772, -79.7751}, [3]float64{50, 0, -82.7485}, 2.0425},
		{[3]float64{50, 0, 0}, [3]float64{50, -1, 2}, 2.3669},
		{[3]float64{50, 2.49, -0.001}, [3]float64{50, -2.49, 0.0011}, 7.2195},
		{[3]float64{50, 2.5, 0}, [3]float64{56, -27, -3}, 31.9030},
		{[3]float64{2.0776, 0.0795, -1.135}, [3]float64{0.9033, -0.0636, -0.5514}, 0.9082},
		{[3]float64{22.7233, 20.0904, -46.694}, [3]float64{23.0331, 14.973, -42.5619}, 2.0373},
	} {
		if got := ciede2000(test.p, test.q); math.Abs(got-test.want) > 1e-4 {
			t.Errorf("%v to %v: %.4f, want %.4f", test.p, test.q, got, test.want)
		}
	}
}

func TestColorBeyondThePalette(t *testing.T) {
	used := make(map[color.RGBA]int)
	for i := range 300 {
		clr := Color(i)
		if j, ok := used[clr]; ok {
			t.Errorf("classes %d and %d have colour %v", j, i, clr)
		}
		used[clr] = i
		if i > 0 {
			d := ciede2000(labAs(clr, machado["normal vision"]), labAs(Color(i-1), machado["normal vision"]))
			if d < 15 {
				t.Errorf("classes %d and %d differ by %.1f", i-1, i, d)
			}
		}
		if i >= len(palette) && clr.A != 0xff {
			t.Errorf("class %d has colour %v", i, clr)
		}
	}
}

func TestOKLCH(t *testing.T) {
	// From CSS Color Module Level 4: red is oklch(62.8% 0.25768 29.234).
	red := toOKLCH(color.RGBA{255, 0, 0, 255})
	if math.Abs(red.l-0.62796) > 1e-4 || math.Abs(red.c-0.25768) > 1e-4 || math.Abs(red.h*180/math.Pi-29.234) > 0.02 {
		t.Errorf("red is %+v", red)
	}
	for _, clr := range append(palette[:], white, black, gray) {
		if got := toOKLCH(clr).rgb(); !closeTo(got.R, clr.R) || !closeTo(got.G, clr.G) || !closeTo(got.B, clr.B) {
			t.Errorf("%v comes back as %v", clr, got)
		}
	}
}

// The contrast of text to white is at least 4.5 (WCAG 2.2, 1.4.3).
func TestTextContrast(t *testing.T) {
	for i := range 100 {
		d := darker(Color(i))
		y := 0.2126*decodeSRGB(d.R) + 0.7152*decodeSRGB(d.G) + 0.0722*decodeSRGB(d.B)
		if contrast := 1.05 / (y + 0.05); contrast < 4.5 {
			t.Errorf("label of class %d: contrast %.2f", i, contrast)
		}
	}
}

func ExampleColor() {
	for i := range 3 {
		c := Color(i)
		fmt.Printf("#%02x%02x%02x\n", c.R, c.G, c.B)
	}
	// Output:
	// #156ca8
	// #d96900
	// #00a86d
}

// For all readers, points stand out from every region, and so do the borders: without
// them, not all of these light tints could be told apart.
func TestTints(t *testing.T) {
	var tints []color.RGBA
	for i := range palette {
		tints = append(tints, tint(i))
	}
	for observer := range machado {
		own, nearest, border := 100., 100., 100.
		for i := range palette {
			for j, clr := range tints {
				d := ciede2000(labAs(Color(i), machado[observer]), labAs(clr, machado[observer]))
				if nearest = min(nearest, d); i == j {
					own = min(own, d)
				}
				border = min(border, ciede2000(labAs(borderLine, machado[observer]), labAs(clr, machado[observer])))
			}
		}
		regions := closest(append(tints, white), observer)
		t.Logf("%-13s point to its region %.1f, to any %.1f, border %.1f, regions %.1f", observer, own, nearest, border, regions)
		if own < 13 || nearest < 6.5 || border < 20 {
			t.Errorf("%s: point to its region %.1f, to any %.1f, border %.1f", observer, own, nearest, border)
		}
	}
}
