package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// verify reads the customer again until it shows the outcome of the in-doubt write, or until the settle time is over. Until
// then the customer is in quarantine, because another update would read values that the write may still change. cause is
// the error of the PUT, or nil for a success that does not show the write.
func (s *Service) verify(ctx, caller context.Context, w *putWrite, cause error) {
	s.metrics.writes.WithLabelValues(writeInDoubt).Inc()
	ctx, span := tracing.Start(ctx, "verify")
	s.inDoubt.Add(1)
	state := writeUnknown
	defer func() {
		s.inDoubt.Add(-1)
		s.metrics.resolved.WithLabelValues(state).Inc()
		endVerify(span, state)
	}()
	end := w.settledAt(s.settleTime)
	w.lease.Quarantine(time.Until(end))
	settled, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if w.merged.WasRead() {
		if o, known := s.readUntilKnown(settled, caller, w, cause); known {
			state = resultOf(o.err)
			w.releaseLease()
			s.conclude(ctx, &w.write, o)
			return
		}
		s.conclude(ctx, &w.write, outcome{err: writeError(caller, w.merged, cause)})
	} else { // nothing was read that could be compared
		s.conclude(ctx, &w.write, outcome{err: writeError(caller, w.merged, cause)})
		<-settled.Done()
	}
	if ctx.Err() == nil {
		w.releaseLease()
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "stopped with a write in doubt; it may still be applied",
		slog.Int64("customer_id", w.merged.CustomerID()), slog.Float64("quarantine_seconds", time.Until(end).Seconds()))
}

// The pauses between two requests that show the outcome of a write. They double from the first to the longest.
const (
	firstVerifyPause   = 50 * time.Millisecond
	longestVerifyPause = 5 * time.Second
)

// readUntilKnown reads the customer until it shows the outcome of the write. It reports false if ctx ends before.
func (s *Service) readUntilKnown(ctx, caller context.Context, w *putWrite, cause error) (o outcome, known bool) {
	known = repeatUntil(ctx, func() bool {
		now, err := s.readAgain(ctx, w)
		if err == nil {
			o, known = w.outcomeShownBy(caller, now, cause)
		}
		return known
	})
	return o, known
}

// repeatUntil calls try until it returns true, with growing pauses. It returns false if ctx ends before.
func repeatUntil(ctx context.Context, try func() bool) bool {
	for pause := firstVerifyPause; !try(); pause = min(2*pause, longestVerifyPause) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
	return true
}

// outcomeShownBy returns the outcome that a later read shows, and false if the read leaves it open. A write was applied if
// the customer shows what was asked for, or if the store reported success: then it keeps another value than the one asked
// for. An unchanged customer proves that nothing was written only if the PUT was refused with fluentcart.Unconfirmed;
// after any other failure the write may still be applied (F22).
func (w *putWrite) outcomeShownBy(caller context.Context, now *fluentcart.Customer, cause error) (outcome, bool) {
	failure, _ := errors.AsType[*fluentcart.Error](cause)
	switch {
	case cause == nil, w.merged.AppliedIn(now):
		return outcome{response: w.merged.Response(now)}, true
	case failure != nil && failure.Kind == fluentcart.Unconfirmed && w.merged.UnchangedIn(now):
		return outcome{err: refused(caller, w.merged.CustomerID(), w.merged, apierror.Rejected, failure.Refusal)}, true
	}
	return outcome{}, false
}

// readAgain reads the customer.
func (s *Service) readAgain(ctx context.Context, w *putWrite) (read *fluentcart.Customer, err error) {
	resolving := s.resolve(ctx, &w.write, func() error {
		read, err = s.store.GetCustomer(ctx, w.customer)
		return err
	})
	return read, resolving
}

// resolve sends a request that shows the outcome of a write. While the write's caller waits, the request gets a slot before all
// other calls, and such requests use at most half of the slots. Once the caller is gone, one such request at a time queues
// with the other calls.
func (s *Service) resolve(ctx context.Context, w *write, send func() error) error {
	takeSlot, requests := s.gate.Urgent, s.urgentRequests
	if w.orphaned.Load() {
		takeSlot, requests = s.gate.Patient, s.orphanRequests
	}
	select {
	case requests <- struct{}{}:
		defer func() { <-requests }()
	case <-ctx.Done():
		return ctx.Err()
	}
	_, queueing := tracing.Start(ctx, "slot")
	slot, err := takeSlot(ctx)
	endWait(ctx, queueing, err)
	if err != nil {
		return err
	}
	defer slot.Release()
	if err := s.store.Wait(ctx, 1); err != nil {
		return err
	}
	return send()
}
