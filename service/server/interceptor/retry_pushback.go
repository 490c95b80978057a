package interceptor

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// The trailer that says when a gRPC client with a retry policy sends a call again (gRFC A6), and its value for never.
const (
	retryPushbackKey = "grpc-retry-pushback-ms"
	noRetry          = "-1"
)

// leastTime is what a repeated call must have left of its deadline when it begins. With less it could only fail.
const leastTime = 100 * time.Millisecond

// retryPushback tells gRPC clients with a retry policy when to repeat a call that failed: they do not know RetryInfo.
func retryPushback() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		response, err := handler(ctx, request)
		if err != nil {
			if value := pushback(ctx, err); value != "" {
				_ = grpc.SetTrailer(ctx, metadata.Pairs(retryPushbackKey, value)) // it fails for a caller that is gone; the call is logged all the same
			}
		}
		return response, err
	}
}

// pushback returns the value of the trailer, or "" for an error that the client's own backoff is right for.
//
//   - A write whose outcome is unknown must not be repeated.
//   - A client that is asked to come back waits as long as it is asked to. It would wait beyond its deadline too, and then
//     report DEADLINE_EXCEEDED in place of this error, which says that nothing was written; a call without a deadline would
//     wait for as long as a store in maintenance asks to, such as ten minutes.
//   - RESOURCE_EXHAUSTED without RetryInfo is a limit that waiting does not change.
func pushback(ctx context.Context, err error) string {
	if apierror.StateOf(apierror.InfoOfError(err)) == apierror.Unknown {
		return noRetry
	}
	s := status.Convert(err)
	delay, ok := retryDelay(s)
	if !ok {
		if s.Code() == codes.ResourceExhausted {
			return noRetry
		}
		return ""
	}
	left := maxTimeout
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(deadline))
	}
	if left < delay+leastTime {
		return noRetry
	}
	return strconv.FormatInt(delay.Milliseconds(), 10)
}

func retryDelay(s *status.Status) (delay time.Duration, ok bool) {
	for _, detail := range s.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			return retry.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}
