// Package embedtest is what the tests of several packages share: the backends that they
// run on, small images, checks, and the end of their programs.
package embedtest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/gomlx/compute"
)

// requireXLAEnv makes a test without XLA fail when it is set to 1.
const requireXLAEnv = "EMBEDSPACE_REQUIRE_XLA"

// Backends lists the backends that the tests run on: the one that GOMLX_BACKEND names,
// else all of this machine but CUDA. With EMBEDSPACE_REQUIRE_XLA=1 the test fails unless
// XLA is among them.
func Backends(tb testing.TB) []string {
	tb.Helper()
	names := slices.DeleteFunc(backends.Names(), func(name string) bool { return name == backends.XLACUDA })
	if chosen := os.Getenv(compute.ConfigEnvVar); chosen != "" {
		names = []string{chosen}
	}
	isXLA := func(name string) bool { return strings.HasPrefix(name, "xla") }
	if os.Getenv(requireXLAEnv) == "1" && !slices.ContainsFunc(names, isXLA) {
		tb.Fatalf("%s=1, but the backends are %q", requireXLAEnv, names)
	}
	return names
}

// Open opens a backend by its name, or fails the test.
func Open(tb testing.TB, name string) compute.Backend {
	tb.Helper()
	backend, err := backends.Open(name, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return backend
}

// OnBackends runs a test on each of Backends, as a sub-test of that name. GOMLX_BACKEND
// names the backend meanwhile, so that opening the empty name gives the same one.
func OnBackends(t *testing.T, test func(t *testing.T, backend compute.Backend)) {
	t.Helper()
	for _, name := range Backends(t) {
		t.Run(name, func(t *testing.T) {
			t.Setenv(compute.ConfigEnvVar, name)
			test(t, Open(t, name))
		})
	}
}
