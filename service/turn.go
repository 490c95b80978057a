package service

import (
	"context"
	"errors"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// turn is a call's right to work on a customer.
type turn struct {
	lease lease.Lease // nil where nothing will be written
	slot  *admission.Slot
}

// end gives back what the turn still has. A write that goes on in the background has taken the lease and the slot.
func (t *turn) end() {
	if t.slot != nil {
		t.slot.Release()
	}
	if t.lease != nil {
		t.lease.Release()
	}
}

// takeTurn waits until the call may read the customer, and refuses at once what would wait in vain. The lease comes
// before the slot: those who wait for one customer must not keep the slots from the others.
func (s *Service) takeTurn(ctx context.Context, pass *admission.Pass, customer int64, writes bool) (*turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, s.noTurn(ctx, err)
	}
	if s.store.Suspended() {
		return nil, readError(ctx, customer, &fluentcart.Error{Kind: fluentcart.Suspended, RetryAfter: time.Second})
	}
	needed := s.reads.Mean()
	if writes {
		needed += s.writes.Mean()
	}
	if !fits(ctx, needed) {
		return nil, tooLate()
	}
	if line := s.leases.QueueLength(customer); writes && (line >= s.maxLine || !fits(ctx, needed*time.Duration(line+1))) {
		return nil, s.overloaded("too many updates of this customer are waiting")
	}
	t := &turn{}
	if err := s.waitForTurn(ctx, t, pass, customer, writes, needed); err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

func (s *Service) waitForTurn(ctx context.Context, t *turn, pass *admission.Pass, customer int64, writes bool, needed time.Duration) (err error) {
	if writes {
		if t.lease, err = s.acquire(ctx, customer); err != nil {
			return err
		}
	}
	if t.slot, err = pass.Slot(ctx); err != nil {
		return s.noTurn(ctx, err)
	}
	requests := 1
	if writes && s.writeMode == Merge { // the read, and the write that goes with it
		requests = 2
	}
	if err := s.store.Wait(ctx, requests); err != nil {
		if ctx.Err() != nil {
			return s.noTurn(ctx, err)
		}
		return s.overloaded("--store-rate does not allow this update in time")
	}
	if writes {
		if err := t.lease.Renew(ctx); err != nil {
			return s.noTurn(ctx, err)
		}
	}
	if !fits(ctx, needed) {
		return tooLate()
	}
	return nil
}

// acquire waits for a customer's lease. Those who do must not fill the queue, since it may be long in coming.
func (s *Service) acquire(ctx context.Context, customer int64) (lease.Lease, error) {
	defer s.inLine.Add(-1)
	if s.inLine.Add(1) > s.maxInLine && s.leases.QueueLength(customer) > 0 {
		return nil, s.overloaded("too many updates are waiting for customers who are being updated")
	}
	held, err := s.leases.Acquire(ctx, customer)
	if err != nil {
		return nil, s.noTurn(ctx, err)
	}
	return held, nil
}

// fits reports whether the call has at least that much time left.
func fits(ctx context.Context, needed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) >= needed
}

// noTurn is the status of a call that waited for its turn in vain.
func (s *Service) noTurn(ctx context.Context, err error) error {
	var unavailable *lease.UnavailableError
	switch {
	case errors.Is(context.Cause(ctx), admission.ErrOverloaded):
		return s.overloaded("this update had to make room for one of another caller, who has less than its share")
	case ctx.Err() != nil:
		return notSent(ctx.Err())
	case errors.Is(err, context.DeadlineExceeded): // a connection hears of it a moment before the context does
		return notSent(err)
	case errors.As(err, &unavailable):
		return leasesUnavailable(unavailable)
	}
	return leaseExpired(err)
}
