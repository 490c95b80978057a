// Package lease gives each customer one writer at a time.
//
// A FluentCart store has no version check: two updates that read, merge and write one customer at the same time lose
// one of the two (F23). And a write that was given up may still land, with the values that were read before it (F22).
// So who updates a customer holds its lease from before the read until the write has its outcome; where the outcome
// stays unknown, until the write can no longer land. F1 to F24 are in fluentcart/BEHAVIOUR.md.
package lease

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Locker hands out leases, to those who wait for the same customer in the order in which they came.
type Locker interface {
	// Acquire waits for the customer's lease until ctx is done. Its error is the context's, or an
	// *UnavailableError.
	Acquire(ctx context.Context, customer int64) (Lease, error)
	// Line returns how many hold or wait for the customer's lease in this process.
	QueueLength(customer int64) int
}

// Lease is the right to write one customer. It belongs to one goroutine at a time.
type Lease interface {
	// Renew begins the term anew, after a long wait before the read. If the lease is not held any more it returns
	// ErrExpired.
	Renew(ctx context.Context) error
	// Check returns ErrExpired when a write may not begin any more. It is asked right before the first byte of the
	// write, and looks at nothing but the clock.
	Check() error
	// Quarantine says that a write has been sent whose outcome is unknown, and that it may still land for that long.
	// Until then, or Release, the lease goes to nobody, even if this process ends.
	Quarantine(landing time.Duration)
	// Release gives the customer to the next in line. It must not be called while a write may still land.
	Release()
}

// ErrExpired says that the lease's term is over: somebody else may hold it by now.
var ErrExpired = errors.New("lease: expired before the write began")

// UnavailableError says that it cannot be known who holds a lease, so that nobody gets it.
type UnavailableError struct {
	// RetryAfter is when it may be known again; 0 if that cannot be told.
	RetryAfter time.Duration
	// Err is the cause; nil for a store of leases that has just started and may have forgotten some.
	Err error
}

// Error returns one line for the log.
func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("lease: Redis has started anew and may have forgotten leases; none is given for another %s", e.RetryAfter.Round(time.Millisecond))
	}
	return "lease: Redis does not answer: " + withoutArguments(e.Err)
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// withoutArguments is an error's text without what the server repeats of a command that it does not know: of the one
// that logs in that is the password.
func withoutArguments(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", with args beginning with")
	return text
}
