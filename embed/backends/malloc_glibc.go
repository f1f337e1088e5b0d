//go:build cgo && linux && (amd64 || arm64)

package backends

/*
#include <limits.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static void keep_freed_memory(void) {
#ifdef __GLIBC__
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_TOP_PAD, 64 << 20);
#endif
}
*/
import "C"

// keepFreedMemory tells the C library to keep the memory that XLA frees. XLA allocates
// what a step needs anew in every step: by default large blocks go back to the system
// each time, and each of their pages is cleared again. The heaps of a thread's arena, of 64
// MiB, go back whenever they are empty, unless the padding is as large as they are.
func keepFreedMemory() { C.keep_freed_memory() }
