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
	// maxTries is how often one request is sent at the most.
	maxTries = 3
	// firstPause is the longest pause before the second try; it doubles with each. The pause is drawn between nothing
	// and that (full jitter), so that callers who failed together do not come back together.
	firstPause = 50 * time.Millisecond
	// maxRetryAfter is the longest that a request waits because the store asks it to.
	maxRetryAfter = 5 * time.Second
)

// repeat sends a request, and again where that is of use: a read that failed in a way that may pass, and a write of
// which not one byte has left. Whether a write happened is found out by a read, never by another write (F22). A write
// whose credentials were refused is the one that may be sent twice: WordPress asks who writes before it does anything.
func (c *Client) repeat(ctx context.Context, send func(Credentials) (*answer, error)) (*answer, error) {
	as := c.credentials(ctx)
	asked := false   // the store asked to be left alone once; it will not be obeyed twice
	renewed := false // the credentials were replaced on the way
	var refused *Error
	for try := 1; ; try++ {
		answer, err := send(as)
		var failure *Error
		if !errors.As(err, &failure) {
			return answer, err
		}
		if failure.refusedAtTheDoor() && !renewed {
			refused = failure
			if as, renewed = c.renewed(ctx, as); renewed && c.Wait(ctx, 1) == nil {
				c.retrying(failure.Method)
				continue
			}
			return nil, failure
		}
		pause, again := pauseAfter(failure, try)
		told := failure
		if refused != nil && !failure.Sent && failure.Method == http.MethodPut {
			told = refused // the second did not leave, but the first was sent, and refused
		}
		switch {
		case !again || try == maxTries, asked && failure.RetryAfter > 0, failure.Method == http.MethodPut && failure.Sent:
			return nil, told
		case !fits(ctx, pause) || !c.retries.spend() || wait(ctx, pause) != nil || c.Wait(ctx, 1) != nil:
			return nil, told
		}
		asked = asked || failure.RetryAfter > 0
		c.retrying(failure.Method)
	}
}

// pauseAfter returns how long to wait before a request is sent again, and whether that is of use at all. A read that
// timed out is not sent again: the store has too much to do as it is.
func pauseAfter(failure *Error, try int) (time.Duration, bool) {
	jitter := rand.N(firstPause << (try - 1)) //nolint:gosec // nothing secret is drawn
	switch failure.Kind {
	case Unreachable:
		return jitter, !failure.byCaller
	case NoAnswer:
		return jitter, !failure.byCaller && !errors.Is(failure.Err, context.DeadlineExceeded)
	case RateLimited, Unavailable, Broken:
		if failure.Kind == Broken && failure.Status == http.StatusInternalServerError {
			return 0, false // it fails for a reason of its own, and would again
		}
		if failure.RetryAfter > 0 {
			return failure.RetryAfter, failure.RetryAfter <= maxRetryAfter
		}
		return jitter, failure.Status == http.StatusBadGateway || failure.Status == http.StatusGatewayTimeout
	}
	return 0, false
}

// fits reports whether a pause ends before the time of the call does.
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

// budget bounds what retries add to the load of a store that fails already: a fifth of the reads, and one a second.
type budget struct {
	mu     sync.Mutex
	tokens float64
	filled time.Time
}

const (
	retriesPerRead   = 0.2
	retriesPerSecond = 1.0
	maxRetries       = 10 // that can be saved up
)

// earn counts a read, which a part of a retry belongs to.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+retriesPerRead, maxRetries)
}

// spend takes one retry, if there is one.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	idle := time.Second // at first
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
