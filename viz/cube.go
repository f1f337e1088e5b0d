package viz

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// cubeView is the cube around a 3-D space as it is seen. Its coordinates go from -1 to 1.
type cubeView struct {
	back point                  // the corner behind all points, where the drawn sides meet
	at   func(u point) vg.Point // maps to the page
}

// cubeView returns the cube of the panel.
func (p *plotted) cubeView(v view) cubeView {
	_, _, towards := p.camera.axes()
	back := point{-1, -1, -1}
	for j := range back {
		if towards[j] < 0 {
			back[j] = 1
		}
	}
	return cubeView{back, func(u point) vg.Point {
		q := u.scale(p.space.half)
		for j := range q {
			q[j] += p.space.center[j]
		}
		return v(q).Point
	}}
}

// floor is 1 if the viewer sees the space from above, else -1: the floor of the cube is
// the horizontal side behind the points.
func (p *plotted) floor() float64 {
	_, _, towards := p.camera.axes()
	if towards[2] < 0 {
		return -1
	}
	return 1
}

// cubeCorner returns corner i of 8.
func cubeCorner(i int) point {
	return point{float64(i&1)*2 - 1, float64(i>>1&1)*2 - 1, float64(i>>2&1)*2 - 1}
}

// drawCube draws the three sides of the cube behind the points, with their grid and its
// tick labels.
func (p *plotted) drawCube(c vg.Canvas, v view) {
	cube := p.cubeView(v)
	cube.drawSides(c)
	var taken []vg.Rectangle // by tick labels
	for _, axis := range []int{2, 0, 1} {
		taken = p.drawCubeAxis(c, cube, axis, taken)
	}
	cube.drawEdges(c)
}

// drawSides fills the three sides behind the points.
func (cube cubeView) drawSides(c vg.Canvas) {
	c.SetColor(wall)
	for normal := range 3 {
		corner := func(x, y float64) vg.Point {
			u := cube.back
			u[(normal+1)%3], u[(normal+2)%3] = x, y
			return cube.at(u)
		}
		side := line(corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1))
		side.Close()
		c.Fill(side)
	}
}

// drawEdges draws the edges of the drawn sides.
func (cube cubeView) drawEdges(c vg.Canvas) {
	c.SetColor(axisLine)
	c.SetLineWidth(0.75)
	for i := range 8 {
		for j := range 3 {
			from, to := cubeCorner(i), cubeCorner(i)
			to[j] = -to[j]
			k, l := (j+1)%3, (j+2)%3
			if from[j] < 0 && (from[k] == cube.back[k] || from[l] == cube.back[l]) {
				c.Stroke(line(cube.at(from), cube.at(to)))
			}
		}
	}
}

// drawCubeAxis draws the grid lines at the ticks of an axis, with their labels where no other
// is, and returns what is taken then.
func (p *plotted) drawCubeAxis(c vg.Canvas, cube cubeView, axis int, taken []vg.Rectangle) []vg.Rectangle {
	end := cube.back
	end[axis] = -cube.back[axis]
	along := cube.at(end).Sub(cube.at(cube.back))
	foreshortened := hypot(along) < 0.25*p.side // no room for text
	lo := p.space.center[axis] - p.space.half
	values, format := ticks(lo, lo+2*p.space.half, 3)
	for _, value := range values {
		tick := cube.back
		tick[axis] = (value - p.space.center[axis]) / p.space.half
		if math.Abs(tick[axis]) > 0.96 {
			continue // at a corner, where it would be taken for another axis
		}
		c.SetColor(gridLine)
		c.SetLineWidth(0.5)
		for _, other := range []int{(axis + 1) % 3, (axis + 2) % 3} {
			to := tick
			to[other] = -cube.back[other]
			c.Stroke(line(cube.at(tick), cube.at(to)))
		}
		if foreshortened {
			continue
		}
		face, text := regular(p.tickSize), format(value)
		width, height := face.Width(text), p.tickSize*capHeight
		edge, out := cube.outline(tick, axis)
		center := edge.Add(vg.Point{X: out.X * (width/2 + 4), Y: out.Y * (height/2 + 5)})
		box := around(center, width+2, height+2)
		if slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return overlap(box, t) }) {
			continue
		}
		taken = append(taken, box)
		drawText(c, face, center.Sub(vg.Point{X: width / 2, Y: height / 2}), text, gray)
	}
	return taken
}

// outline returns where on the outline of the cube a tick of an axis has its label, and
// the unit vector from there away from the cube. The labels of the upright axis are on
// the left, those of the others along the front edges of the floor.
func (cube cubeView) outline(tick point, axis int) (at, out vg.Point) {
	edge := tick
	if axis == 2 {
		if cube.at(point{-cube.back[0], cube.back[1], tick[2]}).X < cube.at(point{cube.back[0], -cube.back[1], tick[2]}).X {
			edge[0] = -cube.back[0]
		} else {
			edge[1] = -cube.back[1]
		}
		return cube.at(edge), vg.Point{X: -1}
	}
	edge[1-axis] = -cube.back[1-axis]
	out = cube.at(edge).Sub(cube.at(tick))
	return cube.at(edge), out.Scale(1 / hypot(out))
}
