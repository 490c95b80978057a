package interceptor

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// The names of the request id and of the credentials: keys of gRPC's metadata, and the HTTP header of the id.
const (
	RequestIDKey     = "x-request-id"
	RequestIDHeader  = "X-Request-Id"
	authorizationKey = "authorization"
)

// requestID returns the request id of a gRPC call in the header of its response. The HTTP/JSON gateway does so itself.
func requestID(transport string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if transport != GRPC {
			return handler(ctx, request)
		}
		if err := grpc.SetHeader(ctx, metadata.Pairs(RequestIDKey, callOf(ctx).id)); err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

// RequestID returns the request id that a caller gave, if it gave one that is safe to log, and a new one otherwise. A new
// one need not be secret, only different from others: 128 random bits.
func RequestID(given []string) string {
	if len(given) == 1 && safeToLog(given[0]) {
		return given[0]
	}
	id := make([]byte, 0, 32)
	id = strconv.AppendUint(id, rand.Uint64(), 36)           //nolint:gosec // not a secret
	return string(strconv.AppendUint(id, rand.Uint64(), 36)) //nolint:gosec // not a secret
}

// safeToLog allows 1 to 64 letters, digits, '-', '_', '.' and ':', which cannot break a log line or a header.
func safeToLog(id string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	return len(id) >= 1 && len(id) <= 64 && strings.Trim(id, allowed) == ""
}
