// Package store reads and writes files of arrays and of JSON, each of them whole.
package store

import (
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// WriteFile replaces a file whole, by a temporary file and a rename. Its folder is made
// where it is missing.
func WriteFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return renameio.WriteFile(path, content, 0o666)
}
