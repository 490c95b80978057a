package server_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// cuttable is a way to a gateway whose connections can be cut, as by a proxy or a network that fails.
type cuttable struct {
	to    *memoryGateway
	conns []net.Conn
}

func (c *cuttable) dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.to.grpc.dial(ctx)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cuttable) cut() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// losing is a service that loses the connection of the first calls while it works on them.
type losing struct {
	customerv1.UnimplementedCustomerServiceServer

	way  *cuttable
	lost int // how many calls lose their connection
}

func (l *losing) lose() {
	if l.lost > 0 {
		l.lost--
		l.way.cut()
	}
}

func (l *losing) UpdateCustomer(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	l.lose()
	return &customerv1.UpdateCustomerResponse{}, nil
}

func (l *losing) GetCustomer(context.Context, *customerv1.GetCustomerRequest) (*customerv1.GetCustomerResponse, error) {
	l.lose()
	return &customerv1.GetCustomerResponse{}, nil
}

// To gRPC, a connection that broke after the request was sent is UNAVAILABLE. Its own retry policy repeats the update, which
// may have been written; docs/clients.md says so. Package client repeats only reads.
func TestUpdateIsNotRepeatedAfterABrokenConnection(t *testing.T) {
	for _, broken := range []struct {
		caller           string
		updates, updated int // the attempts, of which the first is lost
		code             codes.Code
		reads            int
	}{
		{"package client", 1, 1, codes.Unavailable, 2},
		{"gRPC's own retries", 2, 2, codes.OK, 2},
	} {
		t.Run(broken.caller, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				customers, behind := &losing{}, &cuttable{}
				gateway, calls := serveCounted(t, customers)
				defer gateway.stop()
				customers.way, behind.to = behind, gateway
				caller, stop := dialInMemory(t, callers[broken.caller](), behind.dial)
				defer stop()

				customers.lost = 1
				_, err := caller.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
				if n := len(calls.take()); n != broken.updates || status.Code(err) != broken.code {
					t.Errorf("%d attempts to update, %v", n, err)
				}
				if err != nil && client.Outcome(err) != client.Unknown {
					t.Errorf("outcome %v", client.Outcome(err))
				}

				customers.lost = 1
				if _, err := caller.GetCustomer(t.Context(), &customerv1.GetCustomerRequest{CustomerId: 1}); err != nil {
					t.Errorf("the read failed: %v", err)
				}
				if n := len(calls.take()); n != broken.reads {
					t.Errorf("%d attempts to read, want %d", n, broken.reads)
				}
			})
		})
	}
}

// The caller's own clock says nothing about the write, and no call is repeated because of it.
func TestCallerWhoseDeadlinePassesDoesNotKnowTheOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway, calls := serveCounted(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
			<-time.After(2 * time.Second) // longer than the caller waits
			return nil, apierror.New(apierror.StoreUnavailable, apierror.NotSent, "message", apierror.RetryInfo(time.Second))
		}})
		defer gateway.stop()
		customers, stop := dialInMemory(t, client.DialOptions(), gateway.grpc.dial)
		defer stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := customers.UpdateCustomer(ctx, moveTo(1, "Lyon"))
		if status.Code(err) != codes.DeadlineExceeded || client.Outcome(err) != client.Unknown {
			t.Errorf("%v, outcome %v", err, client.Outcome(err))
		}
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		_, err = customers.UpdateCustomer(ctx, moveTo(1, "Lyon"))
		if status.Code(err) != codes.Canceled || client.Outcome(err) != client.Unknown {
			t.Errorf("%v, outcome %v", err, client.Outcome(err))
		}
		if n := len(calls.take()); n != 2 {
			t.Errorf("%d attempts, want one for each call", n)
		}
	})
}

// A request that has not left the process wrote nothing, and is repeated while the gateway restarts.
func TestCallThatReachesNoGatewayWroteNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway, calls := serveCounted(t, &losing{})
		defer gateway.stop()
		back := time.Now().Add(2 * time.Second)
		customers, stop := dialInMemory(t, client.DialOptions(), func(ctx context.Context) (net.Conn, error) {
			if time.Now().Before(back) {
				return nil, errors.New("connection refused")
			}
			return gateway.grpc.dial(ctx)
		})
		defer stop()
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := customers.UpdateCustomer(short, moveTo(1, "Lyon"))
		if status.Code(err) != codes.Unavailable || client.Outcome(err) != client.NotWritten {
			t.Errorf("%v, outcome %v", err, client.Outcome(err))
		}
		left, leave := context.WithCancel(t.Context())
		leave()
		_, err = customers.UpdateCustomer(left, moveTo(1, "Lyon"))
		if status.Code(err) != codes.Canceled || client.Outcome(err) != client.NotWritten {
			t.Errorf("%v, outcome %v", err, client.Outcome(err))
		}
		if _, err := customers.UpdateCustomer(t.Context(), moveTo(1, "Lyon")); err != nil {
			t.Errorf("after the restart: %v", err)
		}
		if n := len(calls.take()); n != 1 {
			t.Errorf("%d attempts at the server, want 1", n)
		}
	})
}
