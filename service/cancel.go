package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// cancel cancels a request to the companion whose answer was lost, which shows its outcome: it was applied before, or never will
// be. If the cancellation gets no answer either, it is repeated until the settle time is over. Other updates of the customer wait
// meanwhile only where updates take leases: an update that is applied late changes only its own fields. cause is the error of the
// request.
func (s *Service) cancel(ctx, caller context.Context, w *companionWrite, cause error) {
	s.metrics.writes.WithLabelValues(writeInDoubt).Inc()
	ctx, span := tracing.Start(ctx, "cancel")
	s.inDoubt.Add(1)
	state := writeUnknown
	defer func() {
		s.inDoubt.Add(-1)
		s.metrics.resolved.WithLabelValues(state).Inc()
		endVerify(span, state)
	}()
	end := w.settledAt(s.settleTime)
	if w.lease != nil {
		w.lease.Quarantine(time.Until(end))
	}
	settled, stop := context.WithDeadline(ctx, end)
	defer stop()
	answer := s.cancelUntilKnown(settled, w)
	if answer == nil && ctx.Err() != nil {
		w.lease = nil // it is not released, because the update may be applied after the gateway has stopped
		s.logger.LogAttrs(ctx, slog.LevelWarn, "stopped with a write in doubt; it may still be applied", slog.Int64("customer_id", w.customer))
	}
	s.ended(w)
	if answer == nil {
		s.conclude(ctx, &w.write, outcome{err: lostError(caller, cause)})
		return
	}
	o := outcome{err: cancelled(caller, w.customer, cause)}
	if answer.Result == fluentcart.AlreadyApplied {
		o = s.outcomeOf(caller, w.update, answer)
	}
	state = resultOf(o.err)
	s.conclude(ctx, &w.write, o)
}

// cancelUntilKnown cancels the request until the companion answers. It returns nil if ctx ends before.
func (s *Service) cancelUntilKnown(ctx context.Context, w *companionWrite) (answer *fluentcart.Answer) {
	repeatUntil(ctx, func() bool {
		err := s.resolve(ctx, &w.write, func() (err error) {
			answer, err = s.store.Cancel(ctx, w.customer, w.requestID)
			if err != nil {
				s.companion.setSilent()
			} else {
				s.companion.answered()
			}
			return err
		})
		if err != nil {
			answer = nil
		}
		return answer != nil && (answer.Result == fluentcart.AlreadyApplied || answer.Result == fluentcart.Cancelled)
	})
	return answer
}

// cancelAfterPanic makes sure that a request whose outcome is not known is not applied later.
func (s *Service) cancelAfterPanic(ctx context.Context, w *companionWrite) {
	defer s.ended(w)
	w.releaseSlot()
	w.orphaned.Store(true)
	if w.sent.IsZero() {
		return
	}
	end := w.settledAt(s.settleTime)
	if w.lease != nil {
		w.lease.Quarantine(time.Until(end))
	}
	settled, stop := context.WithDeadline(ctx, end)
	defer stop()
	s.cancelUntilKnown(settled, w)
}

// lostError returns the error of a request whose outcome is not known. caller is the caller's context.
func lostError(caller context.Context, cause error) error {
	failure := failureOf(cause)
	return outcomeUnknown(caller.Err()).CausedBy(failure).Upstream(failure.Status, failure.Code)
}

// cancelled returns the error of a request that was cancelled because its answer was lost: nothing was written, nor will be.
func cancelled(ctx context.Context, id int64, cause error) error {
	failure := failureOf(cause)
	switch {
	case failure.Refusal != nil:
		return refused(ctx, id, nil, apierror.Rejected, failure.Refusal)
	case failure.Kind == fluentcart.NoAnswer, failure.Status >= 502:
		return storeError(apierror.StoreUnavailable, apierror.Rejected, "the store did not answer the update properly; it was cancelled, and nothing was written",
			failure, apierror.RetryInfo(failure.RetryAfter))
	}
	return refused(ctx, id, nil, apierror.Rejected, failure)
}
