package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
)

// regionImage returns the picture of the decision regions, with a line along their
// borders.
func (p *plotted) regionImage() (*image.RGBA, error) {
	n := p.pixels(1)
	classes, err := p.regionClasses(n)
	if err != nil {
		return nil, err
	}
	return paintRegions(classes, n, len(p.scatter.ClassNames)), nil
}

// regionClasses returns the class that the decision rule chooses for each of n x n
// pixels, row by row from the top.
func (p *plotted) regionClasses(n int) ([]int32, error) {
	coordinate := func(k, axis int) float32 {
		x := p.space.center[axis] + p.space.half*(float64(2*k+1)/float64(n)-1)
		return float32(min(max(x, -math.MaxFloat32), math.MaxFloat32))
	}
	points := make([]float32, 0, 2*n*n)
	for y := range n {
		for x := range n {
			points = append(points, coordinate(x, 0), coordinate(n-1-y, 1))
		}
	}
	classes, err := p.scatter.Regions(points)
	if err != nil {
		return nil, err
	}
	if len(classes) != n*n {
		return nil, fmt.Errorf("%d classes for %d points: %w", len(classes), n*n, ErrLength)
	}
	for i, class := range classes {
		if class < 0 || int(class) > len(p.scatter.ClassNames) {
			return nil, fmt.Errorf("class %d at (%g, %g), of %d classes: %w",
				class, coordinate(i%n, 0), coordinate(n-1-i/n, 1), len(p.scatter.ClassNames), ErrLabel)
		}
	}
	return classes, nil
}

// paintRegions returns an image of n x n pixels of these classes, of which the one after the last
// is white.
func paintRegions(classes []int32, n, classCount int) *image.RGBA {
	colors := make([]color.RGBA, classCount)
	for i := range colors {
		colors[i] = tint(i)
	}
	colors = append(colors, white)
	border := int32(len(colors))
	colors = append(colors, borderLine)
	// A pixel belongs to the border if its right or lower neighbour has another class.
	owner := make([]int32, n*n)
	for i, class := range classes {
		owner[i] = class
		if i%n < n-1 && classes[i+1] != class || i/n < n-1 && classes[i+n] != class {
			owner[i] = border
		}
	}
	// A 3 x 3 binomial filter smooths the steps of the border.
	img := image.NewRGBA(image.Rect(0, 0, n, n))
	weights := [...]int{1, 2, 1}
	for y := range n {
		for x := range n {
			var r, g, b int
			for dy, wy := range weights {
				for dx, wx := range weights {
					px, py := min(max(x+dx-1, 0), n-1), min(max(y+dy-1, 0), n-1)
					clr := colors[owner[py*n+px]]
					r, g, b = r+wx*wy*int(clr.R), g+wx*wy*int(clr.G), b+wx*wy*int(clr.B)
				}
			}
			img.SetRGBA(x, y, color.RGBA{uint8((r + 8) / 16), uint8((g + 8) / 16), uint8((b + 8) / 16), 0xff})
		}
	}
	return img
}

// drawRegions draws the decision regions over the area.
func (p *plotted) drawRegions(c vg.Canvas, sharpness float64) {
	img := p.regions
	if n := p.pixels(sharpness); n != img.Rect.Dx() {
		img = image.NewRGBA(image.Rect(0, 0, n, n))
		draw.ApproxBiLinear.Scale(img, img.Rect, p.regions, p.regions.Rect, draw.Src, nil)
	}
	c.DrawImage(p.area, img)
}
