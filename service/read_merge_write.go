package service

import (
	"context"
	"errors"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// readMergeWrite updates customers by FluentCart's own calls: a read, a merge in the gateway, and a PUT of the whole customer,
// all under the customer's lease.
type readMergeWrite struct{ *Service }

func (readMergeWrite) needs() needs { return needs{lease: true, get: true, put: true} }

// update reads, merges and writes. If nothing is to be written, it takes no lease.
func (s readMergeWrite) update(ctx context.Context, u *update) (*customerv1.UpdateCustomerResponse, error) {
	id := u.request.GetCustomerId()
	needed := s.needs()
	if u.request.GetValidateOnly() {
		needed = needs{get: true}
	}
	held, err := s.reserve(ctx, u.pass, id, needed)
	if err != nil {
		return nil, err
	}
	defer held.release()
	before := u.early.under(held)
	if before == nil {
		before, err = s.read(ctx, id)
		switch {
		case servesNoRead(err) && isDocumentedCall(u.request, u.change):
			return s.sendDocumentedCall(ctx, held, u)
		case err != nil:
			return nil, err
		}
	}
	merged, response, err := s.decide(ctx, u, before)
	if merged == nil {
		return response, err
	}
	return s.put(ctx, held, merged)
}

// read reads the customer, and adds its duration to the latency estimate. A failed read counts only if it timed out after
// more than the estimate, because others say nothing about the latency.
func (s *Service) read(ctx context.Context, id int64) (*fluentcart.Customer, error) {
	reading := telemetry.Begin(ctx, telemetry.StoreGet)
	read, err := s.store.GetCustomer(ctx, id)
	took := reading.End()
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && took > s.reads.Mean() {
			s.reads.Add(took)
		}
		return nil, readError(ctx, id, err)
	}
	s.reads.Add(took)
	return read, nil
}

// putWrite is a write by FluentCart's own PUT.
type putWrite struct {
	write
	merged   *customer.Merged
	released bool // the lease is released
}

// put sends the merged customer, and returns the outcome if the caller waits for it. It takes over the lease and the slot of
// the reservation. If ctx ends during the exchange, or if the response is ambiguous, the write goes on in the background.
func (s *Service) put(ctx context.Context, held *reservation, merged *customer.Merged) (*customerv1.UpdateCustomerResponse, error) {
	if err := s.maySend(ctx); err != nil {
		return nil, err
	}
	w := &putWrite{write: write{customer: merged.CustomerID(), slot: held.slot, lease: held.lease, begun: time.Now()}, merged: merged}
	held.lease, held.slot = nil, nil
	send := func(inFlight context.Context) (outcome, func(context.Context)) {
		stored, failed := s.store.PutCustomer(inFlight, merged.Body(), merged.Expected(), func() error { return w.mayStart(ctx) })
		if left, ok := callerLeft(failed); ok {
			return outcome{}, func(background context.Context) {
				stored, failed := left.Await(background)
				s.finishOrphaned(background, ctx, w, stored, failed)
			}
		}
		s.exchanged(&w.write)
		if w.isInDoubt(stored, failed) {
			return outcome{}, func(background context.Context) { s.verify(background, ctx, w, failed) }
		}
		return s.definitive(ctx, w, stored, failed), nil
	}
	o := s.run(ctx, &w.write, send, func(background context.Context) { s.holdAfterPanic(background, w) })
	return o.response, o.err
}

// finishOrphaned takes the response to a write whose caller has left. ctx ends when the gateway stops; caller is the caller's
// context.
func (s *Service) finishOrphaned(ctx, caller context.Context, w *putWrite, stored *fluentcart.Customer, err error) {
	s.exchanged(&w.write)
	if w.isInDoubt(stored, err) {
		s.verify(ctx, caller, w, err)
		return
	}
	s.conclude(ctx, &w.write, s.definitive(caller, w, stored, err))
}

// isInDoubt reports whether the response to the write leaves open what the store did. stored is the customer in it.
func (w *putWrite) isInDoubt(stored *fluentcart.Customer, err error) bool {
	if err != nil {
		return isAmbiguous(w.merged, err)
	}
	return !w.merged.ConfirmedBy(stored)
}

// definitive releases the lease, and returns the outcome of a write whose response is not ambiguous.
func (s *Service) definitive(caller context.Context, w *putWrite, stored *fluentcart.Customer, err error) outcome {
	w.releaseLease()
	if err != nil {
		err = writeError(caller, w.merged, err)
	}
	s.metrics.writes.WithLabelValues(resultOf(err)).Inc()
	if err != nil {
		return outcome{err: err}
	}
	return outcome{response: w.merged.Response(stored)}
}

func (w *putWrite) releaseLease() {
	if !w.released {
		w.lease.Release()
		w.released = true
	}
}

// holdAfterPanic withholds the lease until the write can no longer be applied, because its outcome is not known.
func (s *Service) holdAfterPanic(ctx context.Context, w *putWrite) {
	w.releaseSlot()
	settled, cancel := context.WithDeadline(ctx, w.settledAt(s.settleTime))
	defer cancel()
	if !w.released {
		<-settled.Done()
	}
	if ctx.Err() == nil || w.sent.IsZero() { // else the write may be applied after the gateway has stopped
		w.releaseLease()
	}
}
