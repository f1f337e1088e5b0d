package backends_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gomlx/compute"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestOpenOncePerName(t *testing.T) {
	embedtest.OnBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, name := range []string{backends.Name(backend), ""} { // onBackends sets GOMLX_BACKEND
			again, err := backends.Open(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if again != backend {
				t.Errorf("Open(%q) opened %s a second time", name, backends.Name(backend))
			}
		}
	})
}

// TestOtherNamesOfXLA: XLA is the same backend under each of GoMLX's names, with one device and
// without XNNPACK.
func TestOtherNamesOfXLA(t *testing.T) {
	if backends.Names()[0] != backends.XLACPU {
		t.Skip("no XLA for a CPU here, or XLA for a GPU comes first")
	}
	want, err := backends.Open(backends.XLACPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"xla", "xla:", "hlo", "shlo:cpu", "stablehlo:cpu"} {
		t.Setenv(compute.ConfigEnvVar, name)
		for _, name := range []string{name, ""} {
			got, err := backends.Open(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s=%s: Open(%q) opened another backend, with %d devices", compute.ConfigEnvVar, os.Getenv(compute.ConfigEnvVar), name, got.NumDevices())
			}
		}
	}
	t.Setenv(compute.ConfigEnvVar, "xla:,preallocate=true")
	if got := backends.Options("", want); got != ",preallocate=true" {
		t.Errorf("the options of xla:,preallocate=true are %q", got)
	}
	for name, isCPU := range map[string]bool{
		"xla:cpu": true, "xla:cpu_v0.83.1": true, "xla:cpu,preallocate": true, "xla:/opt/cuda/pjrt_c_api_cpu_plugin.so": true,
		"xla:cuda": false, "xla:/cpu/pjrt_c_api_cuda_plugin.so": false, "go": false,
	} {
		if got := backends.IsXLACPU(name); got != isCPU {
			t.Errorf("IsXLACPU(%q) = %v", name, got)
		}
	}
}

func TestOpenListsNames(t *testing.T) {
	for _, name := range []string{"tpu", "xla:nothing"} {
		_, err := backends.Open(name, nil)
		embedtest.WantError(t, err, `"`+name+`"`, "allowed: "+strings.Join(backends.Names(), ", "))

		t.Setenv(compute.ConfigEnvVar, name)
		_, err = backends.Open("", nil)
		embedtest.WantError(t, err, `"`+name+`"`, "allowed: ")
	}
}

func TestNames(t *testing.T) {
	names := backends.Names()
	if names[len(names)-1] != backends.Go {
		t.Errorf("Names() = %q, want go as the last", names)
	}
	if cuda := slices.Index(names, backends.XLACUDA); cuda > 0 {
		t.Errorf("Names() = %q, want xla:cuda as the first", names)
	}
}

func TestPolicyPrefersEnvironment(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "go")
	var notice strings.Builder
	backend, err := backends.Open("", &notice)
	if err != nil {
		t.Fatal(err)
	}
	if got := backends.Name(backend); got != "go" {
		t.Errorf("with GOMLX_BACKEND=go, the backend is %s", got)
	}
	if notice.Len() > 0 {
		t.Errorf("what was asked for needs no notice: %q", notice.String())
	}
}

func TestPolicyPrefersXLA(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "")
	if !slices.Contains(backends.Names(), backends.XLACPU) {
		t.Skip("no XLA here")
	}
	var notice strings.Builder
	backend, err := backends.Open("", &notice)
	if err != nil {
		t.Fatal(err)
	}
	if got := backends.Name(backend); !strings.HasPrefix(got, "xla:") || notice.Len() > 0 {
		t.Errorf("the default backend is %s, with the notice %q, want XLA without a notice", got, notice.String())
	}
}

func TestMain(m *testing.M) {
	embedtest.Main(m, map[string]func() error{"open the default backend": openDefault})
}

// openDefault prints the default backend, after opening pure Go by name, which must not
// swallow the notice; then it opens the default again, which must not repeat it.
func openDefault() error {
	if _, err := backends.Open(backends.Go, os.Stdout); err != nil {
		return err
	}
	for range 2 {
		backend, err := backends.Open("", os.Stdout)
		if err != nil {
			return err
		}
		fmt.Println("backend", backends.Name(backend))
	}
	return nil
}

// defaultIn runs openDefault in a folder, with the plugins that an
// environment finds, and returns the lines that it prints.
func defaultIn(t *testing.T, folder string, environment ...string) []string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Dir = folder
	child.Env = append(environment, embedtest.ChildEnv+"=open the default backend", "HOME="+t.TempDir())
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return strings.Split(strings.TrimSpace(string(output)), "\n")
}

func TestPolicyWithoutPlugin(t *testing.T) {
	empty := t.TempDir()
	lines := defaultIn(t, empty, "PJRT_PLUGIN_LIBRARY_PATH="+empty)
	if strings.Contains(strings.Join(lines, " "), "backend xla") {
		t.Skip("this machine has a plugin in a folder of the system")
	}
	if len(lines) != 3 || lines[1] != "backend go" || lines[2] != "backend go" {
		t.Fatalf("want one line of notice, then pure Go twice; got %q", lines)
	}
	for _, word := range []string{"No XLA", "pure-Go", "./scripts/setup"} {
		if !strings.Contains(lines[0], word) {
			t.Errorf("the notice is %q, want it to have %q", lines[0], word)
		}
	}
}

// TestPolicyWithPluginOfTheModule: go-xla finds the plugins in .tools/pjrt of the
// module around the working folder.
func TestPolicyWithPluginOfTheModule(t *testing.T) {
	if !slices.Contains(backends.Names(), backends.XLACPU) {
		t.Skip("no XLA here")
	}
	plugins := os.Getenv("PJRT_PLUGIN_LIBRARY_PATH")
	if files, err := filepath.Glob(filepath.Join(plugins, "*cpu*.so")); plugins == "" || err != nil || len(files) == 0 {
		t.Skip("PJRT_PLUGIN_LIBRARY_PATH has no plugin for the CPU")
	}
	module := t.TempDir()
	working := filepath.Join(module, "notebooks")
	if err := errors.Join(
		os.Mkdir(working, 0o777),
		os.Mkdir(filepath.Join(module, ".tools"), 0o777),
		os.Symlink(plugins, filepath.Join(module, ".tools", "pjrt")),
		os.WriteFile(filepath.Join(module, "go.mod"), nil, 0o666),
	); err != nil {
		t.Fatal(err)
	}
	embedtest.CheckEqual(t, "output", defaultIn(t, working), []string{"backend xla:cpu", "backend xla:cpu"})
}

// fourDevices is a backend that says it has four devices.
type fourDevices struct{ compute.Backend }

func (fourDevices) NumDevices() int { return 4 }

func TestDevicesRefused(t *testing.T) {
	pure, err := backends.Open(backends.Go, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backends.SetOpen("four", fourDevices{pure}))
	for _, test := range []struct {
		name    string
		devices int
		words   []string
	}{
		{backends.Go, 2, []string{"devices is 2", "backend go has 1", "allowed: 1"}},
		{"four", 8, []string{"devices is 8", "has 4", "allowed: 1 to 4"}},
	} {
		_, err := backends.OpenDevices(test.name, test.devices, nil)
		embedtest.WantError(t, err, test.words...)
	}
	if _, err := backends.OpenDevices("four", 4, nil); err != nil {
		t.Error(err)
	}
}

// TestHeapGuard: arrays stay away from the end of the heap, as /proc/self/maps tells it.
func TestHeapGuard(t *testing.T) {
	if _, err := backends.Open("go", nil); err != nil {
		t.Fatal(err)
	}
	var highest uint64
	var arrays [][]float32
	for range 1 << 16 {
		array := make([]float32, 256) // a batch of 128 points in the plane
		highest = max(highest, uint64(uintptr(unsafe.Pointer(&array[255]))))
		arrays = append(arrays, array)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("no /proc/self/maps here: ", err)
	}
	room := uint64(0)
	for line := range strings.Lines(string(maps)) {
		var begin, end uint64
		var access string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &access); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(access, "rw") && (begin <= highest && highest < end || room > 0 && begin == highest+room) {
			room = end - highest
		}
	}
	if room < backends.HeapGuard/2 {
		t.Errorf("%d arrays end %d bytes before the end of the heap, want at least %d", len(arrays), room, backends.HeapGuard/2)
	}
}
