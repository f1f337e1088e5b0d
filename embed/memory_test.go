package embed

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// machine is a Linux machine with so many KiB of memory in all and available.
func machine(total, available string, more ...string) fs.FS {
	files := fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal: " + total + " kB\nMemFree: 1 kB\nMemAvailable:   " + available + " kB\n")}}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = &fstest.MapFile{Data: []byte(more[i+1] + "\n")}
	}
	return files
}

func TestMachineMemory(t *testing.T) {
	for name, test := range map[string]struct {
		system           fs.FS
		total, available int64
	}{
		"another system": {fstest.MapFS{}, math.MaxInt64, math.MaxInt64},
		"machine":        {machine("2000", "1500"), 2000 << 10, 1500 << 10},
		"no limit":       {machine("2000", "1500", "proc/self/cgroup", "0::/job", "sys/fs/cgroup/job/memory.max", "max"), 2000 << 10, 1500 << 10},
		"version 1":      {machine("2000", "1500", "proc/self/cgroup", "4:memory:/job\n0::/"), 2000 << 10, 1500 << 10},
		"container": {machine("2000", "1500", "proc/self/cgroup", "0::/",
			"sys/fs/cgroup/memory.max", "4096", "sys/fs/cgroup/memory.current", "96"), 4096, 4000},
		"limit of the group around": {machine("2000", "1500", "proc/self/cgroup", "0::/user/job",
			"sys/fs/cgroup/user/job/memory.max", "max", "sys/fs/cgroup/user/memory.max", "8192", "sys/fs/cgroup/user/memory.current", "192"), 8192, 8000},
		"limit above the machine": {machine("2000", "1500", "proc/self/cgroup", "0::/",
			"sys/fs/cgroup/memory.max", "999999999", "sys/fs/cgroup/memory.current", "0"), 2000 << 10, 1500 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			total, available := machineMemory(test.system)
			embedtest.CheckEqual(t, "total", total, test.total)
			embedtest.CheckEqual(t, "available", available, test.available)
		})
	}
}

// measuredMemory has the largest resident sets that were measured, in MiB, for training runs of
// several steps (docs/performance.md).
var measuredMemory = []struct {
	cfg   Config
	shape [3]int
	mib   float64
}{
	{Config{Backend: "xla:cpu", Batch: 128}, [3]int{28, 28, 1}, 493},
	{Config{Backend: "xla:cpu", Batch: 128, Technique: "triplet-all", Dim: 512}, [3]int{28, 28, 1}, 673},
	{Config{Backend: "xla:cpu", Batch: 16}, [3]int{64, 64, 3}, 1012},
	{Config{Backend: "xla:cpu", Batch: 128, Padding: "same"}, [3]int{64, 64, 3}, 997},
	{Config{Backend: "xla:cpu", Batch: 128}, [3]int{96, 96, 3}, 1601},
	{Config{Backend: "xla:cpu", Batch: 128}, [3]int{128, 128, 3}, 1874},
	{Config{Backend: "xla:cpu", Batch: 64}, [3]int{160, 160, 3}, 1957},
	{Config{Backend: "xla:cpu", Batch: 32}, [3]int{224, 224, 3}, 3040},
	{Config{Backend: "xla:cpu", Batch: 128}, [3]int{224, 224, 3}, 4956},
	{Config{Backend: "go", Batch: 128}, [3]int{28, 28, 1}, 180},
	{Config{Backend: "go", Batch: 512}, [3]int{28, 28, 1}, 436},
	{Config{Backend: "go", Batch: 128, Technique: "triplet-all", Dim: 512}, [3]int{28, 28, 1}, 220},
	{Config{Backend: "go", Batch: 128, Padding: "same"}, [3]int{64, 64, 1}, 1229},
	{Config{Backend: "go", Batch: 32}, [3]int{64, 64, 3}, 426},
	{Config{Backend: "go", Batch: 128}, [3]int{64, 64, 3}, 957},
	{Config{Backend: "go", Batch: 64}, [3]int{96, 96, 3}, 1474},
	{Config{Backend: "go", Batch: 32}, [3]int{128, 128, 3}, 1609},
	{Config{Backend: "go", Batch: 128}, [3]int{128, 128, 3}, 3707},
	{Config{Backend: "go", Batch: 16, Technique: "center"}, [3]int{160, 160, 3}, 2029},
	{Config{Backend: "go", Batch: 32}, [3]int{224, 224, 3}, 5255},
}

// TestExpectedMemory: the memory to expect is near to what was measured.
func TestExpectedMemory(t *testing.T) {
	for _, test := range measuredMemory {
		cfg, err := test.cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		expected, err := expectedMemory(cfg, test.shape)
		if err != nil {
			t.Fatal(err)
		}
		off := float64(expected)/(test.mib*(1<<20)) - 1
		t.Logf("%s, batch %d of %v, padding %s, D %d: %.0f MiB measured, %d expected, %+.0f %%", cfg.Backend, cfg.Batch, test.shape, cfg.Padding, cfg.Dim, test.mib, expected>>20, 100*off)
		if difference := math.Abs(off) * test.mib; difference > max(0.25*test.mib, 256) {
			t.Errorf("%.0f MiB off", difference)
		}
	}
	for name, cfg := range map[string]Config{"GPU": {Backend: backends.XLACUDA, Extractor: defaultExtractor}, "extractor": {Backend: backends.Go, Extractor: "own"}} {
		if expected, err := expectedMemory(cfg, [3]int{224, 224, 3}); expected != 0 || err != nil {
			t.Errorf("%s: got %d, %v; want 0, not known", name, expected, err)
		}
	}
}

func TestCheckMemory(t *testing.T) {
	cfg, err := Config{Backend: backends.Go, Batch: 128}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	shape := [3]int{224, 224, 3}
	var output strings.Builder
	if err := checkMemory(cfg, shape, machine("99000000", "90000000"), &output); err != nil || output.Len() > 0 {
		t.Errorf("enough memory: %v, %q", err, output.String())
	}
	if err := checkMemory(cfg, shape, fstest.MapFS{}, &output); err != nil || output.Len() > 0 {
		t.Errorf("a system that does not tell: %v, %q", err, output.String())
	}
	if err := checkMemory(cfg, shape, machine("16000000", "14000000"), &output); err != nil {
		t.Error(err)
	}
	for _, word := range []string{"11.5 GiB of memory expected", "batch 128 of images of 224 x 224 x 3", "13.4 GiB available"} {
		if !strings.Contains(output.String(), word) {
			t.Errorf("the line is %q, want it to have %q", output.String(), word)
		}
	}
	err = checkMemory(cfg, shape, machine("8000000", "7000000"), io.Discard)
	embedtest.WantError(t, err, "batch is 128", "allowed: 1 to 70, or smaller images", "11.5 GiB", "224 x 224 x 3", "7.6 GiB")
	if value := new(ValueError); !errors.As(err, &value) {
		t.Errorf("got %T, want a ValueError", err)
	}
	cfg.Batch = 70
	if err := checkMemory(cfg, shape, machine("8000000", "7000000"), io.Discard); err != nil {
		t.Errorf("the batch that is said to fit: %v", err)
	}
	cfg.Batch = 71
	embedtest.WantError(t, checkMemory(cfg, shape, machine("8000000", "7000000"), io.Discard), "allowed: 1 to 70")
	embedtest.WantError(t, checkMemory(cfg, shape, machine("2000000", "1000000"), io.Discard), "allowed: smaller images")
	cfg.Batch, cfg.Devices = 128, 4
	embedtest.WantError(t, checkMemory(cfg, shape, machine("16000000", "1000000"), io.Discard), "allowed: 4 to 52,") // a multiple of 4
	cfg.Batch, cfg.Devices, cfg.Dim = 8, 1, 100_000_000
	embedtest.WantError(t, checkMemory(cfg, [3]int{28, 28, 1}, machine("8000000", "7000000"), io.Discard), "dim is 100000000", "allowed: fewer")
}

// TestCollectOften: the garbage collector is as it was afterwards.
func TestCollectOften(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, test := range []struct {
		backend        string
		before, during int
	}{{backends.Go, 100, 25}, {backends.Go, -1, -1}, {backends.Go, 10, 10}, {backends.XLACPU, 100, 100}} {
		debug.SetGCPercent(test.before)
		undo := collectOften(test.backend)
		during := debug.SetGCPercent(100)
		debug.SetGCPercent(during)
		undo()
		embedtest.CheckEqual(t, "percent", []int{during, debug.SetGCPercent(100)}, []int{test.during, test.before})
	}
	first, second := collectOften(backends.Go), collectOften(backends.Go)
	first()
	between := debug.SetGCPercent(25)
	second()
	embedtest.CheckEqual(t, "percent, before and after the end of the second training", []int{between, debug.SetGCPercent(100)}, []int{25, 100})
}
