package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// companionWrite is a write by a request to the companion.
type companionWrite struct {
	write
	update    *update
	requestID string
	over      bool // ended was called
}

// apply sends the partial update. It returns the companion's answer, or else the outcome. If ctx ends during the exchange, or if
// the answer is lost, the write goes on in the background, with the slot and the lease of the reservation.
func (s atomicUpdate) apply(ctx context.Context, held *reservation, u *update, partial fluentcart.Partial) (answer *fluentcart.Answer, o outcome) {
	if err := s.maySend(ctx); err != nil {
		return nil, outcome{err: err}
	}
	if !s.companion.begin(s.generation, partial.CustomerID) {
		return nil, outcome{err: errWayChanged}
	}
	partial.RequestID = uuid.NewString()
	if key := u.request.GetRequestId(); key != "" {
		partial.Key, partial.Fingerprint = strings.ToLower(key), fingerprint(ctx, u.request)
	}
	w := &companionWrite{write: write{customer: partial.CustomerID, slot: held.slot, lease: held.lease, begun: time.Now()}, update: u, requestID: partial.RequestID}
	held.slot, held.lease = nil, nil
	send := func(inFlight context.Context) (outcome, func(context.Context)) {
		received, failed := s.store.ApplyPartial(inFlight, partial, func() error { return w.mayStart(ctx) })
		left, gone := callerLeft(failed)
		if gone || isLost(failed) {
			return outcome{}, func(background context.Context) {
				if gone {
					received, failed = left.AwaitAnswer(background)
				}
				s.exchanged(&w.write)
				s.finishApplied(background, ctx, w, received, failed)
			}
		}
		held.slot, held.lease = w.slot, w.lease
		w.slot, w.lease = nil, nil
		s.exchanged(&w.write)
		s.ended(w)
		if answer = received; answer == nil {
			return s.outcomeOfFailure(ctx, w, failed), nil
		}
		s.companion.answered()
		return outcome{}, nil
	}
	o = s.run(ctx, &w.write, send, func(background context.Context) { s.cancelAfterPanic(background, w) })
	return answer, o
}

// finishApplied takes the answer to a write that continued in the background. ctx ends when the gateway stops; caller is the
// caller's context.
func (s *Service) finishApplied(ctx, caller context.Context, w *companionWrite, answer *fluentcart.Answer, failed error) {
	switch {
	case isLost(failed):
		s.cancel(ctx, caller, w, failed)
	case failed != nil:
		s.ended(w)
		s.conclude(ctx, &w.write, s.outcomeOfFailure(caller, w, failed))
	default:
		s.companion.answered()
		s.ended(w)
		o := s.outcomeOf(caller, w.update, answer)
		result := resultOf(o.err)
		if answer.Result == fluentcart.AlreadyApplied {
			result = string(telemetry.Repeated)
		}
		s.metrics.writes.WithLabelValues(result).Inc()
		s.conclude(ctx, &w.write, o)
	}
}

// ended releases the lease that the write still has, and notes that its outcome is known or was given up. Further calls do nothing.
func (s *Service) ended(w *companionWrite) {
	if w.over {
		return
	}
	w.over = true
	if w.lease != nil {
		w.lease.Release()
	}
	s.companion.end(w.customer)
}

// isLost reports whether the failure of a request to the companion leaves open whether the update was applied.
func isLost(err error) bool {
	if err == nil {
		return false
	}
	return isAmbiguous(&customer.Merged{}, err)
}

// outcomeOfFailure returns the outcome of a request that the companion did not get: nothing was written.
func (s *Service) outcomeOfFailure(caller context.Context, w *companionWrite, failed error) outcome {
	o := outcome{err: applyError(caller, w.customer, failed)}
	s.metrics.writes.WithLabelValues(resultOf(o.err)).Inc()
	return o
}

// outcomeOf returns the outcome that an answer of the companion shows.
func (s *Service) outcomeOf(ctx context.Context, u *update, answer *fluentcart.Answer) outcome {
	id := u.request.GetCustomerId()
	switch answer.Result {
	case fluentcart.Applied:
		return outcome{response: u.change.Written(answer.Before).Response(answer.Customer)}
	case fluentcart.AlreadyApplied:
		return outcome{response: u.change.AppliedEarlier(id, answer.Customer, answer.Changed)}
	case fluentcart.RefusedByStore:
		merged, err := merge(ctx, u.request, u.change, answer.Before)
		if err == nil {
			err = refused(ctx, id, merged, apierror.Rejected, answer.Refusal)
		}
		return outcome{err: err}
	case fluentcart.RolledBack:
		return outcome{err: rolledBack(answer)}
	case fluentcart.KeyReused:
		return outcome{err: apierror.Invalid(apierror.Violation{Field: "request_id", Description: "was used for another update in the last 24 hours; give each update an id of its own"})}
	}
	return outcome{err: contended()} // returned, or cancelled: nothing was written
}

// fingerprint stands for what the caller asks for, and for the caller: an id is known to its own caller only. The caller's address is
// no part of it, because an update whose connection was lost is repeated on another one. Nor is the id, which may be written in
// capitals.
func fingerprint(ctx context.Context, request *customerv1.UpdateCustomerRequest) string {
	asked := &customerv1.UpdateCustomerRequest{CustomerId: request.GetCustomerId(), Customer: request.GetCustomer(), UpdateMask: request.GetUpdateMask(), Etag: request.GetEtag()}
	content, _ := proto.MarshalOptions{Deterministic: true}.Marshal(asked) // a request that was received can be sent
	caller := callerOf(ctx)
	name := caller.Name
	if caller.Store != nil { // the name may be a pseudonym, which changes
		name = caller.Store.Username
	}
	hash := sha256.Sum256(append(content, name...))
	return hex.EncodeToString(hash[:])
}
