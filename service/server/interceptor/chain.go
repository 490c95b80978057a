package interceptor

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"

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
	Callers   auth.Authenticator
	Metrics   *Metrics
	Logger    *slog.Logger
	// DefaultTimeout is given to callers without a deadline.
	DefaultTimeout time.Duration
}

// Unary returns the chain of one transport.
func Unary(cfg Config) grpc.UnaryServerInterceptor { return chain(unary(cfg)) }

// unary is the way of a call through either door, outermost first.
func unary(cfg Config) []grpc.UnaryServerInterceptor {
	return []grpc.UnaryServerInterceptor{
		measured(cfg.Metrics, cfg.Transport), // outside all: it counts what the others refuse, and times what they do
		knownMetadata(),                      // nothing that follows sees what has no business here
		requestID(),                          // before all that writes a line: it can name the call
		accessLog(cfg.Logger.With(slog.String("transport", cfg.Transport))), // outside recovery: a panic is a line in the log too
		noBlindRetry(),               // outside recovery: a panic leaves the outcome unknown too
		recovered(cfg.Logger),        // outside all that can panic for a caller's reason
		deadline(cfg.DefaultTimeout), // the time is for the work alone
		callerAuth(cfg.Callers),      // behind it everybody is known
		authenticatedConnection(),    // innermost: the connection of who was let in is kept
	}
}

// chain makes one interceptor of many, the first being the outermost.
func chain(interceptors []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		for i := len(interceptors) - 1; i >= 0; i-- {
			next, interceptor := handler, interceptors[i]
			handler = func(ctx context.Context, request any) (any, error) { return interceptor(ctx, request, info, next) }
		}
		return handler(ctx, request)
	}
}

// Streams is the way of a stream that is no call, outermost first. It ends once stopping is closed.
func Streams(callers auth.Authenticator, logger *slog.Logger, stopping <-chan struct{}) grpc.ServerOption {
	return grpc.ChainStreamInterceptor(endingStreams(stopping), recoveredStreams(logger), callerAuthOfStreams(callers), fewStreams())
}
