package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// A client whose keepalive interval is 10 s, the shortest of grpc-go's client, keeps its connection, although a ping may be
// a little early.
func TestClientMaySendKeepalivePings(t *testing.T) {
	for _, row := range []struct {
		name     string
		inFlight bool
	}{{"without a stream", false}, {"with a stream", true}} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serveInMemory(t, server.Config{
					DefaultTimeout: time.Minute, DrainTimeout: time.Second,
					Customers: scripted{update: func(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
						if request.GetCustomerId() == 2 {
							<-ctx.Done()
						}
						return &customerv1.UpdateCustomerResponse{}, nil
					}},
				})
				defer b.stop()
				conn, err := b.grpc.dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close() //nolint:errcheck // the test is over
				calls := newRawCalls(t, conn)
				call := func(customer int64) (stream uint32) {
					stream = calls.begin(t)
					calls.send(t, stream, &customerv1.UpdateCustomerRequest{CustomerId: customer})
					return stream
				}
				if _, err := calls.outcome(call(1)); err != nil {
					t.Fatal(err)
				}
				for i := range 20 {
					if row.inFlight && i%6 == 0 { // a call takes up to a minute
						call(2)
					}
					<-time.After(10*time.Second - time.Millisecond)
					if err := calls.out.WritePing(false, [8]byte{}); err != nil {
						t.Fatalf("after %d pings: %v", i, err)
					}
				}
				if _, err := calls.outcome(call(1)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
