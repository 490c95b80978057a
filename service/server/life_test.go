package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// A call in flight comes to its end after the gateway is told to stop, through both doors.
func TestStoppingWaitsForCallsInFlight(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	g := startScripted(t, func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		begun <- struct{}{}
		<-finish
		return &customerv1.UpdateCustomerResponse{Message: "done"}, nil
	})
	overGRPC, overJSON := make(chan error, 1), make(chan string, 1)
	go func() {
		_, err := g.grpc.UpdateCustomer(context.WithoutCancel(t.Context()), &customerv1.UpdateCustomerRequest{CustomerId: 1})
		overGRPC <- err
	}()
	go func() {
		response, body := g.send(t, http.MethodPut, "/v1/customers/1", `{}`, nil)
		overJSON <- response.Status + string(body)
	}()
	<-begun
	<-begun
	watch, err := healthv1.NewHealthClient(g.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if state, err := watch.Recv(); err != nil || state.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("health before: %v, %v", state, err)
	}

	g.stop()
	if state, err := watch.Recv(); err != nil || state.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health while stopping: %v, %v", state, err)
	}
	close(finish)
	if err := <-overGRPC; err != nil {
		t.Errorf("over gRPC: %v", err)
	}
	if got := <-overJSON; !strings.HasPrefix(got, "200") {
		t.Errorf("over JSON: %s", got)
	}
}

// A write that has begun is waited for even when the drain time is over and its caller is cut off.
func TestWritesAreWaitedForAfterTheDrainTime(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	g := &gateway{log: &lockedBuffer{}, drain: time.Millisecond}
	g.serve(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		begun <- struct{}{}
		<-finish
		return &customerv1.UpdateCustomerResponse{}, nil
	}}, 30*time.Second)
	cutOff := make(chan error, 2)
	go func() {
		_, err := g.grpc.UpdateCustomer(context.WithoutCancel(t.Context()), &customerv1.UpdateCustomerRequest{CustomerId: 1})
		cutOff <- err
	}()
	go func() {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, g.url+"/v1/customers/1", strings.NewReader("{}"))
		response, err := http.DefaultTransport.RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		cutOff <- err
	}()
	<-begun
	<-begun
	g.stop()
	for range 2 {
		if err := <-cutOff; err == nil {
			t.Error("a caller was answered before its call ended")
		}
	}
	select {
	case err := <-g.stopped:
		t.Errorf("the doors ended before the calls did: %v", err)
	default:
	}
	close(finish)
	g.stopNow(t)
	if got := strings.Count(g.log.String(), `"msg":"call"`); got != 2 {
		t.Errorf("%d calls in the log, want 2", got)
	}
}

func TestHealthIsServed(t *testing.T) {
	g := start(t, options{})
	for _, name := range []string{"", "fluentcart.customer.v1.CustomerService"} {
		answer, err := healthv1.NewHealthClient(g.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", name, answer, err)
		}
	}
}

func TestReflectionIsServedInBothVersions(t *testing.T) {
	g := start(t, options{})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || !strings.Contains(answer.String(), "fluentcart.customer.v1.CustomerService") {
		t.Errorf("v1: %v, %v", answer, err)
	}
	alpha, err := reflectionv1alpha.NewServerReflectionClient(g.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	request := &reflectionv1alpha.ServerReflectionRequest{ //nolint:staticcheck // deprecated, and all that older grpcurls speak
		MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{},
	}
	if err := alpha.Send(request); err != nil {
		t.Fatal(err)
	}
	alphaAnswer, err := alpha.Recv()
	if err != nil || !strings.Contains(alphaAnswer.String(), "fluentcart.customer.v1.CustomerService") {
		t.Errorf("v1alpha: %v, %v", alphaAnswer, err)
	}
}

func TestMessageOverTheBoundIsRefused(t *testing.T) {
	g := start(t, options{})
	notes := strings.Repeat("x", 1<<20)
	_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{Notes: &notes}}, grpc.MaxCallSendMsgSize(2<<20))
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
	if sent := g.behind.take(); len(sent) > 0 {
		t.Errorf("%d requests reached the store", len(sent))
	}
}
