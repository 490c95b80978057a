package service

import (
	"context"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// updated is what the store says to a write in English. It is answered too where there was nothing to write:
// for a caller the customer is as asked, either way.
const updated = "Customer updated successfully!"

// UpdateCustomer validates, reads, merges, writes, compares and answers. Its errors are those of errors.go.
func (s *Service) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	change, err := s.validate(request)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	if s.writeMode == Replace {
		return s.replace(ctx, request, change)
	}

	before, err := s.store.GetCustomer(ctx, request.GetCustomerId())
	if err != nil {
		return nil, readError(ctx, request.GetCustomerId(), err)
	}
	if err := checkEtag(request.GetEtag(), before); err != nil {
		return nil, err
	}
	asked, err := change.merge(before, s.allowUserLink)
	if err != nil {
		return nil, err
	}

	switch {
	case request.GetValidateOnly():
		return rehearse(asked)
	case !asked.differs():
		return respond(updated, asked, before), nil
	}
	return s.write(ctx, asked)
}

// rehearse answers as if the customer had been written.
func rehearse(asked *merged) (*customerv1.UpdateCustomerResponse, error) {
	after := asked.before
	if asked.differs() {
		predicted, err := asked.predict()
		if err != nil {
			return nil, err
		}
		after = predicted
	}
	response := respond("Nothing was written: validate_only is set.", asked, after)
	response.Customer.Etag = etag(asked.before) // the one that the write itself will have to match
	return response, nil
}

// write sends the merged customer, and answers with what the store then holds.
func (s *Service) write(ctx context.Context, asked *merged) (*customerv1.UpdateCustomerResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	// Once begun, a PUT runs to an outcome: a caller who gives up does not stop the store (F22), and tearing the
	// connection would only lose the answer. The client's own timeout bounds it.
	message, after, err := s.store.PutCustomer(context.WithoutCancel(ctx), asked.update(), asked.customer)
	if err != nil {
		return nil, writeError(ctx, asked, err)
	}
	if message == "" {
		message = updated
	}
	return respond(message, asked, after), nil
}
