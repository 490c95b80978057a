package server_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// A call in flight ends normally after the gateway starts to stop, over both transports.
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

// Stopping waits for a started write even when the drain time is over and its caller is cut off.
func TestStoppingWaitsForWritesAfterTheDrainTime(t *testing.T) {
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
			t.Error("a caller got a response before its call ended")
		}
	}
	select {
	case err := <-g.stopped:
		t.Errorf("the servers ended before the calls did: %v", err)
	default:
	}
	close(finish)
	g.stopNow(t)
	if got := strings.Count(g.log.String(), `"msg":"call"`); got != 2 {
		t.Errorf("%d calls in the log, want 2", got)
	}
}

// In the drain delay the gateway is not ready, and serves all calls. Each JSON response ends its connection.
func TestCallsAreServedDuringTheDrainDelay(t *testing.T) {
	const delay = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		b := serveInMemory(t, server.Config{
			DefaultTimeout: 30 * time.Second, DrainDelay: delay, DrainTimeout: 25 * time.Second,
			Customers: scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				return &customerv1.UpdateCustomerResponse{}, nil
			}},
		})
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return b.json.dial(ctx) }}}
		defer client.CloseIdleConnections()
		calls := func() (ends bool) {
			if _, err := customerv1.NewCustomerServiceClient(b.conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1}); err != nil {
				t.Errorf("over gRPC: %v", err)
			}
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://127.0.0.1/v1/customers/1", strings.NewReader("{}"))
			response, err := client.Do(request)
			if err != nil {
				t.Fatalf("over JSON: %v", err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("over JSON: %s", response.Status)
			}
			return response.Close
		}
		if calls() {
			t.Error("a JSON response ends its connection before the gateway stops")
		}
		watch, err := healthv1.NewHealthClient(b.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			b.stop()
		}()
		if state, err := watch.Recv(); err != nil || state.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING || time.Since(begin) > 0 {
			t.Errorf("a watcher gets %v, %v after %s", state, err, time.Since(begin))
		}
		for range 4 {
			if !calls() {
				t.Error("a JSON response keeps its connection")
			}
			<-time.After(time.Second)
		}
		<-stopped
		if took := time.Since(begin); took < delay || took > delay+time.Second {
			t.Errorf("stopping takes %s", took)
		}
	})
}

// Endless streams do not keep the gateway from stopping, and a call beside them ends normally.
func TestStoppingEndsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		b := serveInMemory(t, server.Config{
			DefaultTimeout: 30 * time.Second, DrainTimeout: 25 * time.Second,
			Customers: scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				<-time.After(3 * time.Second)
				return &customerv1.UpdateCustomerResponse{}, nil
			}},
			Finish: func(ctx context.Context) {
				deadline, _ := ctx.Deadline()
				left = time.Until(deadline)
			},
		})
		watch := func(name string) healthv1.Health_WatchClient {
			stream, err := healthv1.NewHealthClient(b.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{Service: name})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
			return stream
		}
		known, unknown := watch(""), watch("something.else")
		reflection, err := reflectionv1.NewServerReflectionClient(b.conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		called := make(chan error, 1)
		go func() {
			_, err := customerv1.NewCustomerServiceClient(b.conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1})
			called <- err
		}()
		synctest.Wait()
		begin := time.Now()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			b.stop()
		}()
		for _, stream := range []healthv1.Health_WatchClient{known, unknown} {
			if state, err := stream.Recv(); err != nil || state.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
				t.Errorf("a watcher gets %v, %v", state, err)
			}
			if _, err := stream.Recv(); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "the gateway is stopping") {
				t.Errorf("a watcher's stream ends with %v", err)
			}
		}
		if _, err := reflection.Recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("reflection ends with %v", err)
		}
		if took := time.Since(begin); took > 0 {
			t.Errorf("they end after %s", took)
		}
		if err := <-called; err != nil {
			t.Errorf("the call in flight ends with %v", err)
		}
		<-stopped
		if took := time.Since(begin); took > 5*time.Second || left < 20*time.Second {
			t.Errorf("stopping takes %s, and leaves %s for the rest", took, left)
		}
	})
}

// Stopping waits for a write whose caller is gone until the drain time is over, and then logs that its outcome is unknown.
func TestStoppingWaitsForWritesWithoutCallers(t *testing.T) {
	for _, row := range []struct {
		name  string
		drain time.Duration
		log   string
	}{
		{"a write that ends in time", 10 * time.Second, `"msg":"outcome of a write whose caller is gone","customer_id":1,"write_state":"written","request_id":"`},
		{"a write that does not", 50 * time.Millisecond, `"msg":"stopped with a write in doubt; it may still be applied","customer_id":1`},
	} {
		t.Run(row.name, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			g := start(t, options{drain: row.drain, wrap: func(store http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut {
						close(begun)
						<-finish
					}
					store.ServeHTTP(w, r)
				})
			}})
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-begun
				leave()
			}()
			if _, err := g.grpc.UpdateCustomer(ctx, moveTo(1, "Lyon")); status.Code(err) != codes.Canceled {
				t.Errorf("got %v", err)
			}
			waitUntil(t, func() bool { return strings.Contains(g.log.String(), "WRITE_OUTCOME_UNKNOWN") })
			g.stop()
			if row.drain > time.Second {
				close(finish)
			} else {
				defer close(finish)
			}
			g.stopNow(t)
			if log := g.log.String(); !strings.Contains(log, row.log) {
				t.Errorf("the log lacks %s:\n%s", row.log, log)
			}
		})
	}
}
