package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// verdict is what a caller learns, without the words.
type verdict struct {
	Code   codes.Code
	HTTP   int
	Reason string
	State  string
}

func TestEveryFailureOfTheStoreHasItsStatus(t *testing.T) {
	exist := []fluentcart.FieldError{{Field: "email", Rule: "exist"}}
	two := []fluentcart.FieldError{exist[0], {Field: "city", Rule: "sanitizeText"}}
	unavailable := verdict{codes.Unavailable, 503, "STORE_UNAVAILABLE", "not_sent"}
	unknown := verdict{codes.Unknown, 502, "WRITE_OUTCOME_UNKNOWN", "unknown"}
	for _, row := range []struct {
		failure     fluentcart.Error
		read, write verdict
	}{
		{fluentcart.Error{Kind: fluentcart.Rejected}, verdict{codes.InvalidArgument, 400, "STORE_REJECTED", "not_sent"}, verdict{codes.InvalidArgument, 400, "STORE_REJECTED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Invalid, Fields: exist}, verdict{codes.AlreadyExists, 409, "EMAIL_TAKEN", "not_sent"}, verdict{codes.AlreadyExists, 409, "EMAIL_TAKEN", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Invalid, Fields: two}, verdict{codes.InvalidArgument, 400, "STORE_VALIDATION", "not_sent"}, verdict{codes.InvalidArgument, 400, "STORE_VALIDATION", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Invalid}, verdict{codes.InvalidArgument, 400, "STORE_VALIDATION", "not_sent"}, verdict{codes.InvalidArgument, 400, "STORE_VALIDATION", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.UserUpdateFailed}, verdict{codes.FailedPrecondition, 423, "WORDPRESS_USER_UPDATE_FAILED", "not_sent"}, verdict{codes.FailedPrecondition, 423, "WORDPRESS_USER_UPDATE_FAILED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.NotFound}, verdict{codes.NotFound, 404, "CUSTOMER_NOT_FOUND", "not_sent"}, verdict{codes.NotFound, 404, "CUSTOMER_NOT_FOUND", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.NoRoute}, verdict{codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING", "not_sent"}, verdict{codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Unauthenticated}, verdict{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "not_sent"}, verdict{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Forbidden}, verdict{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "not_sent"}, verdict{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.RateLimited}, verdict{codes.ResourceExhausted, 429, "STORE_RATE_LIMITED", "not_sent"}, verdict{codes.ResourceExhausted, 429, "STORE_RATE_LIMITED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Unavailable}, unavailable, verdict{codes.Unavailable, 503, "STORE_UNAVAILABLE", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Redirected}, verdict{codes.Internal, 502, "STORE_REDIRECTS", "not_sent"}, verdict{codes.Internal, 502, "STORE_REDIRECTS", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Refused}, verdict{codes.Internal, 502, "STORE_BAD_ANSWER", "not_sent"}, verdict{codes.Internal, 502, "STORE_BAD_ANSWER", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Unreachable}, unavailable, unavailable},
		{fluentcart.Error{Kind: fluentcart.NotTrusted}, verdict{codes.Internal, 502, "STORE_TLS", "not_sent"}, verdict{codes.Internal, 502, "STORE_TLS", "not_sent"}},
		{fluentcart.Error{Kind: fluentcart.NoAnswer}, unavailable, unavailable},
		{fluentcart.Error{Kind: fluentcart.NoAnswer, Sent: true}, unavailable, unknown},
		{fluentcart.Error{Kind: fluentcart.Broken, Sent: true}, unavailable, unknown},
		{fluentcart.Error{Kind: fluentcart.BadAnswer, Sent: true}, verdict{codes.Internal, 502, "STORE_BAD_ANSWER", "not_sent"}, unknown},
	} {
		t.Run(fmt.Sprintf("%v, sent %v, %d fields", row.failure.Kind, row.failure.Sent, len(row.failure.Fields)), func(t *testing.T) {
			if diff := cmp.Diff(row.read, verdictOf(t, readError(t.Context(), 7, &row.failure))); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			merged := unread(7)
			if diff := cmp.Diff(row.write, verdictOf(t, writeError(t.Context(), merged, &row.failure))); diff != "" {
				t.Errorf("write (-want +got):\n%s", diff)
			}
		})
	}
}

// All codes but four promise that nothing was written.
func TestOnlyFourCodesLeaveTheOutcomeOpen(t *testing.T) {
	open := map[codes.Code]bool{codes.DeadlineExceeded: true, codes.Unknown: true, codes.Canceled: true, codes.Internal: true}
	for kind := fluentcart.Rejected; kind <= fluentcart.BadAnswer; kind++ {
		err := writeError(t.Context(), unread(7), &fluentcart.Error{Kind: kind, Sent: true})
		got := verdictOf(t, err)
		if got.State == string(apierror.Unknown) && !open[got.Code] {
			t.Errorf("%v: %v leaves the outcome open", kind, got.Code)
		}
	}
}

func TestTimeThatPassedHasItsStatus(t *testing.T) {
	passed, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	failure := &fluentcart.Error{Kind: fluentcart.NoAnswer, Sent: true, Err: context.DeadlineExceeded}
	merged := unread(7)
	for _, row := range []struct {
		name string
		err  error
		want verdict
	}{
		{"during the read", readError(passed, 7, failure), verdict{codes.DeadlineExceeded, 504, "DEADLINE_PASSED", "not_sent"}},
		{"during the write", writeError(passed, merged, failure), verdict{codes.DeadlineExceeded, 504, "WRITE_OUTCOME_UNKNOWN", "unknown"}},
		{"cancelled during the read", readError(cancelled, 7, failure), verdict{codes.Canceled, 499, "CALLER_CANCELLED", "not_sent"}},
		{"cancelled during the write", writeError(cancelled, merged, failure), verdict{codes.Unknown, 502, "WRITE_OUTCOME_UNKNOWN", "unknown"}},
		{"the gateway's own time during the read", readError(t.Context(), 7, failure), verdict{codes.Unavailable, 503, "STORE_UNAVAILABLE", "not_sent"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, verdictOf(t, row.err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLikelyCauseOfA423IsExplained(t *testing.T) {
	linked := int64(5)
	for _, row := range []struct{ name, first, last, cause string }{
		{"a name without Latin letters", "Анна", "Каренина", "the name has no Latin letters"},
		{"a name that is too long for a slug", "Wolfeschlegelsteinhausenbergerdorff", "Welchevoralternwaren", "written as a slug it has 56 characters, at most 50 are possible"},
		{"accents do not count", strings.Repeat("é", 30), strings.Repeat("ø", 20), "it has 51 characters"},
		{"a name of letters with accents", "Øé", "Åß", "no longer exists"},
		{"any other", "Cyd", "Moe", "most likely the linked WordPress user 5 no longer exists"},
	} {
		t.Run(row.name, func(t *testing.T) {
			merged, err := (&customer.Change{}).Merge(&fluentcart.Customer{ID: 7, UserID: &linked, FirstName: row.first, LastName: row.last})
			if err != nil {
				t.Fatal(err)
			}
			err = writeError(t.Context(), merged, &fluentcart.Error{Kind: fluentcart.UserUpdateFailed})
			for _, detail := range status.Convert(err).Details() {
				if failure, ok := detail.(*errdetails.PreconditionFailure); ok {
					if got := failure.GetViolations()[0].GetDescription(); !strings.Contains(got, row.cause) {
						t.Errorf("got %q, want %q in it", got, row.cause)
					}
					return
				}
			}
			t.Errorf("no PreconditionFailure in %v", err)
		})
	}
}

// unread is an update of a customer that was not read.
func unread(id int64) *customer.Merged { return (&customer.Change{}).Replace(id) }

func verdictOf(t *testing.T, err error) verdict {
	t.Helper()
	s := status.Convert(err)
	httpStatus, known := apierror.HTTPStatus(s)
	if !known {
		t.Fatalf("not of this service: %v", err)
	}
	var failure *apierror.Error
	if !errors.As(err, &failure) {
		t.Fatalf("not an Error: %v", err)
	}
	return verdict{s.Code(), httpStatus, failure.Info().GetReason(), string(failure.State())}
}
