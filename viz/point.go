package viz

import "math"

// point is a point or a vector of the drawn space. Its third coordinate is 0 in 2-D.
type point [3]float64

func (p point) norm() float64 { return math.Sqrt(p.dot(p)) }

func (p point) dot(q point) float64 { return p[0]*q[0] + p[1]*q[1] + p[2]*q[2] }

func (p point) scale(s float64) point { return point{s * p[0], s * p[1], s * p[2]} }

func (p point) add(q point) point { return point{p[0] + q[0], p[1] + q[1], p[2] + q[2]} }

func (p point) sub(q point) point { return point{p[0] - q[0], p[1] - q[1], p[2] - q[2]} }
