package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// proxyInEnvironment names a proxy for everything in the environment of what the test starts, and counts who comes to it.
func proxyInEnvironment(t *testing.T) *atomic.Int32 {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var came atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				came.Add(1)
				_ = conn.Close() // that it came is enough
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
	return &came
}

// The credentials of the shop go to the shop. Loopback addresses never have a proxy in Go, so the store needs a name, which
// no name server knows.
func TestProxyInTheEnvironmentIsNotUsed(t *testing.T) {
	came := proxyInEnvironment(t)
	for _, store := range []string{"http://store.invalid", "https://store.invalid"} {
		t.Run(store, func(t *testing.T) {
			p := startProcess(t, "no", store, "--allow-insecure-store", "--get-timeout=1s")
			_, err := p.customers.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}})
			p.stop()
			if status.Code(err) != codes.Unavailable || !strings.Contains(p.log.String(), "STORE_UNAVAILABLE") {
				t.Errorf("got %v; the log:\n%s", err, p.log)
			}
			if came.Load() > 0 {
				t.Error("the proxy was asked")
			}
		})
	}
}

func TestHealthcheckUsesNoProxy(t *testing.T) {
	came := proxyInEnvironment(t)
	check := exec.CommandContext(t.Context(), os.Args[0], "healthcheck", "--grpc-addr=gateway.invalid:9090")
	check.Env = append(os.Environ(), asGateway+"=no")
	check.WaitDelay = time.Second
	if output, err := check.CombinedOutput(); err == nil || !strings.Contains(string(output), "no answer from gateway.invalid:9090") {
		t.Errorf("%v: %s", err, output)
	}
	if came.Load() > 0 {
		t.Error("the proxy was asked")
	}
}
