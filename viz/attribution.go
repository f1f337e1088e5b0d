package viz

import (
	"image"
	"image/color"
	"math"
)

// The ends of the colours of attributions: what adds is orange, what takes away is blue, which
// readers with any colour vision tell apart.
var (
	adds      = color.RGBA{0xc8, 0x52, 0x00, 0xff}
	takesAway = color.RGBA{0x00, 0x5a, 0xa8, 0xff}
)

// The gray levels of the darkest and the brightest pixel below an attribution.
const (
	darkGround   = 0xc6
	brightGround = 0xff
)

// attributed returns an image in pale gray, with an attribution [height*width] drawn over it:
// the larger its magnitude, the less is seen of the image, and from scale on nothing.
func attributed(img image.Image, attribution []float64, scale float64) *image.RGBA {
	bounds := img.Bounds()
	drawn := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			gray := color.GrayModel.Convert(img.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.Gray).Y
			level := uint8(darkGround + int(gray)*(brightGround-darkGround)/0xff)
			share := attribution[y*bounds.Dx()+x] / scale
			if scale == 0 {
				share = 0
			}
			drawn.SetRGBA(x, y, diverging(color.RGBA{level, level, level, 0xff}, share))
		}
	}
	return drawn
}

// diverging returns the colour of a share of the scale, -1 to 1, over a ground. In between it is
// a mixture of the ground and the colour of its sign.
func diverging(ground color.RGBA, share float64) color.RGBA {
	end := adds
	if share < 0 {
		end = takesAway
	}
	return mix(ground, end, min(1, math.Abs(share)))
}
