package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// A call whose request does not come ends, and its caller is told what became of it.
func TestRequestThatDoesNotComeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		t.Cleanup(func() { close(ended) })
		begin := time.Now()
		fault, err := server.Within(10*time.Second, &customerv1.UpdateCustomerRequest{}, func(any) error {
			<-ended
			return errors.New("the call has ended")
		})
		if took := time.Since(begin); err != nil || took != 10*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		got := failed(t, status.Convert(fault))
		if got.Code != "DEADLINE_EXCEEDED" || got.Reason != "REQUEST_TOO_SLOW" || got.WriteState != "not_sent" {
			t.Errorf("got %+v", got)
		}
		if want := "the request did not arrive within 10s; nothing was written"; !strings.Contains(status.Convert(fault).Message(), want) {
			t.Errorf("got %v, want %s", fault, want)
		}
	})
}

func TestRequestThatComesInTimeIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the caller has left")
		for _, want := range []error{nil, gone} {
			fault, err := server.Within(10*time.Second, &customerv1.UpdateCustomerRequest{}, func(any) error {
				<-time.After(9 * time.Second)
				return want
			})
			if fault != nil || !errors.Is(err, want) {
				t.Errorf("got %v and %v, want %v", fault, err, want)
			}
		}
	})
}

func TestStreamsThatAreNoCallsAreFew(t *testing.T) {
	g := startScripted(t, func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return &customerv1.UpdateCustomerResponse{}, nil
	})
	watch := func(ctx context.Context) error {
		stream, err := healthv1.NewHealthClient(g.conn).Watch(ctx, &healthv1.HealthCheckRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range connlimit.MaxStreams {
		if err := watch(ctx); err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	err := watch(t.Context())
	if got := failed(t, status.Convert(err)); got.Code != "RESOURCE_EXHAUSTED" || got.Reason != "TOO_MANY_STREAMS" {
		t.Errorf("one more is told: %v", err)
	}
	if _, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1}); err != nil {
		t.Errorf("a call beside them: %v", err)
	}
	cancel()
	for err = watch(t.Context()); status.Code(err) == codes.ResourceExhausted; err = watch(t.Context()) { // until the gateway has seen that they ended
	}
	if err != nil {
		t.Errorf("after they have ended: %v", err)
	}
}
