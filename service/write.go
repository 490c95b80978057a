package service

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// write is a PUT on its way. Once begun it runs to an outcome, whatever its caller does: a caller who gives up does not
// stop the store (F22), and tearing the connection would only lose the answer.
type write struct {
	request *customerv1.UpdateCustomerRequest
	asked   *merged
	body    fluentcart.Update
	respond func(message string, after *fluentcart.Customer) *customerv1.UpdateCustomerResponse

	lease lease.Lease
	slot  *admission.Slot // nil once it is given back

	departed  atomic.Int32              // who was first: the first byte, or the caller leaving
	begun     atomic.Pointer[time.Time] // when the first byte left
	abandoned atomic.Bool               // the caller waits no longer
	free      bool                      // the lease is given back
	known     chan outcome              // gets one
}

const (
	notDeparted int32 = iota
	departed
	forbidden
)

// outcome is what came of a write.
type outcome struct {
	response *customerv1.UpdateCustomerResponse
	err      error
}

// write sends the write of a turn, and waits for its outcome for as long as its caller does.
func (s *Service) write(ctx context.Context, t *turn, w *write) (*customerv1.UpdateCustomerResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	if !fits(ctx, s.writes.Mean()) {
		return nil, tooLate()
	}
	w.lease, w.slot, w.known = t.lease, t.slot, make(chan outcome, 1)
	t.lease, t.slot = nil, nil
	forbid := s.unfinished.start(ctx, func(background context.Context) { s.carryOut(background, ctx, w) })
	select {
	case o := <-w.known:
		return o.response, o.err
	case <-ctx.Done():
	}
	if w.departed.CompareAndSwap(notDeparted, forbidden) {
		forbid() // it may be connecting still
		return nil, notSent(ctx.Err())
	}
	w.abandoned.Store(true)
	select {
	case o := <-w.known: // it came in the same moment
		return o.response, o.err
	default:
		return nil, callerLeft(ctx.Err())
	}
}

// begin is asked right before the first byte of the write leaves.
func (w *write) begin(caller context.Context) error {
	if err := caller.Err(); err != nil {
		return err
	}
	if err := w.lease.Check(); err != nil {
		return err
	}
	if !w.departed.CompareAndSwap(notDeparted, departed) && w.departed.Load() != departed {
		return context.Canceled
	}
	now := time.Now()
	w.begun.Store(&now)
	return nil
}

// carryOut runs a write to its outcome, and keeps the lease until it cannot land any more. ctx ends when the gateway
// does.
func (s *Service) carryOut(ctx, caller context.Context, w *write) {
	defer s.survive(ctx, w)
	start := time.Now()
	message, after, err := s.store.PutCustomer(ctx, w.body, w.asked.customer, func() error { return w.begin(caller) })
	if w.begun.Load() != nil {
		s.writes.Add(time.Since(start))
	}
	w.freeSlot()
	if err != nil {
		err = discreet(err, w.request, w.asked.before)
	}
	switch {
	case err == nil:
		letIn(caller)
		w.freeLease()
		s.conclude(ctx, w, outcome{response: w.respond(message, after)})
	case !outcomeOpen(err):
		w.freeLease()
		s.conclude(ctx, w, outcome{err: writeError(caller, w.asked, err)})
	default:
		s.findOut(ctx, caller, w, err)
	}
}

// landsBefore is when the write can no longer land.
func (w *write) landsBefore(settleTime time.Duration) time.Time {
	if begun := w.begun.Load(); begun != nil {
		return begun.Add(settleTime)
	}
	return time.Now().Add(settleTime)
}

func (w *write) freeSlot() {
	if w.slot != nil {
		w.slot.Release()
		w.slot = nil
	}
}

func (w *write) freeLease() {
	if !w.free {
		w.lease.Release()
		w.free = true
	}
}

// survive keeps a panic from ending the gateway, with all its calls: it is in a goroutine of its own, which no
// interceptor guards. What became of the write is not known then.
func (s *Service) survive(ctx context.Context, w *write) {
	panicked := recover()
	if panicked == nil {
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelError, "panic", redact.Panic(panicked)...)
	w.freeSlot()
	select {
	case w.known <- outcome{err: newError(reasonGatewayFault, stateUnknown, gatewayFault, nil)}:
	default: // the caller has been told
	}
	landing, cancel := context.WithDeadline(ctx, w.landsBefore(s.settleTime))
	defer cancel()
	if !w.free {
		<-landing.Done()
	}
	if ctx.Err() == nil || w.begun.Load() == nil { // else it may still land when the gateway has ended
		w.freeLease()
	}
}

// conclude tells the outcome to the caller, or to the log if the caller has left.
func (s *Service) conclude(ctx context.Context, w *write, o outcome) {
	w.known <- o
	if !w.abandoned.Load() {
		return
	}
	state := "written"
	var failure *Error
	if errors.As(o.err, &failure) {
		state = failure.info.GetMetadata()["write_state"]
	}
	attributes := []slog.Attr{slog.Int64("customer_id", w.asked.customer.ID), slog.String("write_state", state)}
	if o.err != nil {
		attributes = append(attributes, slog.String("error", o.err.Error()))
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "a write whose caller has left has its outcome", attributes...)
}
