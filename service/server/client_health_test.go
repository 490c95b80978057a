package server_test

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// Calls go in turn to all gateways that can serve, and to no other.
func TestCallsGoToGatewaysThatAreReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3
		var ill [n]atomic.Bool
		var gateways [n]*memoryGateway
		var calls [n]*countedCalls
		addresses := manual.NewBuilderWithScheme("gateways")
		state := resolver.State{}
		for i := range n {
			calls[i] = &countedCalls{CustomerServiceServer: &losing{}}
			gateways[i] = serveInMemory(t, server.Config{
				Customers: calls[i], DefaultTimeout: 30 * time.Second, DrainTimeout: time.Second,
				NotReady: func() []string {
					if ill[i].Load() {
						return []string{"a fault"}
					}
					return nil
				},
			})
			defer gateways[i].stop()
			state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: strconv.Itoa(i)}}})
		}
		addresses.InitialState(state)
		conn, err := grpc.NewClient("gateways:///all", append(client.DialOptions(),
			grpc.WithResolvers(addresses), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				return gateways[address[0]-'0'].grpc.dial(ctx)
			}))...)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		customers := customerv1.NewCustomerServiceClient(conn)
		call := func(t *testing.T) error {
			t.Helper()
			_, err := customers.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
			return err
		}
		if err := call(t); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second) // all are connected
		for _, gateway := range calls {
			gateway.take()
		}

		for range 30 {
			if err := call(t); err != nil {
				t.Fatal(err)
			}
		}
		for i, gateway := range calls {
			if got := len(gateway.take()); got != 10 {
				t.Errorf("gateway %d got %d of 30 calls", i, got)
			}
		}

		ill[1].Store(true)
		<-time.After(time.Second) // watchers know it after half a second
		for range 30 {
			if err := call(t); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []int{15, 0, 15} {
			if got := len(calls[i].take()); got != want {
				t.Errorf("with gateway 1 not ready, gateway %d got %d of 30 calls", i, got)
			}
		}

		ill[0].Store(true)
		ill[2].Store(true)
		<-time.After(time.Second)
		if err := call(t); status.Code(err) != codes.Unavailable || client.Outcome(err) != client.NotWritten {
			t.Errorf("with no gateway ready: %v, outcome %v", err, client.Outcome(err))
		}
	})
}
