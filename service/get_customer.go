package service

import (
	"context"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
)

// GetCustomer reads a customer. It takes a slot, because a read occupies one of the store's workers (F24), and no lease: it does
// not wait for updates of the customer. Its errors are those of package apierror.
func (s *Service) GetCustomer(ctx context.Context, request *customerv1.GetCustomerRequest) (*customerv1.GetCustomerResponse, error) {
	id := request.GetCustomerId()
	ctx, pass, err := s.admit(ctx, readShareOf(callerOf(ctx)), id, false)
	if err != nil {
		return nil, err
	}
	defer pass.Leave()
	if violations := s.validator.CheckGet(request); len(violations) > 0 {
		return nil, apierror.Invalid(violations...)
	}
	early, err := s.verifyAccount(ctx, pass, id)
	switch {
	case err != nil:
		return nil, err
	case early != nil:
		return customer.ReadResponse(early.customer), nil
	}
	held, err := s.reserve(ctx, pass, id, needs{get: true})
	if err != nil {
		return nil, err
	}
	defer held.release()
	read, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	return customer.ReadResponse(read), nil
}
