//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package embed

import (
	"strings"

	_ "github.com/embedspace/embedspace/embed/internal/project" // says where the plugins are, before go-xla asks
	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// xlaPlugins lists the PJRT plugins that this machine can use, GPU before CPU.
func xlaPlugins() []string { return xla.GetAvailablePlugins() }

// newBackend opens a backend. XLA's plugin for the CPU computes with as many threads as
// there are cores, but no less than devices, of which it makes four by default: on two
// cores they push each other's data out of the caches. It makes as many as are asked for.
func newBackend(config string, devices int) (compute.Backend, error) {
	plugin, isXLA := strings.CutPrefix(config, "xla:")
	if !isXLA || !strings.HasPrefix(plugin, "cpu") {
		return compute.NewWithConfig(config)
	}
	keepFreedMemory()
	backend, err := xla.NewWithOptions(plugin, pjrt.NamedValuesMap{"cpu_device_count": int64(devices)})
	if err != nil {
		return nil, err
	}
	return backend, nil
}
