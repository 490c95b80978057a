// Fluentcart-gateway is a gRPC service, with a JSON door, for updating customers of a FluentCart store.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(start())
}

// start owns the one root context. The first signal ends it, and the calls in flight come to their end; a second
// one finds no handler any more and kills.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	silence()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}
