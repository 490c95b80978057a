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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// atomicUpdate updates customers by one request to the companion, a plug-in in the store, which merges in a transaction. No lease
// is needed, because the database excludes other writers. A request whose response was lost is cancelled: then it was applied
// already, or never will be.
type atomicUpdate struct {
	*Service
	generation int
	leased     bool // other updates may still be made by read, merge and write
}

func (s atomicUpdate) needs() needs { return needs{lease: s.leased, put: true} }

// maxRounds bounds the requests of one update: the companion returns the customer if it cannot decide, and the second request is
// for that version of the customer only.
const maxRounds = 4

func (s atomicUpdate) update(ctx context.Context, u *update) (*customerv1.UpdateCustomerResponse, error) {
	id := u.request.GetCustomerId()
	held, err := s.reserve(ctx, u.pass, id, s.needs())
	if err != nil {
		return nil, err
	}
	defer held.release()
	if err := s.probeIfUnhealthy(ctx, id); err != nil {
		return nil, err
	}
	if s.companion.isSilent() { // a read that fails says at once what an update would learn later
		if _, err := s.read(ctx, id); err != nil {
			return nil, err
		}
	}
	may := callerOf(ctx).May
	partial := u.change.Partial(id, u.request.GetEtag(), may.UserID, may.Status)
	for round := range maxRounds {
		if round > 0 {
			if err := s.store.Wait(ctx, 1); err != nil {
				return nil, s.waitError(ctx, err)
			}
		}
		answer, o := s.apply(ctx, held, u, partial)
		if answer == nil {
			return o.response, o.err
		}
		switch {
		case answer.Result == fluentcart.Returned && round == 0 && s.succeedsUnchanged(ctx, u, answer):
			partial = fluentcart.Partial{CustomerID: id, IfMatch: []string{answer.Version}} // notes the request_id
		case answer.Result == fluentcart.Returned:
			merged, response, err := s.decide(ctx, u, answer.Customer)
			if merged == nil {
				return response, err
			}
			partial = merged.Partial(answer.Version)
		case answer.Result == fluentcart.Applied && len(answer.Changed) == 0 && !u.change.Written(answer.Customer).Differs():
			s.withoutWrite(ctx, telemetry.Unchanged) // the companion has only noted the request_id
			return u.change.Written(answer.Customer).Unchanged(), nil
		case answer.Result == fluentcart.AlreadyApplied && answer.Customer != nil:
			s.withoutWrite(ctx, telemetry.Repeated)
			return u.change.WrittenEarlier(answer.Customer, answer.Changed).Repeated(answer.Customer), nil
		case answer.Result != fluentcart.RolledBack || answer.Cause != fluentcart.CauseDeadlock:
			o := s.outcomeOf(ctx, u, answer)
			s.metrics.writes.WithLabelValues(resultOf(o.err)).Inc()
			return o.response, o.err
		}
	}
	return nil, contended()
}

// succeedsUnchanged reports whether an update with a request_id has nothing to change. Its request_id must be noted all the same: a
// repetition of an update that has succeeded must not write later, when others may have changed the customer.
func (s *Service) succeedsUnchanged(ctx context.Context, u *update, returned *fluentcart.Answer) bool {
	if u.request.GetRequestId() == "" {
		return false
	}
	merged, err := merge(ctx, u.request, u.change, returned.Customer)
	return err == nil && !merged.Differs()
}

// companionWrite is a write by a request to the companion.
type companionWrite struct {
	write
	update    *update
	requestID string
	lease     lease.Lease // nil if none is needed
	over      bool        // ended was called
}

// apply sends the partial update. It returns the companion's answer, or else the outcome. If ctx ends during the exchange, or if
// the answer is lost, the write goes on in the background, with the slot and the lease of the reservation.
func (s atomicUpdate) apply(ctx context.Context, held *reservation, u *update, partial fluentcart.Partial) (answer *fluentcart.Answer, o outcome) {
	if err := s.maySend(ctx); err != nil {
		return nil, outcome{err: err}
	}
	if !s.companion.begin(s.generation) {
		return nil, outcome{err: contended()}
	}
	partial.RequestID = uuid.NewString()
	if key := u.request.GetRequestId(); key != "" {
		partial.Key, partial.Fingerprint = strings.ToLower(key), fingerprint(ctx, u.request)
	}
	w := &companionWrite{write: write{customer: partial.CustomerID, begun: time.Now()}, update: u, requestID: partial.RequestID}
	send := func(inFlight context.Context) (outcome, func(context.Context)) {
		received, failed := s.store.ApplyPartial(inFlight, partial, func() error { return w.mayStart(ctx) })
		left, gone := callerLeft(failed)
		if !gone && !isLost(failed) {
			s.exchanged(&w.write)
			s.companion.end()
			if answer = received; answer == nil {
				return s.outcomeOfFailure(ctx, w, failed), nil
			}
			s.companion.setSilent(false)
			return outcome{}, nil
		}
		w.slot, w.lease = held.slot, held.lease
		held.slot, held.lease = nil, nil
		return outcome{}, func(background context.Context) {
			if gone {
				received, failed = left.AwaitAnswer(background)
			}
			s.exchanged(&w.write)
			s.finishApplied(background, ctx, w, received, failed)
		}
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
		s.companion.setSilent(false)
		s.ended(w)
		o := s.outcomeOf(caller, w.update, answer)
		s.metrics.writes.WithLabelValues(resultOf(o.err)).Inc()
		s.conclude(ctx, &w.write, o)
	}
}

// ended ends a write in the background, whose outcome is known or was given up. Further calls do nothing.
func (s *Service) ended(w *companionWrite) {
	if w.over {
		return
	}
	w.over = true
	if w.lease != nil {
		w.lease.Release()
	}
	s.companion.end()
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
		if answer.Customer == nil { // it was deleted since
			return outcome{err: customerGone(ctx, id)}
		}
		return outcome{response: u.change.WrittenEarlier(answer.Customer, answer.Changed).Response(answer.Customer)}
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
