package service

import (
	"context"
	"errors"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// updated is what the store says to a write in English. It is answered too where there was nothing to write:
// for a caller the customer is as asked, either way.
const updated = "Customer updated successfully!"

// UpdateCustomer asks the store about a stranger, enters, validates, takes its turn, reads, merges, writes, compares and
// answers. Its errors are those of errors.go.
func (s *Service) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	if who := strangerOf(ctx); who != nil {
		if err := s.introduce(ctx, who, request); err != nil {
			return nil, err
		}
	}
	// Before all else, so that what there is no room for costs little.
	ctx, pass, err := s.gate.Enter(ctx, callerOf(ctx).Share)
	if err != nil {
		return nil, s.overloaded("too many updates are waiting")
	}
	defer pass.Leave()
	change, err := s.validate(request)
	if err != nil {
		return nil, err
	}
	turn, err := s.takeTurn(ctx, pass, request.GetCustomerId(), !request.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	defer turn.end()
	if s.writeMode == Replace {
		return s.replace(ctx, turn, request, change)
	}

	before, err := s.read(ctx, request)
	if err != nil {
		return nil, err
	}
	if err := checkEtag(request.GetEtag(), before); err != nil {
		return nil, err
	}
	asked, err := change.merge(before, callerOf(ctx).May)
	if err != nil {
		return nil, err
	}

	switch {
	case request.GetValidateOnly():
		return rehearse(asked)
	case !asked.differs():
		return respond(updated, asked, before), nil
	}
	return s.write(ctx, turn, &write{
		request: request,
		asked:   asked,
		body:    asked.update(),
		respond: func(message string, after *fluentcart.Customer) *customerv1.UpdateCustomerResponse {
			return respond(orUpdated(message), asked, after)
		},
	})
}

// read reads the customer, and notes how long that takes.
func (s *Service) read(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*fluentcart.Customer, error) {
	start := time.Now()
	read, err := s.store.GetCustomer(ctx, request.GetCustomerId())
	took := time.Since(start)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && took > s.reads.Mean() { // it takes that long, at the least
			s.reads.Add(took)
		}
		var failure *fluentcart.Error
		if errors.As(err, &failure) && failure.Kind == fluentcart.NotFound { // which it says to those only whom it knows (F18)
			letIn(ctx)
		}
		return nil, readError(ctx, request.GetCustomerId(), discreet(err, request, nil))
	}
	letIn(ctx)
	s.reads.Add(took)
	return read, nil
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

func orUpdated(message string) string {
	if message == "" {
		return updated
	}
	return message
}
