// Package project finds the module around the working folder and the PJRT plugins
// that its set-up scripts install.
package project

import (
	"os"
	"path/filepath"
)

// pluginPathEnv is where go-xla looks for PJRT plugins.
const pluginPathEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// go-xla reads the variable once, when its package is initialized. Packages are
// initialized in the order of their import paths once their imports are, so this
// one, which imports the standard library only, comes before it.
func init() {
	if _, found := os.LookupEnv(pluginPathEnv); found {
		return
	}
	folder := filepath.Join(Root(), ".tools", "pjrt")
	if _, err := os.Stat(folder); err == nil {
		os.Setenv(pluginPathEnv, folder)
	}
}

// Root returns the folder of the nearest go.mod at or above the working folder, or
// the working folder when there is none.
func Root() string {
	working, err := os.Getwd()
	if err != nil {
		return "."
	}
	for folder := working; ; {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return working
		}
		folder = parent
	}
}
