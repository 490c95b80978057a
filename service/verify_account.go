package service

import (
	"context"
	"errors"
	"slices"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// With --caller-auth=store only the store can say whether a caller's account is valid, and asking takes a request. Until
// then the account is unverified: it may be invented, and must not delay other callers. All unverified accounts together
// have the share of one caller in the queue, and do not wait for a customer's lease, except where the upstream serves no read
// (see writesUnread).

// unverifiedShare names the share of the queue of all unverified accounts. No caller has this name: names have no spaces.
const unverifiedShare = "unverified accounts"

// unverifiedAccount returns the caller's store account if it is unverified, else nil.
func unverifiedAccount(ctx context.Context) *auth.Account {
	if account := callerOf(ctx).Store; account != nil && !account.Verified() {
		return account
	}
	return nil
}

// markVerified records that the store has accepted the caller's account, if the caller has one.
func markVerified(ctx context.Context) {
	if account := callerOf(ctx).Store; account != nil {
		account.MarkVerified()
	}
}

// earlyRead is a read of the customer that was made to verify the caller's store account, before the customer's lease was
// taken. Another update may have changed the customer since (see under).
type earlyRead struct {
	customer *fluentcart.Customer
	before   lease.Grant // the latest grant of the customer's lease when the read began
}

// under returns the customer if the read is as good as one made under the reservation: no other update had the lease
// since the read began, or nothing will be written. Otherwise it returns nil.
func (r *earlyRead) under(held *reservation) *fluentcart.Customer {
	if r == nil || held.lease != nil && !held.lease.Follows(r.before) {
		return nil
	}
	return r.customer
}

// verifyAccount lets the store decide, by a read of the customer, whether it accepts an unverified account. The request
// was validated before, so that an invalid one causes no read. The read is made without the lease, and returned so that
// the call need not read again. It is nil if the account was verified before.
func (s *Service) verifyAccount(ctx context.Context, pass *admission.Pass, id int64) (*earlyRead, error) {
	account := unverifiedAccount(ctx)
	if account == nil {
		return nil, nil
	}
	defer s.unverified.Add(-1)
	if s.unverified.Add(1) > s.maxUnverified {
		return nil, s.overloaded(apierror.UnverifiedLimit, unverifiedMax)
	}
	select {
	case s.verifying <- struct{}{}:
		defer func() { <-s.verifying }()
	case <-ctx.Done():
		return nil, s.waitError(ctx, ctx.Err())
	}
	if account.Verified() { // another call of this account was first
		return nil, nil
	}
	before, err := s.leases.LastGrant(ctx, id)
	if err != nil {
		before = lease.Held // the read is not used; if the update needs the lease, it gets the error
	}
	held, err := s.reserve(ctx, pass, id, needs{get: true})
	if err != nil {
		return nil, err
	}
	defer held.release()
	read, err := s.read(ctx, id)
	if err == nil || failedWith(err, fluentcart.NotFound) { // the store says that only to accounts that it accepts (F18)
		account.MarkVerified()
	}
	if err != nil {
		return nil, err
	}
	return &earlyRead{read, before}, nil
}

// failedWith reports whether a request to the store failed with one of the kinds.
func failedWith(err error, kinds ...fluentcart.Kind) bool {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	return ok && slices.Contains(kinds, failure.Kind)
}
