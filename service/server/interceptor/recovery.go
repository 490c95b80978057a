package interceptor

import (
	"context"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

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
