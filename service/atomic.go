package service

import (
	"context"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
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
			if err := s.again(ctx, held); err != nil {
				return nil, err
			}
		}
		answer, o := s.apply(ctx, held, u, partial)
		if answer == nil {
			return o.response, o.err
		}
		next, o := s.follow(ctx, u, answer, partial)
		if next == nil {
			return o.response, o.err
		}
		partial = *next
	}
	return nil, contended()
}

// again waits for what a further request of the same update needs.
func (s *Service) again(ctx context.Context, held *reservation) error {
	if held.lease != nil {
		if err := held.lease.Renew(ctx); err != nil {
			return s.waitError(ctx, err)
		}
	}
	return s.waitForRate(ctx, needs{put: true})
}

// follow returns what the companion shall get next, or nil and the outcome of the update.
func (s *Service) follow(ctx context.Context, u *update, answer *fluentcart.Answer, sent fluentcart.Partial) (next *fluentcart.Partial, o outcome) {
	switch answer.Result {
	case fluentcart.Returned:
		return s.followReturned(ctx, u, answer, sent)
	case fluentcart.RolledBack:
		if answer.Cause == fluentcart.CauseDeadlock {
			return &sent, outcome{}
		}
	case fluentcart.Applied:
		if len(answer.Changed) == 0 && !u.change.Written(answer.Customer).Differs() { // the companion has only noted the request_id
			s.withoutWrite(ctx, telemetry.Unchanged)
			return nil, outcome{response: u.change.Written(answer.Customer).Unchanged()}
		}
	case fluentcart.AlreadyApplied:
		s.withoutWrite(ctx, telemetry.Repeated)
		return nil, outcome{response: u.change.Repeated(u.request.GetCustomerId(), answer.Customer, answer.Changed)}
	}
	o = s.outcomeOf(ctx, u, answer)
	s.metrics.writes.WithLabelValues(resultOf(o.err)).Inc()
	return nil, o
}

// followReturned decides as in write mode merge what becomes of an update whose customer the companion has returned. An update that has
// to write is then sent for this version of the customer. The request_id of an update that has nothing to change must be noted
// too: a repetition of an update that has succeeded must not write later, when others may have changed the customer.
func (s *Service) followReturned(ctx context.Context, u *update, answer *fluentcart.Answer, sent fluentcart.Partial) (next *fluentcart.Partial, o outcome) {
	merged, err := merge(ctx, u.request, u.change, answer.Customer)
	isSentVersion := len(sent.IfMatch) == 1 && sent.IfMatch[0] == answer.Version
	switch {
	case err != nil:
		return nil, outcome{err: err}
	case isSentVersion && answer.Why == fluentcart.WhyEncoding:
		return nil, outcome{err: unwritable()}
	case merged.Differs() && answer.Why != fluentcart.WhyUnchanged:
		written := merged.Partial(answer.Version)
		return &written, outcome{}
	case u.request.GetRequestId() != "":
		return &fluentcart.Partial{CustomerID: sent.CustomerID, IfMatch: []string{answer.Version}}, outcome{}
	}
	s.withoutWrite(ctx, telemetry.Unchanged)
	return nil, outcome{response: merged.Unchanged()}
}
