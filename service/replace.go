package service

import (
	"context"
	"errors"
	"log/slog"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// replace updates customers by one PUT with only what the request names, in write mode replace.
type replace struct{ *Service }

func (replace) needs() needs { return needs{lease: true, put: true} }

func (s replace) update(ctx context.Context, u *update) (*customerv1.UpdateCustomerResponse, error) {
	held, err := s.reserve(ctx, u.pass, u.request.GetCustomerId(), s.needs())
	if err != nil {
		return nil, err
	}
	defer held.release()
	return s.putUnread(ctx, held, u)
}

// putUnread sends one PUT with only what the request names. Without a read there is nothing to compare a user_id with, so
// only 0 is accepted, which the documented body holds and which links to no user.
func (s *Service) putUnread(ctx context.Context, held *reservation, u *update) (*customerv1.UpdateCustomerResponse, error) {
	request, change := u.request, u.change
	if violations := change.UnlessStored(); len(violations) > 0 {
		return nil, apierror.Invalid(violations...)
	}
	switch may := callerOf(ctx).May; {
	case change.LinksUser() && !may.UserID:
		return nil, userLinkUnread()
	case !may.Status:
		return nil, statusUnread()
	}
	if err := s.probeIfUnhealthy(ctx, request.GetCustomerId()); err != nil {
		return nil, err
	}
	response, err := s.put(ctx, held, change.Replace(request.GetCustomerId()))
	if err == nil {
		markVerified(ctx) // a store without a read cannot verify the account in another way
	}
	return response, err
}

// probeIfUnhealthy reads the customer if the store has failed: the read shows whether the store is back, so that no write is lost
// in one that is not.
func (s *Service) probeIfUnhealthy(ctx context.Context, id int64) error {
	if s.store.Healthy() {
		return nil
	}
	if _, err := s.read(ctx, id); err != nil && !s.store.Healthy() {
		return err
	}
	return nil
}

// servesNoRead reports whether a read failed because the upstream only knows the documented PUT. It answers a read with 405,
// 501, or a 404 that is not WordPress's. Every FluentCart store serves the read.
func servesNoRead(err error) bool {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	return ok && (failure.Kind == fluentcart.MethodRefused || failure.Kind == fluentcart.NoRoute && !failure.FromWordPress)
}

// isDocumentedCall reports whether an update is the documented PUT: it names all that the PUT replaces, and asks for nothing
// that needs a read.
func isDocumentedCall(request *customerv1.UpdateCustomerRequest, change *customer.Change) bool {
	return change.NamesDocumented() && len(customer.CheckReplace(request)) == 0
}

// writesUnread reports whether an update goes on although the read that was to verify its caller's account failed. The write
// itself verifies the account at an upstream that only knows PUT.
func (s *Service) writesUnread(err error, request *customerv1.UpdateCustomerRequest, change *customer.Change) bool {
	return s.writeMode == Replace && failedWith(err, fluentcart.NoRoute, fluentcart.MethodRefused, fluentcart.Refused) ||
		servesNoRead(err) && isDocumentedCall(request, change)
}

// sendDocumentedCall sends the documented PUT to an upstream that serves no read.
func (s *Service) sendDocumentedCall(ctx context.Context, held *reservation, u *update) (*customerv1.UpdateCustomerResponse, error) {
	s.logger.LogAttrs(ctx, slog.LevelWarn, "the store serves no read; the documented call is sent as it is, and nothing can be compared",
		slog.Int64("customer_id", u.request.GetCustomerId()))
	return s.putUnread(ctx, held, u)
}
