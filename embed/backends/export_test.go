package backends

import "github.com/gomlx/compute"

// HeapGuard is the size of the guard of the heap, in bytes.
const HeapGuard = guardBlocks * guardBlock

// SetOpen makes Open return a backend by this name, until undo.
func SetOpen(name string, backend compute.Backend) (undo func()) {
	open[key{name, 1}] = backend
	return func() { delete(open, key{name, 1}) }
}
