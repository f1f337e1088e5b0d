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
	plugin := strings.TrimPrefix(config, "xla:")
	var options pjrt.NamedValuesMap
	switch {
	case IsXLACPU(config):
		keepFreedMemory()
		switchXNNPACKOff()
		options = pjrt.NamedValuesMap{"cpu_device_count": int64(devices)}
	case isPlugin(config, "cuda"):
		plugin = exactCUDA(plugin)
	default:
		return compute.NewWithConfig(config)
	}
	backend, err := xla.NewWithOptions(plugin, options)
	if err != nil {
		return nil, err
	}
	return backend, nil
}

// exactCUDA makes XLA for a GPU compute float32 as float32, and the same at each run, and
// returns the plugin with the option for that. By default, go-xla and NVIDIA's libraries round
// the factors of products and convolutions to the 10 bits of TF32, and XLA takes whichever
// algorithm was fastest just now, sums in any order among them. TF32 is a choice, by the
// option tf32=true and by NVIDIA_TF32_OVERRIDE=1.
func exactCUDA(plugin string) string {
	const override = "NVIDIA_TF32_OVERRIDE"
	if _, given := os.LookupEnv(override); !given {
		os.Setenv(override, "0")
	}
	setXLAFlag("--xla_gpu_deterministic_ops", "true")
	name, options, _ := strings.Cut(plugin, ",")
	return name + ",tf32=false," + options // of an option that is given twice, the last one counts
}

// switchXNNPACKOff keeps XLA for a CPU from multiplying by old values (docs/dev/upstream.md):
// its thunk for XNNPACK keeps the second factor of a product, and knows it by its address
// alone.
func switchXNNPACKOff() { setXLAFlag("--xla_cpu_use_xnnpack", "false") }

// setXLAFlag sets a flag for the plugin, which reads them when its first backend is opened,
// whatever its value was.
func setXLAFlag(name, value string) {
	const variable = "XLA_FLAGS"
	flags := slices.DeleteFunc(strings.Fields(os.Getenv(variable)), func(flag string) bool {
		return flag == name || strings.HasPrefix(flag, name+"=")
	})
	os.Setenv(variable, strings.Join(append(flags, name+"="+value), " "))
}
