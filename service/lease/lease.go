// Package lease gives each customer one writer at a time.
//
// A FluentCart store has no version check: if two updates read, merge and write one customer at the same time, one of
// the two is lost (F23). A write whose client gave up may still be applied, with the values that were read before it
// (F22). An update therefore holds the customer's lease from before its read until its write has an outcome. If the
// outcome stays unknown, the lease is withheld until the write cannot be applied any more. The facts F1 to F34 are
// rows of service/fluentcart/BEHAVIOUR.md.
package lease

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Locker grants leases. The number of waiters is limited, for one customer's lease and for all leases, and the callers share
// both limits fairly. A customer's lease is granted to the callers in turn, and to the calls of one caller in order of
// arrival. A Locker is safe for concurrent use.
type Locker interface {
	// Acquire waits for the customer's lease until ctx is done. Its error is the context's error, an
	// *UnavailableError, or an admission.ErrOverloaded: too many calls wait, the call would probably miss its deadline, or
	// it was evicted from the queue.
	Acquire(ctx context.Context, customer int64, caller string) (Lease, error)
	// Admits returns the admission.ErrOverloaded that Acquire would return now, or nil, and how many calls of this process
	// would come before that one, the lease's holder included. It is a cheap way to reject a call early.
	Admits(ctx context.Context, customer int64, caller string) (ahead int, err error)
	// LastGrant identifies the latest grant of the customer's lease, for Lease.Follows. It returns Held while the lease
	// is held, and an *UnavailableError if it cannot be known.
	LastGrant(ctx context.Context, customer int64) (Grant, error)
}

// Limits bound the calls of one process that wait. 0 is no limit.
type Limits struct {
	// All is how many calls may wait for leases at once.
	All int
	// Customer is how many of them may wait for the lease of one customer. A lease can be held for long, and its waiters
	// must not keep out the calls for other customers.
	Customer int
}

// LimitsOf returns the limits for a gateway whose queue has so many places: half of them for waiters for leases, and a
// quarter for those of one customer.
func LimitsOf(queue int) Limits { return Limits{All: max(queue/2, 8), Customer: max(queue/4, 8)} }

// Grant identifies a grant of a customer's lease.
type Grant string

// Held is returned by LastGrant for a lease that is held. No lease follows it.
const Held Grant = "held"

// Lease is the right to write one customer. It belongs to one goroutine at a time.
type Lease interface {
	// Renew restarts the term, for a caller that waited long before its read. It returns ErrExpired if the lease is not
	// held any more, and the context's error or an *UnavailableError if that cannot be determined.
	Renew(ctx context.Context) error
	// Check returns ErrExpired when the term is over and no write may begin any more. It reads only the clock, because
	// it is called right before the first byte of the write.
	Check() error
	// Follows reports whether this lease was the next one granted after the given grant. If so, no other call of a gateway
	// has updated the customer since LastGrant returned that grant.
	Follows(grant Grant) bool
	// Quarantine is called after a write was sent whose outcome is unknown, and which may still be applied during
	// settleTime. Until settleTime is over or Release is called, no other caller gets the lease, even if this process
	// ends.
	Quarantine(settleTime time.Duration)
	// Release gives the lease to the next waiter. It must not be called while a write may still be applied.
	Release()
}

// ErrExpired means that the lease's term is over, and that another caller may hold the lease by now.
var ErrExpired = errors.New("lease: expired before the write began")

// UnavailableError means that the holders of leases are not known, so no lease is granted.
type UnavailableError struct {
	// RetryAfter is the time until leases are granted again; 0 if it is not known.
	RetryAfter time.Duration
	// Err is the cause. It is nil if Redis has just restarted and may have lost leases.
	Err error
}

// Error returns one line for the log.
func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("lease: Redis has restarted and may have lost leases; none is granted for another %s", e.RetryAfter.Round(time.Millisecond))
	}
	return "lease: " + e.Problem() + ": " + withoutArguments(e.Err)
}

// Unwrap returns the cause, or nil.
func (e *UnavailableError) Unwrap() error { return e.Err }

// withoutArguments returns an error's text without the arguments of an unknown command, which a server repeats: an argument
// of AUTH is the password.
func withoutArguments(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", with args beginning with")
	return text
}
