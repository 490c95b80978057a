// Load sends updates to a gateway, and prints their rate, latencies, codes and reasons, and what reached the store.
//
//	load -gateway bin/fluentcart-gateway                                     a gateway and a sandbox store of its own
//	load -gateway bin/fluentcart-gateway -rate 200 -duration 30s -store-workers 4 -store-latency 33ms -allow OVERLOADED
//	load -addr 127.0.0.1:9090 -admin http://127.0.0.1:9091 -customers 1,4    a running gateway
//
// In the modes grpc and http the client is part of this process, and reaches the limit of the gateway. In the mode grpcurl
// each call is a process, as in a script: what is measured is mostly how long grpcurl takes to start.
//
// The calls are a closed loop, in which -parallel workers send one call after another, or with -rate an open loop, in which
// calls are due at fixed times. The latency of a call in the open loop counts from when it was due, so it includes the time
// in which no worker was free (otherwise a slow gateway would hide its slowness by slowing the load down).
//
// A run is bounded in calls and time. Its exit code is 0 only if every call was answered OK, or with what -allow names, and
// the store agrees with the answers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(start())
}

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	cfg, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // parse has written the faults
	}
	if err := run(ctx, cfg, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		return 1
	}
	return 0
}
