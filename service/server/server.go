// Package server holds the doors: gRPC, and JSON over HTTP. Both lead through the same interceptors to the same
// service. It knows the contract and nothing of what is behind it.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// Config is what a Server needs to know.
type Config struct {
	// Customers does the work.
	Customers customerv1.CustomerServiceServer
	// HTTPStatus returns the HTTP status of an error of the service's, and whether it is one.
	HTTPStatus func(*status.Status) (int, bool)
	// Logger gets one line for each call.
	Logger *slog.Logger
	// DefaultTimeout is given to callers without a deadline.
	DefaultTimeout time.Duration
	// DrainTimeout bounds how long calls in flight may take to end once the server stops.
	DrainTimeout time.Duration
}

// Server serves both doors.
type Server struct {
	grpc   *grpc.Server
	http   *http.Server
	health *health.Server
	drain  time.Duration
}

// New returns a Server. It listens on nothing yet.
func New(cfg Config) (*Server, error) {
	healthServer := health.NewServer()
	gateway, err := newHTTPServer(cfg)
	if err != nil {
		return nil, fmt.Errorf("JSON door: %w", err)
	}
	return &Server{
		grpc:   newGRPCServer(cfg, healthServer),
		http:   gateway,
		health: healthServer,
		drain:  cfg.DrainTimeout,
	}, nil
}

// Run serves until ctx is done, lets the calls in flight end, and returns when everything has stopped. It closes
// the listeners. Its error says which door failed; being told to stop is none.
func (s *Server) Run(ctx context.Context, grpcListener, httpListener net.Listener) error {
	failed := make(chan error, 2)
	go func() {
		failed <- doorError("gRPC", s.grpc.Serve(grpcListener))
	}()
	go func() {
		failed <- doorError("JSON", s.http.Serve(httpListener))
	}()

	var err error
	waiting := 2
	select {
	case <-ctx.Done():
	case err = <-failed:
		waiting--
	}
	s.stop(context.WithoutCancel(ctx))
	for range waiting {
		err = errors.Join(err, <-failed)
	}
	return err
}

// stop refuses new calls, and gives those in flight the drain time.
func (s *Server) stop(ctx context.Context) {
	s.health.Shutdown() // watchers learn it first, and send their calls elsewhere
	ctx, cancel := context.WithTimeout(ctx, s.drain)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.GracefulStop()
	}()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // the drain time is over; its error is that of a listener already closed
	}
	select {
	case <-stopped:
	case <-ctx.Done():
		s.grpc.Stop()
		<-stopped
	}
}

func doorError(door string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("%s door: %w", door, err)
}
