// Fluentcart-gateway is a gRPC service, with an HTTP/JSON gateway, for updating customers of a FluentCart store.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/redis/go-redis/v9/logging"
	"go.opentelemetry.io/otel"
	"google.golang.org/grpc/grpclog"
)

func main() {
	os.Exit(start())
}

// start owns the one root context. The first signal ends it, and the gateway drains. A second signal finds no handler
// and kills the process.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	silenceLibraries()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// silenceLibraries keeps libraries from writing lines of their own between those of the log. Their errors hold the same
// information, and some of it must not be logged: net/http quotes bytes that a store sends unasked. For debugging, gRPC's
// log is enabled by its own variables, GRPC_GO_LOG_SEVERITY_LEVEL first.
func silenceLibraries() {
	logging.Disable() // go-redis
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) // the exporter of spans logs what it meets
	log.SetOutput(io.Discard)
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
}
