package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

const (
	// maxTimeout is the longest that any caller may ask for.
	maxTimeout = 60 * time.Second
	// answerTime is kept of a caller's time to answer in: what reaches it after its deadline does not reach it.
	answerTime = 20 * time.Millisecond
)

// interceptors is the way of a call through either door, outermost first.
func interceptors(cfg Config, door string) []grpc.UnaryServerInterceptor {
	return []grpc.UnaryServerInterceptor{
		measured(cfg.Metrics, door), // outside all: it counts what the others refuse, and times what they do
		knownMetadata(),             // nothing that follows sees what has no business here
		requestID(),                 // before all that writes a line: it can name the call
		accessLog(cfg.Logger.With(slog.String("door", door))), // outside recovery: a panic is a line in the log too
		noBlindRetry(),               // outside recovery: a panic leaves the outcome unknown too
		recovered(cfg.Logger),        // outside all that can panic for a caller's reason
		deadline(cfg.DefaultTimeout), // the time is for the work alone
		callerAuth(cfg.Callers),      // behind it everybody is known
		proving(),                    // innermost: the connection of who was let in is kept
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

// requestID takes the caller's request id if it is fit for a log, else makes one, and sends it back.
func requestID() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		callOf(ctx).id = requestIDOf(ctx)
		if err := grpc.SetHeader(ctx, metadata.Pairs(requestIDKey, callOf(ctx).id)); err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

// requestIDOf returns the caller's request id if it is fit for a log, else a new one.
func requestIDOf(ctx context.Context) string {
	if given := metadata.ValueFromIncomingContext(ctx, requestIDKey); len(given) == 1 && validRequestID(given[0]) {
		return given[0]
	}
	return rand.Text()
}

// validRequestID allows what cannot harm a log or a header: 1 to 64 letters, digits, '-', '_', '.' and ':'.
func validRequestID(id string) bool {
	for _, r := range id {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.', r == ':':
		default:
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}

// accessLog writes one line for each call: what came of it and why, and nothing of what it carried.
func accessLog(logger *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		start := time.Now()
		response, err := handler(ctx, request)
		attributes := []slog.Attr{
			slog.String("method", info.FullMethod),
			slog.String("code", status.Code(err).String()),
			slog.Duration("took", time.Since(start)),
		}
		if about, ok := request.(interface{ GetCustomerId() int64 }); ok {
			attributes = append(attributes, slog.Int64("customer_id", about.GetCustomerId()))
		}
		if message, ok := request.(proto.Message); ok && logger.Enabled(ctx, slog.LevelDebug) {
			attributes = append(attributes, slog.Any("request", redact.Shape(message)))
		}
		if err != nil {
			if info := apierror.InfoOfError(err); info != nil {
				attributes = append(attributes, slog.String("reason", info.GetReason()), slog.String("write_state", string(apierror.StateOf(info))))
			}
			// The error's own text is for the log; the caller gets its status.
			attributes = append(attributes, slog.String("error", err.Error()))
		}
		level := levelOf(status.Code(err))
		if !guarded(info.FullMethod) {
			level = slog.LevelDebug // a health check is for everybody, who could fill a disk with lines
		}
		logger.LogAttrs(ctx, level, "call", attributes...)
		return response, err
	}
}

// levelOf tells what an operator should look at from what is the caller's affair.
func levelOf(code codes.Code) slog.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.Unavailable, codes.DeadlineExceeded, codes.DataLoss:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// recovered turns a panic, and an error that is none of the gateway's, into one that says nothing about it: their texts
// may hold what the call carried. The log has what they were, and where a panic was.
func recovered(logger *slog.Logger) grpc.UnaryServerInterceptor {
	fault := apierror.Fault()
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (response any, err error) {
		defer func() {
			if panicked := recover(); panicked != nil {
				logger.LogAttrs(ctx, slog.LevelError, "panic", redact.Panic(panicked)...)
				response, err = nil, fault
			}
		}()
		response, err = handler(ctx, request)
		if err != nil && guarded(info.FullMethod) && !isOwn(err) { // a health check carries nothing, and writes nothing
			logger.LogAttrs(ctx, slog.LevelError, "an error that says neither what it is nor what became of the write", slog.String("type", fmt.Sprintf("%T", err)))
			return nil, fault
		}
		return response, err
	}
}

// isOwn reports whether an error is of the gateway's making. Of one that wraps such an error gRPC would tell the text of
// the wrapping.
func isOwn(err error) bool {
	_, hasStatus := err.(interface{ GRPCStatus() *status.Status })
	return hasStatus && apierror.InfoOfError(err) != nil
}

// recoveredStreams is recovered for reflection and for watching health, which write nothing.
func recoveredStreams(logger *slog.Logger) grpc.StreamServerInterceptor {
	fault := apierror.New(apierror.GatewayFault, apierror.NotSent, "internal error")
	return func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer func() {
			if panicked := recover(); panicked != nil {
				logger.LogAttrs(stream.Context(), slog.LevelError, "panic", redact.Panic(panicked)...)
				err = fault
			}
		}()
		return handler(service, stream)
	}
}

// noBlindRetry tells gRPC clients that retry by themselves not to, where the outcome of a write is not known.
func noBlindRetry() grpc.UnaryServerInterceptor {
	pushback := metadata.Pairs("grpc-retry-pushback-ms", "-1")
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		response, err := handler(ctx, request)
		if err != nil && apierror.StateOf(apierror.InfoOfError(err)) == apierror.Unknown {
			_ = grpc.SetTrailer(ctx, pushback) // it fails for a caller who has left, whose call is still to be logged as it ended
		}
		return response, err
	}
}

// deadline gives callers without a deadline the default one, and nobody more than maxTimeout. Of a caller's own
// deadline it keeps answerTime, so that the answer to what took too long is the gateway's, and says what became of it.
func deadline(defaultTimeout time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		timeout := min(defaultTimeout, maxTimeout)
		if deadline, ok := ctx.Deadline(); ok {
			timeout = min(time.Until(deadline)-answerTime, maxTimeout)
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return handler(ctx, request)
	}
}
