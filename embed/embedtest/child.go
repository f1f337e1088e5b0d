package embedtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/embedspace/embedspace/embed/internal/memory"
)

// ChildEnv names what a test program does when a test starts it as a process of its own.
const ChildEnv = "EMBEDSPACE_TEST_CHILD"

// Main is a TestMain: it runs the child that ChildEnv names, or the tests.
func Main(m *testing.M, children map[string]func() error) {
	child, isChild := children[os.Getenv(ChildEnv)]
	if !isChild {
		Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		Exit(1)
	}
	Exit(0)
}

// PeakMemory returns the most bytes that this process held, 0 where the system does not tell.
func PeakMemory() int64 { return memory.Peak() }
