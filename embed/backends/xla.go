//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package backends

import (
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
	backend, err := xla.NewWithOptions(strings.TrimPrefix(config, "xla:"), pjrt.NamedValuesMap{"cpu_device_count": int64(devices)})
	if err != nil {
		return nil, err
	}
	return backend, nil
}
