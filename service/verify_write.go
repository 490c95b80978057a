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
func (s *Service) verify(ctx, caller context.Context, w *write, cause error) {
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
			s.conclude(ctx, w, o)
			return
		}
		s.conclude(ctx, w, outcome{err: writeError(caller, w.merged, cause)})
	} else { // nothing was read that could be compared
		s.conclude(ctx, w, outcome{err: writeError(caller, w.merged, cause)})
		<-settled.Done()
	}
	if ctx.Err() == nil {
		w.releaseLease()
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "stopped with a write in doubt; it may still be applied",
		slog.Int64("customer_id", w.merged.CustomerID()), slog.Float64("quarantine_seconds", time.Until(end).Seconds()))
}

// The pauses between two reads that verify a write. They double from the first to the longest.
const (
	firstVerifyPause   = 50 * time.Millisecond
	longestVerifyPause = 5 * time.Second
)

// readUntilKnown reads the customer until it shows the outcome of the write. It reports false if ctx ends before.
func (s *Service) readUntilKnown(ctx, caller context.Context, w *write, cause error) (outcome, bool) {
	for pause := firstVerifyPause; ; pause = min(2*pause, longestVerifyPause) {
		if now, err := s.readAgain(ctx, w); err == nil {
			if o, known := w.outcomeShownBy(caller, now, cause); known {
				return o, true
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return outcome{}, false
		}
	}
}

// outcomeShownBy returns the outcome that a later read shows, and false if the read leaves it open. A write was applied if
// the customer shows what was asked for, or if the store reported success: then it keeps another value than the one asked
// for. An unchanged customer proves that nothing was written only if the PUT was refused with fluentcart.Unconfirmed;
// after any other failure the write may still be applied (F22).
func (w *write) outcomeShownBy(caller context.Context, now *fluentcart.Customer, cause error) (outcome, bool) {
	failure, _ := errors.AsType[*fluentcart.Error](cause)
	switch {
	case cause == nil, w.merged.AppliedIn(now):
		return outcome{response: w.merged.Response(now)}, true
	case failure != nil && failure.Kind == fluentcart.Unconfirmed && w.merged.UnchangedIn(now):
		return outcome{err: refused(caller, w.merged.CustomerID(), w.merged, apierror.Rejected, failure.Refusal)}, true
	}
	return outcome{}, false
}

// readAgain reads the customer. While the write's caller waits, the read gets a slot before all other calls, and such reads
// use at most half of the slots. Once the caller is gone, one such read at a time queues with the other calls.
func (s *Service) readAgain(ctx context.Context, w *write) (*fluentcart.Customer, error) {
	takeSlot, reads := s.gate.Urgent, s.verifyReads
	if w.orphaned.Load() {
		takeSlot, reads = s.gate.Patient, s.orphanedReads
	}
	select {
	case reads <- struct{}{}:
		defer func() { <-reads }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	_, queueing := tracing.Start(ctx, "slot")
	slot, err := takeSlot(ctx)
	endWait(ctx, queueing, err)
	if err != nil {
		return nil, err
	}
	defer slot.Release()
	if err := s.store.Wait(ctx, 1); err != nil {
		return nil, err
	}
	return s.store.GetCustomer(ctx, w.merged.CustomerID())
}
