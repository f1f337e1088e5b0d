//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package backends

import (
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"

	_ "github.com/embedspace/embedspace/embed/internal/project" // says where the plugins are, before go-xla asks
)

// xlaPlugins lists the PJRT plugins that this machine can use, GPU before CPU.
func xlaPlugins() []string { return xla.GetAvailablePlugins() }

// newBackend opens a backend. XLA's plugin for a CPU makes four devices by default, and as
// many threads as cores, but no fewer than devices: on two cores, four threads push each
// other's data out of the caches.
func newBackend(config string, devices int) (compute.Backend, error) {
	if strings.HasPrefix(config, XLACUDA) {
		return newCUDA(config)
	}
	if !IsXLACPU(config) {
		return compute.NewWithConfig(config)
	}
	keepFreedMemory()
	switchXNNPACKOff()
	backend, err := xla.NewWithOptions(strings.TrimPrefix(config, "xla:"), pjrt.NamedValuesMap{"cpu_device_count": int64(devices)})
	if err != nil {
		return nil, err
	}
	return backend, nil
}

// newCUDA opens XLA for a GPU that computes float32 as float32, and the same at each run. By
// default, go-xla and NVIDIA's libraries round the factors of products and convolutions to
// the 10 bits of TF32, and XLA takes whichever algorithm was fastest just now, sums in any
// order among them. TF32 is a choice, by tf32=true in config and by NVIDIA_TF32_OVERRIDE=1.
func newCUDA(config string) (compute.Backend, error) {
	const name, override = "NVIDIA_TF32_OVERRIDE", "0"
	if _, given := os.LookupEnv(name); !given {
		os.Setenv(name, override)
	}
	addXLAFlag("--xla_gpu_deterministic_ops=true")
	plugin, options, _ := strings.Cut(strings.TrimPrefix(config, "xla:"), ",")
	backend, err := xla.NewWithOptions(plugin+",tf32=false,"+options, nil)
	if err != nil {
		return nil, err
	}
	return backend, nil
}

// switchXNNPACKOff keeps XLA for a CPU from multiplying by old values (docs/dev/upstream.md):
// its thunk for XNNPACK keeps the second factor of a product, and knows it by its address
// alone.
func switchXNNPACKOff() { addXLAFlag("--xla_cpu_use_xnnpack=false") }

// addXLAFlag adds a flag for the plugin, which reads them when its first backend is opened;
// of a flag that is given twice, the last one counts.
func addXLAFlag(flag string) {
	const name = "XLA_FLAGS"
	if flags := os.Getenv(name); !slices.Contains(strings.Fields(flags), flag) {
		os.Setenv(name, strings.TrimSpace(flags+" "+flag))
	}
}
