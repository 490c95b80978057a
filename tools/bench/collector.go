package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// collector is an OpenTelemetry collector that keeps nothing.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
}

// Export takes the spans.
func (collector) Export(context.Context, *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// serveCollector serves a collector on a free port, and ends with the process that started it.
func serveCollector(args []string, _ io.Writer) error {
	if len(args) > 0 {
		return errors.New("collector: want no arguments")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the process
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(server, collector{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	fmt.Fprintf(os.Stderr, "msg=started grpc= http=%s\n", listener.Addr()) // as a gateway logs it
	return server.Serve(listener)
}
