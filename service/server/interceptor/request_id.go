package interceptor

import (
	"context"
	"math/rand/v2"
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

// requestID returns the request id of a gRPC call: in the header of a response, and in the trailer of an error. An error with a
// header would commit the call, and the client's retry policy would not apply to it (gRFC A6). The HTTP/JSON gateway returns
// the id itself.
func requestID(transport string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if transport != GRPC {
			return handler(ctx, request)
		}
		id := metadata.Pairs(RequestIDKey, callOf(ctx).id)
		response, err := handler(ctx, request)
		if err != nil {
			_ = grpc.SetTrailer(ctx, id) // it fails for a caller that is gone; the call is logged all the same
			return response, err
		}
		return response, grpc.SetHeader(ctx, id)
	}
}

// RequestID returns the request id that a caller gave, if it gave one that is safe to log, and a new one otherwise. A new
// one need not be secret, only different from others: it has 130 random bits.
func RequestID(given []string) string {
	if len(given) == 1 && safeToLog(given[0]) {
		return given[0]
	}
	const letters, bitsOfLetter, lettersOfWord = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 12
	id := make([]byte, 26)
	var random uint64
	for i := range id {
		if i%lettersOfWord == 0 {
			random = rand.Uint64() //nolint:gosec // not a secret
		}
		id[i] = letters[random%uint64(len(letters))]
		random >>= bitsOfLetter
	}
	return string(id)
}

// safeToLog allows 1 to 64 letters, digits, '-', '_', '.' and ':', which cannot break a log line or a header.
func safeToLog(id string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	return len(id) >= 1 && len(id) <= 64 && strings.Trim(id, allowed) == ""
}
