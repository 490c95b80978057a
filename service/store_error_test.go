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

// answer is an error as the caller gets it, without its texts.
type answer struct {
	Code   codes.Code
	HTTP   int
	Reason string
	State  string
}

func TestEachStoreErrorHasItsCodeAndHTTPStatus(t *testing.T) {
	exist := []fluentcart.FieldError{{Field: "email", Rule: "exist"}}
	two := []fluentcart.FieldError{exist[0], {Field: "city", Rule: "sanitizeText"}}
	unavailable := answer{codes.Unavailable, 503, "STORE_UNAVAILABLE", "not_sent"}
	unknown := answer{codes.Unknown, 502, "WRITE_OUTCOME_UNKNOWN", "unknown"}
	for _, row := range []struct {
		failure     fluentcart.Error
		read, write answer
	}{
		{fluentcart.Error{Kind: fluentcart.Rejected}, answer{codes.InvalidArgument, 400, "STORE_REJECTED", "not_sent"}, answer{codes.InvalidArgument, 400, "STORE_REJECTED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Invalid, Fields: exist}, answer{codes.AlreadyExists, 409, "EMAIL_TAKEN", "not_sent"}, answer{codes.AlreadyExists, 409, "EMAIL_TAKEN", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Invalid, Fields: two}, answer{codes.InvalidArgument, 400, "STORE_VALIDATION", "not_sent"}, answer{codes.InvalidArgument, 400, "STORE_VALIDATION", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Invalid}, answer{codes.InvalidArgument, 400, "STORE_VALIDATION", "not_sent"}, answer{codes.InvalidArgument, 400, "STORE_VALIDATION", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.UserUpdateFailed}, answer{codes.FailedPrecondition, 423, "WORDPRESS_USER_UPDATE_FAILED", "not_sent"}, answer{codes.FailedPrecondition, 423, "WORDPRESS_USER_UPDATE_FAILED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.NotFound}, answer{codes.NotFound, 404, "CUSTOMER_NOT_FOUND", "not_sent"}, answer{codes.NotFound, 404, "CUSTOMER_NOT_FOUND", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.NoRoute}, answer{codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING", "not_sent"}, answer{codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Unauthenticated}, answer{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "not_sent"}, answer{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Forbidden}, answer{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "not_sent"}, answer{codes.Internal, 502, "STORE_CREDENTIALS_REFUSED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.RateLimited}, answer{codes.ResourceExhausted, 429, "STORE_RATE_LIMITED", "not_sent"}, answer{codes.ResourceExhausted, 429, "STORE_RATE_LIMITED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Unavailable}, unavailable, answer{codes.Unavailable, 503, "STORE_UNAVAILABLE", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Redirected}, answer{codes.Internal, 502, "STORE_REDIRECTS", "not_sent"}, answer{codes.Internal, 502, "STORE_REDIRECTS", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Refused}, answer{codes.Internal, 502, "STORE_BAD_ANSWER", "not_sent"}, answer{codes.Internal, 502, "STORE_BAD_ANSWER", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Blocked, Status: 403}, answer{codes.FailedPrecondition, 502, "STORE_BLOCKED", "not_sent"}, answer{codes.FailedPrecondition, 502, "STORE_BLOCKED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.MethodRefused, Method: "PUT"}, answer{codes.FailedPrecondition, 502, "STORE_BLOCKED", "not_sent"}, answer{codes.FailedPrecondition, 502, "STORE_BLOCKED", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.MethodRefused, Method: "GET"}, answer{codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING", "not_sent"}, answer{codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING", "rejected"}},
		{fluentcart.Error{Kind: fluentcart.Unreachable}, unavailable, unavailable},
		{fluentcart.Error{Kind: fluentcart.NotTrusted}, answer{codes.Internal, 502, "STORE_TLS", "not_sent"}, answer{codes.Internal, 502, "STORE_TLS", "not_sent"}},
		{fluentcart.Error{Kind: fluentcart.NoAnswer}, unavailable, unavailable},
		{fluentcart.Error{Kind: fluentcart.NoAnswer, Sent: true}, unavailable, unknown},
		{fluentcart.Error{Kind: fluentcart.Broken, Sent: true}, unavailable, unknown},
		{fluentcart.Error{Kind: fluentcart.BadAnswer, Sent: true}, answer{codes.Internal, 502, "STORE_BAD_ANSWER", "not_sent"}, unknown},
	} {
		t.Run(fmt.Sprintf("%v, sent %v, %d fields", row.failure.Kind, row.failure.Sent, len(row.failure.Fields)), func(t *testing.T) {
			if diff := cmp.Diff(row.read, answerOf(t, readError(t.Context(), 7, &row.failure))); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			merged := replacement(7)
			if diff := cmp.Diff(row.write, answerOf(t, writeError(t.Context(), merged, &row.failure))); diff != "" {
				t.Errorf("write (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing was read before a write in write mode replace, so a read could not tell either. Documented refusals are believed.
func TestDocumentedRefusalIsBelievedWhereNothingWasRead(t *testing.T) {
	rejected := func(code codes.Code, http int, reason string) answer { return answer{code, http, reason, "rejected"} }
	unknown := answer{codes.Unknown, 502, "WRITE_OUTCOME_UNKNOWN", "unknown"}
	for _, row := range []struct {
		status int
		kind   fluentcart.Kind
		want   answer
	}{
		{400, fluentcart.Rejected, rejected(codes.InvalidArgument, 400, "STORE_REJECTED")},
		{401, fluentcart.Unauthenticated, rejected(codes.Internal, 502, "STORE_CREDENTIALS_REFUSED")},
		{403, fluentcart.Forbidden, rejected(codes.Internal, 502, "STORE_CREDENTIALS_REFUSED")},
		{403, fluentcart.Blocked, rejected(codes.FailedPrecondition, 502, "STORE_BLOCKED")},
		{404, fluentcart.NoRoute, rejected(codes.FailedPrecondition, 502, "STORE_ROUTE_MISSING")},
		{405, fluentcart.MethodRefused, rejected(codes.FailedPrecondition, 502, "STORE_BLOCKED")},
		{422, fluentcart.Invalid, rejected(codes.InvalidArgument, 400, "STORE_VALIDATION")},
		{423, fluentcart.UserUpdateFailed, rejected(codes.FailedPrecondition, 423, "WORDPRESS_USER_UPDATE_FAILED")},
		{200, fluentcart.Blocked, unknown},
		{301, fluentcart.Redirected, unknown},
		{406, fluentcart.Blocked, unknown},
		{429, fluentcart.RateLimited, unknown},
		{503, fluentcart.Blocked, unknown},
	} {
		t.Run(fmt.Sprintf("%d, %v", row.status, row.kind), func(t *testing.T) {
			failure := &fluentcart.Error{Kind: fluentcart.Unconfirmed, Method: "PUT", Status: row.status, Sent: true}
			failure.Refusal = &fluentcart.Error{Kind: row.kind, Method: "PUT", Status: row.status, Sent: true}
			if believed := !isAmbiguous(replacement(7), failure); believed != (row.want.State == "rejected") {
				t.Errorf("believed: %v", believed)
			}
			if diff := cmp.Diff(row.want, answerOf(t, writeError(t.Context(), replacement(7), failure))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// All codes but four promise that nothing was written.
func TestOnlyFourCodesAllowAnUnknownOutcome(t *testing.T) {
	mayBeUnknown := map[codes.Code]bool{codes.DeadlineExceeded: true, codes.Unknown: true, codes.Canceled: true, codes.Internal: true}
	for kind := fluentcart.Rejected; kind <= fluentcart.BadAnswer; kind++ {
		err := writeError(t.Context(), replacement(7), &fluentcart.Error{Kind: kind, Sent: true})
		got := answerOf(t, err)
		if got.State == string(apierror.Unknown) && !mayBeUnknown[got.Code] {
			t.Errorf("%v: the outcome is unknown, and code %v promises that nothing was written", kind, got.Code)
		}
	}
}

func TestDeadlineAndCancellationHaveTheirCodeAndHTTPStatus(t *testing.T) {
	passed, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	failure := &fluentcart.Error{Kind: fluentcart.NoAnswer, Sent: true, Err: context.DeadlineExceeded}
	merged := replacement(7)
	for _, row := range []struct {
		name string
		err  error
		want answer
	}{
		{"the deadline passed during the read", readError(passed, 7, failure), answer{codes.DeadlineExceeded, 504, "DEADLINE_PASSED", "not_sent"}},
		{"the deadline passed during the write", writeError(passed, merged, failure), answer{codes.DeadlineExceeded, 504, "WRITE_OUTCOME_UNKNOWN", "unknown"}},
		{"the call was cancelled during the read", readError(cancelled, 7, failure), answer{codes.Canceled, 499, "CALLER_CANCELLED", "not_sent"}},
		{"the call was cancelled during the write", writeError(cancelled, merged, failure), answer{codes.Unknown, 502, "WRITE_OUTCOME_UNKNOWN", "unknown"}},
		{"the gateway's own timeout passed during the read", readError(t.Context(), 7, failure), answer{codes.Unavailable, 503, "STORE_UNAVAILABLE", "not_sent"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, answerOf(t, row.err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLikelyCauseOfA423IsInTheError(t *testing.T) {
	linked := int64(5)
	for _, row := range []struct{ name, first, last, cause string }{
		{"the name has no Latin letters", "Анна", "Каренина", "the name has no Latin letters"},
		{"the name is too long for a slug", "Wolfeschlegelsteinhausenbergerdorff", "Welchevoralternwaren", "written as a slug it has 56 characters, at most 50 are possible"},
		{"accents do not count for the length", strings.Repeat("é", 30), strings.Repeat("ø", 20), "it has 51 characters"},
		{"letters with accents are Latin letters", "Øé", "Åß", "no longer exists"},
		{"the name is valid", "Cyd", "Moe", "most likely the linked WordPress user 5 no longer exists"},
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
						t.Errorf("the description is %q, want it to contain %q", got, row.cause)
					}
					return
				}
			}
			t.Errorf("the error has no PreconditionFailure: %v", err)
		})
	}
}

// replacement returns an update of a customer that was not read.
func replacement(id int64) *customer.Merged { return (&customer.Change{}).Replace(id) }

func answerOf(t *testing.T, err error) answer {
	t.Helper()
	s := status.Convert(err)
	httpStatus, known := apierror.HTTPStatus(s)
	if !known {
		t.Fatalf("the error is not of this service: %v", err)
	}
	var failure *apierror.Error
	if !errors.As(err, &failure) {
		t.Fatalf("the error is not an *apierror.Error: %v", err)
	}
	return answer{s.Code(), httpStatus, failure.Info().GetReason(), string(failure.State())}
}
