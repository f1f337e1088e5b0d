package embed

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/embedspace/embedspace/embed/backends"
)

// A memoryUse says what memory a training takes on a backend, as it was measured: a base, and
// how many times the outputs of the convolutions in front of their pooling, for a batch, and
// the parameters of the extractor are held at the peak.
type memoryUse struct{ base, outputs, parameters float64 }

var memoryUses = map[string]memoryUse{
	backends.XLACPU: {700 << 20, 2.1, 4.5},
	backends.Go:     {60 << 20, 6.7, 8.7},
}

// expectedMemory returns the bytes that a process is expected to hold while it trains, without
// the images; 0 where that is not known: on a GPU, and with an extractor of your own. D and
// the classes do not count beside the images.
func expectedMemory(cfg Config, shape [3]int) (int64, error) {
	use, known := memoryUses[cfg.Backend]
	if !known || cfg.Extractor != defaultExtractor {
		return 0, nil
	}
	layers, err := Layers(cfg, shape[0], shape[1], shape[2])
	if err != nil {
		return 0, err
	}
	outputs, parameters := 0, 0
	for _, layer := range layers[1:] {
		size := 1
		for _, n := range layer.Output {
			size *= n
		}
		if strings.HasSuffix(layer.Name, "Pool") {
			size *= 4
		}
		outputs, parameters = outputs+size, parameters+layer.Parameters
	}
	const float = 4 // bytes
	return int64(use.base + float*(use.outputs*float64(outputs*cfg.Batch)+use.parameters*float64(parameters*cfg.Devices))), nil
}

// checkMemory writes the memory to expect where it is more than half of what the machine has
// available. The error of a training that takes more than all of the machine's memory names
// the largest batch that fits.
func checkMemory(cfg Config, shape [3]int, machine fs.FS, output io.Writer) error {
	expected, err := expectedMemory(cfg, shape)
	if err != nil {
		return err
	}
	total, available := machineMemory(machine)
	images := fmt.Sprintf("images of %d x %d x %d (height, width, channels)", shape[0], shape[1], shape[2])
	switch {
	case expected <= available/2:
		return nil
	case expected <= total:
		fmt.Fprintf(output, "about %s of memory expected for batch %d of %s, %s available\n", gib(expected), cfg.Batch, images, gib(available))
		return nil
	}
	fits := cfg.Devices * sort.Search(cfg.Batch/cfg.Devices, func(i int) bool {
		smaller := cfg
		smaller.Batch = (i + 1) * cfg.Devices
		memory, err := expectedMemory(smaller, shape)
		return err != nil || memory > total
	})
	allowed := fmt.Sprintf("%d to %d, or smaller images", cfg.Devices, fits)
	if fits == 0 {
		allowed = "smaller images"
	}
	few := cfg
	few.Dim = 2
	if memory, err := expectedMemory(few, shape); err == nil && memory <= total {
		return &ValueError{"dim", cfg.Dim, fmt.Sprintf("fewer: about %s of memory expected, and there are %s", gib(expected), gib(total))}
	}
	return &ValueError{"batch", cfg.Batch, fmt.Sprintf("%s: about %s of memory expected for %s, and there are %s", allowed, gib(expected), images, gib(total))}
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// machineMemory returns the bytes of memory that there are for this process and those that are
// available now, from Linux's files: of the machine, or of a control group (version 2) with a
// limit. Where a system does not tell, memory has no end.
func machineMemory(system fs.FS) (total, available int64) {
	total, available = math.MaxInt64, math.MaxInt64
	for line := range strings.Lines(fileText(system, "proc/meminfo")) {
		var kib int64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kib); err == nil {
			total = kib << 10
		}
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); err == nil {
			available = kib << 10
		}
	}
	for line := range strings.Lines(fileText(system, "proc/self/cgroup")) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !ok {
			continue
		}
		for ; ; group = path.Dir(group) { // a group has the limits of those around it
			folder := path.Join("sys/fs/cgroup", group)
			if limit, ok := fileNumber(system, folder+"/memory.max"); ok {
				total = min(total, limit)
				if used, ok := fileNumber(system, folder+"/memory.current"); ok {
					available = min(available, limit-used)
				}
			}
			if path.Clean(group) == "." {
				break
			}
		}
	}
	return total, available
}

// fileText returns the content of a file; none if it can't be read.
func fileText(system fs.FS, name string) string {
	content, err := fs.ReadFile(system, name)
	if err != nil {
		return ""
	}
	return string(content)
}

// fileNumber returns the number that a file holds, if it holds one.
func fileNumber(system fs.FS, name string) (number int64, ok bool) {
	number, err := strconv.ParseInt(strings.TrimSpace(fileText(system, name)), 10, 64)
	return number, err == nil
}

// collectOften makes Go's garbage collector run when the heap has grown by a quarter, until
// undo: in pure Go, arrays that a step needs no more would be kept until they are as large as
// all that it needs. There are few of them: collecting takes no time that shows.
func collectOften(backend string) (undo func()) {
	const percent = 25
	if backend != backends.Go {
		return func() {}
	}
	collecting.Lock()
	defer collecting.Unlock()
	if collecting.trainings++; collecting.trainings == 1 {
		if collecting.before = debug.SetGCPercent(percent); collecting.before < percent { // or off, -1
			debug.SetGCPercent(collecting.before)
		}
	}
	return func() {
		collecting.Lock()
		defer collecting.Unlock()
		if collecting.trainings--; collecting.trainings == 0 {
			debug.SetGCPercent(collecting.before)
		}
	}
}

// collecting counts the training runs in progress, and has the percentage before the first of them.
var collecting struct {
	sync.Mutex
	trainings, before int
}
