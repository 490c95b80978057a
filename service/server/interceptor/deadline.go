package interceptor

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

const (
	// maxTimeout is the longest time that a call may take.
	maxTimeout = 60 * time.Second
	// responseTime is kept of a caller's deadline for the response: a response after the deadline does not arrive.
	responseTime = 20 * time.Millisecond
)

// deadline gives callers without a deadline the default one, and limits all to maxTimeout. It ends the work responseTime
// before a caller's own deadline, so that the caller gets the gateway's error, which says what happened to the write.
func deadline(defaultTimeout time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		timeout := min(defaultTimeout, maxTimeout)
		if deadline, ok := ctx.Deadline(); ok {
			timeout = min(time.Until(deadline)-responseTime, maxTimeout)
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return handler(ctx, request)
	}
}
