// Package server holds the doors: gRPC, and JSON over HTTP. Both lead through the same interceptors to the same
// service. It knows the contract and nothing of what is behind it. A third door is for those who run the gateway.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/httpjson"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// Config is what a Server needs to know.
type Config struct {
	// Customers does the work.
	Customers customerv1.CustomerServiceServer
	// Callers authenticates callers; nil accepts all calls, which may change status and not user_id.
	Callers auth.Authenticator
	// Logger gets one line for each call; its handler is a LogHandler.
	Logger *slog.Logger
	// TLS, if set, is what both doors speak. It is asked for its certificates in each handshake, so that they can change.
	TLS *tls.Config
	// DefaultTimeout is given to callers without a deadline.
	DefaultTimeout time.Duration
	// DrainTimeout is how long the calls in flight may take to end once the server stops.
	DrainTimeout time.Duration
	// Finish, if set, is called when no call is in flight any more, with what is left of the drain time: for what
	// goes on without its caller.
	Finish func(context.Context)
	// NotReady, if set, returns why what is behind the doors cannot serve calls, in fixed words. It is asked often, and
	// must ask nobody else.
	NotReady func() []string
	// Metrics counts what comes; nil counts for nobody.
	Metrics *Metrics
}

// chain is the configuration of the interceptors of one transport.
func (c *Config) chain(transport string) interceptor.Config {
	return interceptor.Config{Transport: transport, Callers: c.Callers, Metrics: c.Metrics, Logger: c.Logger, DefaultTimeout: c.DefaultTimeout}
}

// Metrics counts the calls of both transports, and what they reject.
type Metrics = interceptor.Metrics

// NewMetrics returns Metrics that have counted nothing.
func NewMetrics() *Metrics { return interceptor.NewMetrics() }

// LogHandler adds the request id and the caller's name to records that are logged under the context of a call.
func LogHandler(next slog.Handler) slog.Handler { return interceptor.LogHandler(next) }

// Server serves both doors.
type Server struct {
	grpc   *grpc.Server
	http   *http.Server
	ready  *readiness
	drain  time.Duration
	finish func(context.Context)
	logger *slog.Logger
	tls    *tls.Config

	jsonCalls sync.RWMutex // held for reading by each call of the JSON door
}

// New returns a Server. It listens on nothing yet.
func New(cfg Config) (*Server, error) {
	if cfg.Callers == nil {
		cfg.Callers = auth.Anyone{May: auth.Permissions{Status: true}}
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	ready := newReadiness(cfg.NotReady)
	gateway, err := httpjson.NewServer(httpjson.Config{
		Customers:   cfg.Customers,
		Callers:     cfg.Callers,
		Interceptor: interceptor.Unary(cfg.chain(interceptor.HTTP)),
		Rejections:  interceptor.NewRejectionLog(interceptor.HTTP, cfg.Metrics, cfg.Logger),
		Logger:      cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("JSON door: %w", err)
	}
	s := &Server{
		grpc:   newGRPCServer(&cfg, ready),
		http:   gateway,
		ready:  ready,
		drain:  cfg.DrainTimeout,
		finish: cfg.Finish,
		logger: cfg.Logger,
		tls:    cfg.TLS,
	}
	s.http.Handler = s.counted(gateway.Handler)
	return s, nil
}

// Run serves until ctx is done, lets the calls in flight end, and returns when everything has stopped. It closes
// the listeners. Its error says which door failed; being told to stop is none.
func (s *Server) Run(ctx context.Context, grpcListener, httpListener net.Listener) error {
	grpcListener = connlimit.NewListener(grpcListener)
	httpListener = connlimit.NewListener(httpListener)
	if s.tls != nil { // the gRPC door makes its handshakes by itself
		httpListener = tls.NewListener(httpListener, offering(protocolJSON, s.tls))
	}
	following, stopFollowing := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { s.ready.follow(following) })
	defer follower.Wait()
	defer stopFollowing()
	s.ready.open()

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

// NotReady returns why calls cannot be served, in fixed words; none if they can. It stays so from the moment the server
// is told to stop.
func (s *Server) NotReady() []string { return s.ready.problems() }

// counted lets stop wait for the calls of a door whose connections it has closed.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.jsonCalls.RLock()
		defer s.jsonCalls.RUnlock()
		next.ServeHTTP(w, r)
	})
}

// stop refuses new calls, and gives those in flight the drain time to be answered.
func (s *Server) stop(ctx context.Context) {
	s.logger.LogAttrs(ctx, slog.LevelInfo, "stopping; calls in flight may end", slog.Duration("drain_timeout", s.drain))
	s.ready.stop() // before the doors close
	ctx, cancel := context.WithTimeout(ctx, s.drain)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.GracefulStop()
	}()
	late := s.http.Shutdown(ctx) != nil
	select {
	case <-stopped:
	case <-ctx.Done():
		late = true
	}
	if late {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the drain time is over; callers are cut off")
		_ = s.http.Close() // its error is that of a listener already closed
		s.grpc.Stop()      // lets GracefulStop return, once the calls have
		<-stopped
		s.jsonCalls.Lock()
		defer s.jsonCalls.Unlock()
	}
	if s.finish != nil {
		s.finish(ctx)
	}
}

func doorError(door string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("%s door: %w", door, err)
}
