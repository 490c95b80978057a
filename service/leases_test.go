package service_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// countingLocker counts the quarantines and releases of its leases.
type countingLocker struct {
	lease.Locker
	quarantined, released atomic.Int32
}

func (c *countingLocker) Acquire(ctx context.Context, customer int64, caller string) (lease.Lease, error) {
	held, err := c.Locker.Acquire(ctx, customer, caller)
	if err != nil {
		return nil, err
	}
	return &countingLease{Lease: held, counts: c}, nil
}

type countingLease struct {
	lease.Lease
	counts *countingLocker
}

func (l *countingLease) Quarantine(settleTime time.Duration) {
	l.counts.quarantined.Add(1)
	l.Lease.Quarantine(settleTime)
}

func (l *countingLease) Release() {
	l.counts.released.Add(1)
	l.Lease.Release()
}

// withoutQuarantine releases a lease where it should go into quarantine.
type withoutQuarantine struct{ lease.Locker }

func (w withoutQuarantine) Acquire(ctx context.Context, customer int64, caller string) (lease.Lease, error) {
	held, err := w.Locker.Acquire(ctx, customer, caller)
	if err != nil {
		return nil, err
	}
	return &leaseWithoutQuarantine{Lease: held}, nil
}

type leaseWithoutQuarantine struct {
	lease.Lease
	isReleased bool
}

func (l *leaseWithoutQuarantine) Quarantine(time.Duration) { l.Release() }

func (l *leaseWithoutQuarantine) Release() {
	if !l.isReleased {
		l.isReleased = true
		l.Lease.Release()
	}
}
