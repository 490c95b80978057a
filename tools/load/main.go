// Load sends real grpcurl processes, in parallel, to a running gateway or to a sandbox that it starts itself, and
// prints one table of calls, codes and latencies.
//
//	load -grpcurl bin/grpcurl -gateway bin/fluentcart-gateway -calls 200 -parallel 8
//	load -grpcurl bin/grpcurl -addr 127.0.0.1:9090 -customers 1,4
//
// The latency includes the start of a grpcurl process: it is the latency that a script sees, not the gateway's own.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(start())
}

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	cfg, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		return 2 // parse has written the faults
	}
	ok, err := run(ctx, cfg, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		return 1
	}
	if !ok {
		return 1
	}
	return 0
}
