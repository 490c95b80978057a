package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// showProgress prints a line every second until stop is called. stop returns after the last line.
func showProgress(out io.Writer, r *results, calls int) (stop func()) {
	done := make(chan struct{})
	var printing sync.WaitGroup
	printing.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		start, before := time.Now(), 0
		last := start
		for {
			select {
			case <-done:
				return
			case now := <-ticker.C:
				ended, failed := r.progress()
				fmt.Fprintf(out, "  %3.0f s  %d of at most %d calls, %.0f a second, %d failed\n",
					now.Sub(start).Seconds(), ended, calls, float64(ended-before)/now.Sub(last).Seconds(), failed)
				before, last = ended, now
			}
		}
	})
	return func() {
		close(done)
		printing.Wait()
	}
}
