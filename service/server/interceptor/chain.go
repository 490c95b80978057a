// Package interceptor holds the chain of interceptors that calls of both transports pass: gRPC calls in the gRPC server,
// and requests of the HTTP/JSON gateway in process.
package interceptor

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// The transports, as metrics and log lines name them.
const (
	GRPC = "grpc"
	HTTP = "http"
)

// Config is what the chain needs.
type Config struct {
	// Transport is GRPC or HTTP.
	Transport string
	// Callers authenticates callers.
	Callers auth.Authenticator
	// Shed returns the rejection of a call that cannot be served in time, or nil. It is called for each call before its
	// request is read, and must be fast. A nil Shed sheds nothing.
	Shed       func(ctx context.Context, method string, caller *auth.Caller) *apierror.Error
	Metrics    *Metrics
	Rejections *RejectionLog
	Logger     *slog.Logger
	// DefaultTimeout is for callers without a deadline.
	DefaultTimeout time.Duration
	// Tracer starts the spans of the calls; nil traces nothing.
	Tracer trace.Tracer
}

// unary returns the interceptors of one transport, the outermost first.
func unary(cfg Config) []grpc.UnaryServerInterceptor {
	return []grpc.UnaryServerInterceptor{
		traced(cfg.Tracer, cfg.Transport),       // outside all that log and measure, which name the trace
		measured(cfg.Metrics.of(cfg.Transport)), // outside the others: it counts the calls that they reject, and times all of them
		requestID(cfg.Transport),                // outside accessLog: a call that is logged has returned its id
		accessLog(cfg.Logger.With(slog.String("transport", cfg.Transport)), cfg.Rejections), // outside recovered, so that a panic has an access line too
		retryPushback(),              // outside recovered, because a panic leaves the outcome of a write unknown too
		recovered(cfg.Logger),        // outside all that may panic because of a request
		deadline(cfg.DefaultTimeout), // behind the log and the metrics: the deadline is for the work alone
		callerAuth(),                 // before all that need the caller
		authenticatedConnection(),    // last: it keeps the connection only of an authenticated caller
	}
}

// streams returns the interceptors of streams, the outermost first. Streams are health watches and reflection: they
// write nothing, so they need no deadline and no access log.
func streams(logger *slog.Logger, stopping <-chan struct{}) []grpc.StreamServerInterceptor {
	return []grpc.StreamServerInterceptor{
		endedOnStop(stopping),        // outside recoveredStream: a panic in the goroutine that it starts must be recovered there
		recoveredStream(logger),      // outside all that may panic because of a request
		streamCallerAuth(),           // before the limit, so that rejected streams do not count
		limitedStreamsOfConnection(), // last: it counts the streams that are served
	}
}

// Unary returns the chain of one transport as one interceptor.
func Unary(cfg Config) grpc.UnaryServerInterceptor {
	interceptors := unary(cfg)
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		r := &chainRun{interceptors: interceptors, info: info, handler: handler}
		r.next = r.run
		return r.run(ctx, request)
	}
}

// chainRun is one call on its way through the interceptors, each of which calls its handler at most once.
type chainRun struct {
	interceptors []grpc.UnaryServerInterceptor // those that are left
	info         *grpc.UnaryServerInfo
	handler      grpc.UnaryHandler
	next         grpc.UnaryHandler // run, made once
}

func (r *chainRun) run(ctx context.Context, request any) (any, error) {
	if len(r.interceptors) == 0 {
		return r.handler(ctx, request)
	}
	interceptor := r.interceptors[0]
	r.interceptors = r.interceptors[1:]
	return interceptor(ctx, request, r.info, r.next)
}

// Streams returns the interceptors of the gRPC server's streams. They end all streams once stopping is closed.
func Streams(logger *slog.Logger, stopping <-chan struct{}) grpc.ServerOption {
	return grpc.ChainStreamInterceptor(streams(logger, stopping)...)
}
