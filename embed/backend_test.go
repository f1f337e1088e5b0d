package embed

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
)

func TestOpenBackendOncePerName(t *testing.T) {
	onBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, name := range []string{backendName(backend), ""} { // onBackends sets GOMLX_BACKEND
			again, err := OpenBackend(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if again != backend {
				t.Errorf("OpenBackend(%q) opened %s a second time", name, backendName(backend))
			}
		}
	})
}

func TestOpenBackendListsWhatThereIs(t *testing.T) {
	for _, name := range []string{"tpu", "xla:nothing"} {
		_, err := OpenBackend(name, nil)
		wantError(t, err, `"`+name+`"`, "there are: "+strings.Join(BackendNames(), ", "))

		t.Setenv(compute.ConfigEnvVar, name)
		_, err = OpenBackend("", nil)
		wantError(t, err, `"`+name+`"`, "there are: ")
	}
}

func TestBackendNames(t *testing.T) {
	names := BackendNames()
	if names[len(names)-1] != "go" {
		t.Errorf("BackendNames() = %q, want go as the last", names)
	}
	if cuda := slices.Index(names, "xla:cuda"); cuda > 0 {
		t.Errorf("BackendNames() = %q, want xla:cuda as the first", names)
	}
}

func TestPolicyPrefersEnvironment(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "go")
	var notice strings.Builder
	backend, err := OpenBackend("", &notice)
	if err != nil {
		t.Fatal(err)
	}
	if got := backendName(backend); got != "go" {
		t.Errorf("with GOMLX_BACKEND=go, the backend is %s", got)
	}
	if notice.Len() > 0 {
		t.Errorf("what was asked for needs no notice: %q", notice.String())
	}
}

func TestPolicyPrefersXLA(t *testing.T) {
	t.Setenv(compute.ConfigEnvVar, "")
	if !slices.Contains(BackendNames(), "xla:cpu") {
		t.Skip("no XLA here")
	}
	var notice strings.Builder
	backend, err := OpenBackend("", &notice)
	if err != nil {
		t.Fatal(err)
	}
	if got := backendName(backend); !strings.HasPrefix(got, "xla:") || notice.Len() > 0 {
		t.Errorf("the default backend is %s, with the notice %q, want XLA without a notice", got, notice.String())
	}
}

// openDefaultBackend prints the default backend, after the description of the
// extractor and pure Go by name, which must not swallow the notice; then it opens
// the default again, which must not repeat it.
func openDefaultBackend() error {
	if _, err := Layers(Config{}, 28, 28, 1); err != nil {
		return err
	}
	if _, err := OpenBackend("go", os.Stdout); err != nil {
		return err
	}
	for range 2 {
		backend, err := OpenBackend("", os.Stdout)
		if err != nil {
			return err
		}
		fmt.Println("backend", backendName(backend))
	}
	return nil
}

func TestPolicyWithoutPlugin(t *testing.T) {
	empty := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=open the default backend",
		"GOMLX_BACKEND=", "PJRT_PLUGIN_LIBRARY_PATH="+empty, "LD_LIBRARY_PATH=", "HOME="+empty)
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if strings.Contains(string(output), "backend xla") {
		t.Skip("this machine has a plugin in a folder of the system")
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) != 3 || lines[1] != "backend go" || lines[2] != "backend go" {
		t.Fatalf("want one line of notice, then pure Go twice; got\n%s", output)
	}
	for _, word := range []string{"No XLA", "pure-Go", "./scripts/run"} {
		if !strings.Contains(lines[0], word) {
			t.Errorf("the notice is %q, want it to have %q", lines[0], word)
		}
	}
}
