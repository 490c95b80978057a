package interceptor

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// within receives a request within a limit.
func within(limit time.Duration, request any, receive func(any) error) (fault, err error) {
	d := &decoded{request: request}
	err = d.within(limit, receive)
	return d.fault, err
}

// A call whose request does not arrive ends with an error that says that nothing was written.
func TestRequestThatDoesNotArriveIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		t.Cleanup(func() { close(ended) })
		begin := time.Now()
		fault, err := within(10*time.Second, &customerv1.UpdateCustomerRequest{}, func(any) error {
			<-ended
			return errors.New("the call has ended")
		})
		if took := time.Since(begin); err != nil || took != 10*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		s, info := status.Convert(fault), apierror.InfoOfError(fault)
		if s.Code() != codes.DeadlineExceeded || info.GetReason() != "REQUEST_TOO_SLOW" || apierror.StateOf(info) != "not_sent" {
			t.Errorf("got %v, %v", s, info)
		}
		if want := "the request did not arrive within 10s; nothing was written"; !strings.Contains(s.Message(), want) {
			t.Errorf("got %v, want %s", fault, want)
		}
	})
}

func TestRequestThatArrivesInTimeIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the caller has left")
		for _, want := range []error{nil, gone} {
			fault, err := within(10*time.Second, &customerv1.UpdateCustomerRequest{}, func(any) error {
				<-time.After(9 * time.Second)
				return want
			})
			if fault != nil || !errors.Is(err, want) {
				t.Errorf("got %v and %v, want %v", fault, err, want)
			}
		}
	})
}
