package fluentcart

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// breakerFailures is how many requests in a row must fail before the breaker opens.
	breakerFailures = 8
	// breakerPeriod is how long the breaker stays open before one read probes whether the store is back.
	breakerPeriod = time.Second
)

// newBreaker returns a circuit breaker that counts the failures which mean that the store is down (see meansDown). A refusal
// shows that the store works. A request that the gateway or its caller ended shows nothing, and is not counted.
func newBreaker(changed func(open bool)) *gobreaker.TwoStepCircuitBreaker[*response] {
	return gobreaker.NewTwoStepCircuitBreaker[*response](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      breakerPeriod,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: func(err error) bool { return !meansDown(err) },
		IsExcluded:   isExcluded,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case changed == nil:
			case to == gobreaker.StateClosed:
				changed(false)
			case from == gobreaker.StateClosed:
				changed(true)
			}
		},
	})
}

// meansDown reports whether a request failed in a way that means that the store is down: no connection or TLS handshake, no
// complete response, maintenance mode (F19), or a status by which a proxy gives up (408, 499, and 5xx other than 500 and
// 501). PHP itself, which then works, sends a 500, or a 200 if a warning was printed before the error (F20).
func meansDown(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	if failure.Refusal != nil { // a store that answers 503 is down, whatever it did with the write
		failure = failure.Refusal
	}
	switch failure.Kind {
	case Unreachable, NotTrusted, NoAnswer, Unavailable:
		return true
	case Broken:
		return failure.Status >= http.StatusBadRequest && failure.Status != http.StatusInternalServerError
	case Blocked: // a firewall refuses single writes because of the texts in them (F30), which a read does not have
		return failure.Status == http.StatusServiceUnavailable && failure.Method == http.MethodGet
	}
	return false
}

// isExcluded reports whether a request ended for a reason of the gateway or its caller, which says nothing about the store.
func isExcluded(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && (failure.Kind == NotBegun || failure.byCaller)
}

// Suspended reports whether the breaker is open: the store fails so often that no requests are sent for now. A call
// would end at once with an Error of kind Suspended.
func (c *Client) Suspended() bool { return c.breaker.State() == gobreaker.StateOpen }

// Healthy reports whether the breaker is closed: the latest requests do not show that the store is down. Writes are sent
// only while it is closed.
func (c *Client) Healthy() bool { return c.breaker.State() == gobreaker.StateClosed }

// do sends one request, unless the breaker is open, and returns the store's response if that holds a customer. Every
// other result is an *Error.
//
// While the breaker is half open it lets one request through, and that must be a read: a write would be lost in a store
// that is still down.
func (c *Client) do(ctx context.Context, timeout time.Duration, r *request) (*response, error) {
	if r.isWrite() && !c.Healthy() {
		return nil, suspended(r.method)
	}
	report, err := c.breaker.Allow()
	if err != nil {
		return nil, suspended(r.method)
	}
	x := &exchange{client: c, request: r, start: time.Now(), report: report}
	x.deadline = x.start.Add(timeout)
	x.startSpan(ctx)
	panicked := true
	defer func() {
		if panicked { // a breaker that gets no report would stay half open for ever
			report(&Error{Kind: NotBegun})
			x.endSpan(nil, &Error{Kind: NotBegun})
		}
	}()
	got, failure := x.run(ctx)
	panicked = false
	if failure != nil && failure.Kind == CallerLeft {
		failure.await = x.await
		return nil, failure
	}
	return x.end(ctx, got, failure)
}

func suspended(method string) *Error {
	return &Error{Kind: Suspended, Method: method, RetryAfter: breakerPeriod}
}
