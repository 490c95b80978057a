package interceptor

import (
	"context"
	"crypto/rand"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// requestID takes the caller's request id if it is fit for a log, else makes one, and sends it back.
func requestID() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		callOf(ctx).id = requestIDOf(ctx)
		if err := grpc.SetHeader(ctx, metadata.Pairs(RequestIDKey, callOf(ctx).id)); err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

// requestIDOf returns the caller's request id if it is fit for a log, else a new one.
func requestIDOf(ctx context.Context) string {
	if given := metadata.ValueFromIncomingContext(ctx, RequestIDKey); len(given) == 1 && ValidRequestID(given[0]) {
		return given[0]
	}
	return rand.Text()
}

// ValidRequestID allows what cannot harm a log or a header: 1 to 64 letters, digits, '-', '_', '.' and ':'.
func ValidRequestID(id string) bool {
	for _, r := range id {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.', r == ':':
		default:
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}
