package interceptor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// retryPushback keeps gRPC clients with a retry policy from repeating a write whose outcome is unknown.
func retryPushback() grpc.UnaryServerInterceptor {
	pushback := metadata.Pairs("grpc-retry-pushback-ms", "-1")
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		response, err := handler(ctx, request)
		if err != nil && apierror.StateOf(apierror.InfoOfError(err)) == apierror.Unknown {
			_ = grpc.SetTrailer(ctx, pushback) // it fails for a caller that is gone; the call is logged all the same
		}
		return response, err
	}
}
