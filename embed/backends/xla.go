//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package backends

import (
	"os"
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

// switchXNNPACKOff keeps XLA for a CPU from multiplying by old values (docs/dev/upstream.md):
// its thunk for XNNPACK keeps the second factor of a product, and knows it by its address
// alone. The plugin reads the flags when its first backend is opened; of a flag that is
// given twice, the last one counts.
func switchXNNPACKOff() {
	const name, flag = "XLA_FLAGS", "--xla_cpu_use_xnnpack=false"
	if flags := os.Getenv(name); !strings.HasSuffix(flags, flag) {
		os.Setenv(name, strings.TrimSpace(flags+" "+flag))
	}
}
