package compare

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/embedspace/embedspace/embed"
	"github.com/embedspace/embedspace/embed/internal/project"
	"github.com/embedspace/embedspace/embed/internal/store"
)

// manifestFile holds the manifest of a comparison.
const manifestFile = "manifest.json"

// A manifest is all that it takes to make a comparison again, and where its cells come
// from.
type manifest struct {
	Wanted  wanted                    `json:"wanted"`
	Cells   []string                  `json:"cells"`   // of the folder, and those that are wanted
	Configs []embed.Config            `json:"configs"` // one of each technique, its parameters and dataset, of 2-D, split 1 and seed 1 where they exist
	Dims    []int                     `json:"dims"`
	Splits  []int                     `json:"splits,omitempty"`
	Seeds   []int64                   `json:"seeds"`
	Data    map[string]embed.DataInfo `json:"data"` // by dataset, or DATASET-splitSPLIT
	Started time.Time                 `json:"started"`
	Ended   time.Time                 `json:"ended,omitzero"`
	By      []provenance              `json:"by"` // each that had a part in a cell
}

// writeManifest writes the manifest of these cells.
func (c comparison) writeManifest(cells map[string]*cell) error {
	m := manifest{Wanted: c.wanted, Cells: sortedNames(cells), Data: map[string]embed.DataInfo{}}
	for _, cfg := range c.trainees {
		if name := cfg.name(); cells[name] == nil {
			m.Cells = append(m.Cells, name)
		}
	}
	for _, name := range sortedNames(cells) {
		trained := cells[name]
		cfg := trained.Config
		if !slices.ContainsFunc(m.Configs, func(other embed.Config) bool {
			return other.Technique == cfg.Technique && other.Dataset == cfg.Dataset && slices.Equal(other.Changes(), cfg.Changes())
		}) {
			m.Configs = append(m.Configs, cfg)
		}
		if !slices.Contains(m.Dims, cfg.Dim) {
			m.Dims = append(m.Dims, cfg.Dim)
		}
		if trained.Split != 0 && !slices.Contains(m.Splits, trained.Split) {
			m.Splits = append(m.Splits, trained.Split)
		}
		if !slices.Contains(m.Seeds, cfg.Seed) {
			m.Seeds = append(m.Seeds, cfg.Seed)
		}
		if trained.Started.IsZero() {
			continue
		}
		m.Wanted.Backend = cfg.Backend
		m.Data[trained.dataKey()] = trained.Data
		if m.Started.IsZero() || trained.Started.Before(m.Started) {
			m.Started = trained.Started
		}
		if trained.Ended.After(m.Ended) {
			m.Ended = trained.Ended
		}
		m.By = united(m.By, trained.By...)
	}
	slices.Sort(m.Dims)
	slices.Sort(m.Splits)
	slices.Sort(m.Seeds)
	return store.WriteJSON(filepath.Join(c.folder, manifestFile), m)
}

// modulePath is the path of this module.
const modulePath = "github.com/embedspace/embedspace"

// A provenance says which program computed something, and on which machine. What is not
// known is empty.
type provenance struct {
	Commit    string            `json:"commit"` // of embedspace, with "+" when files were changed since
	Go        string            `json:"go"`
	Modules   map[string]string `json:"modules"` // versions of GoMLX, and of embedspace in a program of another module
	CPU       string            `json:"cpu"`
	Cores     int               `json:"cores"`
	MemoryGiB float64           `json:"memory_gib"`
	GPUs      []string          `json:"gpus,omitempty"` // models of NVIDIA's that the machine has, used or not
}

// united returns the provenances with these, each once.
func united(all []provenance, more ...provenance) []provenance {
	for _, p := range more {
		if !slices.ContainsFunc(all, func(other provenance) bool { return reflect.DeepEqual(p, other) }) {
			all = append(all, p)
		}
	}
	return all
}

// thisProgram returns the provenance of what this process computes.
var thisProgram = sync.OnceValue(func() provenance {
	p := provenance{Go: runtime.Version(), Modules: map[string]string{}, Cores: runtime.NumCPU()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if strings.HasPrefix(module.Path, "github.com/gomlx/") || module.Path == modulePath {
				p.Modules[module.Path] = module.Version
			}
		}
		built := map[string]string{}
		for _, setting := range info.Settings {
			built[setting.Key] = setting.Value
		}
		if info.Main.Path == modulePath {
			p.Commit = built["vcs.revision"]
		}
		if p.Commit != "" && built["vcs.modified"] == "true" {
			p.Commit += "+"
		}
	}
	if p.Commit == "" {
		p.Commit = commit(project.Root())
	}
	p.CPU = procField("/proc/cpuinfo", "model name")
	var kib float64
	if _, err := fmt.Sscan(procField("/proc/meminfo", "MemTotal"), &kib); err == nil {
		p.MemoryGiB = math.Round(kib/(1<<20)*10) / 10
	}
	drivers, _ := filepath.Glob("/proc/driver/nvidia/gpus/*/information") // an error is one of the pattern
	for _, driver := range drivers {
		p.GPUs = append(p.GPUs, procField(driver, "Model"))
	}
	return p
})

// commit returns the commit of a clone of this module, with "+" when files were changed
// since; empty, if it isn't known.
func commit(folder string) string {
	content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil || !strings.HasPrefix(string(content), "module "+modulePath+"\n") {
		return ""
	}
	output, err := exec.Command("git", "-C", folder, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}

// procField returns the first value of that name in a file of Linux's /proc, empty if
// there is none.
func procField(path, name string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
