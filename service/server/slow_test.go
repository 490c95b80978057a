package server_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

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
