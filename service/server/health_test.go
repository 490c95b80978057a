package server_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

func TestHealthIsServed(t *testing.T) {
	g := start(t, options{})
	for _, name := range []string{"", "fluentcart.customer.v1.CustomerService"} {
		response, err := healthv1.NewHealthClient(g.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil || response.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", name, response, err)
		}
	}
}

// Anyone may send health checks: they get gRPC's own responses, and cannot fill the log.
func TestHealthChecksAreAnsweredAndNotLogged(t *testing.T) {
	g := start(t, options{})
	health := healthv1.NewHealthClient(g.conn)
	for range 10 {
		if _, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		if _, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: "unknown"}); status.Code(err) != codes.NotFound {
			t.Fatalf("of an unknown service: %v", err)
		}
	}
	if log := g.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, `"ready"`) {
		t.Errorf("the log has:\n%s", log)
	}
}

// Check, List and Watch agree with /readyz.
func TestHealthAgreesWithReadiness(t *testing.T) {
	var problems atomic.Pointer[[]string]
	problems.Store(&[]string{})
	g := &gateway{log: &lockedBuffer{}, notReady: func() []string { return *problems.Load() }}
	g.serve(t, customerv1.UnimplementedCustomerServiceServer{}, 30*time.Second)
	health := healthv1.NewHealthClient(g.conn)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	watch, err := health.Watch(ctx, &healthv1.HealthCheckRequest{Service: "fluentcart.customer.v1.CustomerService"})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(wanted healthv1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		for _, service := range []string{"", "fluentcart.customer.v1.CustomerService"} {
			if got, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service}); err != nil || got.GetStatus() != wanted {
				t.Errorf("Check returns %v, %v; want %v", got, err, wanted)
			}
		}
		list, err := health.List(t.Context(), &healthv1.HealthListRequest{})
		if err != nil || list.GetStatuses()[""].GetStatus() != wanted {
			t.Errorf("List returns %v, %v; want %v", list, err, wanted)
		}
		if got, err := watch.Recv(); err != nil || got.GetStatus() != wanted {
			t.Errorf("Watch returns %v, %v; want %v", got, err, wanted)
		}
	}
	expect(healthv1.HealthCheckResponse_SERVING)
	problems.Store(&[]string{"Redis does not respond"})
	expect(healthv1.HealthCheckResponse_NOT_SERVING)
	problems.Store(&[]string{})
	expect(healthv1.HealthCheckResponse_SERVING)
}

// Watchers learn of a change without a call of Check in between.
func TestHealthWatchersLearnOfChanges(t *testing.T) {
	var ready atomic.Bool
	g := &gateway{log: &lockedBuffer{}, notReady: func() []string {
		if ready.Load() {
			return nil
		}
		return []string{"Redis does not respond"}
	}}
	g.serve(t, customerv1.UnimplementedCustomerServiceServer{}, 30*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	watch, err := healthv1.NewHealthClient(g.conn).Watch(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []healthv1.HealthCheckResponse_ServingStatus{healthv1.HealthCheckResponse_NOT_SERVING, healthv1.HealthCheckResponse_SERVING} {
		if got, err := watch.Recv(); err != nil || got.GetStatus() != wanted {
			t.Fatalf("got %v, %v; want %v", got, err, wanted)
		}
		ready.Store(true)
	}
}

func TestGatewayIsReadyOnlyWhileItServes(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	g := &gateway{log: &lockedBuffer{}}
	service := scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		begun <- struct{}{}
		<-finish
		return &customerv1.UpdateCustomerResponse{}, nil
	}}
	servers, err := server.New(g.config(service, 30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"the gateway does not serve yet"}, servers.NotReady()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}

	g.serve(t, service, 30*time.Second)
	ended := make(chan error, 1)
	go func() {
		_, err := g.grpc.UpdateCustomer(context.WithoutCancel(t.Context()), &customerv1.UpdateCustomerRequest{CustomerId: 1})
		ended <- err
	}()
	<-begun
	if problems := g.servers.NotReady(); len(problems) > 0 {
		t.Errorf("while it serves: %q", problems)
	}
	watch, err := healthv1.NewHealthClient(g.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = watch.Recv()
	g.stop()
	_, _ = watch.Recv() // the status changes before the listeners close
	if diff := cmp.Diff([]string{"the gateway is stopping"}, g.servers.NotReady()); diff != "" {
		t.Errorf("while a call ends (-want +got):\n%s", diff)
	}
	close(finish)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
