package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// realTempDir returns the path of a new folder without symbolic links.
func realTempDir(t *testing.T) string {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestRoot(t *testing.T) {
	outer := realTempDir(t)
	write(t, filepath.Join(outer, "go.mod"))
	write(t, filepath.Join(outer, "a", "b", "file"))
	write(t, filepath.Join(outer, "inner", "go.mod"))
	write(t, filepath.Join(outer, "inner", "c", "file"))
	for working, want := range map[string]string{
		"": "", "a": "", "a/b": "", "inner": "inner", "inner/c": "inner",
	} {
		t.Chdir(filepath.Join(outer, working))
		if got := Root(); got != filepath.Join(outer, want) {
			t.Errorf("in %q the root is %s, want %s", working, got, filepath.Join(outer, want))
		}
	}
}

func TestRootOutsideOfModules(t *testing.T) {
	folder := realTempDir(t)
	for above := folder; above != filepath.Dir(above); above = filepath.Dir(above) {
		if _, err := os.Stat(filepath.Join(above, "go.mod")); err == nil {
			t.Skipf("%s is a module", above)
		}
	}
	t.Chdir(folder)
	if got := Root(); got != folder {
		t.Errorf("without a module the root is %s, want the working folder %s", got, folder)
	}
}

const childEnv = "EMBEDSPACE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Stdout.WriteString(os.Getenv(pluginPathEnv))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestPluginPath: a process in a module with plugins looks for them there, unless
// the variable says otherwise.
func TestPluginPath(t *testing.T) {
	module := realTempDir(t)
	write(t, filepath.Join(module, "go.mod"))
	write(t, filepath.Join(module, "notebooks", "file"))
	plugins := filepath.Join(module, ".tools", "pjrt")

	path := func(environment ...string) string {
		t.Helper()
		child := exec.Command(os.Args[0])
		child.Dir = filepath.Join(module, "notebooks")
		child.Env = append(environment, childEnv+"=1")
		output, err := child.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(output)
	}
	if got := path(); got != "" {
		t.Errorf("without plugins the path is %q, want none", got)
	}
	write(t, filepath.Join(plugins, "file"))
	if got := path(); got != plugins {
		t.Errorf("with plugins the path is %q, want %q", got, plugins)
	}
	if got := path(pluginPathEnv + "=/elsewhere"); got != "/elsewhere" {
		t.Errorf("the path that was set is %q, want /elsewhere", got)
	}
}
