//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package embed

import (
	_ "github.com/embedspace/embedspace/embed/internal/project" // says where the plugins are, before go-xla asks
	"github.com/gomlx/go-xla/compute/xla"
)

// xlaPlugins lists the PJRT plugins that this machine can use, GPU before CPU.
func xlaPlugins() []string { return xla.GetAvailablePlugins() }
