package viz

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// floor is 1 if the viewer sees the space from above, else -1: the cube's floor
// is the horizontal side behind the points.
func (p *panel) floor() float64 {
	_, _, towards := p.camera.axes()
	if towards[2] < 0 {
		return -1
	}
	return 1
}

func cubeCorner(i int) point {
	return point{float64(i&1)*2 - 1, float64(i>>1&1)*2 - 1, float64(i>>2&1)*2 - 1}
}

// drawCube draws the three sides of the cube behind the points, with the grid
// and, along the edges nearest to the viewer, its tick labels.
func (p *panel) drawCube(c vg.Canvas, v view) {
	_, _, towards := p.camera.axes()
	back := point{-1, -1, -1}
	for j := range back {
		if towards[j] < 0 {
			back[j] = 1
		}
	}
	at := func(u point) vg.Point {
		q := u.scale(p.space.half)
		for j := range q {
			q[j] += p.space.center[j]
		}
		return v(q).Point
	}
	for j := range 3 {
		a, b := (j+1)%3, (j+2)%3
		corner := func(x, y float64) vg.Point {
			u := back
			u[a], u[b] = x, y
			return at(u)
		}
		path := line(corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1))
		path.Close()
		c.SetColor(wall)
		c.Fill(path)
	}
	face := regular(p.tickSize)
	for axis := range 3 {
		end := back
		end[axis] = -back[axis]
		along := at(end).Sub(at(back))
		edgeOn := math.Hypot(float64(along.X), float64(along.Y)) < 0.25*float64(p.side)
		lo := p.space.center[axis] - p.space.half
		values, format := ticks(lo, lo+2*p.space.half, 3)
		for _, value := range values {
			u := back
			u[axis] = (value - p.space.center[axis]) / p.space.half
			if math.Abs(u[axis]) > 0.96 {
				continue // at a corner, where it would be taken for another axis
			}
			c.SetColor(gridLine)
			c.SetLineWidth(0.5)
			for _, other := range []int{(axis + 1) % 3, (axis + 2) % 3} {
				w := u
				w[other] = -back[other]
				c.Stroke(line(at(u), at(w)))
			}
			if edgeOn {
				continue // no room for text
			}
			// The edge along this axis on the outline of the cube: for the
			// upright axis at the left, else on the floor in front.
			w := u
			push := vg.Point{}
			if axis == 2 {
				atLeft := (at(point{-back[0], back[1], u[2]}).X < at(point{back[0], -back[1], u[2]}).X)
				if atLeft {
					w[0] = -back[0]
				} else {
					w[1] = -back[1]
				}
				push = vg.Point{X: -1}
			} else {
				w[1-axis] = -back[1-axis]
				in := u
				in[1-axis] = back[1-axis]
				push = at(w).Sub(at(in))
				push = push.Scale(1 / vg.Length(math.Hypot(float64(push.X), float64(push.Y))))
			}
			text := format(value)
			width, height := face.Width(text), p.tickSize*capHeight
			place := at(w).Add(vg.Point{X: push.X * (width/2 + 4), Y: push.Y * (height/2 + 5)})
			drawText(c, face, place.Sub(vg.Point{X: width / 2, Y: height / 2}), text, gray)
		}
	}
	c.SetColor(axisLine)
	c.SetLineWidth(0.75)
	for i := range 8 {
		for j := range 3 {
			a, b := cubeCorner(i), cubeCorner(i)
			b[j] = -b[j]
			k, l := (j+1)%3, (j+2)%3
			if a[j] < 0 && (a[k] == back[k] || a[l] == back[l]) {
				c.Stroke(line(at(a), at(b)))
			}
		}
	}
}
