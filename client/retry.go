package client

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// retrier repeats the calls of one connection by its service config.
type retrier struct {
	methods map[string]methodConfig
	budget  *budget
}

func newRetrier(c config) *retrier {
	return &retrier{methods: c.methods(), budget: newBudget(c.RetryThrottling.MaxTokens, c.RetryThrottling.TokenRatio)}
}

// intercept is a grpc.UnaryClientInterceptor. All attempts of a call share its timeout. An attempt that could begin only
// after the deadline is not waited for: the last error says more than DEADLINE_EXCEEDED.
func (r *retrier) intercept(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	config, ok := r.methods[method]
	if !ok {
		return invoke(ctx, method, request, reply, cc, options...)
	}
	if err := ctx.Err(); err != nil {
		return &unsentError{status.FromContextError(err).Err()}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(config.Timeout))
	defer cancel()
	for attempt := 1; ; attempt++ {
		watched, sent := watchSending(ctx)
		err := sent.mark(invoke(watched, method, request, reply, cc, options...))
		if err == nil {
			r.budget.succeeded()
			return nil
		}
		if !config.RetryPolicy.lists(status.Code(err)) || !isRepeatable(method, err) {
			return err
		}
		if !r.budget.spend() || attempt >= config.RetryPolicy.MaxAttempts || !wait(ctx, config.RetryPolicy.pause(attempt, RetryAfter(err))) {
			return err
		}
	}
}

// isRepeatable reports whether a repeated call does no harm: nothing was written for certain, or the call writes nothing.
// RESOURCE_EXHAUSTED without RetryInfo is what waiting does not mend, such as a message that is too large.
func isRepeatable(method string, err error) bool {
	if status.Code(err) == codes.ResourceExhausted && RetryAfter(err) == 0 {
		return false
	}
	return Outcome(err) == NotWritten || method == customerv1.CustomerService_GetCustomer_FullMethodName
}

// wait returns false, at once if possible, if the context ends first.
func wait(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
