package service

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// write is an in-flight PUT. From its first byte on it runs to its outcome, whatever its caller does: the store does not
// stop when a caller leaves (F22), and closing the connection would only lose the response.
type write struct {
	merged *customer.Merged
	lease  lease.Lease
	slot   *admission.Slot // nil once it is released

	gate     atomic.Int32              // the send gate
	sentAt   atomic.Pointer[time.Time] // when the first byte was sent; nil before
	orphaned atomic.Bool               // the caller is gone
	released bool                      // the lease is released
	done     chan outcome              // receives one outcome
}

// The states of the send gate. It decides once, between the sender and a caller who leaves, whether the first byte may be
// sent.
const (
	gateUndecided int32 = iota
	gateOpen
	gateClosed
)

// outcome is the result of a write.
type outcome struct {
	response *customerv1.UpdateCustomerResponse
	err      error
}

// write sends the write, and waits for its outcome for as long as the caller does. It takes over the lease and the slot
// of the reservation.
func (s *Service) write(ctx context.Context, held *reservation, merged *customer.Merged) (*customerv1.UpdateCustomerResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	if !fits(ctx, s.writes.Mean()) {
		return nil, tooLate()
	}
	w := &write{merged: merged, lease: held.lease, slot: held.slot, done: make(chan outcome, 1)}
	held.lease, held.slot = nil, nil
	stop := s.inFlight.start(ctx, func(background context.Context) { s.carryOut(background, ctx, w) })
	select {
	case o := <-w.done:
		return o.response, o.err
	case <-ctx.Done():
	}
	if w.gate.CompareAndSwap(gateUndecided, gateClosed) {
		stop() // the write may still be connecting
		return nil, notSent(ctx.Err())
	}
	w.orphaned.Store(true)
	select {
	case o := <-w.done: // the outcome came at the same moment
		return o.response, o.err
	default:
		return nil, outcomeUnknown(ctx.Err()).CausedBy(ctx.Err())
	}
}

// passSendGate is called right before the first byte of the write is sent. Its error forbids that.
func (w *write) passSendGate(caller context.Context) error {
	if err := caller.Err(); err != nil {
		return err
	}
	if err := w.lease.Check(); err != nil {
		return err
	}
	if !w.gate.CompareAndSwap(gateUndecided, gateOpen) && w.gate.Load() != gateOpen {
		return context.Canceled
	}
	now := time.Now()
	w.sentAt.Store(&now)
	return nil
}

// carryOut runs a write to its outcome, and keeps the lease until the write can no longer be applied. ctx ends when the
// gateway stops; caller is the caller's context.
func (s *Service) carryOut(ctx, caller context.Context, w *write) {
	defer s.recoverWrite(ctx, w)
	start := time.Now()
	stored, err := s.store.PutCustomer(ctx, w.merged.Body(), w.merged.Expected(), func() error { return w.passSendGate(caller) })
	if w.sentAt.Load() != nil {
		s.writes.Add(time.Since(start))
	}
	switch {
	case err == nil:
		s.conclude(ctx, w, outcome{response: w.merged.Response(stored)})
	case !isAmbiguous(err):
		s.conclude(ctx, w, outcome{err: writeError(caller, w.merged, err)})
	default:
		w.releaseSlot()
		s.verify(ctx, caller, w, err)
		return
	}
	// The next waiter comes last: the goroutine that was woken last runs first. Behind the answer to this caller, and all
	// else that is ready to run in an overloaded process, it would keep a slot or a lease idle.
	w.releaseSlot()
	w.releaseLease()
}

// settledAt returns when the write can no longer be applied.
func (w *write) settledAt(settleTime time.Duration) time.Time {
	if sent := w.sentAt.Load(); sent != nil {
		return sent.Add(settleTime)
	}
	return time.Now().Add(settleTime)
}

func (w *write) releaseSlot() {
	if w.slot != nil {
		w.slot.Release()
		w.slot = nil
	}
}

func (w *write) releaseLease() {
	if !w.released {
		w.lease.Release()
		w.released = true
	}
}

// recoverWrite keeps a panic from ending the gateway with all its calls: a write has a goroutine of its own, which no
// interceptor guards. The outcome of the write is not known then.
func (s *Service) recoverWrite(ctx context.Context, w *write) {
	panicked := recover()
	if panicked == nil {
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelError, "panic", redact.Panic(panicked)...)
	w.releaseSlot()
	select {
	case w.done <- outcome{err: apierror.Fault()}:
	default: // the caller has its outcome
	}
	settled, cancel := context.WithDeadline(ctx, w.settledAt(s.settleTime))
	defer cancel()
	if !w.released {
		<-settled.Done()
	}
	if ctx.Err() == nil || w.sentAt.Load() == nil { // else the write may be applied after the gateway has stopped
		w.releaseLease()
	}
}

// conclude hands the outcome to the caller, and logs it if the caller is gone.
func (s *Service) conclude(ctx context.Context, w *write, o outcome) {
	w.done <- o
	if !w.orphaned.Load() {
		return
	}
	state := "written"
	if failure, ok := errors.AsType[*apierror.Error](o.err); ok {
		state = string(failure.State())
	}
	attributes := []slog.Attr{slog.Int64("customer_id", w.merged.CustomerID()), slog.String("write_state", state)}
	if o.err != nil {
		attributes = append(attributes, slog.String("error", o.err.Error()))
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "outcome of a write whose caller is gone", attributes...)
}
