package client_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
)

func TestOutcomeIsKnownOnlyIfItIsCertain(t *testing.T) {
	notSent := failed(codes.Unavailable, "STORE_UNAVAILABLE", "not_sent")
	unknown := failed(codes.Unknown, "WRITE_OUTCOME_UNKNOWN", "unknown")
	foreign, err := status.New(codes.InvalidArgument, "message").WithDetails(&errdetails.ErrorInfo{
		Domain: "example.com", Reason: "INVALID", Metadata: map[string]string{"write_state": "not_sent"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []struct {
		name string
		err  error
		want client.WriteOutcome
	}{
		{"no error", nil, client.Written},
		{"the write was not sent", notSent, client.NotWritten},
		{"the store refused it", failed(codes.FailedPrecondition, "WORDPRESS_USER_UPDATE_FAILED", "rejected"), client.NotWritten},
		{"a code that promises nothing, with a write_state that does", failed(codes.DeadlineExceeded, "DEADLINE_PASSED", "not_sent"), client.NotWritten},
		{"the gateway does not know it", unknown, client.Unknown},
		{"a write_state of a later gateway", failed(codes.Aborted, "NEW", "halfway"), client.Unknown},
		{"no write_state", failed(codes.Aborted, "NEW", ""), client.Unknown},
		{"an error of another service", foreign.Err(), client.Unknown},
		{"an ErrorInfo of the gateway behind that of another", func() error {
			s, err := foreign.WithDetails(&errdetails.ErrorInfo{Domain: "fluentcart-gateway", Reason: "OVERLOADED", Metadata: map[string]string{"write_state": "not_sent"}})
			if err != nil {
				t.Fatal(err)
			}
			return s.Err()
		}(), client.NotWritten},
		{"a broken connection", status.Error(codes.Unavailable, "error reading from server: EOF"), client.Unknown},
		{"a proxy's refusal", status.Error(codes.PermissionDenied, "unexpected HTTP status code received from server: 403 (Forbidden)"), client.Unknown},
		{"any other code without details", status.Error(codes.InvalidArgument, "message"), client.Unknown},
		{"a deadline without a status", context.DeadlineExceeded, client.Unknown},
		{"an error that is none of a call", errors.New("message"), client.Unknown},
		{"a wrapped error", fmt.Errorf("update: %w", fmt.Errorf("call: %w", notSent)), client.NotWritten},
		{"one that is joined with errors of other kinds", errors.Join(errors.New("close failed"), fmt.Errorf("call: %w", notSent)), client.NotWritten},
		{"two failed updates without a write", errors.Join(notSent, notSent), client.NotWritten},
		{"two failed updates, one of them unknown", errors.Join(notSent, unknown), client.Unknown},
		{"two wrapped by one error, one of them unknown", fmt.Errorf("%w, and before that %w", notSent, unknown), client.Unknown},
		{"a failed update and a context's error", errors.Join(notSent, context.Canceled), client.Unknown},
	} {
		t.Run(call.name, func(t *testing.T) {
			if got := client.Outcome(call.err); got != call.want {
				t.Errorf("got %v, want %v", got, call.want)
			}
		})
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	if got := fmt.Sprint(client.Written, client.NotWritten, client.Unknown, client.WriteOutcome(9)); got != "written not written unknown unknown" {
		t.Error(got)
	}
}

func TestDetailsAreThoseOfTheGateway(t *testing.T) {
	violations := &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
		{Field: "city", Description: "is too long"}, {Field: "email", Description: "is not one"}, {Field: "city", Description: "has a tag"},
	}}
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)}
	ours := fmt.Errorf("update: %w", failed(codes.InvalidArgument, "INVALID_FIELD", "not_sent", violations, retry))
	if got := client.Reason(ours); got != "INVALID_FIELD" {
		t.Errorf("reason %q", got)
	}
	if got := client.Violations(ours); !maps.Equal(got, map[string]string{"city": "is too long; has a tag", "email": "is not one"}) {
		t.Errorf("violations %v", got)
	}
	if got := client.RetryAfter(ours); got != 3*time.Second {
		t.Errorf("retry after %v", got)
	}

	foreign, err := status.New(codes.InvalidArgument, "message").WithDetails(violations, retry)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{nil, errors.New("message"), foreign.Err(), context.Canceled} {
		if reason, violations, after := client.Reason(err), client.Violations(err), client.RetryAfter(err); reason != "" || violations != nil || after != 0 {
			t.Errorf("%v: reason %q, violations %v, retry after %v", err, reason, violations, after)
		}
	}
}
