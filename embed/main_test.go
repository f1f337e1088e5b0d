package embed

import (
	"os"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestMain(m *testing.M) {
	os.Unsetenv(PresetEnv)
	os.Unsetenv(FolderEnv)
	embedtest.Main(m, map[string]func() error{"save forever": saveForever})
}
