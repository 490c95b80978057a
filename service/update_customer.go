package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// UpdateCustomer changes what the request names, and nothing else. Its errors are those of package apierror.
func (s *Service) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	ctx, pass, err := s.admit(ctx, request.GetCustomerId(), !request.GetValidateOnly()) // before all else: a rejected update must cost little
	if err != nil {
		return nil, err
	}
	defer pass.Leave()
	change, err := s.validate(request)
	if err != nil {
		return nil, err
	}
	early, err := s.verifyAccount(ctx, pass, request, change)
	if err != nil {
		return nil, err
	}
	held, err := s.reserve(ctx, pass, request.GetCustomerId(), !request.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	defer held.release()
	if s.writeMode == Replace {
		return s.replace(ctx, held, request, change)
	}
	before := early.under(held)
	if before == nil {
		before, err = s.read(ctx, request.GetCustomerId())
		switch {
		case servesNoRead(err) && isDocumentedCall(request, change):
			s.logger.LogAttrs(ctx, slog.LevelWarn, "the store serves no read; the documented call is sent as it is, and nothing can be compared",
				slog.Int64("customer_id", request.GetCustomerId()))
			return s.replace(ctx, held, request, change)
		case err != nil:
			return nil, err
		}
	}
	merged, err := merge(ctx, request, change, before)
	switch {
	case err != nil:
		return nil, err
	case request.GetValidateOnly():
		return merged.DryRun()
	case !merged.Differs():
		return merged.Unchanged(), nil
	}
	return s.write(ctx, held, merged)
}

// validate checks everything that can be checked without the store.
func (s *Service) validate(request *customerv1.UpdateCustomerRequest) (*customer.Change, error) {
	change, violations := s.validator.Read(request)
	if s.writeMode == Replace {
		violations = append(violations, customer.CheckReplace(request)...)
	}
	if len(violations) > 0 {
		return nil, apierror.Invalid(violations...)
	}
	return change, nil
}

// read reads the customer, and adds the time it took to the latency estimate.
func (s *Service) read(ctx context.Context, id int64) (*fluentcart.Customer, error) {
	start := time.Now()
	read, err := s.store.GetCustomer(ctx, id)
	took := time.Since(start)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && took > s.reads.Mean() { // the read would have taken at least that long
			s.reads.Add(took)
		}
		return nil, readError(ctx, id, err)
	}
	s.reads.Add(took)
	return read, nil
}

// merge checks the etag, applies the change to the customer that was read, and checks that the caller may do that.
func merge(ctx context.Context, request *customerv1.UpdateCustomerRequest, change *customer.Change, before *fluentcart.Customer) (*customer.Merged, error) {
	if err := customer.CheckEtag(request.GetEtag(), before); err != nil {
		return nil, err
	}
	merged, err := change.Merge(before)
	if err != nil {
		return nil, err
	}
	switch may := callerOf(ctx).May; {
	case merged.ChangesLink() && !may.UserID:
		return nil, userLinkForbidden(merged.LinkedUser())
	case merged.ChangesStatus() && !may.Status:
		return nil, statusForbidden()
	}
	return merged, nil
}

// servesNoRead reports whether a read failed because the upstream knows nothing but the documented PUT: it answers 404
// without the words of WordPress, 405 or 501. Every FluentCart store serves the read.
func servesNoRead(err error) bool {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	return ok && (failure.Kind == fluentcart.MethodRefused || failure.Kind == fluentcart.NoRoute && !failure.FromWordPress)
}

// isDocumentedCall reports whether an update is the documented PUT: it names all that the PUT replaces, and asks for nothing
// that needs a read.
func isDocumentedCall(request *customerv1.UpdateCustomerRequest, change *customer.Change) bool {
	return change.NamesDocumented() && len(customer.CheckReplace(request)) == 0
}

// replace sends one PUT with only what the request names. Without a read there is nothing to compare a user_id with, so
// only 0 is accepted, which the documented body holds and which links to no user.
func (s *Service) replace(ctx context.Context, held *reservation, request *customerv1.UpdateCustomerRequest, change *customer.Change) (*customerv1.UpdateCustomerResponse, error) {
	if violations := change.UnlessStored(); len(violations) > 0 {
		return nil, apierror.Invalid(violations...)
	}
	switch may := callerOf(ctx).May; {
	case change.LinksUser() && !may.UserID:
		return nil, userLinkUnread()
	case !may.Status:
		return nil, statusUnread()
	}
	if !s.store.Healthy() { // a read shows whether the store is back, so that no write is lost in one that is not
		if _, err := s.read(ctx, request.GetCustomerId()); err != nil && !s.store.Healthy() {
			return nil, err
		}
	}
	response, err := s.write(ctx, held, change.Replace(request.GetCustomerId()))
	if err == nil {
		markVerified(ctx) // a store without a read cannot verify the account in another way
	}
	return response, err
}

// callerOf returns the caller of a call. A call that was not authenticated has a caller without a name, who may change
// status and not user_id.
func callerOf(ctx context.Context) *auth.Caller {
	if caller := auth.FromContext(ctx); caller != nil {
		return caller
	}
	return &auth.Caller{May: auth.Permissions{Status: true}}
}
