package e2e

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// proxyInEnvironment sets a proxy for everything in the environment of the processes that the test starts, and counts its
// connections.
func proxyInEnvironment(t *testing.T) *atomic.Int32 {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				connections.Add(1)
				_ = conn.Close() // counting it is enough
			}
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://"+listener.Addr().String())
		t.Setenv(strings.ToLower(name), "http://"+listener.Addr().String())
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	return &connections
}

// The credentials of the store go to the store only. Go never uses a proxy for loopback addresses, so the store has a name
// here, which cannot be resolved.
func TestProxyInTheEnvironmentIsNotUsed(t *testing.T) {
	connections := proxyInEnvironment(t)
	for _, store := range []string{"http://store.invalid", "https://store.invalid"} {
		t.Run(store, func(t *testing.T) {
			p := startGateway(t, store, "--allow-insecure-store", "--get-timeout=1s")
			_, err := p.customers.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}})
			p.stop()
			if status.Code(err) != codes.Unavailable || !strings.Contains(p.log.String(), "STORE_UNAVAILABLE") {
				t.Errorf("got %v; the log:\n%s", err, p.log)
			}
			if connections.Load() > 0 {
				t.Error("the proxy got a connection")
			}
		})
	}
}

func TestHealthcheckUsesNoProxy(t *testing.T) {
	connections := proxyInEnvironment(t)
	if printed, err := runGateway(t, "healthcheck", "--grpc-addr=gateway.invalid:9090"); err == nil || !strings.Contains(printed, "no answer from gateway.invalid:9090") {
		t.Errorf("%v: %s", err, printed)
	}
	if connections.Load() > 0 {
		t.Error("the proxy got a connection")
	}
}
