package measure

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// Two classes of two points each, made by hand.
var byHand = Embedding{
	Dim:    2,
	Z:      []float32{0, 0, 2, 0, 4, 3, 4, 5},
	Labels: []int32{0, 0, 2, 2}, Classes: 3,
}

func TestMeans(t *testing.T) {
	embedtest.CheckEqual(t, "means", byHand.Means(), [][]float64{{1, 0}, {0, 0}, {4, 4}})
}

func TestDistanceRatio(t *testing.T) {
	if got, want := byHand.DistanceRatio(), 1./5; math.Abs(got-want) > 1e-12 { // means (1,0), (4,4): 5 apart
		t.Errorf("got %g, want %g", got, want)
	}
	if one := (Embedding{Dim: 1, Z: []float32{1, 2}, Labels: []int32{0, 0}, Classes: 2}).DistanceRatio(); !math.IsNaN(one) {
		t.Errorf("one class: got %g, want NaN", one)
	}
	if same := (Embedding{Dim: 1, Z: []float32{1, 3, 2}, Labels: []int32{0, 0, 1}, Classes: 2}).DistanceRatio(); !math.IsNaN(same) {
		t.Errorf("two classes with the same mean: got %g, want NaN", same)
	}
}

func TestSilhouettes(t *testing.T) {
	near := func(what string, got, want []float64) {
		t.Helper()
		if !slices.EqualFunc(got, want, func(x, y float64) bool { return math.Abs(x-y) < 1e-12 || math.IsNaN(x) && math.IsNaN(y) }) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	nextTo := func(distances ...float64) float64 { // a class in which the other point is 2 away
		b := (distances[0] + distances[1]) / 2
		return (b - 2) / b
	}
	near("by hand", byHand.Silhouettes(), []float64{
		nextTo(5, math.Sqrt(41)), nextTo(math.Sqrt(13), math.Sqrt(29)), nextTo(5, math.Sqrt(13)), nextTo(math.Sqrt(41), math.Sqrt(29))})
	near("in the other class, and alone", Embedding{Dim: 1, Z: []float32{0, 4, 5}, Labels: []int32{0, 0, 1}, Classes: 2}.Silhouettes(),
		[]float64{0.2, -0.75, 0})
	near("one class", Embedding{Dim: 1, Z: []float32{0, 4}, Labels: []int32{1, 1}, Classes: 2}.Silhouettes(), []float64{math.NaN(), math.NaN()})
	near("no points", Embedding{Dim: 1, Classes: 2}.Silhouettes(), nil)

	defer func() {
		if recover() == nil {
			t.Error("too few coordinates: no panic, or one that can't be recovered")
		}
	}()
	Embedding{Dim: 2, Z: make([]float32, 199), Labels: make([]int32, 100), Classes: 1}.Silhouettes()
}

func TestAngularSpread(t *testing.T) {
	e := Embedding{Dim: 2, Z: []float32{1, 0, 0, 7, -2, 0, -3, 0, 0, 0}, Labels: []int32{0, 0, 1, 1, 1}, Classes: 2}
	if got, want := e.AngularSpread(), math.Pi/8; math.Abs(got-want) > 1e-12 { // 45, 45, 0 and 0 degrees, and none
		t.Errorf("got %g, want %g", got, want)
	}
	origin := Embedding{Dim: 2, Z: []float32{0, 0, 0, 0}, Labels: []int32{0, 1}, Classes: 2}
	if got := origin.AngularSpread(); !math.IsNaN(got) {
		t.Errorf("points at the origin have no angle: got %g, want NaN", got)
	}
	opposite := Embedding{Dim: 2, Z: []float32{1, 7, -3, -21, 2, 9, -6, -27}, Labels: []int32{0, 0, 1, 1}, Classes: 2}
	if got := opposite.AngularSpread(); !math.IsNaN(got) {
		t.Errorf("classes of opposite points have no direction: got %g, want NaN", got)
	}
	narrow := Embedding{Dim: 2, Z: []float32{1, 1e-10, 1, -1e-10}, Labels: []int32{0, 0}, Classes: 2}
	if got := narrow.AngularSpread(); math.Abs(got-1e-10) > 1e-16 {
		t.Errorf("a small angle: got %g, want 1e-10", got)
	}
}

// clouds returns n points of classes in turn, normally distributed around a center of
// their class. The centers don't depend on n and the seed.
func clouds(n, dim, classes int, deviation float64, seed uint64) Embedding {
	centers := rand.New(rand.NewPCG(0, 0))
	means := make([]float64, classes*dim)
	for i := range means {
		means[i] = centers.NormFloat64()
	}
	random := rand.New(rand.NewPCG(seed, 0))
	e := Embedding{Dim: dim, Z: make([]float32, n*dim), Labels: make([]int32, n), Classes: classes}
	for i := range e.Z {
		class := i / dim % classes
		e.Labels[i/dim] = int32(class)
		e.Z[i] = float32(means[class*dim+i%dim] + deviation*random.NormFloat64())
	}
	return e
}

// onGrid returns n points with few different coordinates, so that many distances and
// points are equal. Class 0 is the largest, each other one is rarer.
func onGrid(n, dim, classes int, seed uint64) Embedding {
	random := rand.New(rand.NewPCG(seed, 1))
	e := Embedding{Dim: dim}
	for range n {
		e.Labels = append(e.Labels, int32(random.IntN(1+random.IntN(classes))))
		e.Predicted = append(e.Predicted, int32(random.IntN(classes)))
		for range dim {
			e.Z = append(e.Z, float32(random.IntN(4))-1)
		}
	}
	return e
}

func mustMeasure(t *testing.T, e, reference Embedding, classes int) Metrics {
	t.Helper()
	e.Classes, reference.Classes = classes, classes
	m, err := e.Metrics(reference)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkMetrics fails unless got is want, up to a tolerance of each number but those of
// classes that touch. NaN is NaN.
func checkMetrics(t *testing.T, what string, got, want Metrics, tolerance float64) {
	t.Helper()
	check(t, what, reflect.ValueOf(got), reflect.ValueOf(want), tolerance)
}

func check(t *testing.T, what string, got, want reflect.Value, tolerance float64) {
	t.Helper()
	for i := range got.NumField() {
		name := what + ": " + got.Type().Field(i).Name
		switch a, b := got.Field(i), want.Field(i); a.Kind() {
		case reflect.Struct:
			check(t, name, a, b, tolerance)
		case reflect.Slice:
			embedtest.CheckEqual(t, name, a.Interface(), b.Interface())
		default:
			if x, y := a.Float(), b.Float(); math.IsNaN(x) != math.IsNaN(y) || math.Abs(x-y) > tolerance {
				t.Errorf("%s is %v, want %v", name, x, y)
			}
		}
	}
}

// naive measures as the definitions read, with loops over everything.
func naive(test, reference Embedding, classes int) Metrics {
	m := naiveInSpace(test, reference, classes)
	unit := func(e Embedding) Embedding {
		z := slices.Clone(e.Z)
		for i := range e.Labels {
			squares := 0.
			for _, x := range e.Z[i*e.Dim : (i+1)*e.Dim] {
				squares += float64(x) * float64(x)
			}
			for d := i * e.Dim; d < (i+1)*e.Dim && squares > 0; d++ {
				z[d] = float32(float64(e.Z[d]) / math.Sqrt(squares))
			}
		}
		e.Z = z
		return e
	}
	m.OnSphere = naiveInSpace(unit(test), unit(reference), classes).Distances
	return m
}

// naiveInSpace measures all but OnSphere.
func naiveInSpace(test, reference Embedding, classes int) Metrics {
	point := func(e Embedding, i int) []float64 {
		var z []float64
		for d := range e.Dim {
			z = append(z, float64(e.Z[i*e.Dim+d]))
		}
		return z
	}
	length := func(x []float64) float64 {
		sum := 0.
		for _, v := range x {
			sum += v * v
		}
		return math.Sqrt(sum)
	}
	distance := func(x, y []float64) float64 {
		var difference []float64
		for d := range x {
			difference = append(difference, x[d]-y[d])
		}
		return length(difference)
	}
	angle := func(x, y []float64) float64 {
		dot := 0.
		for d := range x {
			dot += x[d] * y[d]
		}
		return math.Acos(min(max(dot/length(x)/length(y), -1), 1))
	}
	// mean returns the mean of the points of a class, or of their unit vectors, and
	// whether there is one.
	mean := func(e Embedding, class int, unit bool) ([]float64, bool) {
		sum, n := make([]float64, e.Dim), 0.
		for i, label := range e.Labels {
			if int(label) != class {
				continue
			}
			n++
			z := point(e, i)
			for d := range z {
				if !unit {
					sum[d] += z[d]
				} else if length(z) > 0 {
					sum[d] += z[d] / length(z)
				}
			}
		}
		for d := range sum {
			sum[d] /= n
		}
		return sum, n > 0
	}
	ratio := func(sum, n float64) Measure { return Measure(sum / n) }
	n := float64(len(test.Labels))
	var m Metrics

	right := 0.
	for i, label := range test.Labels {
		if test.Predicted[i] == label {
			right++
		}
	}
	m.Accuracy = ratio(right, n)

	right = 0
	for i, label := range test.Labels {
		best, least := -1, math.Inf(1)
		for class := range classes {
			if c, ok := mean(reference, class, false); ok && distance(point(test, i), c) < least {
				best, least = class, distance(point(test, i), c)
			}
		}
		if best == int(label) {
			right++
		}
	}
	m.NearestMeanAccuracy = ratio(right, n)

	// The classes of the reference, from near to far.
	order := func(i int) []int32 {
		var indices []int
		for j := range reference.Labels {
			indices = append(indices, j)
		}
		sort.SliceStable(indices, func(a, b int) bool {
			return distance(point(test, i), point(reference, indices[a])) < distance(point(test, i), point(reference, indices[b]))
		})
		var labels []int32
		for _, j := range indices {
			labels = append(labels, reference.Labels[j])
		}
		return labels
	}
	count := func(labels []int32, class int32) float64 {
		n := 0.
		for _, label := range labels {
			if label == class {
				n++
			}
		}
		return n
	}
	right = 0
	recalled, precision, findable := 0., 0., 0.
	strays := make([][]float64, classes)
	for j := range strays {
		strays[j] = make([]float64, classes)
	}
	for i, label := range test.Labels {
		near := order(i)
		voters := near[:min(5, len(near))]
		winner := voters[0]
		for _, class := range voters {
			if count(voters, class) > count(voters, winner) {
				winner = class
			}
		}
		if winner == label {
			right++
		}
		strays[label][near[0]]++
		r := int(count(reference.Labels, label))
		if r == 0 {
			continue
		}
		findable++
		if near[0] == label {
			recalled++
		}
		for k := 1; k <= r; k++ {
			if near[k-1] == label {
				precision += count(near[:k], label) / float64(k) / float64(r)
			}
		}
	}
	m.KNNAccuracy = ratio(right, n)
	m.RecallAt1, m.MAPAtR = ratio(recalled, findable), ratio(precision, findable)

	m.Touching = []Touch{}
	for j := range classes {
		for k := j + 1; k < classes; k++ {
			share := 0.
			if c := count(test.Labels, int32(j)); c > 0 {
				share = max(share, strays[j][k]/c)
			}
			if c := count(test.Labels, int32(k)); c > 0 {
				share = max(share, strays[k][j]/c)
			}
			if share >= 0.01 {
				m.Touching = append(m.Touching, Touch{[2]int{j, k}, share})
			}
		}
	}
	sort.SliceStable(m.Touching, func(a, b int) bool { return m.Touching[a].Share > m.Touching[b].Share })

	total := 0.
	for i, own := range test.Labels {
		a, b := 0., math.Inf(1)
		for class := range classes {
			sum, others := 0., 0.
			for j, label := range test.Labels {
				if int(label) == class && i != j {
					sum += distance(point(test, i), point(test, j))
					others++
				}
			}
			if others > 0 && class == int(own) {
				a = sum / others
			} else if others > 0 {
				b = min(b, sum/others)
			}
		}
		switch {
		case math.IsInf(b, 1):
			total = math.NaN()
		case count(test.Labels, own) > 1 && max(a, b) > 0:
			total += (b - a) / max(a, b)
		}
	}
	m.Silhouette = ratio(total, n)

	spread := func(class int) float64 {
		c, _ := mean(test, class, false)
		sum := 0.
		for i, label := range test.Labels {
			if int(label) == class {
				sum += distance(point(test, i), c)
			}
		}
		return sum / count(test.Labels, int32(class))
	}
	total, present, pairs := 0, 0., 0.
	intra, inter, apart := 0., 0., 0.
	for j := range classes {
		cj, ok := mean(test, j, false)
		if !ok {
			continue
		}
		present++
		intra += spread(j) * count(test.Labels, int32(j))
		worst := 0.
		for k := range classes {
			ck, ok := mean(test, k, false)
			if k == j || !ok {
				continue
			}
			pairs++
			inter += distance(cj, ck)
			if distance(cj, ck) > 0 {
				apart++
				worst = max(worst, (spread(j)+spread(k))/distance(cj, ck))
			}
		}
		total += worst
	}
	m.DaviesBouldin, m.DistanceRatio = ratio(total, present), ratio(intra/n, inter/pairs)
	if apart == 0 {
		m.DaviesBouldin, m.DistanceRatio = Measure(math.NaN()), Measure(math.NaN())
	}

	total, angles := 0, 0.
	for i, label := range test.Labels {
		if direction, _ := mean(test, int(label), true); length(point(test, i)) > 0 && length(direction) > 1e-12 {
			total += angle(point(test, i), direction)
			angles++
		}
	}
	m.AngularSpread = ratio(total, angles)

	var directions [][]float64
	for class := range classes {
		if direction, ok := mean(test, class, true); ok && length(direction) > 1e-12 {
			directions = append(directions, direction)
		}
	}
	total = 0
	for j := range directions {
		least := math.Inf(1)
		for k := range directions {
			if j != k {
				least = min(least, angle(directions[j], directions[k]))
			}
		}
		total += least
	}
	m.NeighbourAngle = ratio(total, float64(len(directions)))
	if len(directions) < 2 {
		m.NeighbourAngle = Measure(math.NaN())
	}

	sum := 0.
	for i := range test.Labels {
		sum += length(point(test, i))
	}
	squares := 0.
	for i := range test.Labels {
		squares += math.Pow(length(point(test, i))-sum/n, 2)
	}
	m.NormMean, m.NormVariation = ratio(sum, n), ratio(math.Sqrt(squares/n), sum/n)
	return m
}

func TestMetrics(t *testing.T) {
	for _, dim := range []int{1, 2, 3, 7} {
		for seed := range uint64(20) {
			// As many classes as there are points, and fewer; some are empty.
			n, classes := 2+int(seed), 2+int(seed)%7
			test, reference := onGrid(n, dim, classes, 2*seed), onGrid(2*n, dim, classes, 2*seed+1)
			what := fmt.Sprintf("%d points of a grid in %d-D, seed %d", n, dim, seed)
			checkMetrics(t, what, mustMeasure(t, test, reference, classes), naive(test, reference, classes), 1e-7)

			test, reference = clouds(n, dim, classes, 0.5, 2*seed), clouds(3*n, dim, classes, 0.5, 2*seed+1)
			test.Predicted = test.Labels
			what = fmt.Sprintf("%d points of clouds in %d-D, seed %d", n, dim, seed)
			checkMetrics(t, what, mustMeasure(t, test, reference, classes), naive(test, reference, classes), 1e-7)
		}
	}
}

// atAngles returns points in the plane by their angles, in radians, and their lengths.
func atAngles(labels []int32, angles, lengths []float64) Embedding {
	e := Embedding{Dim: 2, Labels: labels, Classes: 2}
	for i, angle := range angles {
		sin, cos := math.Sincos(angle)
		e.Z = append(e.Z, float32(lengths[i]*cos), float32(lengths[i]*sin))
	}
	return e
}

// TestMetricsOnSphere has values worked by hand: two rays at right angles, with short and
// long points.
func TestMetricsOnSphere(t *testing.T) {
	labels, lengths, right, side := []int32{0, 0, 1, 1}, []float64{1, 100, 1, 100}, math.Pi/2, 0.1
	reference := atAngles(labels, []float64{0, 0, right, right}, lengths)
	test := atAngles(labels, []float64{side, -side, right - side, right + side}, lengths)
	got := mustMeasure(t, test, reference, 2)

	chord := func(angle float64) float64 { return 2 * math.Sin(angle/2) }
	silhouette := func(b float64) float64 { return (b - chord(2*side)) / b }
	want := Distances{
		NearestMeanAccuracy: 1, KNNAccuracy: 1, RecallAt1: 1, MAPAtR: 1,
		Silhouette: Measure(silhouette((chord(right-2*side)+chord(right))/2)+
			silhouette((chord(right)+chord(right+2*side))/2)) / 2,
		DaviesBouldin: Measure(2 * math.Sin(side) / (math.Sqrt2 * math.Cos(side))), // the means are cos(side) long
		DistanceRatio: Measure(math.Sin(side) / (math.Sqrt2 * math.Cos(side))),
		Touching:      []Touch{},
	}
	check(t, "on the sphere", reflect.ValueOf(got.OnSphere), reflect.ValueOf(want), 1e-6)
	// In the space, the other point of its class is further from a short point than the
	// short one of the other class.
	if math.Abs(float64(got.MAPAtR)-0.75) > 1e-12 || got.NearestMeanAccuracy != 1 || got.RecallAt1 != 1 {
		t.Errorf("in the space: %+v, want MAP@R of 0.75, and 1 for the nearest mean and recall", got.Distances)
	}

	alone, err := test.OnSphere().Metrics(reference.OnSphere())
	if err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "the metrics of OnSphere", alone.Distances, got.OnSphere)
}

// TestSphereTies: points of one direction are one point on the sphere, of which the first is
// the nearest.
func TestSphereTies(t *testing.T) {
	for _, direction := range [][]float32{{1}, {-1, 3}, {1, 7, -5}, {3, 1, 4, 1, 5, 9, 2}} {
		reference := Embedding{Dim: len(direction)}
		for i := range 100 {
			for _, x := range direction {
				reference.Z = append(reference.Z, float32(100-i)*x)
			}
			reference.Labels = append(reference.Labels, int32(i%3))
		}
		query := Embedding{Dim: len(direction), Z: direction, Labels: []int32{0}}
		m := mustMeasure(t, query, reference, 3)
		// Labels 0, 1, 2, 0, 1, ...: 34 of class 0, at the places 1, 4, 7, 10, ...
		want := 0.
		for place := 1; place <= 34; place += 3 {
			want += float64((place+2)/3) / float64(place) / 34
		}
		if m.OnSphere.RecallAt1 != 1 || m.OnSphere.KNNAccuracy != 1 || math.Abs(float64(m.OnSphere.MAPAtR)-want) > 1e-12 {
			t.Errorf("direction %v: %+v, want recall and 5-NN of 1, MAP@R of %v", direction, m.OnSphere, want)
		}
	}
}

// TestMetricsOfScikitLearn compares with values of scikit-learn; testdata has the script.
func TestMetricsOfScikitLearn(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "metrics_sklearn.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name          string
			Dim           int
			Z             []float32
			Labels        []int32
			Silhouette    float64
			DaviesBouldin float64 `json:"davies_bouldin"`
		}
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		e := Embedding{Dim: c.Dim, Z: c.Z, Labels: c.Labels}
		m := mustMeasure(t, e, e, 5)
		want := m
		want.Silhouette, want.DaviesBouldin = Measure(c.Silhouette), Measure(c.DaviesBouldin)
		checkMetrics(t, c.Name, m, want, 1e-9)
	}
}

// TestMAPAtR has values worked by hand: ten results of which some are right, where ten
// could be.
func TestMAPAtR(t *testing.T) {
	for _, test := range []struct {
		right []int // places, from 1
		want  float64
	}{
		{[]int{1}, 0.1}, {[]int{1, 10}, 0.12}, {[]int{1, 2}, 0.2}, {[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 1},
	} {
		query := Embedding{Dim: 1, Z: []float32{0}, Labels: []int32{0}}
		reference := Embedding{Dim: 1}
		for place := 1; place <= 20; place++ {
			label := int32(1)
			if slices.Contains(test.right, place) || place > 10+len(test.right) {
				label = 0
			}
			reference.Z, reference.Labels = append(reference.Z, float32(place)), append(reference.Labels, label)
		}
		m := mustMeasure(t, query, reference, 2)
		if math.Abs(float64(m.MAPAtR)-test.want) > 1e-12 || m.RecallAt1 != 1 {
			t.Errorf("places %v: MAP@R is %v and recall@1 %v, want %v and 1", test.right, m.MAPAtR, m.RecallAt1, test.want)
		}
	}
}

func TestKNNTies(t *testing.T) {
	query := Embedding{Dim: 1, Z: []float32{0}, Labels: []int32{1}}
	for _, test := range []struct {
		name   string
		z      []float32
		labels []int32
		want   Measure
	}{
		{"two classes twice, class 1 is nearer", []float32{2, 1, 3, 4, 5}, []int32{0, 1, 0, 1, 2}, 1},
		{"two classes twice, class 0 is nearer", []float32{1, 2, 3, 4, 5}, []int32{0, 1, 0, 1, 2}, 0},
		{"at the same distance, class 1 is first", []float32{1, -1, 1, -1}, []int32{1, 0, 0, 1}, 1},
		{"at the same distance, class 0 is first", []float32{1, -1, 1, -1}, []int32{0, 1, 1, 0}, 0},
		{"the sixth does not vote", []float32{1, 2, 3, 4, 5, 6}, []int32{1, 1, 0, 0, 2, 0}, 1},
		{"fewer than five", []float32{1, 2, 3}, []int32{0, 1, 1}, 1},
	} {
		m := mustMeasure(t, query, Embedding{Dim: 1, Z: test.z, Labels: test.labels}, 3)
		embedtest.CheckEqual(t, test.name, m.KNNAccuracy, test.want)
	}
}

func TestTouching(t *testing.T) {
	// Class 0 at 0, 1 at 10, 2 at 20. One of 100 points of class 0 lies at 9, one of
	// 101 of class 1 at 19, and two of 50 of class 2 at 1.
	reference := Embedding{Dim: 1, Z: []float32{0, 10, 20}, Labels: []int32{0, 1, 2}}
	test := Embedding{Dim: 1}
	add := func(n int, z float32, label int32) {
		for range n {
			test.Z, test.Labels = append(test.Z, z), append(test.Labels, label)
		}
	}
	add(99, 0, 0)
	add(1, 9, 0)
	add(100, 10, 1)
	add(1, 19, 1)
	add(48, 20, 2)
	add(2, 1, 2)
	embedtest.CheckEqual(t, "touching", mustMeasure(t, test, reference, 4).Touching,
		[]Touch{{[2]int{0, 2}, 0.04}, {[2]int{0, 1}, 0.01}})
}

// transformed rotates points in each plane of two neighbouring axes, then scales and
// moves them.
func transformed(e Embedding, angle, scale, move float64) Embedding {
	sin, cos := math.Sincos(angle)
	z := make([]float32, 0, len(e.Z))
	for i := range e.Labels {
		p := e.at(i)
		for d := range e.Dim - 1 {
			p[d], p[d+1] = cos*p[d]-sin*p[d+1], sin*p[d]+cos*p[d+1]
		}
		for _, x := range p {
			z = append(z, float32(scale*x+move))
		}
	}
	e.Z = z
	return e
}

// stretch scales points, each by a factor of its own between two.
func stretch(e Embedding, from, to float64) Embedding {
	random := rand.New(rand.NewPCG(3, 0))
	z := make([]float32, 0, len(e.Z))
	for i := range e.Labels {
		factor := from * math.Pow(to/from, random.Float64())
		for _, x := range e.at(i) {
			z = append(z, float32(factor*x))
		}
	}
	e.Z = z
	return e
}

func TestMetricsInvariance(t *testing.T) {
	for _, dim := range []int{2, 3, 8} {
		test, reference := clouds(60, dim, 4, 0.4, 1), clouds(120, dim, 4, 0.4, 2)
		test.Predicted = test.Labels
		before := mustMeasure(t, test, reference, 4)

		rotated := mustMeasure(t, transformed(test, 1, 1, 0), transformed(reference, 1, 1, 0), 4)
		checkMetrics(t, fmt.Sprintf("rotated in %d-D", dim), rotated, before, 1e-5)

		stretched := mustMeasure(t, stretch(test, 3, 0.1), stretch(reference, 4, 10), 4)
		want := stretched
		want.OnSphere, want.AngularSpread, want.NeighbourAngle = before.OnSphere, before.AngularSpread, before.NeighbourAngle
		checkMetrics(t, fmt.Sprintf("stretched in %d-D", dim), stretched, want, 1e-5)
		if math.Abs(float64(stretched.MAPAtR-before.MAPAtR)) < 0.01 || stretched.Silhouette > before.Silhouette-0.01 {
			t.Errorf("stretched in %d-D: MAP@R of %v and silhouette of %v in the space, want others than %v and %v",
				dim, stretched.MAPAtR, stretched.Silhouette, before.MAPAtR, before.Silhouette)
		}

		want = before
		want.NormMean *= 3
		scaled := mustMeasure(t, transformed(test, 0, 3, 0), transformed(reference, 0, 3, 0), 4)
		checkMetrics(t, fmt.Sprintf("scaled in %d-D", dim), scaled, want, 1e-5)

		moved := mustMeasure(t, transformed(test, 0, 1, 5), transformed(reference, 0, 1, 5), 4)
		want = before
		want.AngularSpread, want.NeighbourAngle = moved.AngularSpread, moved.NeighbourAngle
		want.NormMean, want.NormVariation, want.OnSphere = moved.NormMean, moved.NormVariation, moved.OnSphere
		checkMetrics(t, fmt.Sprintf("moved in %d-D", dim), moved, want, 1e-5)
		if moved.NormVariation > before.NormVariation/2 || moved.AngularSpread > before.AngularSpread/2 {
			t.Errorf("moved away from the origin in %d-D: norms vary by %v and angles by %v, want less than half of %v and %v",
				dim, moved.NormVariation, moved.AngularSpread, before.NormVariation, before.AngularSpread)
		}
	}
}

// Odd embeddings, with what is undefined.
func TestMetricsOfOddEmbeddings(t *testing.T) {
	nan := Measure(math.NaN())
	embedding := func(labels []int32, z ...float32) Embedding {
		return Embedding{Dim: 2, Z: z, Labels: labels, Predicted: labels}
	}
	// same has the same distances on the sphere.
	same := func(d Distances, m Metrics) Metrics {
		m.Distances, m.OnSphere = d, d
		return m
	}
	far := float32(math.MaxFloat32)
	for _, test := range []struct {
		name      string
		test      Embedding
		reference Embedding
		want      Metrics
	}{
		{
			"each class is one point",
			embedding([]int32{0, 0, 1, 1, 1, 4}, 0.1, 0, 0.1, 0, 0, 0.1, 0, 0.1, 0, 0.1, -0.1, 0),
			embedding([]int32{4, 1, 1, 0}, -0.1, 0, 0, 0.1, 0, 0.1, 0.1, 0),
			same(Distances{NearestMeanAccuracy: 1, KNNAccuracy: 0.5, RecallAt1: 1, MAPAtR: 1, // two of three classes are too small for 5-NN
				Silhouette: 5. / 6, DaviesBouldin: 0, DistanceRatio: 0, Touching: []Touch{}},
				Metrics{Accuracy: 1, AngularSpread: 0, NeighbourAngle: math.Pi / 2, NormMean: Measure(float64(float32(0.1))), NormVariation: 0}),
		},
		{
			"all at one point but the origin",
			embedding([]int32{0, 0, 1, 1}, 0.1, 0.7, 0.1, 0.7, 0.1, 0.7, 0.1, 0.7),
			embedding([]int32{0, 1}, 0.1, 0.7, 0.1, 0.7),
			same(Distances{NearestMeanAccuracy: 0.5, KNNAccuracy: 0.5, RecallAt1: 0.5, MAPAtR: 0.5,
				Silhouette: 0, DaviesBouldin: nan, DistanceRatio: nan, Touching: []Touch{{[2]int{0, 1}, 1}}},
				Metrics{Accuracy: 1, AngularSpread: 0, NeighbourAngle: 0, NormMean: Measure(math.Sqrt(0.5)), NormVariation: 0}),
		},
		{
			"all at the origin",
			embedding([]int32{0, 1}, 0, 0, 0, 0),
			embedding([]int32{1, 0}, 0, 0, 0, 0),
			same(Distances{NearestMeanAccuracy: 0.5, KNNAccuracy: 0.5, RecallAt1: 0.5, MAPAtR: 0.5,
				Silhouette: 0, DaviesBouldin: nan, DistanceRatio: nan, Touching: []Touch{{[2]int{0, 1}, 1}}},
				Metrics{Accuracy: 1, AngularSpread: nan, NeighbourAngle: nan, NormMean: 0, NormVariation: nan}),
		},
		{
			"one class",
			embedding([]int32{2, 2}, 1, 0, 3, 0),
			embedding([]int32{2}, 9, 9),
			same(Distances{NearestMeanAccuracy: 1, KNNAccuracy: 1, RecallAt1: 1, MAPAtR: 1,
				Silhouette: nan, DaviesBouldin: nan, DistanceRatio: nan, Touching: []Touch{}},
				Metrics{Accuracy: 1, AngularSpread: 0, NeighbourAngle: nan, NormMean: 2, NormVariation: 0.5}),
		},
		{
			"no class of the test in the reference",
			embedding([]int32{0, 1}, 1, 0, 0, 1),
			embedding([]int32{2}, 1, 0),
			same(Distances{NearestMeanAccuracy: 0, KNNAccuracy: 0, RecallAt1: nan, MAPAtR: nan,
				Silhouette: 0, DaviesBouldin: 0, DistanceRatio: 0, Touching: []Touch{{[2]int{0, 2}, 1}, {[2]int{1, 2}, 1}}},
				Metrics{Accuracy: 1, AngularSpread: 0, NeighbourAngle: math.Pi / 2, NormMean: 1, NormVariation: 0}),
		},
		{
			"one of two test classes in the reference",
			embedding([]int32{0, 1}, 1, 0, 0, 1),
			embedding([]int32{0}, 1, 0),
			same(Distances{NearestMeanAccuracy: 0.5, KNNAccuracy: 0.5, RecallAt1: 1, MAPAtR: 1,
				Silhouette: 0, DaviesBouldin: 0, DistanceRatio: 0, Touching: []Touch{{[2]int{0, 1}, 1}}},
				Metrics{Accuracy: 1, AngularSpread: 0, NeighbourAngle: math.Pi / 2, NormMean: 1, NormVariation: 0}),
		},
		{
			"the largest numbers, with opposite directions",
			embedding([]int32{0, 0, 1, 1}, far, 0, far, 0, -far, 0, -far, 0),
			embedding([]int32{0, 1}, far, 0, -far, 0),
			same(Distances{NearestMeanAccuracy: 1, KNNAccuracy: 1, RecallAt1: 1, MAPAtR: 1,
				Silhouette: 1, DaviesBouldin: 0, DistanceRatio: 0, Touching: []Touch{}},
				Metrics{Accuracy: 1, AngularSpread: 0, NeighbourAngle: math.Pi, NormMean: Measure(far), NormVariation: 0}),
		},
		{
			"not predicted",
			Embedding{Dim: 1, Z: []float32{1, 2}, Labels: []int32{0, 1}},
			Embedding{Dim: 1, Z: []float32{1, 2}, Labels: []int32{0, 1}},
			Metrics{
				Distances: Distances{NearestMeanAccuracy: 1, KNNAccuracy: 1, RecallAt1: 1, MAPAtR: 1,
					Silhouette: 0, DaviesBouldin: 0, DistanceRatio: 0, Touching: []Touch{}},
				OnSphere: Distances{NearestMeanAccuracy: 0.5, KNNAccuracy: 0.5, RecallAt1: 0.5, MAPAtR: 0.5,
					Silhouette: 0, DaviesBouldin: nan, DistanceRatio: nan, Touching: []Touch{{[2]int{0, 1}, 1}}},
				Accuracy: nan, AngularSpread: 0, NeighbourAngle: 0, NormMean: 1.5, NormVariation: 1. / 3},
		},
	} {
		got := mustMeasure(t, test.test, test.reference, 5)
		checkMetrics(t, test.name, got, test.want, 1e-7)

		content, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		var read Metrics
		if err := json.Unmarshal(content, &read); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		checkMetrics(t, test.name+", read from "+string(content), read, got, 0)
	}
}

func TestMeasureJSON(t *testing.T) {
	content, err := json.Marshal([]Measure{0.5, Measure(math.NaN())})
	embedtest.CheckEqual(t, "JSON", fmt.Sprint(string(content), err), "[0.5,null]<nil>")
	var m Measure
	embedtest.WantError(t, json.Unmarshal([]byte(`"much"`), &m), "string", "float64")
}

// TestOldMetricsJSON: what was written before there were distances on the sphere.
func TestOldMetricsJSON(t *testing.T) {
	nan := Measure(math.NaN())
	want := Metrics{Accuracy: 0.5, Distances: Distances{MAPAtR: 0.25, Touching: []Touch{{[2]int{0, 1}, 0.5}}}, NormMean: 2,
		OnSphere: Distances{nan, nan, nan, nan, nan, nan, nan, nil}}
	content := []byte(`{"accuracy": 0.5, "map_at_r": 0.25, "touching": [{"classes": [0, 1], "share": 0.5}], "norm_mean": 2}`)
	for range 2 { // as it was, and as it is written now
		var m Metrics
		if err := json.Unmarshal(content, &m); err != nil {
			t.Fatal(err)
		}
		checkMetrics(t, "read from "+string(content), m, want, 0)
		var err error
		if content, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
	}
	embedtest.WantError(t, json.Unmarshal([]byte(`{"on_sphere": {"map_at_r": "much"}}`), &Metrics{}), "string", "float64")
}

func TestMetricsRefuse(t *testing.T) {
	two := func() Embedding {
		return Embedding{Dim: 2, Z: []float32{1, 2, 3, 4}, Labels: []int32{0, 1}, Predicted: []int32{0, 1}, Classes: 2}
	}
	for _, test := range []struct {
		spoil func(e *Embedding)
		words []string
	}{
		{func(e *Embedding) { *e = Embedding{Dim: 2, Classes: 2} }, []string{"no", "points", "1 or more"}},
		{func(e *Embedding) { e.Dim = 0 }, []string{"0 dimensions", "1 or more"}},
		{func(e *Embedding) { e.Z = e.Z[:3] }, []string{"3 coordinates of 2", "4, with 2 dimensions"}},
		{func(e *Embedding) { e.Predicted = e.Predicted[:1] }, []string{"1 predicted classes of 2"}},
		{func(e *Embedding) { e.Labels[1] = -1 }, []string{"point 1 is -1", "0 to 1"}},
		{func(e *Embedding) { e.Labels[1] = 2 }, []string{"point 1 is 2", "0 to 1"}},
		{func(e *Embedding) { e.Z[3] = float32(math.NaN()) }, []string{"coordinate 1", "point 1 is NaN", "finite"}},
		{func(e *Embedding) { e.Z[2] = float32(math.Inf(-1)) }, []string{"coordinate 0", "point 1 is -Inf", "finite"}},
	} {
		bad := two()
		test.spoil(&bad)
		_, err := bad.Metrics(two())
		embedtest.WantError(t, err, append(test.words, "test point")...)
		_, err = two().Metrics(bad)
		embedtest.WantError(t, err, append(test.words, "reference point")...)
	}
	_, err := two().Metrics(Embedding{Dim: 4, Z: []float32{1, 2, 3, 4}, Labels: []int32{0}, Classes: 2})
	embedtest.WantError(t, err, "test points have 2 dimensions", "4")
	_, err = two().Metrics(Embedding{Dim: 2, Z: []float32{1, 2}, Labels: []int32{0}, Classes: 1})
	embedtest.WantError(t, err, "test points have 2 classes", "1")
}

// TestMetricsRepeat: neither the number of goroutines nor chance changes a bit.
func TestMetricsRepeat(t *testing.T) {
	test, reference := clouds(100, 3, 4, 0.5, 1), clouds(300, 3, 4, 0.5, 2)
	test.Predicted = test.Labels
	var first Metrics
	for i, procs := range []int{1, 2, 3, 8, 8} {
		before := runtime.GOMAXPROCS(procs)
		m := mustMeasure(t, test, reference, 4)
		runtime.GOMAXPROCS(before)
		if i == 0 {
			first = m
		}
		embedtest.CheckEqual(t, fmt.Sprintf("with %d", procs), m, first)
	}
}

func TestRanking(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for name, squared := range map[string]func(i int) float64{
		"random":       func(int) float64 { return random.Float64() },
		"near by":      func(int) float64 { return 1 + 1e-15*float64(random.IntN(9)) }, // closer than float32 resolves
		"near and far": func(i int) float64 { return math.Pow(10, float64(random.IntN(150)-75)) },
		"three":        func(int) float64 { return float64(random.IntN(3)) },
		"equal":        func(int) float64 { return 0 },
		"in order":     func(i int) float64 { return float64(i) },
		"reversed":     func(i int) float64 { return float64(50 - i) },
	} {
		for size := range 50 {
			r := newRanking(size)
			var want []int32
			for n := range size + 1 {
				want = nil
				for i := range size {
					r.squared[i] = squared(i)
					want = append(want, int32(i))
				}
				sort.SliceStable(want, func(i, j int) bool { return r.squared[want[i]] < r.squared[want[j]] })
				got := []int32{}
				for _, e := range r.first(n) {
					got = append(got, e.index)
				}
				if !slices.Equal(got, want[:n]) {
					t.Fatalf("%s: the first %d of %v are %v, want %v", name, n, r.squared, got, want[:n])
				}
			}
		}
	}
}
