package interceptor

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

const (
	// MaxTimeout is the longest that any caller may ask for.
	MaxTimeout = 60 * time.Second
	// answerTime is kept of a caller's time to answer in: what reaches it after its deadline does not reach it.
	answerTime = 20 * time.Millisecond
)

// deadline gives callers without a deadline the default one, and nobody more than MaxTimeout. Of a caller's own
// deadline it keeps answerTime, so that the answer to what took too long is the gateway's, and says what became of it.
func deadline(defaultTimeout time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		timeout := min(defaultTimeout, MaxTimeout)
		if deadline, ok := ctx.Deadline(); ok {
			timeout = min(time.Until(deadline)-answerTime, MaxTimeout)
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return handler(ctx, request)
	}
}
