package service_test

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
)

// result is a call, and the response or the error that its caller got.
type result struct {
	history.Call
	code          codes.Code // OK for a call that was served
	reason, state string
	retryAfter    time.Duration
}

func (c result) took() time.Duration { return c.End.Sub(c.Begin) }

// record stores the response or the error of the call.
func (c *result) record(response *customerv1.UpdateCustomerResponse, err error) {
	if err == nil {
		stored := response.GetCustomer()
		c.Outcome = history.Written
		c.After = map[string]string{
			"city": stored.GetCity(), "state": stored.GetState(), "country": stored.GetCountry(),
			"postcode": stored.GetPostcode(), "status": stored.GetStatus(), "notes": stored.GetNotes(),
		}
		return
	}
	s := status.Convert(err)
	c.code, c.Code = s.Code(), s.Code().String()
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			c.reason, c.state = d.GetReason(), d.GetMetadata()["write_state"]
		case *errdetails.RetryInfo:
			c.retryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	if c.state == "not_sent" || c.state == "rejected" {
		c.Outcome = history.NotWritten
	}
}
