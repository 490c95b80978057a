package fluentcart

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	// maxTries is how often one request is sent at most.
	maxTries = 3
	// firstPause is the longest pause before the second try; it doubles with each try. The pause is a random time from 0
	// to that (full jitter), so that calls which failed at the same time are not retried at the same time.
	firstPause = 50 * time.Millisecond
	// maxRetryAfter is the longest time that a request waits because the store asks for it.
	maxRetryAfter = 5 * time.Second
)

// repeat sends a request, and sends it again if a retry may help: a read that failed in a way that may be temporary, and a
// write of which not one byte has left. A read verifies whether a write was applied, never a second write (F22). Only a
// write whose credentials were refused may be sent twice: WordPress checks the credentials before it does anything.
func (c *Client) repeat(ctx context.Context, send func(as Credentials, resends int) (*response, error)) (*response, error) {
	as := c.credentials(ctx)
	waited := false    // a Retry-After has been obeyed; a second one is not
	renewed := false   // the credentials were replaced during this call
	var refused *Error // the refusal of the credentials that were replaced
	for try := 1; ; try++ {
		got, err := send(as, try-1)
		failure, ok := errors.AsType[*Error](err)
		if !ok {
			return got, err
		}
		if failure.refusedBeforeDispatch() && !renewed {
			refused = failure
			if as, renewed = c.renewed(ctx, as); renewed && c.Wait(ctx, 1) == nil {
				c.retrying(failure.Method)
				continue
			}
			return nil, failure
		}
		pause, again := pauseAfter(failure, try)
		result := failure
		if refused != nil && !failure.Sent && isWrite(failure.Method) {
			result = refused // the second request did not leave, but the first was sent, and refused
		}
		switch { // whether another try helps and is allowed, and then whether there is time and budget for it
		case !again || try == maxTries, waited && failure.RetryAfter > 0, isWrite(failure.Method) && failure.Sent:
			return nil, result
		case !fits(ctx, pause) || !c.retries.spend() || wait(ctx, pause) != nil || c.Wait(ctx, 1) != nil:
			return nil, result
		}
		waited = waited || failure.RetryAfter > 0
		c.retrying(failure.Method)
	}
}

// pauseAfter returns how long to wait before a request is sent again, and whether a retry may help at all. A read that
// timed out is not sent again: the store is overloaded already.
func pauseAfter(failure *Error, try int) (time.Duration, bool) {
	jitter := rand.N(firstPause << (try - 1)) //nolint:gosec // nothing secret is drawn
	switch failure.Kind {
	case Unreachable:
		return jitter, !failure.byCaller
	case NoAnswer:
		return jitter, !failure.byCaller && !errors.Is(failure.Err, context.DeadlineExceeded)
	case RateLimited, Unavailable, Broken, Blocked:
		if failure.Kind == Broken && failure.Status == http.StatusInternalServerError {
			return 0, false // PHP failed for a reason that is still there for a second request
		}
		if failure.RetryAfter > 0 {
			return failure.RetryAfter, failure.RetryAfter <= maxRetryAfter
		}
		return jitter, failure.Status == http.StatusBadGateway || failure.Status == http.StatusGatewayTimeout
	}
	return 0, false
}

// fits reports whether a pause ends before the deadline of the call.
func fits(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > pause
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// budget bounds the load that retries add to a store that fails already: a fifth of the reads, and one a second.
type budget struct {
	mu     sync.Mutex
	tokens float64
	filled time.Time
}

const (
	retriesPerRead   = 0.2
	retriesPerSecond = 1.0
	maxRetries       = 10 // the largest balance of the budget
)

// earn adds the part of a retry that a read earns.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+retriesPerRead, maxRetries)
}

// spend takes one retry from the budget, and reports whether there was one.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	idle := time.Second // a new budget starts with one second's worth
	if !b.filled.IsZero() {
		idle = now.Sub(b.filled)
	}
	b.tokens = min(b.tokens+retriesPerSecond*idle.Seconds(), maxRetries)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
