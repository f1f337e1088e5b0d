// Package backends opens what computes: GoMLX's pure-Go backend, and XLA through a PJRT
// plugin, on a CPU or GPU.
package backends

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // Go
	"github.com/gomlx/gomlx/support/exceptions"
)

// The names of the backends.
const (
	Go      = "go"       // GoMLX's pure-Go backend
	XLACPU  = "xla:cpu"  // XLA for a CPU
	XLACUDA = "xla:cuda" // XLA for an NVIDIA GPU, in float32 and the same at each run
)

var (
	mu sync.Mutex
	// open holds the backends that are open: one per key and process.
	open = map[key]compute.Backend{}
	// noticed tells whether the notice about pure Go was given.
	noticed bool
)

type key struct {
	name    string
	devices int // that XLA made for a CPU; else 1, whatever the backend has
}

// Open returns the compute backend of that name, opening it at its first use: Go, XLACPU
// or XLACUDA, or any other configuration that GoMLX knows.
//
// The empty name chooses: the environment variable GOMLX_BACKEND when it is set, else the
// CUDA plugin with a device, else the CPU plugin, else pure Go, with one line on notice
// (nil: none) that says so and how to get XLA. Plugins are looked for in
// PJRT_PLUGIN_LIBRARY_PATH; when that is not set, in the folder .tools/pjrt of the module
// around the working folder, then where go-xla looks by itself. Nothing is ever
// downloaded.
//
// The error names the backend that can't be opened, and which are allowed.
func Open(name string, notice io.Writer) (compute.Backend, error) {
	return OpenDevices(name, 1, notice)
}

// OpenDevices is Open for a backend with a number of devices: the GPUs of a machine, or
// devices that XLA makes for a CPU, which share its cores. The error of a backend with
// fewer devices names their number.
func OpenDevices(name string, devices int, notice io.Writer) (compute.Backend, error) {
	backend, err := choose(name, devices, notice)
	if err != nil {
		return nil, err
	}
	if most := backend.NumDevices(); devices > most {
		allowed := "1"
		if most > 1 {
			allowed = fmt.Sprintf("1 to %d", most)
		}
		return nil, fmt.Errorf("backends: devices is %d, but backend %s has %d; allowed: %s", devices, Name(backend), most, allowed)
	}
	return backend, nil
}

// choose is OpenDevices, whatever number of devices the backend has.
func choose(name string, devices int, notice io.Writer) (compute.Backend, error) {
	mu.Lock()
	defer mu.Unlock()
	if name == "" {
		name = os.Getenv(compute.ConfigEnvVar)
	}
	if name != "" {
		return openOnce(canonical(name), devices)
	}
	for _, plugin := range xlaPlugins() {
		if backend, err := openOnce("xla:"+plugin, devices); err == nil {
			return backend, nil
		}
	}
	if notice != nil && !noticed {
		noticed = true
		fmt.Fprintln(notice, "No XLA plugin found: using the pure-Go backend, which is slower. ./scripts/setup installs the plugin into .tools/pjrt.")
	}
	return openOnce(Go, devices)
}

// canonical returns a name of XLA as newBackend knows it: GoMLX has other names for XLA, and
// takes the first plugin where none is named.
func canonical(name string) string {
	backend, config, _ := strings.Cut(name, ":")
	if !slices.Contains([]string{"xla", "stablehlo", "shlo", "hlo"}, backend) {
		return name
	}
	if plugins := xlaPlugins(); (config == "" || config[0] == ',') && len(plugins) > 0 { // options may follow
		config = plugins[0] + config
	}
	if config == "" {
		return name
	}
	return "xla:" + config
}

// openOnce opens the backend of that name, or returns the open one. Only XLA for a CPU
// makes its devices; there is one backend with each number of them.
func openOnce(name string, devices int) (compute.Backend, error) {
	k := key{name, 1}
	if IsXLACPU(name) {
		k.devices = devices
	}
	if backend := open[k]; backend != nil {
		return backend, nil
	}
	var backend compute.Backend
	err := exceptions.TryCatch[error](func() {
		var err error
		if backend, err = newBackend(name, k.devices); err != nil {
			panic(err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("backends: %q can't be opened; allowed: %s: %w", name, strings.Join(Names(), ", "), err)
	}
	if Name(backend) == Go {
		guardHeap()
	}
	open[k] = backend
	return backend, nil
}

// The guard of the heap is 1 GiB, more than the arrays of a training in pure Go take, in blocks
// of the size of the areas in which Go's heap grows.
const (
	guardBlocks = 16
	guardBlock  = 64 << 20
)

// guardHeap leaves room at the end of Go's heap, which is filled from its lowest address
// up. A partial load of Go 1.27's simd package reads a whole vector, beyond the end of an
// array: where the heap ends too, the process dies. The room takes addresses, but no memory
// to speak of: Go has to clear a block only if a part of it was used before, and at most the
// first ones were.
//
// Another block comes first, and is freed first: while the guard is held, what the runtime
// allocates finds room there, and not behind the guard.
func guardHeap() {
	room := make([]byte, guardBlock)
	var guard [guardBlocks][]byte
	for i := range guard {
		guard[i] = make([]byte, guardBlock)
	}
	runtime.KeepAlive(room)
	runtime.GC()
	runtime.KeepAlive(guard)
	runtime.GC()
}

// Names lists names for Open: those of the XLA plugins that are installed, whether or not
// their device is present, then Go.
func Names() []string {
	var names []string
	for _, plugin := range xlaPlugins() {
		names = append(names, "xla:"+plugin)
	}
	return append(names, Go)
}

// Name returns the name that opens this backend again, but for options behind it.
func Name(backend compute.Backend) string {
	if plugin, ok := backend.(interface{ PluginName() string }); ok {
		return backend.Name() + ":" + plugin.PluginName()
	}
	return Go
}

// Options returns the options of XLA by which a backend was opened, with name as in Open: what
// stands behind its Name. They may change the bits of a result. Options of others do not.
func Options(name string, backend compute.Backend) string {
	if name == "" {
		name = os.Getenv(compute.ConfigEnvVar)
	}
	options, isNamed := strings.CutPrefix(canonical(name), Name(backend))
	if !isNamed || Name(backend) == Go {
		return ""
	}
	return options
}

// IsXLACPU tells whether a name stands for XLA for a CPU; options may follow its name.
func IsXLACPU(name string) bool { return isPlugin(name, "cpu") }

// isPlugin tells whether a name stands for XLA's plugin for a kind of device, by the plugin's
// name or by the path of its file.
func isPlugin(name, device string) bool {
	plugin, isXLA := strings.CutPrefix(name, "xla:")
	plugin, _, _ = strings.Cut(plugin, ",")
	return isXLA && (strings.HasPrefix(plugin, device) || filepath.IsAbs(plugin) && strings.Contains(filepath.Base(plugin), device))
}
