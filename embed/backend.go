package embed

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure-Go backend "go"
	"github.com/gomlx/gomlx/support/exceptions"
)

var (
	backendsMu sync.Mutex
	// backends holds the backends that are open: one per key and process.
	backends = map[backendKey]compute.Backend{}
	// noticed tells whether the notice about pure Go was given.
	noticed bool
)

// xlaCPU begins the names of XLA for a CPU; options may follow.
const xlaCPU = "xla:cpu"

type backendKey struct {
	name    string
	devices int // that XLA made for a CPU; else 1, whatever the backend has
}

// OpenBackend returns the compute backend of that name, opening it at its first
// use: "go" (pure Go), "xla:cpu" or "xla:cuda" (XLA through a PJRT plugin), or any
// other configuration that GoMLX knows.
//
// The empty name chooses: the environment variable GOMLX_BACKEND when it is set,
// else the CUDA plugin with a device, else the CPU plugin, else pure Go, with one
// line on notice (nil: none) that says so and how to get XLA. Plugins are looked
// for in PJRT_PLUGIN_LIBRARY_PATH; when that is not set, in the folder .tools/pjrt
// of the module around the working folder, then where go-xla looks by itself.
// Nothing is ever downloaded.
//
// The error names the backend that can't be opened and what there is.
func OpenBackend(name string, notice io.Writer) (compute.Backend, error) {
	return openDevices(name, 1, notice)
}

// openDevices is OpenBackend for a backend with a number of devices: the GPUs of a
// machine, or as many devices of XLA for a CPU as are asked for, which share its cores.
// The error names the number that the backend has, if it has less.
func openDevices(name string, devices int, notice io.Writer) (compute.Backend, error) {
	backend, err := chooseBackend(name, devices, notice)
	if err != nil {
		return nil, err
	}
	if there := backend.NumDevices(); there < devices {
		allowed := "1"
		if there > 1 {
			allowed = fmt.Sprintf("1 to %d", there)
		}
		return nil, fmt.Errorf("embed: devices is %d, but backend %s has %d; allowed: %s", devices, backendName(backend), there, allowed)
	}
	return backend, nil
}

// chooseBackend is openDevices, whatever number of devices there is.
func chooseBackend(name string, devices int, notice io.Writer) (compute.Backend, error) {
	backendsMu.Lock()
	defer backendsMu.Unlock()
	if name == "" {
		name = os.Getenv(compute.ConfigEnvVar)
	}
	if name != "" {
		return openBackend(name, devices)
	}
	for _, plugin := range xlaPlugins() {
		if backend, err := openBackend("xla:"+plugin, devices); err == nil {
			return backend, nil
		}
	}
	if notice != nil && !noticed {
		noticed = true
		fmt.Fprintln(notice, "No XLA plugin found: using the pure-Go backend, which is slower. ./scripts/setup installs the plugin into .tools/pjrt.")
	}
	return openBackend("go", devices)
}

// openBackend opens the backend of that name, or returns the open one. Only XLA for a CPU
// makes its devices; there is one backend with each number of them.
func openBackend(name string, devices int) (compute.Backend, error) {
	key := backendKey{name, 1}
	if strings.HasPrefix(name, xlaCPU) {
		key.devices = devices
	}
	if backend := backends[key]; backend != nil {
		return backend, nil
	}
	var backend compute.Backend
	err := exceptions.TryCatch[error](func() {
		var err error
		if backend, err = newBackend(name, key.devices); err != nil {
			panic(err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("embed: backend %q can't be opened (there are: %s): %w",
			name, strings.Join(BackendNames(), ", "), err)
	}
	if backendName(backend) == "go" {
		guardHeap()
	}
	backends[key] = backend
	return backend, nil
}

// heapGuard is more than the arrays of a training in pure Go take.
const heapGuard = 1 << 30

// guardHeap leaves room at the end of Go's heap, which is filled from its lowest address on.
// A partial load of Go 1.27's simd package reads a whole vector, beyond the end of an array:
// where the heap ends, too, the process dies. The room takes addresses, but no memory.
func guardHeap() {
	runtime.KeepAlive(make([]byte, heapGuard))
	runtime.GC()
}

// BackendNames lists names for OpenBackend: those of the XLA plugins that are installed,
// whether or not their device is there, then "go".
func BackendNames() []string {
	var names []string
	for _, plugin := range xlaPlugins() {
		names = append(names, "xla:"+plugin)
	}
	return append(names, "go")
}

// backendName returns the name that opens this backend again.
func backendName(backend compute.Backend) string {
	if plugin, ok := backend.(interface{ PluginName() string }); ok {
		return backend.Name() + ":" + plugin.PluginName()
	}
	return "go"
}
