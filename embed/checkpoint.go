package embed

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/embedspace/embedspace/embed/internal/store"
)

// checkpointFile holds a training: every variable (extractor, head, optimizer, step,
// random state) by its path, without the slash that begins it, and the trainingState as
// JSON. It is one .npz file, so that one rename replaces it whole.
const checkpointFile = "checkpoint.npz"

// stateKey is the key of the trainingState among the variables.
const stateKey = "state.json"

// saveCheckpoint replaces the checkpoint in the training's folder, unless the
// variables are not finite. The trace comes before: it never knows less.
func (t *training) saveCheckpoint() error {
	if err := t.checkFinite(); err != nil {
		return err
	}
	t.lastSave = time.Now()
	folder := Folder(t.opts.Out)
	if t.trace != nil {
		if err := saveTrace(folder, t.trace, t.state); err != nil {
			return err
		}
	}
	return saveCheckpoint(folder, t.net, t.state)
}

func saveCheckpoint(folder string, net *network, state trainingState) error {
	arrays := store.Arrays{}
	state.Frozen = nil
	for variable := range net.store.IterVariables() {
		name := strings.TrimPrefix(variable.Path(), model.ScopeSeparator)
		value, err := variable.Value()
		if err != nil {
			return err
		}
		arrays[name] = value
		if isOfNetwork(name) && !variable.Trainable {
			state.Frozen = append(state.Frozen, name)
		}
	}
	slices.Sort(state.Frozen)
	var err error
	if arrays[stateKey], err = store.Object(state); err != nil {
		return err
	}
	return store.WriteNpz(filepath.Join(folder, checkpointFile), arrays, zip.Store)
}

// isOfNetwork tells whether the variable of that name is part of extractor or head, not of
// the optimizer.
func isOfNetwork(name string) bool {
	return strings.HasPrefix(name, extractorScope+model.ScopeSeparator) || strings.HasPrefix(name, headScope+model.ScopeSeparator)
}

// loadCheckpoint reads the checkpoint of a folder.
func loadCheckpoint(folder string) (variables store.Arrays, state trainingState, err error) {
	path := filepath.Join(folder, checkpointFile)
	variables, err = store.ReadNpz(path)
	if err == nil {
		err = store.ReadObject(variables, stateKey, &state)
	}
	if err != nil {
		return nil, state, fmt.Errorf("embed: checkpoint %s: %w", path, err)
	}
	delete(variables, stateKey)
	return variables, state, nil
}

// restore sets the variables of a network that has not run yet. Trained are those of
// extractor and head that the checkpoint does not call frozen.
func (n *network) restore(variables store.Arrays, frozen []string) error {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		path := model.ScopeSeparator + name
		if variable := n.store.GetVariable(path); variable != nil {
			if err := variable.SetValue(variables[name]); err != nil {
				return err
			}
			continue
		}
		variable, err := n.store.CreateVariable(path, variables[name])
		if err != nil {
			return err
		}
		variable.SetTrainable(isOfNetwork(name) && !slices.Contains(frozen, name))
	}
	return nil
}

// resume goes on from the checkpoint in the training's folder; without one, the
// training starts anew. The error names the first difference in configuration.
func (t *training) resume() error {
	folder := Folder(t.opts.Out)
	if t.opts.Out == "" {
		return errors.New("embed: resume needs the folder of the checkpoint in Options.Out")
	}
	variables, state, err := loadCheckpoint(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := sameRun(state, t.state); err != nil {
		return fmt.Errorf("embed: the checkpoint in %s is of %w", folder, err)
	}
	if state.Version != t.state.Version || state.Options != t.state.Options {
		return fmt.Errorf("embed: the checkpoint in %s is of %w: version %d of the training, with the options %q of the backend; here they are %d and %q; to train anew, do not resume, or remove %[1]s",
			folder, ErrOtherRun, state.Version, state.Options, t.state.Version, t.state.Options)
	}
	t.state = state
	t.state.Open = true
	if err := t.resumeTrace(); err != nil {
		return err
	}
	return t.net.restore(variables, state.Frozen)
}

// sameRun returns ErrOtherRun with the first field in which a run differs from one that was
// saved.
func sameRun(saved, wanted trainingState) error {
	difference := cmp.Or(store.Difference(saved.Config, wanted.Config), store.Difference(saved.Data, wanted.Data))
	if difference != "" {
		return fmt.Errorf("%w: %s", ErrOtherRun, difference)
	}
	return nil
}
