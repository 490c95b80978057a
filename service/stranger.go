package service

import (
	"context"
	"errors"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Where callers bring accounts of their own in the store, only the store can say whether they are right, and it takes a
// request to ask. Until then a caller is a stranger, who may have made the account up, and must not get in the way of
// others: he gets no customer's lease, no place in a line, and no share of the queue as a caller of a name that he has
// chosen.

// strangers is the name under which all of them share. No caller has it: names have no spaces.
const strangers = "those whom the store has not let in"

// strangerOf returns the account of a call that the store has not let in of late, or nil.
func strangerOf(ctx context.Context) *auth.Account {
	if who := auth.FromContext(ctx); who != nil && who.Store != nil && !who.Store.Verified() {
		return who.Store
	}
	return nil
}

// introduce lets the store say, by a read of the customer, whether it knows a stranger. The request is checked before, so
// that one that is wrong by itself costs no more than that of anybody else. It returns what the stranger is to be told, or
// nil if the call may go on.
func (s *Service) introduce(ctx context.Context, who *auth.Account, request *customerv1.UpdateCustomerRequest) error {
	defer s.strangers.Add(-1)
	if s.strangers.Add(1) > s.maxStrangers {
		return s.overloaded("too many callers are waiting whom the store has not let in of late")
	}
	ctx, pass, err := s.gate.Enter(ctx, strangers)
	if err != nil {
		return s.overloaded("too many updates are waiting")
	}
	defer pass.Leave()
	if _, err := s.validate(request); err != nil {
		return err
	}
	select {
	case s.introducing <- struct{}{}:
		defer func() { <-s.introducing }()
	case <-ctx.Done():
		return s.noTurn(ctx, ctx.Err())
	}
	if who.Verified() { // another call of his was first
		return nil
	}
	turn, err := s.takeTurn(ctx, pass, request.GetCustomerId(), false)
	if err != nil {
		return err
	}
	defer turn.end()
	_, err = s.read(ctx, request)
	if s.writeMode == Replace && onlyWrites(err) {
		return nil // the write itself has to ask
	}
	return err
}

// onlyWrites reports whether a read failed because the store has none, as those that only know PUT.
func onlyWrites(err error) bool {
	var failure *fluentcart.Error
	return errors.As(err, &failure) && (failure.Kind == fluentcart.NoRoute || failure.Kind == fluentcart.Refused)
}

// letIn notes that the store has done what a caller asked for, and so knows the account.
func letIn(ctx context.Context) {
	if who := auth.FromContext(ctx); who != nil && who.Store != nil {
		who.Store.MarkVerified()
	}
}

// callerOf returns who calls. A call that no transport has authenticated is one of a caller without a name, who may
// change status and not user_id.
func callerOf(ctx context.Context) *auth.Caller {
	if who := auth.FromContext(ctx); who != nil {
		return who
	}
	return &auth.Caller{May: auth.Permissions{Status: true}}
}
