package embed

import (
	"fmt"
	"os"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// childEnv names what the test binary does when a test starts it as a process of
// its own.
const childEnv = "EMBEDSPACE_TEST_CHILD"

var children = map[string]func() error{
	"open the default backend": openDefaultBackend,
	"save forever":             saveForever,
	"compare forever":          compareForever,
}

func TestMain(m *testing.M) {
	os.Unsetenv(PresetEnv)
	os.Unsetenv(FolderEnv)
	if child := children[os.Getenv(childEnv)]; child != nil {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			embedtest.Exit(1)
		}
		embedtest.Exit(0)
	}
	embedtest.Exit(m.Run())
}
