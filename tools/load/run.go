package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// run sends the load and prints the table. It reports whether all planned calls were answered OK.
func run(ctx context.Context, cfg config, stdout io.Writer) (bool, error) {
	if _, err := exec.LookPath(cfg.grpcurl); err != nil {
		return false, fmt.Errorf("-grpcurl=%s: %w; `make load` builds it", cfg.grpcurl, err)
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()
	addr := cfg.addr
	switch {
	case addr == "":
		started, stop, err := startSandbox(context.WithoutCancel(ctx), cfg.gateway)
		if err != nil {
			return false, err
		}
		defer stop()
		addr = started
		fmt.Fprintf(stdout, "started a gateway with a sandbox, gRPC at %s\n", addr)
	case !cfg.allowRemote:
		if err := checkLoopback(ctx, addr); err != nil {
			return false, err
		}
	}

	fmt.Fprintf(stdout, "%d calls to %s, %d grpcurl processes at once\n", cfg.calls, addr, cfg.parallel)
	start := time.Now()
	results := send(ctx, cfg, addr, stdout)
	table(stdout, results, time.Since(start))
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return false, fmt.Errorf("stopped after %s with %d of %d calls sent; give a longer -timeout", cfg.timeout, len(results), cfg.calls)
	case ctx.Err() != nil:
		return false, fmt.Errorf("interrupted with %d of %d calls sent", len(results), cfg.calls)
	}
	for _, r := range results {
		if r.outcome != "OK" {
			return false, nil
		}
	}
	return true, nil
}

// send runs the calls, and prints the progress every second.
func send(ctx context.Context, cfg config, addr string, stdout io.Writer) []result {
	var next, done atomic.Int64
	results := make(chan result, cfg.parallel)
	var workers sync.WaitGroup
	for range cfg.parallel {
		workers.Go(func() {
			for ctx.Err() == nil {
				number := int(next.Add(1))
				if number > cfg.calls {
					return
				}
				r := call(ctx, cfg, addr, number)
				if ctx.Err() == nil { // a call that the end of the run has cut off is not a result
					done.Add(1)
					results <- r
				}
			}
		})
	}
	go func() {
		workers.Wait()
		close(results)
	}()

	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var all []result
	for {
		select {
		case r, ok := <-results:
			if !ok {
				return all
			}
			all = append(all, r)
		case <-ticker.C:
			fmt.Fprintf(stdout, "  %d of %d\n", done.Load(), cfg.calls)
		}
	}
}
