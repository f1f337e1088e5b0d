//go:build !(cgo && linux && (amd64 || arm64))

package backends

// keepFreedMemory does nothing: how freed memory is kept is a matter of the GNU C library.
func keepFreedMemory() {}
