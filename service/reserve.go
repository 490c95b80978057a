package service

import (
	"context"
	"errors"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// Shed returns the rejection of a call that admission control would reject, or nil. Transports ask before they read a
// request. It is fast: the same rejection is returned again until its retry delay changes.
func (s *Service) Shed(ctx context.Context, method string, caller *auth.Caller) *apierror.Error {
	var share string
	switch method {
	case customerv1.CustomerService_UpdateCustomer_FullMethodName:
		share = shareOf(caller)
	case customerv1.CustomerService_GetCustomer_FullMethodName:
		share = readShareOf(caller)
	default:
		return nil
	}
	err := s.gate.Rejects(ctx, share)
	if err == nil {
		return nil
	}
	retryAfter := s.gate.RetryAfter().Round(100 * time.Millisecond)
	limit, why := notAdmitted(err)
	shed := &s.shedFull
	if limit == apierror.DeadlineLimit {
		shed = &s.shedLate
	}
	latest := shed.Load()
	if latest == nil || latest.retryAfter != retryAfter {
		latest = &shedding{retryAfter, rejection(limit, why, retryAfter)}
		shed.Store(latest)
	}
	return latest.err
}

// shedding is the latest rejection of Shed for one limit.
type shedding struct {
	retryAfter time.Duration
	err        *apierror.Error
}

// shareOf returns the name of the share of the queue in which the caller's updates wait.
func shareOf(caller *auth.Caller) string {
	if caller.Store != nil && !caller.Store.Verified() {
		return unverifiedShare
	}
	return caller.Share
}

// readShareOf returns the name of the share of the queue in which the caller's reads wait. Reads and updates have a share
// each, and are served in turn, so that neither keeps the other waiting.
func readShareOf(caller *auth.Caller) string {
	share := shareOf(caller)
	if share == unverifiedShare {
		return share
	}
	return share + " reads" // no caller's share ends in that
}

// needs is what a call needs: the customer's lease, and requests to the store. The write of a call is a PUT, or the one request
// to the companion.
type needs struct{ lease, get, put bool }

// requests returns how many requests to the store a call makes, and how long they take by the latency estimates.
func (s *Service) requests(n needs) (count int, took time.Duration) {
	if n.get {
		count++
		took += s.reads.Mean()
	}
	if n.put {
		count++
		took += s.writes.Mean()
	}
	return count, took
}

// admit decides whether the call may enter the queue. Leave must be called on the pass at the end of the call. The returned
// context also ends when the call is evicted for another caller. leased says that the call will wait for the customer's lease.
func (s *Service) admit(ctx context.Context, share string, id int64, leased bool) (context.Context, *admission.Pass, error) {
	if leased && share != unverifiedShare { // an unverified account does not wait for a lease
		ahead, err := s.leases.Admits(ctx, id, share)
		switch needed := s.reads.Mean() + s.writes.Mean(); {
		case err != nil && !errors.Is(err, admission.ErrLate):
			return nil, nil, s.overloaded(apierror.CustomerLimit, leasesAwaited)
		case err != nil, ahead > 0 && !fits(ctx, needed*time.Duration(ahead+1)):
			return nil, nil, s.overloaded(apierror.DeadlineLimit, leaseTooLate)
		}
	}
	ctx, pass, err := s.gate.Enter(ctx, share)
	if err != nil {
		return nil, nil, s.overloaded(notAdmitted(err))
	}
	return ctx, pass, nil
}

// reservation is a call's right to work on a customer.
type reservation struct {
	lease lease.Lease // nil if the call needs none
	slot  *admission.Slot
}

// release gives back what the reservation still has. A write takes the lease and the slot over, and keeps them until it
// has its outcome.
func (r *reservation) release() {
	if r.slot != nil {
		r.slot.Release()
	}
	if r.lease != nil {
		r.lease.Release()
	}
	r.slot, r.lease = nil, nil
}

// reserve waits for the customer's lease and for a slot, and rejects what cannot be done in time. The lease comes first:
// updates that wait for one customer must not occupy slots that others could use.
func (s *Service) reserve(ctx context.Context, pass *admission.Pass, id int64, n needs) (*reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, s.waitError(ctx, err)
	}
	if s.store.Suspended() {
		return nil, readError(ctx, id, &fluentcart.Error{Kind: fluentcart.Suspended, RetryAfter: time.Second})
	}
	_, needed := s.requests(n)
	if !fits(ctx, needed) {
		return nil, tooLate()
	}
	held := &reservation{}
	if err := s.wait(ctx, held, pass, id, n); err != nil {
		held.release()
		return nil, err
	}
	if !fits(ctx, needed) {
		held.release()
		return nil, tooLate()
	}
	return held, nil
}

// wait waits for the lease, the slot and the rate limit of the store.
func (s *Service) wait(ctx context.Context, held *reservation, pass *admission.Pass, id int64, n needs) (err error) {
	if n.lease {
		_, span := tracing.Start(ctx, "lease")
		waited := telemetry.Begin(ctx, telemetry.Lease)
		held.lease, err = s.leases.Acquire(ctx, id, callerOf(ctx).Share)
		waited.End()
		endWait(ctx, span, err)
		if err != nil {
			return s.waitError(ctx, err)
		}
	}
	if err := s.waitForSlot(ctx, held, pass, n); err != nil {
		return err
	}
	if n.lease {
		if err := held.lease.Renew(ctx); err != nil {
			return s.waitError(ctx, err)
		}
	}
	return nil
}

// waitForSlot waits for the slot and for the rate limit.
func (s *Service) waitForSlot(ctx context.Context, held *reservation, pass *admission.Pass, n needs) (err error) {
	waited := telemetry.Begin(ctx, telemetry.Queue)
	defer waited.End()
	_, span := tracing.Start(ctx, "slot")
	held.slot, err = pass.Slot(ctx)
	endWait(ctx, span, err)
	if err != nil {
		return s.waitError(ctx, err)
	}
	return s.waitForRate(ctx, n)
}

// waitForRate waits until the rate limit of the store allows the requests.
func (s *Service) waitForRate(ctx context.Context, n needs) error {
	requests, _ := s.requests(n)
	if err := s.store.Wait(ctx, requests); err != nil {
		if ctx.Err() != nil {
			return s.waitError(ctx, err)
		}
		return s.overloaded(apierror.RateLimit, rateReached)
	}
	return nil
}

// fits reports whether the call has at least that much time left.
func fits(ctx context.Context, needed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) >= needed
}

// waitError returns the error of a call that ended while it waited.
func (s *Service) waitError(ctx context.Context, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), admission.ErrEvicted), errors.Is(err, admission.ErrEvicted):
		return s.overloaded(apierror.FairShareLimit, evicted)
	case errors.Is(err, admission.ErrLate):
		return s.overloaded(apierror.DeadlineLimit, waitsTooLong)
	case errors.Is(err, admission.ErrOverloaded):
		return s.overloaded(apierror.CustomerLimit, leasesAwaited)
	case ctx.Err() != nil:
		return notSent(ctx.Err())
	case errors.Is(err, context.DeadlineExceeded): // a connection times out a moment before the context does
		return notSent(err)
	}
	if unavailable, ok := errors.AsType[*lease.UnavailableError](err); ok {
		return leasesUnavailable(unavailable)
	}
	return leaseExpired(err)
}
