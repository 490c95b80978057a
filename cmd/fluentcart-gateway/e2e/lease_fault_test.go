package e2e

import (
	"context"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// leaseFaults break a part of the leases, to show that the checks of a storm find the damage, or suspend the gateway,
// to provoke it.
var leaseFaults = map[string]func(lease.Locker) lease.Locker{
	"no lease": func(lease.Locker) lease.Locker { return noLease{} },
	"no quarantine": func(l lease.Locker) lease.Locker {
		return wrapped{l, func(l lease.Lease) lease.Lease { return &noQuarantine{Lease: l} }}
	},
	"pause": func(l lease.Locker) lease.Locker {
		return wrapped{l, func(l lease.Lease) lease.Lease { return pausing{l} }}
	},
	"pause, no check": func(l lease.Locker) lease.Locker {
		return wrapped{l, func(l lease.Lease) lease.Lease { return noCheck{pausing{l}} }}
	},
}

// pauseTime is how long a pausing gateway does nothing once it has its lease. It is longer than a lease lives in the
// tests that use it.
const pauseTime = 2500 * time.Millisecond

// noLease gives every caller a lease at once.
type noLease struct{}

func (noLease) Acquire(context.Context, int64, string) (lease.Lease, error) { return free{}, nil }
func (noLease) Admits(context.Context, int64, string) (int, error)          { return 0, nil }
func (noLease) LastGrant(context.Context, int64) (lease.Grant, error)       { return lease.Held, nil }

type free struct{}

func (free) Follows(lease.Grant) bool { return false }

func (free) Renew(context.Context) error { return nil }
func (free) Check() error                { return nil }
func (free) Quarantine(time.Duration)    {}
func (free) Release()                    {}

// wrapped changes the leases of its Locker.
type wrapped struct {
	lease.Locker

	change func(lease.Lease) lease.Lease
}

func (w wrapped) Acquire(ctx context.Context, customer int64, caller string) (lease.Lease, error) {
	held, err := w.Locker.Acquire(ctx, customer, caller)
	if err != nil {
		return nil, err
	}
	return w.change(held), nil
}

// noQuarantine releases the lease although the store may still apply a write.
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

// pausing stops for pauseTime after it has renewed its lease, like a process that is suspended.
type pausing struct{ lease.Lease }

func (l pausing) Renew(ctx context.Context) error {
	err := l.Lease.Renew(ctx)
	<-time.After(pauseTime)
	return err
}

// noCheck does not check the lease right before the write.
type noCheck struct{ pausing }

func (noCheck) Check() error { return nil }
