// Package parallel shares loops between cores.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// For calls a function for each i < n, in blocks. Each goroutine has a function of its own
// from worker; chance decides which of them gets a block.
func For(n int, worker func() func(i int)) {
	const block = 16
	var taken atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			do := worker()
			for {
				end := int(taken.Add(block))
				if end-block >= n {
					return
				}
				for i := end - block; i < min(end, n); i++ {
					do(i)
				}
			}
		})
	}
	group.Wait()
}
