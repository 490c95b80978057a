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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// write is an in-flight PUT. From its first byte on it runs to its outcome, whatever its caller does: the store does not
// stop when a caller leaves (F22), and closing the connection would only lose the response.
type write struct {
	merged *customer.Merged
	lease  lease.Lease
	slot   *admission.Slot // nil once it is released

	begun    time.Time   // when the exchange with the store began
	sent     time.Time   // when the first byte was sent; zero before
	released bool        // the lease is released
	orphaned atomic.Bool // the caller is gone, and gets no outcome
	done     chan outcome
}

// outcome is the result of a write.
type outcome struct {
	response *customerv1.UpdateCustomerResponse
	err      error
}

// write sends the write, and returns its outcome if the caller waits for it. It takes over the lease and the slot of the
// reservation. The exchange with the store runs on the calling goroutine. If ctx ends during it, or if the response is
// ambiguous, the write moves to a goroutine of its own.
func (s *Service) write(ctx context.Context, held *reservation, merged *customer.Merged) (response *customerv1.UpdateCustomerResponse, err error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	if !fits(ctx, s.writes.Mean()) {
		return nil, tooLate()
	}
	w := &write{merged: merged, lease: held.lease, slot: held.slot, begun: time.Now()}
	held.lease, held.slot = nil, nil
	inFlight, number := s.inFlight.begin(ctx)
	defer func() {
		if panicked := recover(); panicked != nil {
			s.logger.LogAttrs(ctx, slog.LevelError, "panic", redact.Panic(panicked)...)
			s.inFlight.moveToBackground(ctx, number, func(background context.Context) { s.holdAfterPanic(background, w) })
			err = apierror.Fault()
		}
	}()

	putting := telemetry.Begin(ctx, telemetry.StorePut)
	stored, failed := s.store.PutCustomer(inFlight, w.merged.Body(), w.merged.Expected(), func() error { return w.mayStart(ctx) })
	putting.End()
	if left, ok := callerLeft(failed); ok {
		s.continueInBackground(ctx, number, w, func(background context.Context) {
			stored, failed := left.Await(background)
			s.finishOrphaned(background, ctx, w, stored, failed)
		})
		return w.await(ctx)
	}
	s.putEnded(w)
	if w.isInDoubt(stored, failed) {
		s.continueInBackground(ctx, number, w, func(background context.Context) { s.verify(background, ctx, w, failed) })
		return w.await(ctx)
	}
	response, err = s.definitive(ctx, w, stored, failed)
	s.inFlight.end(number)
	return response, err
}

// callerLeft returns the failure of a PUT whose caller's context has ended after the first byte was sent.
func callerLeft(err error) (*fluentcart.Error, bool) {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	return failure, ok && failure.Kind == fluentcart.CallerLeft
}

// mayStart is the send gate: it is called right before the first byte of the write is sent. If it returns an error, nothing
// is sent.
func (w *write) mayStart(caller context.Context) error {
	if err := caller.Err(); err != nil {
		return err
	}
	if err := w.lease.Check(); err != nil {
		return err
	}
	w.sent = time.Now()
	return nil
}

// continueInBackground runs the rest of the write while its caller waits, and after that. No interceptor guards this
// goroutine, so a panic that is not recovered here would end the gateway with all its calls.
func (s *Service) continueInBackground(ctx context.Context, number int, w *write, run func(context.Context)) {
	w.done = make(chan outcome, 1)
	s.inFlight.moveToBackground(ctx, number, func(background context.Context) {
		defer func() {
			if panicked := recover(); panicked != nil {
				s.logger.LogAttrs(background, slog.LevelError, "panic", redact.Panic(panicked)...)
				s.holdAfterPanic(background, w)
			}
		}()
		run(background)
	})
}

// await returns the outcome of a write that continues in the background, or an error when the caller leaves.
func (w *write) await(ctx context.Context) (*customerv1.UpdateCustomerResponse, error) {
	waited := telemetry.Begin(ctx, telemetry.Verify)
	defer waited.End()
	select {
	case o := <-w.done:
		return o.response, o.err
	case <-ctx.Done():
	}
	w.orphaned.Store(true)
	select {
	case o := <-w.done: // the outcome came at the same moment
		return o.response, o.err
	default:
		return nil, outcomeUnknown(ctx.Err()).CausedBy(ctx.Err())
	}
}

// finishOrphaned takes the response to a write whose caller has left. ctx ends when the gateway stops; caller is the caller's
// context.
func (s *Service) finishOrphaned(ctx, caller context.Context, w *write, stored *fluentcart.Customer, err error) {
	s.putEnded(w)
	if w.isInDoubt(stored, err) {
		s.verify(ctx, caller, w, err)
		return
	}
	response, err := s.definitive(caller, w, stored, err)
	s.conclude(ctx, w, outcome{response, err})
}

// isInDoubt reports whether the response to the write leaves open what the store did. stored is the customer in it.
func (w *write) isInDoubt(stored *fluentcart.Customer, err error) bool {
	if err != nil {
		return isAmbiguous(w.merged, err)
	}
	return !w.merged.ConfirmedBy(stored)
}

// putEnded releases the slot, which the store's worker no longer needs, and adds the duration to the latency estimate.
func (s *Service) putEnded(w *write) {
	if !w.sent.IsZero() {
		s.writes.Add(time.Since(w.begun))
	}
	w.releaseSlot()
}

// definitive releases the lease, and returns the outcome of a write whose response is not ambiguous.
func (s *Service) definitive(caller context.Context, w *write, stored *fluentcart.Customer, err error) (*customerv1.UpdateCustomerResponse, error) {
	w.releaseLease()
	if err != nil {
		err = writeError(caller, w.merged, err)
	}
	s.metrics.writes.WithLabelValues(resultOf(err)).Inc()
	if err != nil {
		return nil, err
	}
	return w.merged.Response(stored), nil
}

// settledAt returns when the write can no longer be applied.
func (w *write) settledAt(settleTime time.Duration) time.Time {
	if w.sent.IsZero() {
		return time.Now().Add(settleTime)
	}
	return w.sent.Add(settleTime)
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

// holdAfterPanic withholds the lease until the write can no longer be applied, because its outcome is not known.
func (s *Service) holdAfterPanic(ctx context.Context, w *write) {
	w.releaseSlot()
	if w.done != nil {
		select {
		case w.done <- outcome{err: apierror.Fault()}:
		default: // the caller has its outcome
		}
	}
	settled, cancel := context.WithDeadline(ctx, w.settledAt(s.settleTime))
	defer cancel()
	if !w.released {
		<-settled.Done()
	}
	if ctx.Err() == nil || w.sent.IsZero() { // else the write may be applied after the gateway has stopped
		w.releaseLease()
	}
}

// conclude hands the outcome to the caller, and logs it if the caller is gone.
func (s *Service) conclude(ctx context.Context, w *write, o outcome) {
	w.done <- o
	if !w.orphaned.Load() {
		return
	}
	attributes := []slog.Attr{slog.Int64("customer_id", w.merged.CustomerID()), slog.String("write_state", resultOf(o.err))}
	if o.err != nil {
		attributes = append(attributes, slog.String("error", o.err.Error()))
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "outcome of a write whose caller is gone", attributes...)
}
