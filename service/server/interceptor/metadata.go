package interceptor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// The metadata that is read, and the header of the one that has another name there. All else ends at the doors.
const (
	RequestIDKey     = "x-request-id"
	authorizationKey = "authorization"
	RequestIDHeader  = "X-Request-Id"
)

// knownMetadata drops all metadata but what this package reads. What came in must not be there to go out again by
// mistake: not to the store, and not into a log. (gRPC takes grpc-timeout, te and the like off before.)
func knownMetadata() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(withMetadata(ctx, authorizationKey, RequestIDKey), request)
	}
}

// withMetadata leaves only the metadata of these keys.
func withMetadata(ctx context.Context, keys ...string) context.Context {
	known := metadata.MD{}
	for _, key := range keys {
		if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
			known[key] = values
		}
	}
	return metadata.NewIncomingContext(ctx, known)
}
