package interceptor

import (
	"context"
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

// A call whose request does not arrive ends with an error that says that nothing was written.
func TestRequestThatDoesNotArriveIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		d := &decoded{request: &customerv1.UpdateCustomerRequest{}}
		err := d.receive(10*time.Second, cancel, func(any) error {
			<-ctx.Done() // as gRPC does
			return ctx.Err()
		})
		fault := d.fault
		if took := time.Since(begin); err != nil || took != 10*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		s, info := status.Convert(fault), apierror.InfoOfError(fault)
		if s.Code() != codes.DeadlineExceeded || info.GetReason() != "REQUEST_TOO_SLOW" || apierror.StateOf(info) != "not_sent" {
			t.Errorf("got %v, %v", s, info)
		}
		if want := "the request did not arrive within 9s; nothing was written"; !strings.Contains(s.Message(), want) {
			t.Errorf("got %v, want %s", fault, want)
		}
	})
}

func TestRequestThatArrivesInTimeIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the caller has left")
		for _, want := range []error{nil, gone} {
			d := &decoded{request: &customerv1.UpdateCustomerRequest{}}
			err := d.receive(10*time.Second, func() { t.Error("the stream was ended") }, func(any) error {
				<-time.After(9 * time.Second)
				return want
			})
			if d.fault != nil || !errors.Is(err, want) {
				t.Errorf("got %v and %v, want %v", d.fault, err, want)
			}
		}
	})
}
