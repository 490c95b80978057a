package interceptor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

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
