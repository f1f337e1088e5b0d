package embedtest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/embedspace/embedspace/embed/backends"
)

// Backends lists the backends of the tests: the one that GOMLX_BACKEND names, else all of
// this machine but CUDA. With EMBEDSPACE_REQUIRE_XLA=1, XLA must be among them.
func Backends(tb testing.TB) []string {
	tb.Helper()
	names := slices.DeleteFunc(backends.Names(), func(name string) bool { return name == backends.XLACUDA })
	if chosen := os.Getenv(compute.ConfigEnvVar); chosen != "" {
		names = []string{chosen}
	}
	isXLA := func(name string) bool { return strings.HasPrefix(name, "xla") }
	if os.Getenv("EMBEDSPACE_REQUIRE_XLA") == "1" && !slices.ContainsFunc(names, isXLA) {
		tb.Fatalf("EMBEDSPACE_REQUIRE_XLA=1, but the backends are %q", names)
	}
	return names
}

// OnBackends runs a test on each backend of the tests, which is then also the one that the
// empty name opens.
func OnBackends(t *testing.T, test func(t *testing.T, backend compute.Backend)) {
	for _, name := range Backends(t) {
		t.Run(name, func(t *testing.T) {
			t.Setenv(compute.ConfigEnvVar, name)
			backend, err := backends.Open(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			test(t, backend)
		})
	}
}
