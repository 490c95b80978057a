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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// write is an in-flight write. From its first byte on it runs to its outcome, whatever its caller does: the store does not
// stop when a caller leaves (F22), and closing the connection would only lose the response.
type write struct {
	customer int64
	slot     *admission.Slot // nil once it is released
	lease    lease.Lease     // nil if none is needed

	begun    time.Time   // when the exchange with the store began
	sent     time.Time   // when the first byte was sent; zero before
	orphaned atomic.Bool // the caller is gone, and gets no outcome
	done     chan outcome
}

// outcome is the result of a write.
type outcome struct {
	response *customerv1.UpdateCustomerResponse
	err      error
}

// exchange sends a write and returns its outcome. If the outcome takes longer than the caller waits, or than the response, it
// returns what remains to be done, which must pass the outcome to conclude.
type exchange func(ctx context.Context) (o outcome, rest func(background context.Context))

// run sends a write, and returns its outcome if the caller waits for it. The exchange with the store runs on the calling
// goroutine, and its rest on a goroutine of its own. abandoned is called if one of them panics: the outcome is not known then.
func (s *Service) run(ctx context.Context, w *write, send exchange, abandoned func(background context.Context)) (result outcome) {
	inFlight, number := s.inFlight.begin(ctx)
	defer func() {
		if panicked := recover(); panicked != nil {
			s.logger.LogAttrs(ctx, slog.LevelError, "panic", redact.Panic(panicked)...)
			s.inFlight.moveToBackground(ctx, number, abandoned)
			result = outcome{err: apierror.Fault()}
		}
	}()
	sending := telemetry.Begin(ctx, telemetry.StorePut)
	result, rest := send(inFlight)
	sending.End()
	if rest == nil {
		s.inFlight.end(number)
		return result
	}
	s.continueInBackground(ctx, number, w, rest, abandoned)
	return w.await(ctx)
}

// callerLeft returns the failure of a PUT whose caller's context has ended after the first byte was sent.
func callerLeft(err error) (*fluentcart.Error, bool) {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	return failure, ok && failure.Kind == fluentcart.CallerLeft
}

// maySend reports whether the call has time for a write: its context has not ended, and the deadline is not too near.
func (s *Service) maySend(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return notSent(err)
	}
	if !fits(ctx, s.writes.Mean()) {
		return tooLate()
	}
	return nil
}

// mayStart is the send gate: it is called right before the first byte of the write is sent. If it returns an error, nothing
// is sent.
func (w *write) mayStart(caller context.Context) error {
	if err := caller.Err(); err != nil {
		return err
	}
	if w.lease != nil {
		if err := w.lease.Check(); err != nil {
			return err
		}
	}
	w.sent = time.Now()
	return nil
}

// continueInBackground runs the rest of the write while its caller waits, and after that. No interceptor guards this
// goroutine, so a panic that is not recovered here would end the gateway with all its calls.
func (s *Service) continueInBackground(ctx context.Context, number int, w *write, rest, abandoned func(context.Context)) {
	w.done = make(chan outcome, 1)
	s.inFlight.moveToBackground(ctx, number, func(background context.Context) {
		defer func() {
			if panicked := recover(); panicked != nil {
				s.logger.LogAttrs(background, slog.LevelError, "panic", redact.Panic(panicked)...)
				w.fail()
				abandoned(background)
			}
		}()
		rest(background)
	})
}

// await returns the outcome of a write that continues in the background, or an error when the caller leaves.
func (w *write) await(ctx context.Context) outcome {
	waited := telemetry.Begin(ctx, telemetry.Verify)
	defer waited.End()
	select {
	case o := <-w.done:
		return o
	case <-ctx.Done():
	}
	w.orphaned.Store(true)
	select {
	case o := <-w.done: // the outcome came at the same moment
		return o
	default:
		return outcome{err: outcomeUnknown(ctx.Err()).CausedBy(ctx.Err())}
	}
}

// exchanged releases the slot, which the store's worker no longer needs, and adds the duration to the latency estimate.
func (s *Service) exchanged(w *write) {
	if !w.sent.IsZero() {
		s.writes.Add(time.Since(w.begun))
	}
	w.releaseSlot()
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

// fail tells a caller that waits that the outcome is not known because of a panic.
func (w *write) fail() {
	select {
	case w.done <- outcome{err: apierror.Fault()}:
	default: // the caller has its outcome
	}
}

// conclude hands the outcome to the caller, and logs it if the caller is gone.
func (s *Service) conclude(ctx context.Context, w *write, o outcome) {
	w.done <- o
	if !w.orphaned.Load() {
		return
	}
	attributes := []slog.Attr{slog.Int64("customer_id", w.customer), slog.String("write_state", resultOf(o.err))}
	if o.err != nil {
		attributes = append(attributes, slog.String("error", o.err.Error()))
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "outcome of a write whose caller is gone", attributes...)
}
