// Package server starts and stops the two transports, the gRPC server and the HTTP/JSON gateway, in front of the same
// service. It says when they are ready, and lets calls in flight end when it stops. The admin server is separate.
package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/httpjson"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// Config is what a Server needs.
type Config struct {
	// Customers implements the contract.
	Customers customerv1.CustomerServiceServer
	// Callers authenticates callers. If it is nil, every caller is accepted, and may change a customer's status but not
	// its user_id.
	Callers auth.Authenticator
	// Shed, if set, returns the rejection of a call that cannot be served in time, or nil. It is called for each call before
	// its request is read, and must be fast.
	Shed func(ctx context.Context, method string, caller *auth.Caller) *apierror.Error
	// Logger gets one line for each call; its handler is an interceptor.LogHandler.
	Logger *slog.Logger
	// TLS, if set, is used by both transports. Each handshake asks it for its certificates, so that they can change.
	TLS *tls.Config
	// DefaultTimeout is for callers without a deadline.
	DefaultTimeout time.Duration
	// DrainDelay is how long the server goes on to accept calls after it has said that it is not ready any more. A balancer
	// needs this long to notice.
	DrainDelay time.Duration
	// DrainTimeout is how long calls in flight may take to end after the drain delay.
	DrainTimeout time.Duration
	// MaxConnectionAge is when gRPC clients are asked to reconnect (GOAWAY); grpc-go varies it by a tenth. 0 is 5 minutes.
	MaxConnectionAge time.Duration
	// Finish, if set, is called when no call is in flight any more, with the rest of the drain time. It waits for work
	// that goes on without its caller.
	Finish func(context.Context)
	// NotReady, if set, returns the reasons why the service cannot serve calls, in fixed words. It is called often, and
	// must not wait for anything.
	NotReady func() []string
	// Docs, if set, are public pages, which the HTTP/JSON gateway serves beside the calls.
	Docs *http.ServeMux
	// Metrics counts calls; nil counts for nothing.
	Metrics *interceptor.Metrics
	// Tracer starts the spans of calls; nil traces nothing.
	Tracer trace.Tracer
}

// Server serves both transports.
type Server struct {
	newGRPC func(answerHTTP1 string) *grpc.Server // for Run: a gRPC server starts its workers when it is made
	grpc    *grpc.Server
	http    *http.Server
	ready   *readiness
	finish  func(context.Context)
	logger  *slog.Logger
	tls     *tls.Config

	drainDelay, drain time.Duration
	draining          atomic.Bool // accepts calls, and is not ready any more

	grpcRejections, httpRejections *interceptor.RejectionLog

	httpCalls sync.RWMutex // each request of the HTTP/JSON gateway holds it for reading
}

// New returns a Server. It listens on nothing yet.
func New(cfg Config) (*Server, error) {
	if cfg.Callers == nil {
		cfg.Callers = auth.Anyone{May: auth.Permissions{Status: true}}
	}
	if cfg.MaxConnectionAge == 0 {
		cfg.MaxConnectionAge = 5 * time.Minute
	}
	if cfg.Metrics == nil {
		cfg.Metrics = interceptor.NewMetrics()
	}
	grpcChain, httpChain := cfg.chain(interceptor.GRPC), cfg.chain(interceptor.HTTP)
	gateway, err := httpjson.NewServer(httpjson.Config{
		Customers:  cfg.Customers,
		Callers:    cfg.Callers,
		Entrance:   interceptor.NewEntrance(httpChain),
		Chain:      interceptor.Unary(httpChain),
		Rejections: httpChain.Rejections,
		Logger:     cfg.Logger,
		Docs:       cfg.Docs,
		Tracer:     cfg.Tracer,
	})
	if err != nil {
		return nil, fmt.Errorf("HTTP/JSON gateway: %w", err)
	}
	ready := newReadiness(cfg.NotReady, cfg.Logger)
	s := &Server{
		newGRPC: func(answerHTTP1 string) *grpc.Server { return newGRPCServer(&cfg, ready, grpcChain, answerHTTP1) },
		http:    gateway,
		ready:   ready,
		finish:  cfg.Finish,
		logger:  cfg.Logger,
		tls:     cfg.TLS,

		drainDelay: cfg.DrainDelay,
		drain:      cfg.DrainTimeout,

		grpcRejections: grpcChain.Rejections,
		httpRejections: httpChain.Rejections,
	}
	s.http.Handler = s.counted(gateway.Handler)
	return s, nil
}

// chain returns the configuration of the interceptors of one transport.
func (c *Config) chain(transport string) interceptor.Config {
	return interceptor.Config{
		Transport: transport, Callers: c.Callers, Shed: c.Shed, Metrics: c.Metrics, Logger: c.Logger, DefaultTimeout: c.DefaultTimeout,
		Rejections: interceptor.NewRejectionLog(transport, c.Metrics, c.Logger), Tracer: c.Tracer,
	}
}

// NotReady returns the reasons why calls cannot be served, in fixed words, and none if they can. Once the server stops
// there is always a reason.
func (s *Server) NotReady() []string { return s.ready.problems() }
