package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// findOut verifies a write that the store's answer does not decide: it reads again until the state asked for is seen.
// Until then, or until it can no longer land, nobody else gets the customer: what they would read is what the write may
// still put back.
func (s *Service) findOut(ctx, caller context.Context, w *write, cause error) {
	s.inDoubt.Add(1)
	defer s.inDoubt.Add(-1)
	end := w.landsBefore(s.settleTime)
	w.lease.Quarantine(time.Until(end))
	landing, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if w.asked.before == nil { // nothing was read that could be compared
		s.conclude(ctx, w, outcome{err: writeError(caller, w.asked, cause)})
		<-landing.Done()
	} else if after := s.seeLanding(landing, w); after != nil {
		w.freeLease()
		s.conclude(ctx, w, outcome{response: w.respond("", after)})
		return
	} else {
		s.conclude(ctx, w, outcome{err: writeError(caller, w.asked, cause)})
	}
	if ctx.Err() == nil {
		w.freeLease()
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "stopped while a write may still land; whether it does is not known",
		slog.Int64("customer_id", w.asked.customer.ID), slog.Duration("quarantine", time.Until(end)))
}

// The pauses between two reads that look for a landing.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = 5 * time.Second
)

// seeLanding reads the customer until it is as asked for, and returns it; or nil if ctx ends before.
func (s *Service) seeLanding(ctx context.Context, w *write) *fluentcart.Customer {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		now, err := s.look(ctx, w)
		if err == nil && w.asked.landed(now) {
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

// look reads a customer. As long as a caller waits for it that is done before others, though never in more than half of
// the slots; once nobody does, one such read at a time takes its turn with the rest.
func (s *Service) look(ctx context.Context, w *write) (*fluentcart.Customer, error) {
	slotOf, looking := s.gate.Urgent, s.looking
	if w.abandoned.Load() {
		slotOf, looking = s.gate.Patient, s.lookingAlone
	}
	select {
	case looking <- struct{}{}:
		defer func() { <-looking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	slot, err := slotOf(ctx)
	if err != nil {
		return nil, err
	}
	defer slot.Release()
	if err := s.store.Wait(ctx, 1); err != nil {
		return nil, err
	}
	return s.store.GetCustomer(ctx, w.asked.customer.ID)
}
