package server_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// A call that fails beside a longer one does not cut that off, whose outcome would be lost.
func TestFailureCutsOffNoCallBesideIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serveInBubble(t, server.Config{
			Callers: auth.NewStoreUsers(auth.Permissions{}), DefaultTimeout: 30 * time.Second, DrainTimeout: time.Second,
			Customers: scripted{update: func(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				if request.GetCustomerId() == 2 {
					return nil, status.Error(codes.NotFound, "no such customer")
				}
				select {
				case <-time.After(14 * time.Second):
					return &customerv1.UpdateCustomerResponse{Message: "written"}, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}},
		})
		defer b.stop()
		customers := customerv1.NewCustomerServiceClient(b.conn)
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("shop:secret")))
		long := make(chan error, 1)
		go func() {
			_, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1})
			long <- err
		}()
		synctest.Wait()
		if _, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 2}); err == nil {
			t.Error("there is a customer 2")
		}
		if err := <-long; err != nil {
			t.Errorf("the call in flight ends with %v", err)
		}
	})
}

// What drips is answered before its connection is closed, at both doors.
func TestRequestThatDripsIsAnswered(t *testing.T) {
	anyone := func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return &customerv1.UpdateCustomerResponse{}, nil
	}
	t.Run("JSON", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := serveInBubble(t, server.Config{Customers: scripted{update: anyone}, DefaultTimeout: time.Second, DrainTimeout: time.Second})
			defer b.stop()
			conn, err := b.json.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			dripped := make(chan struct{})
			go func() {
				defer close(dripped)
				_, err := io.WriteString(conn, "PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
				for ; err == nil; <-time.After(500 * time.Millisecond) {
					_, err = io.WriteString(conn, "1\r\n \r\n")
				}
			}()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("the answer is %s", response.Status)
			}
			_ = conn.Close()
			<-dripped
		})
	})
	t.Run("gRPC", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := serveInBubble(t, server.Config{Customers: scripted{update: anyone}, DefaultTimeout: time.Second, DrainTimeout: time.Second})
			defer b.stop()
			stream, err := b.conn.NewStream(t.Context(), &grpc.StreamDesc{}, customerv1.CustomerService_UpdateCustomer_FullMethodName)
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.RecvMsg(&customerv1.UpdateCustomerResponse{}); status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "did not arrive") {
				t.Errorf("the answer is %v", err)
			}
		})
	})
}

// Streams that would last for ever keep no gateway from stopping, and a call beside them comes to its end.
func TestStoppingEndsStreamsThatAreNoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		b := serveInBubble(t, server.Config{
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
				t.Errorf("a watcher is told %v, %v", state, err)
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
