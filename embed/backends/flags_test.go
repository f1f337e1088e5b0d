//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package backends

import (
	"os"
	"testing"
)

// TestSetXLAFlag: a flag has our value, whatever the environment said, and all others stay.
func TestSetXLAFlag(t *testing.T) {
	for before, want := range map[string]string{
		"":                   "--a=true",
		"--b=1":              "--b=1 --a=true",
		"--a=true --a=false": "--a=true",
		"--a --ab=2":         "--ab=2 --a=true",
	} {
		t.Setenv("XLA_FLAGS", before)
		setXLAFlag("--a", "true")
		if got := os.Getenv("XLA_FLAGS"); got != want {
			t.Errorf("XLA_FLAGS=%q becomes %q, want %q", before, got, want)
		}
	}
}

// TestExactCUDA: products are in float32 unless the configuration has TF32.
func TestExactCUDA(t *testing.T) {
	t.Setenv("XLA_FLAGS", "")
	t.Setenv("NVIDIA_TF32_OVERRIDE", "1")
	for plugin, want := range map[string]string{"cuda": "cuda,tf32=false,", "cuda,tf32=true": "cuda,tf32=false,tf32=true"} {
		if got := exactCUDA(plugin); got != want {
			t.Errorf("%q becomes %q, want %q", plugin, got, want)
		}
	}
	if got := os.Getenv("NVIDIA_TF32_OVERRIDE"); got != "1" {
		t.Errorf("NVIDIA_TF32_OVERRIDE=1 becomes %q", got)
	}
}
