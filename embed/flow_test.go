package embed

import (
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/embedspace/embedspace"

// imports returns what the packages of a folder import, by the path of the package in the
// module.
func imports(t *testing.T, folder string) map[string][]string {
	t.Helper()
	packages := map[string][]string{}
	root := filepath.Join("..", folder)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		pkg, err := build.ImportDir(path, 0)
		if _, none := err.(*build.NoGoError); none {
			return nil
		}
		if err != nil {
			return err
		}
		inside, err := filepath.Rel("..", path)
		packages[filepath.ToSlash(inside)] = pkg.Imports
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// TestFlow holds the one-way flow of the packages: each knows only those of our own that
// are named here.
func TestFlow(t *testing.T) {
	allowed := map[string][]string{
		"datasets":                nil,
		"losses":                  nil,
		"viz":                     nil,
		"viz/explorer":            {"viz"},
		"embed/internal/project":  nil,
		"embed/internal/console":  nil,
		"embed/internal/store":    nil,
		"embed/internal/memory":   nil,
		"embed/internal/parallel": nil,
		"embed/measure":           {"embed/internal/parallel", "embed/internal/vectors"},
		"embed/targets":           nil,
		"embed/openset":           {"embed/measure", "embed/internal/parallel", "embed/internal/vectors"},
		"embed/fewshot":           {"embed/internal/parallel", "embed/internal/vectors"},
		"embed/explain":           {"embed/internal/parallel", "embed/internal/vectors"},
		"embed/internal/vectors":  nil,
		"embed/backends":          {"embed/internal/project"},
		"embed/internal/conv":     {"embed/backends"},
		"embed": {"datasets", "losses", "viz", "viz/explorer", "embed/backends", "embed/explain", "embed/measure", "embed/openset", "embed/targets",
			"embed/internal/console", "embed/internal/conv", "embed/internal/memory", "embed/internal/project", "embed/internal/store", "embed/internal/vectors"},
		"embed/compare": {"datasets", "viz", "embed", "embed/backends", "embed/fewshot", "embed/measure", "embed/openset",
			"embed/internal/console", "embed/internal/project", "embed/internal/store", "embed/internal/vectors"},
		"notebooks/course": {"datasets", "viz", "embed", "embed/measure", "embed/notebook"},
		"embed/notebook":   {"embed", "viz"},
		"embed/embedtest":  {"datasets", "embed/backends", "embed/internal/memory", "embed/internal/project"},
	}
	seen := 0
	for _, folder := range []string{"datasets", "losses", "viz", "embed", "notebooks"} {
		for pkg, imported := range imports(t, folder) {
			own, known := allowed[pkg]
			if !known {
				t.Errorf("package %s is not in the flow", pkg)
			}
			for _, path := range imported {
				if inside, ok := strings.CutPrefix(path, modulePath+"/"); ok {
					seen++
					if !slices.Contains(own, inside) {
						t.Errorf("%s imports %s, allowed: %q", pkg, inside, own)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no package imports another: this test doesn't see imports")
	}
}

// TestArraysOnly: these packages take arrays, and know no tensors.
func TestArraysOnly(t *testing.T) {
	for _, folder := range []string{"datasets", "viz", "embed/explain", "embed/measure", "embed/targets"} {
		for pkg, imported := range imports(t, folder) {
			for _, path := range imported {
				if strings.HasPrefix(path, "github.com/gomlx/") {
					t.Errorf("%s imports %s", pkg, path)
				}
			}
		}
	}
}
