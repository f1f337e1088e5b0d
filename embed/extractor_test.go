package embed

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/embed/internal/vectors"
	"github.com/embedspace/embedspace/viz"
)

// TestLayers compares with numbers by hand: a convolution has 3*3*inputs weights
// and one bias per filter, a fully connected layer inputs weights and one bias per
// output.
func TestLayers(t *testing.T) {
	for _, test := range []struct {
		name                          string
		cfg                           Config
		size, channels                int
		afterConv1, afterConv2, conv3 int // height and width
		conv1Parameters, fcParameters int
	}{
		// 28 -> 26, 13 -> 11, 5 -> 3; 9*1*32+32; 3*3*128*256+256
		{"MNIST, valid", Config{Padding: "valid"}, 28, 1, 13, 5, 3, 320, 295168},
		// 28, 14, 7; 7*7*128*256+256
		{"MNIST, same", Config{Padding: "same", Dim: 3}, 28, 1, 14, 7, 7, 320, 1605888},
		// 32 -> 30, 15 -> 13, 6 -> 4; 9*3*32+32; 4*4*128*256+256
		{"CIFAR-10, valid", Config{Padding: "valid", Dim: 16}, 32, 3, 15, 6, 4, 896, 524544},
		// 32, 16, 8; 8*8*128*256+256
		{"CIFAR-10, same", Config{Padding: "same", Dim: 1}, 32, 3, 16, 8, 8, 896, 2097408},
	} {
		t.Run(test.name, func(t *testing.T) {
			dim := max(test.cfg.Dim, 1)
			if test.cfg.Dim == 0 {
				dim = 2
			}
			want := []viz.Layer{
				{Name: "image", Output: []int{test.size, test.size, test.channels}, Parameters: 0},
				{Name: "Conv(32) - Pool", Output: []int{test.afterConv1, test.afterConv1, 32}, Parameters: test.conv1Parameters},
				{Name: "Conv(64) - Pool", Output: []int{test.afterConv2, test.afterConv2, 64}, Parameters: 18496}, // 9*32*64+64
				{Name: "Conv(128)", Output: []int{test.conv3, test.conv3, 128}, Parameters: 73856},                // 9*64*128+128
				{Name: "FC(256)", Output: []int{256}, Parameters: test.fcParameters},
				{Name: fmt.Sprintf("FC(%d)", dim), Output: []int{dim}, Parameters: 257 * dim},
			}
			got, err := Layers(test.cfg, test.size, test.size, test.channels)
			if err != nil {
				t.Fatal(err)
			}
			embedtest.CheckEqual(t, "layers", got, want)
		})
	}
}

// TestLayersAreThoseOfTheNetwork: what is described is what is trained.
func TestLayersAreThoseOfTheNetwork(t *testing.T) {
	cfg := small()
	cfg.Dim = 3
	result := mustFitSmall(t, cfg, Options{})
	layers, err := Layers(cfg, 4, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	described, trained := 0, 0
	for _, layer := range layers {
		described += layer.Parameters
	}
	for variable := range result.net.store.IterVariables() {
		if strings.HasPrefix(variable.Path(), "/extractor/") {
			trained += variable.Shape().Size()
		}
	}
	embedtest.CheckEqual(t, "parameters of the extractor", trained, described)
}

// TestInitialNorm: embeddings that are drawn to targets start as near to the origin in many
// dimensions as in three; others have the norm of Xavier's initialization.
func TestInitialNorm(t *testing.T) {
	norm := func(technique string, dim int) float64 {
		cfg := small()
		cfg.Technique, cfg.Dim, cfg.Epochs, cfg.LearningRate = technique, dim, 1, 1e-12
		z := vectors.Rows(mustFitSmall(t, cfg, Options{}).Test.Z, dim)
		return stat.Mean(vectors.Each(z, func(z []float64) float64 { return floats.Norm(z, 2) }), nil)
	}
	for technique, want := range map[string]float64{"regression-raster": 1, "regression-circle": 1, "softmax": math.Sqrt(64. / 3 * 259 / 320)} {
		if got := norm(technique, 64) / norm(technique, 3); got < want/1.5 || got > 1.5*want {
			t.Errorf("%s starts in 64-D with %.2f times the norm of 3-D, want about %.2f", technique, got, want)
		}
	}
}

func TestSmallImages(t *testing.T) {
	for _, test := range []struct {
		padding                string
		height, width, minimum int
	}{
		{"valid", 18, 18, 18}, {"valid", 17, 18, 18}, {"valid", 18, 17, 18},
		{"same", 4, 4, 4}, {"same", 3, 4, 4}, {"same", 4, 3, 4},
	} {
		layers, err := Layers(Config{Padding: test.padding}, test.height, test.width, 1)
		if test.height >= test.minimum && test.width >= test.minimum {
			if err != nil {
				t.Errorf("%d x %d with padding %s: %v", test.height, test.width, test.padding, err)
			} else {
				embedtest.CheckEqual(t, "features in front of FC(256)", layers[3].Output, []int{1, 1, 128})
			}
			continue
		}
		embedtest.WantError(t, err, fmt.Sprintf("%d x %d x 1", test.height, test.width), "padding "+test.padding,
			fmt.Sprintf("%d x %d or more", test.minimum, test.minimum))
	}
	_, err := Layers(Config{}, 28, 28, 0)
	embedtest.WantError(t, err, "28 x 28 x 0", "1 channel or more")

	train, test := embedtest.Patterns(9, 3, 1, 1), embedtest.Patterns(9, 3, 1, 2)
	_, err = Fit(t.Context(), Config{Padding: "same", Batch: 9}, train, test, quiet(Options{}))
	embedtest.WantError(t, err, "3 x 3 x 1", "4 x 4 or more")
}

func TestActivations(t *testing.T) {
	inRange := map[string]func(z float32) bool{
		"linear":  func(z float32) bool { return true },
		"relu":    func(z float32) bool { return z >= 0 },
		"sigmoid": func(z float32) bool { return z > 0 && z < 1 },
		"selu":    func(z float32) bool { return z > -1.7581 }, // -scale*alpha
	}
	names := slices.Sorted(maps.Keys(inRange))
	const n, size, channels, dim = 5, 6, 3, 16
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		store := model.NewStore()
		if err := store.SetRNGStateFromSeed(1); err != nil {
			t.Fatal(err)
		}
		images := tensors.FromFlatDataAndDimensions(embedtest.Patterns(n, size, channels, 1).Images, n, size, size, channels)
		outputs, err := model.CallOnceN(backend, store, func(scope *model.Scope, images *graph.Node) (all []*graph.Node) {
			for _, name := range names {
				all = append(all, extract(scope.In("%s", name), pixels(images), Config{Dim: dim, Padding: "same", Activation: name}))
			}
			return all
		}, images)
		if err != nil {
			t.Fatal(err)
		}
		for i, z := range flat(outputs) {
			embedtest.CheckEqual(t, names[i]+": shape", outputs[i].Shape().Dimensions, []int{n, dim})
			negative, distinct := 0, map[float32]bool{}
			for _, x := range z {
				if !inRange[names[i]](x) {
					t.Errorf("%s: z has the element %g", names[i], x)
				}
				if x < 0 {
					negative++
				}
				distinct[x] = true
			}
			if len(distinct) < len(z)/4 {
				t.Errorf("%s: only %d of %d elements are distinct", names[i], len(distinct), len(z))
			}
			if (names[i] == "linear" || names[i] == "selu") && negative == 0 {
				t.Errorf("%s: no element is negative", names[i])
			}
		}
	})
}
