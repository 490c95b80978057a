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

// recovered answers a panic, and an error that the gateway did not make, with a fixed error: the texts of both may hold
// data of the call. The log gets the type, and the place of a panic.
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
		if err != nil && needsCaller(info.FullMethod) && !isOwn(err) { // a health check carries nothing, and writes nothing
			logger.LogAttrs(ctx, slog.LevelError, "an error without a reason and a write state", slog.String("type", fmt.Sprintf("%T", err)))
			return nil, fault
		}
		return response, err
	}
}

// isOwn reports whether the gateway made an error. An error that only wraps such an error does not count: gRPC would
// send the text of the wrapping.
func isOwn(err error) bool {
	_, hasStatus := err.(interface{ GRPCStatus() *status.Status })
	return hasStatus && apierror.InfoOfError(err) != nil
}

// recoveredStream answers a panic of a stream, which writes nothing.
func recoveredStream(logger *slog.Logger) grpc.StreamServerInterceptor {
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
