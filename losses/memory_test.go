package losses_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
	"github.com/embedspace/embedspace/losses"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// memoryEnv is the environment variable that makes this test program a child of TestMemory. It
// holds the backend, the loss, the batch, the number of classes and that of dimensions.
const memoryEnv = "EMBEDSPACE_TEST_MEMORY"

// peakFormat is how a child of TestMemory tells its peak of memory, in bytes.
const peakFormat = "peak %d\n"

// raceDetector is whether the race detector is on, which needs memory of its own.
var raceDetector bool

// TestMemory limits the memory of a process that computes a loss and its gradient.
func TestMemory(t *testing.T) {
	type memoryLoss struct {
		loss   lossFn
		inputs []string
	}
	byName := map[string]memoryLoss{
		"all":         {tripletAll(1, true), []string{"z"}},
		"hard":        {tripletHard(1, true), []string{"z"}},
		"semi-hard":   {tripletSemiHard(1), []string{"z"}},
		"contrastive": {contrastive(1), []string{"z"}},
		"means": {func(in nodes) *graph.Node {
			return losses.RunningMeans(in["z"], in["centers"], in["labels"], 0.5)
		}, []string{"z", "centers"}},
	}
	if child := os.Getenv(memoryEnv); child != "" {
		var backend, name string
		var batch, classes, dim int
		if _, err := fmt.Sscan(child, &backend, &name, &batch, &classes, &dim); err != nil {
			t.Fatal(err)
		}
		l := byName[name]
		in, labels := randomInputs(l.inputs, batch, classes, dim)
		p := newPlatform(embedtest.Open(t, backend), dtypes.Float32)
		values, gradients := p.evaluator(t, l.loss, l.inputs...)(in, labels)
		checkFinite(t, "losses", values)
		checkFinite(t, "gradient of z", gradients["z"])
		fmt.Printf(peakFormat, embedtest.PeakMemory())
		return
	}
	if raceDetector {
		t.Skip("the race detector needs memory of its own")
	}
	if testing.Short() {
		t.Skip("takes long")
	}
	for _, test := range []struct {
		backend, loss       string
		batch, classes, dim int
		maxGiB              float64
	}{
		{"go", "all", 512, 8, 2, 0.5}, {"xla:cpu", "all", 512, 8, 2, 1},
		{"go", "hard", 2048, 8, 2, 1}, {"xla:cpu", "hard", 2048, 8, 2, 1},
		{"xla:cpu", "semi-hard", 2048, 8, 2, 1},
		{"go", "contrastive", 1024, 8, 512, 1}, {"xla:cpu", "contrastive", 1024, 8, 512, 1},
		{"go", "means", 512, 1000, 512, 0.5}, {"xla:cpu", "means", 512, 1000, 512, 0.5},
	} {
		name := fmt.Sprint(test.backend, " ", test.loss, " ", test.batch, " ", test.classes, " ", test.dim)
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(embedtest.Backends(t), test.backend) {
				t.Skipf("%s is not among the backends of the tests", test.backend)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestMemory$")
			child.Env = append(os.Environ(), memoryEnv+"="+name)
			output, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			var peak int64
			if _, err := fmt.Sscanf(string(output), peakFormat, &peak); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			if peak == 0 {
				t.Skip("this system does not tell the peak of memory")
			}
			gib := float64(peak) / (1 << 30)
			t.Logf("%.2f GiB, %v", gib, child.ProcessState.UserTime())
			if gib > test.maxGiB {
				t.Errorf("%.2f GiB, want at most %g", gib, test.maxGiB)
			}
		})
	}
}
