package service

import (
	"context"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// updater updates customers in one way. The steps that all ways have in common are in UpdateCustomer.
type updater interface {
	// needs says what an update needs of the store.
	needs() needs
	// update performs an update that was admitted and validated, and whose caller's account is verified.
	update(ctx context.Context, u *update) (*customerv1.UpdateCustomerResponse, error)
}

// update is one update that was validated.
type update struct {
	request *customerv1.UpdateCustomerRequest
	change  *customer.Change
	pass    *admission.Pass
	early   *earlyRead // nil if the caller's account was verified before
}

// UpdateCustomer changes what the request names, and nothing else. Its errors are those of package apierror.
func (s *Service) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (response *customerv1.UpdateCustomerResponse, err error) {
	defer s.finish(telemetry.CallOf(ctx), &response)
	way, err := s.updater(ctx, request)
	if err != nil {
		return nil, err
	}
	leased := way.needs().lease && !request.GetValidateOnly()
	ctx, pass, err := s.admit(ctx, shareOf(callerOf(ctx)), request.GetCustomerId(), leased) // before all else: a rejected update must cost little
	if err != nil {
		return nil, err
	}
	defer pass.Leave()
	change, err := s.validate(request)
	if err != nil {
		return nil, err
	}
	if call := telemetry.CallOf(ctx); call != nil {
		call.UpdateRequestID = request.GetRequestId()
	}
	early, err := s.verifyAccount(ctx, pass, request.GetCustomerId())
	if err != nil && !s.writesUnread(err, request, change) {
		return nil, err
	}
	return s.update(ctx, way, &update{request, change, pass, early})
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

// decide compares the update with the customer as it is. The result is what has to be written, or else the response or the
// error of an update that writes nothing.
func (s *Service) decide(ctx context.Context, u *update, before *fluentcart.Customer) (*customer.Merged, *customerv1.UpdateCustomerResponse, error) {
	merged, err := merge(ctx, u.request, u.change, before)
	switch {
	case err != nil:
		return nil, nil, err
	case u.request.GetValidateOnly():
		s.withoutWrite(ctx, telemetry.DryRun)
		response, err := merged.DryRun()
		return nil, response, err
	case !merged.Differs():
		s.withoutWrite(ctx, telemetry.Unchanged)
		return nil, merged.Unchanged(), nil
	}
	return merged, nil, nil
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
