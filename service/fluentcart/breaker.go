package fluentcart

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// breakerFailures is how many requests in a row must fail before the store is left alone.
	breakerFailures = 8
	// breakerPeriod is how long the store is left alone before one read looks whether it is back.
	breakerPeriod = time.Second
)

// newBreaker returns a circuit breaker that counts what says that nobody works there: faults of the connection, and
// 502, 503 and 504. That the store refuses a request says that it works, and a caller who leaves says nothing.
func newBreaker(changed func(open bool)) *gobreaker.CircuitBreaker[*answer] {
	return gobreaker.NewCircuitBreaker[*answer](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      breakerPeriod,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: func(err error) bool { return !saysDown(err) },
		IsExcluded:   saysNothing,
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

// saysDown reports whether a request failed because nobody works there.
func saysDown(err error) bool {
	var failure *Error
	if !errors.As(err, &failure) {
		return false
	}
	switch cmp.Or(failure.said, failure.Kind) { // to a write too, where it is not enough to say that nothing was written
	case Unreachable, NotTrusted, NoAnswer, Unavailable:
		return true
	case Broken:
		return failure.Status != http.StatusInternalServerError
	}
	return false
}

// saysNothing reports whether a request ended for a reason that is not the store's.
func saysNothing(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && (failure.Kind == NotBegun || failure.byCaller)
}

// Suspended reports whether the breaker is open: the store fails so often that it is left alone for now. A call
// would end at once with an Error of kind Suspended.
func (c *Client) Suspended() bool { return c.breaker.State() == gobreaker.StateOpen }

// Proven reports whether the breaker is closed: the latest requests do not say that nobody works there. Otherwise
// writes are not sent.
func (c *Client) Healthy() bool { return c.breaker.State() == gobreaker.StateClosed }

// do sends one request, unless the breaker is open, and returns the store's answer if that holds a customer. All
// else is an *Error. begin is as in PutCustomer.
//
// While the breaker is half open one request may go, and that is a read: a write would be lost in a store that is
// still down.
func (c *Client) do(ctx context.Context, as Credentials, method string, timeout time.Duration, target string, body []byte, begin func() error) (*answer, error) {
	if method == http.MethodPut && !c.Healthy() {
		return nil, suspended(method)
	}
	answer, err := c.breaker.Execute(func() (*answer, error) {
		within, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		start := time.Now()
		answer, failure := c.exchange(within, as, method, target, body, begin)
		outcome := Kind(0)
		if failure != nil {
			outcome = failure.Kind
		}
		c.ended(method, outcome, time.Since(start))
		c.accounts.hear(as, outcome)
		if failure != nil {
			failure.byCaller = ctx.Err() != nil
			return nil, failure
		}
		return answer, nil
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, suspended(method)
	}
	return answer, err
}

func suspended(method string) *Error {
	return &Error{Kind: Suspended, Method: method, RetryAfter: breakerPeriod}
}
