package main

import (
	"context"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// sabotages are the parts of the leases that can be switched off, to show that the checks of a run find it, and what
// the tests need to provoke that.
var sabotages = map[string]func(lease.Locker) lease.Locker{
	"no":    nil,
	"lease": func(lease.Locker) lease.Locker { return noLease{} },
	"quarantine": func(l lease.Locker) lease.Locker {
		return wrapped{l, func(l lease.Lease) lease.Lease { return &noQuarantine{Lease: l} }}
	},
	"slow": func(l lease.Locker) lease.Locker {
		return wrapped{l, func(l lease.Lease) lease.Lease { return slow{l} }}
	},
	"slow without a check": func(l lease.Locker) lease.Locker {
		return wrapped{l, func(l lease.Lease) lease.Lease { return noCheck{slow{l}} }}
	},
}

// standsStill is how long a slow gateway does nothing once it has its lease. It is longer than a lease lives in the tests
// that use it.
const standsStill = 2500 * time.Millisecond

// noLease lets everybody in.
type noLease struct{}

func (noLease) Acquire(context.Context, int64) (lease.Lease, error)   { return free{}, nil }
func (noLease) QueueLength(int64) int                                 { return 0 }
func (noLease) LastGrant(context.Context, int64) (lease.Grant, error) { return lease.Held, nil }

type free struct{}

func (free) Follows(lease.Grant) bool { return false }

func (free) Renew(context.Context) error { return nil }
func (free) Check() error                { return nil }
func (free) Quarantine(time.Duration)    {}
func (free) Release()                    {}

// wrapped changes the leases of another Locker.
type wrapped struct {
	lease.Locker

	change func(lease.Lease) lease.Lease
}

func (w wrapped) Acquire(ctx context.Context, customer int64) (lease.Lease, error) {
	held, err := w.Locker.Acquire(ctx, customer)
	if err != nil {
		return nil, err
	}
	return w.change(held), nil
}

// noQuarantine gives the customer to the next although a write may still land.
type noQuarantine struct {
	lease.Lease

	released bool
}

func (l *noQuarantine) Quarantine(time.Duration) { l.Release() }

func (l *noQuarantine) Release() {
	if !l.released {
		l.released = true
		l.Lease.Release()
	}
}

// slow stands still for a while after it has looked at its lease for the last time but one, as a process does that is
// suspended.
type slow struct{ lease.Lease }

func (l slow) Renew(ctx context.Context) error {
	err := l.Lease.Renew(ctx)
	<-time.After(standsStill)
	return err
}

// noCheck looks at nothing right before the write.
type noCheck struct{ slow }

func (noCheck) Check() error { return nil }
