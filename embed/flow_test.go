package embed

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFlow holds the one-way flow of the packages: datasets, losses and viz know
// none of the others, and embed knows no more than these three.
func TestFlow(t *testing.T) {
	const module = "github.com/embedspace/embedspace"
	uses := func(folder string) (packages []string) {
		err := filepath.WalkDir(filepath.Join("..", folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			pkg, err := build.ImportDir(path, 0)
			if _, none := err.(*build.NoGoError); none {
				return nil
			}
			for _, imported := range pkg.Imports {
				if rest, ok := strings.CutPrefix(imported, module+"/"); ok {
					packages = append(packages, rest)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(packages)
		return slices.Compact(packages)
	}
	for folder, allowed := range map[string][]string{
		"datasets": nil, "losses": nil, "viz": nil, "embed": {"datasets", "losses", "viz"},
	} {
		for _, used := range uses(folder) {
			inside := used == folder || strings.HasPrefix(used, folder+"/")
			if !inside && !slices.Contains(allowed, used) {
				t.Errorf("%s imports %s, allowed: %q", folder, used, allowed)
			}
		}
	}
	if used := uses("embed"); !slices.Contains(used, "losses") {
		t.Errorf("embed imports %q: this test doesn't see imports", used)
	}
}

// TestVizKnowsNoTensors: viz takes arrays and gives pictures.
func TestVizKnowsNoTensors(t *testing.T) {
	pkg, err := build.ImportDir(filepath.Join("..", "viz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, imported := range pkg.Imports {
		if strings.HasPrefix(imported, "github.com/gomlx/") {
			t.Errorf("viz imports %s", imported)
		}
	}
}
