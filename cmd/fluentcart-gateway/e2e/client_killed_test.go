package e2e

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A gateway that is killed in the middle of a write leaves the outcome unknown. The client does not repeat the update,
// although another gateway would take it at once, and its next call is served by that one.
func TestUpdateIsNotRepeatedAfterItsGatewayIsKilled(t *testing.T) {
	var writes atomic.Int32
	var serving atomic.Pointer[process]
	var first, second *process
	_, store := startStore(t, sandbox.Config{Fail: func(r *http.Request) *sandbox.Failure {
		if r.Method != http.MethodPut || writes.Add(1) > 1 {
			return nil
		}
		serving.Store(second)
		_ = first.command.Process.Kill()
		return nil // the store writes all the same
	}})
	first, second = startGateway(t, store), startGateway(t, store)
	serving.Store(first)
	conn, err := grpc.NewClient("passthrough:///gateway", append(client.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", serving.Load().grpcAddr)
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	customers := customerv1.NewCustomerServiceClient(conn)

	_, err = customers.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}})
	if status.Code(err) != codes.Unavailable || client.Outcome(err) != client.Unknown {
		t.Errorf("%v, outcome %v", err, client.Outcome(err))
	}
	if n := writes.Load(); n != 1 {
		t.Errorf("%d writes reached the store", n)
	}
	if _, err := customers.GetCustomer(t.Context(), &customerv1.GetCustomerRequest{CustomerId: 1}); err != nil {
		t.Errorf("reading it from the other gateway: %v", err)
	}
}
