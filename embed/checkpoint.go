package embed

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/numpy"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/renameio/v2"
)

// checkpointFile holds a training: every variable (extractor, head, optimizer,
// step, random state) by its path, without the slash that begins it, and the
// trainingState as JSON bytes. It is one
// .npz file, so that one rename replaces it whole.
const checkpointFile = "checkpoint.npz"

// stateKey is the key of the trainingState among the variables.
const stateKey = "state.json"

// saveCheckpoint replaces the checkpoint in the training's folder, unless the
// variables are not finite.
func (t *training) saveCheckpoint() error {
	if err := t.checkFinite(); err != nil {
		return err
	}
	t.lastSave = time.Now()
	return saveCheckpoint(Folder(t.opts.Out), t.net, t.state)
}

func saveCheckpoint(folder string, net *network, state trainingState) error {
	encoded, err := json.Marshal(state)
	if err != nil {
		return err
	}
	arrays := map[string]*tensors.Tensor{stateKey: tensors.FromFlatDataAndDimensions(encoded, len(encoded))}
	for variable := range net.store.IterVariables() {
		if arrays[strings.TrimPrefix(variable.Path(), model.ScopeSeparator)], err = variable.Value(); err != nil {
			return err
		}
	}
	return writeNpz(filepath.Join(folder, checkpointFile), arrays, zip.Store)
}

// loadCheckpoint reads the checkpoint of a folder.
func loadCheckpoint(folder string) (variables map[string]*tensors.Tensor, state trainingState, err error) {
	path := filepath.Join(folder, checkpointFile)
	arrays, err := readNpz(path)
	if err != nil {
		return nil, state, fmt.Errorf("embed: checkpoint %s: %w", path, err)
	}
	encoded, ok := arrays[stateKey]
	if !ok {
		return nil, state, fmt.Errorf("embed: checkpoint %s: no %s in it", path, stateKey)
	}
	delete(arrays, stateKey)
	state.Config.Devices = defaultDevices // older checkpoints do not say
	if err := encoded.ConstBytes(func(data []byte) { err = json.Unmarshal(data, &state) }); err != nil {
		return nil, state, err
	}
	if err != nil {
		return nil, state, fmt.Errorf("embed: checkpoint %s: %s: %w", path, stateKey, err)
	}
	return arrays, state, nil
}

// restore sets the variables of a network that has not run yet. Those outside of
// extractor and head belong to the optimizer and are not trained.
func (n *network) restore(variables map[string]*tensors.Tensor) error {
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
		variable.SetTrainable(strings.HasPrefix(name, "extractor/") || strings.HasPrefix(name, "head/"))
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
		return fmt.Errorf("embed: the checkpoint in %s is of another run: %w", folder, err)
	}
	t.state = state
	return t.net.restore(variables)
}

// sameRun names the first field in which two runs differ.
func sameRun(saved, asked trainingState) error {
	for _, pair := range [][2]any{{saved.Config, asked.Config}, {saved.Data, asked.Data}} {
		a, b := reflect.ValueOf(pair[0]), reflect.ValueOf(pair[1])
		for i := range a.NumField() {
			if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
				return fmt.Errorf("%s is %v there and %v here", a.Type().Field(i).Tag.Get("json"), x, y)
			}
		}
	}
	return nil
}

// writeNpz writes arrays as NumPy's .npz, which is a zip file of .npy files, in the
// order of their names, by a method of package zip: stored or compressed. The file is
// replaced whole.
func writeNpz(path string, arrays map[string]*tensors.Tensor, method uint16) error {
	var content bytes.Buffer
	archive := zip.NewWriter(&content)
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: method})
		if err != nil {
			return err
		}
		if err := numpy.ToNpyWriter(arrays[name], entry); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return writeFile(path, content.Bytes())
}

// readNpz reads what writeNpz has written. Each array is read to the end of its
// entry, where the zip file's checksum is compared.
func readNpz(path string) (map[string]*tensors.Tensor, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	arrays := map[string]*tensors.Tensor{}
	for _, file := range archive.File {
		entry, err := file.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		content, err := io.ReadAll(entry)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		if arrays[strings.TrimSuffix(file.Name, ".npy")], err = numpy.FromNpyReader(bytes.NewReader(content)); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return arrays, nil
}

// writeFile replaces a file whole, by a temporary file and a rename. Its folder is
// made where it is missing.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return renameio.WriteFile(path, content, 0o666)
}
