package server_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// A client may connect early and make its first call at any time: before its connection is closed, it gets GOAWAY, and
// calls on another connection. No call is made twice.
func TestFirstCallMayComeLate(t *testing.T) {
	for _, after := range []time.Duration{
		9_499 * time.Millisecond, 9_500 * time.Millisecond, 9_501 * time.Millisecond, 9_999 * time.Millisecond, 10 * time.Second,
		10_001 * time.Millisecond, 10_050 * time.Millisecond, 12_950 * time.Millisecond, 30 * time.Second,
	} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				b := serveInMemory(t, server.Config{
					DefaultTimeout: 30 * time.Second, DrainTimeout: time.Second,
					Customers: scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
						calls++
						return &customerv1.UpdateCustomerResponse{}, nil
					}},
				})
				defer b.stop()
				b.conn.Connect()
				for state := b.conn.GetState(); state != connectivity.Ready; state = b.conn.GetState() {
					b.conn.WaitForStateChange(t.Context(), state)
				}
				<-time.After(after)
				if _, err := customerv1.NewCustomerServiceClient(b.conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1}); err != nil || calls != 1 {
					t.Errorf("%v, and %d calls", err, calls)
				}
			})
		})
	}
}

// The same holds for a connection whose calls had no verified caller.
func TestCallAfterAnUnverifiedOneMayComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serveInMemory(t, server.Config{
			Callers: auth.NewStoreUsers(auth.Permissions{}), DefaultTimeout: 30 * time.Second, DrainTimeout: time.Second,
			Customers: scripted{update: func(_ context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				if request.GetCustomerId() == 1 {
					return nil, status.Error(codes.NotFound, "no such customer")
				}
				return &customerv1.UpdateCustomerResponse{}, nil
			}},
		})
		defer b.stop()
		customers := customerv1.NewCustomerServiceClient(b.conn)
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Basic c2hvcDpzZWNyZXQ=")
		for range 5 {
			if _, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1}); err == nil {
				t.Fatal("the store knows the caller")
			}
			<-time.After(9_750 * time.Millisecond)
		}
		if _, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 2}); err != nil {
			t.Error(err)
		}
	})
}

// Clients other than grpc-go report a connection that is closed without GOAWAY as the failure of their next call.
func TestConnectionWithoutACallGetsGoAwayBeforeItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serveInMemory(t, server.Config{Customers: scripted{}, DefaultTimeout: time.Second, DrainTimeout: time.Second})
		defer b.stop()
		conn, err := b.grpc.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the gateway has closed it
		framer := http2.NewFramer(conn, conn)
		begin := time.Now()
		go func() {
			_, _ = io.WriteString(conn, http2.ClientPreface)
			_ = framer.WriteSettings()
		}()
		var goneAway time.Duration
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				break
			}
			if goAway, ok := frame.(*http2.GoAwayFrame); ok {
				goneAway = time.Since(begin)
				if goAway.ErrCode != http2.ErrCodeNo || goAway.LastStreamID != 0 {
					t.Errorf("got %v", goAway)
				}
			}
		}
		if closed := time.Since(begin); goneAway != 9500*time.Millisecond || closed != 10*time.Second {
			t.Errorf("GOAWAY after %s, closed after %s", goneAway, closed)
		}
	})
}
