package datasets

import "testing"

// LimitMemory makes datasets of more bytes read their files, and keep as many bytes,
// until the test ends.
func LimitMemory(t *testing.T, memory, cache int) {
	oldMemory, oldCache := memoryLimit, cacheLimit
	memoryLimit, cacheLimit = memory, cache
	t.Cleanup(func() { memoryLimit, cacheLimit = oldMemory, oldCache })
}
