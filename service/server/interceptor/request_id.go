package interceptor

import (
	"context"
	"crypto/rand"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// requestID gives the call the request id of its caller, or a new one, and returns it in the response header.
func requestID() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		callOf(ctx).id = requestIDOf(ctx)
		if err := grpc.SetHeader(ctx, metadata.Pairs(RequestIDKey, callOf(ctx).id)); err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

func requestIDOf(ctx context.Context) string {
	return RequestID(metadata.ValueFromIncomingContext(ctx, RequestIDKey))
}

// RequestID returns the request id that a caller gave, if it gave one that is safe to log, and a new one otherwise.
func RequestID(given []string) string {
	if len(given) == 1 && safeToLog(given[0]) {
		return given[0]
	}
	return rand.Text()
}

// safeToLog allows 1 to 64 letters, digits, '-', '_', '.' and ':', which cannot break a log line or a header.
func safeToLog(id string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	return len(id) >= 1 && len(id) <= 64 && strings.Trim(id, allowed) == ""
}
