package interceptor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/protoadapt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

func TestPushbackSaysWhenAClientRepeatsACall(t *testing.T) {
	failed := func(reason apierror.Reason, details ...protoadapt.MessageV1) error {
		return apierror.New(reason, apierror.NotSent, "message", details...)
	}
	for _, call := range []struct {
		name    string
		timeout time.Duration // 0 is none
		err     error
		want    string
	}{
		{"an unknown outcome is never repeated", 0, apierror.New(apierror.WriteOutcomeUnknown, apierror.Unknown, "message"), "-1"},
		{"nor is one that is unavailable as well", 0, apierror.New(apierror.StoreUnavailable, apierror.Unknown, "message", apierror.RetryInfo(time.Second)), "-1"},
		{"the time of RetryInfo is passed on", 0, failed(apierror.StoreUnavailable, apierror.RetryInfo(2500*time.Millisecond)), "2500"},
		{"so it is for an exhausted resource", 0, failed(apierror.Overloaded, apierror.RetryInfo(time.Second)), "1000"},
		{"and within a deadline", 3 * time.Second, failed(apierror.Overloaded, apierror.RetryInfo(2*time.Second)), "2000"},
		{"a time that ends after the deadline is not waited for", 3 * time.Second, failed(apierror.StoreUnavailable, apierror.RetryInfo(4*time.Second)), "-1"},
		{"nor one that ends right before it", 3 * time.Second, failed(apierror.StoreUnavailable, apierror.RetryInfo(2950*time.Millisecond)), "-1"},
		{"nor one that is longer than a call may last", 0, failed(apierror.StoreUnavailable, apierror.RetryInfo(10*time.Minute)), "-1"},
		{"nor, with a long deadline, one that is longer than a call may last", time.Hour, failed(apierror.StoreUnavailable, apierror.RetryInfo(10*time.Minute)), "-1"},
		{"an exhausted resource without RetryInfo is not repeated", 0, failed(apierror.TooManyConnections), "-1"},
		{"an unavailable one without it is, after the client's own backoff", 0, failed(apierror.ConnectionClosed), ""},
		{"an error that no client repeats needs no pushback", 0, failed(apierror.InvalidField), ""},
		{"an error of another origin needs none", 0, errors.New("message"), ""},
	} {
		t.Run(call.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if call.timeout > 0 {
					ctx, cancel = context.WithTimeout(ctx, call.timeout)
				}
				defer cancel()
				if got := pushback(ctx, call.err); got != call.want {
					t.Errorf("got %q, want %q", got, call.want)
				}
			})
		})
	}
}
