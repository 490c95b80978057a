package service

import (
	"context"
	"errors"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// UpdateCustomer changes what the request names, and nothing else. Its errors are those of package apierror.
func (s *Service) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (response *customerv1.UpdateCustomerResponse, err error) {
	defer s.finish(telemetry.CallOf(ctx), &response)
	ctx, pass, err := s.admit(ctx, shareOf(callerOf(ctx)), request.GetCustomerId(), !request.GetValidateOnly()) // before all else: a rejected update must cost little
	if err != nil {
		return nil, err
	}
	defer pass.Leave()
	change, err := s.validate(request)
	if err != nil {
		return nil, err
	}
	early, err := s.verifyAccount(ctx, pass, request.GetCustomerId())
	if err != nil && !s.writesUnread(err, request, change) {
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
			return s.sendDocumentedCall(ctx, held, request, change)
		case err != nil:
			return nil, err
		}
	}
	merged, err := merge(ctx, request, change, before)
	switch {
	case err != nil:
		return nil, err
	case request.GetValidateOnly():
		s.withoutWrite(ctx, telemetry.DryRun)
		return merged.DryRun()
	case !merged.Differs():
		s.withoutWrite(ctx, telemetry.Unchanged)
		return merged.Unchanged(), nil
	}
	return s.write(ctx, held, merged)
}

// validate checks everything that can be checked without the store.
func (s *Service) validate(request *customerv1.UpdateCustomerRequest) (*customer.Change, error) {
	change, violations := s.validator.CheckUpdate(request)
	if s.writeMode == Replace {
		violations = append(violations, customer.CheckReplace(request)...)
	}
	if len(violations) > 0 {
		return nil, apierror.Invalid(violations...)
	}
	return change, nil
}

// read reads the customer, and adds its duration to the latency estimate. A failed read counts only if it timed out after
// more than the estimate, because others say nothing about the latency.
func (s *Service) read(ctx context.Context, id int64) (*fluentcart.Customer, error) {
	reading := telemetry.Begin(ctx, telemetry.StoreGet)
	read, err := s.store.GetCustomer(ctx, id)
	took := reading.End()
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && took > s.reads.Mean() {
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

// callerOf returns the caller of a call. A call that was not authenticated has a caller without a name, which may change
// status and not user_id.
func callerOf(ctx context.Context) *auth.Caller {
	if caller := auth.FromContext(ctx); caller != nil {
		return caller
	}
	return &auth.Caller{May: auth.Permissions{Status: true}}
}
