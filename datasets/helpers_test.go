package datasets

import (
	"os"
	"path/filepath"
	"testing"
)

// realData returns a data folder that has this sub-folder: EMBEDSPACE_DATA or
// shared/datasets beside the module. Without one the test is skipped.
func realData(t testing.TB, folder string) string {
	t.Helper()
	roots := []string{os.Getenv("EMBEDSPACE_DATA"), filepath.Join("..", "..", "shared", "datasets")}
	for _, root := range roots {
		if root == "" {
			continue
		}
		if info, err := os.Stat(filepath.Join(root, folder)); err == nil && info.IsDir() {
			return root
		}
	}
	t.Skipf("the published files are missing: no folder %s in EMBEDSPACE_DATA or ../shared/datasets", folder)
	return ""
}
