package store

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// A file stays as it was when what replaces it can't be written, and nothing is left beside it.
func TestReplaceFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := replace(path, func(w io.Writer) error {
		if _, err := w.Write([]byte("ne")); err != nil {
			return err
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "old" {
		t.Errorf("the file has %q, %v", content, err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("the folder has %v, %v", files, err)
	}
}

// WriteNpz does not hold a second copy of the arrays.
func TestWriteNpzMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "arrays.npz")
	values := make([]float32, 4<<20)
	values[len(values)-1] = 7
	arrays := Arrays{"z": Matrix(values, 2)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := WriteNpz(path, arrays, zip.Store); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("%d bytes allocated to write %d", allocated, 4*len(values))
	}
	read, err := ReadNpz(path)
	if err != nil {
		t.Fatal(err)
	}
	var again []float32
	if err := Read(read, "z", &again); err != nil || !slices.Equal(again, values) {
		t.Errorf("other numbers are read than were written: %v", err)
	}
}
