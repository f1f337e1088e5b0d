package viz

import (
	"image/color"
	"math"
	"sort"
	"strings"
	"sync"
	"unicode"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The text is in Liberation Sans. It has the metrics of Arial and Helvetica, which replace
// it where a browser does not have it.
var (
	regularTTF = sync.OnceValue(func() *opentype.Font { return mustParse(liberationsansregular.TTF) })
	boldTTF    = sync.OnceValue(func() *opentype.Font { return mustParse(liberationsansbold.TTF) })
)

func mustParse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(err)
	}
	return f
}

// regular and bold return the faces of text, for a font size in points.
func regular(size vg.Length) font.Face {
	return font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, Face: regularTTF()}
}

func bold(size vg.Length) font.Face {
	return font.Face{
		Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightBold, Size: size},
		Face: boldTTF(),
	}
}

// capHeight is the height of the capital letters of Liberation Sans, in units of the font
// size. It is what centres text vertically.
const capHeight = 0.716

// printable returns text that is valid in XML and takes one line. Control characters
// become spaces, and invalid UTF-8 becomes U+FFFD.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, text)
}

// fit returns the face and the text for a width. Text that is too wide is shrunk, down to
// 70 % of its size, and then cut.
func fit(face font.Face, text string, width vg.Length) (font.Face, string) {
	if w := face.Width(text); w > width {
		face.Font.Size *= max(0.7, width/w)
	}
	return face, cut(face, text, width)
}

// cut returns the text, shortened and ended with an ellipsis if it is wider than width.
func cut(face font.Face, text string, width vg.Length) string {
	if face.Width(text) <= width {
		return text
	}
	runes := []rune(text)
	fits := sort.Search(len(runes), func(n int) bool { return face.Width(string(runes[:n+1])+"…") > width })
	return string(runes[:fits]) + "…"
}

// wrap breaks text at its spaces into at most that many lines. Words that are wider than
// width, and what does not fit into the last line, are cut.
func wrap(face font.Face, text string, width vg.Length, lines int) (list []string) {
	for _, word := range strings.Fields(text) {
		last := len(list) - 1
		if last >= 0 && (face.Width(list[last]+" "+word) <= width || len(list) == lines) {
			list[last] += " " + word
		} else {
			list = append(list, word)
		}
	}
	for i := range list {
		list[i] = cut(face, list[i], width)
	}
	return list
}

// haloWidth is the width of a halo in units of the font size.
const haloWidth = 0.16

// haloStyle ends the style of a halo in an SVG, where no other text is white.
const haloStyle = "fill:#FFFFFF"

// drawHalo draws a white rim around text that is drawn over it next, so that it is legible
// on any ground. An SVG takes the halo as text, which is much smaller than outlines;
// layout.svg gives it a stroke.
func drawHalo(c vg.Canvas, face font.Face, at vg.Point, text string) {
	c.SetColor(white)
	if _, isSVG := c.(*vgsvg.Canvas); isSVG {
		c.FillString(face, at, text)
		return
	}
	c.SetLineWidth(2 * haloWidth * face.Font.Size)
	c.Stroke(textOutline(face, at, text))
}

// textOutline returns the outlines of text whose baseline starts at a point.
func textOutline(face font.Face, at vg.Point, text string) vg.Path {
	var (
		path  vg.Path
		buf   sfnt.Buffer
		ppem  = fixed.Int26_6(face.Face.UnitsPerEm())
		scale = face.Font.Size / vg.Length(ppem)
	)
	onPage := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: at.X + scale*vg.Length(p.X), Y: at.Y - scale*vg.Length(p.Y)}
	}
	start := at
	for i, r := range text {
		at.X = start.X + face.Width(text[:i])
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		segments, err := face.Face.LoadGlyph(&buf, glyph, ppem, nil)
		if err != nil {
			continue
		}
		for j, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if j > 0 {
					path.Close()
				}
				path.Move(onPage(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(onPage(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(onPage(s.Args[0]), onPage(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(onPage(s.Args[0]), onPage(s.Args[1]), onPage(s.Args[2]))
			}
		}
		if len(segments) > 0 {
			path.Close()
		}
	}
	return path
}

// drawText draws text whose baseline starts at a point. The font kerns two ones so tightly
// that they merge in a small PNG: there it draws them one by one.
func drawText(c vg.Canvas, face font.Face, at vg.Point, text string, clr color.Color) {
	c.SetColor(clr)
	if _, isSVG := c.(*vgsvg.Canvas); !isSVG {
		for i := strings.Index(text, "11"); i >= 0; i = strings.Index(text, "11") {
			c.FillString(face, at, text[:i+1])
			at.X += face.Width(text[:i+1])
			text = text[i+1:]
		}
	}
	c.FillString(face, at, text)
}

// drawTextUp draws text that runs upwards, centred at the middle of its baseline. It fills
// the outlines, as rotated glyphs would be blurred in a PNG.
func drawTextUp(c vg.Canvas, face font.Face, middle vg.Point, text string, clr color.Color) {
	c.Push()
	c.Translate(middle)
	c.Rotate(math.Pi / 2)
	c.SetColor(clr)
	c.Fill(textOutline(face, vg.Point{X: -face.Width(text) / 2}, text))
	c.Pop()
}
