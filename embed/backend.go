package embed

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure-Go backend "go"
	"github.com/gomlx/gomlx/support/exceptions"
)

var (
	backendsMu sync.Mutex
	// backends holds the backends that are open: one per name and process.
	backends = map[string]compute.Backend{}
	// noticed tells whether the notice about pure Go was given.
	noticed bool
)

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
	backendsMu.Lock()
	defer backendsMu.Unlock()
	if name == "" {
		name = os.Getenv(compute.ConfigEnvVar)
	}
	if name != "" {
		return openBackend(name)
	}
	for _, plugin := range xlaPlugins() {
		if backend, err := openBackend("xla:" + plugin); err == nil {
			return backend, nil
		}
	}
	if notice != nil && !noticed {
		noticed = true
		fmt.Fprintln(notice, "No XLA plugin found: using the pure-Go backend, which is slower. ./scripts/setup installs the plugin into .tools/pjrt.")
	}
	return openBackend("go")
}

// openBackend opens the backend of that name, or returns the open one.
func openBackend(name string) (compute.Backend, error) {
	if backend := backends[name]; backend != nil {
		return backend, nil
	}
	var backend compute.Backend
	err := exceptions.TryCatch[error](func() {
		var err error
		if backend, err = newBackend(name); err != nil {
			panic(err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("embed: backend %q can't be opened (there are: %s): %w",
			name, strings.Join(BackendNames(), ", "), err)
	}
	backends[name] = backend
	return backend, nil
}

// BackendNames lists the names for OpenBackend that this machine can open: the XLA
// plugins that are installed, then "go".
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
