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
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// A call that fails does not close the connection under a longer one, whose outcome would be lost.
func TestFailedCallDoesNotCloseTheConnectionOfAnotherCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serveInMemory(t, server.Config{
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

// A request that arrives too slowly gets a response before its connection is closed, over both transports.
func TestSlowRequestGetsAResponse(t *testing.T) {
	anyone := func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return &customerv1.UpdateCustomerResponse{}, nil
	}
	t.Run("JSON", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := serveInMemory(t, server.Config{Customers: scripted{update: anyone}, DefaultTimeout: time.Second, DrainTimeout: time.Second})
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
				t.Errorf("the response is %s", response.Status)
			}
			_ = conn.Close()
			<-dripped
		})
	})
	t.Run("gRPC", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := serveInMemory(t, server.Config{Customers: scripted{update: anyone}, DefaultTimeout: time.Second, DrainTimeout: time.Second})
			defer b.stop()
			stream, err := b.conn.NewStream(t.Context(), &grpc.StreamDesc{}, customerv1.CustomerService_UpdateCustomer_FullMethodName)
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.RecvMsg(&customerv1.UpdateCustomerResponse{}); status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "did not arrive") {
				t.Errorf("the response is %v", err)
			}
		})
	})
}

// The time in which a request must arrive ends with its last byte: net/http's deadline for it must not end the call.
func TestJSONCallMayTakeLongerThanItsRequestMayTakeToArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serveInMemory(t, server.Config{
			DefaultTimeout: time.Minute, DrainTimeout: time.Second,
			Customers: scripted{update: func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				select {
				case <-time.After(50 * time.Second):
					return &customerv1.UpdateCustomerResponse{}, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}},
		})
		defer b.stop()
		conn, err := b.json.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		response := firstResponse(t, conn, "PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
		if response.StatusCode != http.StatusOK {
			t.Errorf("the response is %s", response.Status)
		}
		_ = conn.Close()
	})
}

func TestFairShareIsByConnectionOverGRPCAndByHostOverJSON(t *testing.T) {
	names := make(chan string, 1)
	g := &gateway{log: &lockedBuffer{}}
	g.serve(t, scripted{update: func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		names <- auth.FromContext(ctx).Share
		return &customerv1.UpdateCustomerResponse{}, nil
	}}, time.Second)
	if _, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon")); err != nil {
		t.Fatal(err)
	}
	if name := <-names; !strings.HasPrefix(name, "tcp 127.0.0.1:") {
		t.Errorf("over gRPC: %q", name)
	}
	g.send(t, http.MethodPut, "/v1/customers/1", `{}`, nil)
	if name := <-names; name != "ip 127.0.0.1" {
		t.Errorf("over JSON: %q", name)
	}
}
