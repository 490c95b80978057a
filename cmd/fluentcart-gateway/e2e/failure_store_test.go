package e2e

import (
	"context"
	"io"
	"log"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/sandboxtest"
)

// storeDown makes so many updates while no store listens.
func storeDown(updates int) provocation {
	return func(t *testing.T) (*process, func()) {
		gateway := startGateway(t, sandboxtest.Down(t))
		return gateway, func() {
			for range updates {
				update(t, gateway.overJSON, 1, 0)
			}
		}
	}
}

// storeFails makes one update while the store has a fault.
func storeFails(fault string, flags ...string) provocation {
	return func(t *testing.T) (*process, func()) {
		gateway := startGateway(t, startFaultyStore(t, fault), flags...)
		return gateway, inBackground(t, func() { update(t, gateway.customers, 1001, 0) })
	}
}

func storeNotTrusted(t *testing.T) (*process, func()) {
	store := httptest.NewUnstartedServer(sandbox.New(sandbox.Config{}))
	store.Config.ErrorLog = log.New(io.Discard, "", 0)
	store.StartTLS()
	t.Cleanup(store.Close)
	gateway := startGateway(t, store.URL)
	return gateway, func() { update(t, gateway.customers, 1, 0) }
}

// storeCleans sends a text of which the store keeps a part.
func storeCleans(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{})
	gateway := startGateway(t, store)
	return gateway, func() {
		_, err := gateway.customers.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
			CustomerId: 1, Customer: &customerv1.Customer{Notes: proto.String("<b>bold</b>")},
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// inBackground returns a function that begins a call, which ends before the test does.
func inBackground(t *testing.T, call func()) func() {
	return func() {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			call()
		}()
		t.Cleanup(func() { <-ended })
	}
}

func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
