package interceptor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// RequestIDKey is the metadata key of the request id, and RequestIDHeader the HTTP header for it.
const (
	RequestIDKey    = "x-request-id"
	RequestIDHeader = "X-Request-Id"
)

const authorizationKey = "authorization"

// allowedMetadata drops all metadata but the keys that this package reads. Metadata of a caller can then reach neither
// the store nor a log by mistake. (gRPC itself has taken off grpc-timeout, te and the like.)
func allowedMetadata() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(withMetadata(ctx, authorizationKey, RequestIDKey), request)
	}
}

// withMetadata keeps only the metadata of the given keys.
func withMetadata(ctx context.Context, keys ...string) context.Context {
	allowed := metadata.MD{}
	for _, key := range keys {
		if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
			allowed[key] = values
		}
	}
	return metadata.NewIncomingContext(ctx, allowed)
}
