package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// verify reads the customer again until it shows the in-doubt write, or until the settle time is over. Until then the
// customer is in quarantine: what another update would read is what the write may still change.
func (s *Service) verify(ctx, caller context.Context, w *write, cause error) {
	s.inDoubt.Add(1)
	defer s.inDoubt.Add(-1)
	end := w.settledAt(s.settleTime)
	w.lease.Quarantine(time.Until(end))
	settled, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if w.merged.WasRead() {
		if stored := s.readUntilApplied(settled, w); stored != nil {
			w.releaseLease()
			s.conclude(ctx, w, outcome{response: w.merged.Response(stored)})
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
		slog.Int64("customer_id", w.merged.CustomerID()), slog.Duration("quarantine", time.Until(end)))
}

// The pauses between two reads that verify a write. They double from the first to the longest.
const (
	firstVerifyPause   = 50 * time.Millisecond
	longestVerifyPause = 5 * time.Second
)

// readUntilApplied reads the customer until it shows the write, and returns it, or nil if ctx ends before.
func (s *Service) readUntilApplied(ctx context.Context, w *write) *fluentcart.Customer {
	for pause := firstVerifyPause; ; pause = min(2*pause, longestVerifyPause) {
		now, err := s.readAgain(ctx, w)
		if err == nil && w.merged.AppliedIn(now) {
			return now
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// readAgain reads the customer. While a caller waits for it, the read gets a slot before all others, but never more than
// half of the slots are used so. Once the caller is gone, one such read at a time queues with the other calls.
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
	slot, err := takeSlot(ctx)
	if err != nil {
		return nil, err
	}
	defer slot.Release()
	if err := s.store.Wait(ctx, 1); err != nil {
		return nil, err
	}
	return s.store.GetCustomer(ctx, w.merged.CustomerID())
}
