//go:build !(cgo && ((linux && (amd64 || arm64)) || (darwin && arm64)))

package backends

import "github.com/gomlx/compute"

// xlaPlugins lists the PJRT plugins of this machine: none without cgo, which
// go-xla needs.
func xlaPlugins() []string { return nil }

func newBackend(config string, _ int) (compute.Backend, error) { return compute.NewWithConfig(config) }
