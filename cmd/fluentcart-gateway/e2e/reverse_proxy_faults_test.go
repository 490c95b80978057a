package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// proxiedCall is an update or a read through a proxy.
type proxiedCall struct {
	name string
	send func(ctx context.Context, customer int64, city string) error
}

// proxiedCalls are an update in each form that proxies treat in a way of its own, and a read.
func proxiedCalls(t testing.TB, at proxyAddress) []proxiedCall {
	t.Helper()
	client, overJSON := customerv1.NewCustomerServiceClient(at.connect(t)), at.overJSON(t, false)
	update := func(method, path string) func(context.Context, int64, string) error {
		return func(ctx context.Context, customer int64, city string) error {
			return overJSON.send(ctx, method, fmt.Sprintf(path, customer), fmt.Sprintf(`{"city":%q}`, city), &customerv1.UpdateCustomerResponse{})
		}
	}
	return []proxiedCall{
		{"gRPC", func(ctx context.Context, customer int64, city string) error {
			_, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: &city}})
			return err
		}},
		{"PATCH", update(http.MethodPatch, "/v1/customers/%d")},
		{"PUT", update(http.MethodPut, "/wp-json/fluent-cart/v2/customers/%d")},
		{"GET", func(ctx context.Context, customer int64, _ string) error {
			return overJSON.send(ctx, http.MethodGet, fmt.Sprintf("/v1/customers/%d", customer), "", &customerv1.GetCustomerResponse{})
		}},
	}
}

// A gateway that does not listen gets no calls: each goes to the other one.
func TestReverseProxiesPassOverAGatewayThatIsDown(t *testing.T) {
	_, storeURL := startStore(t, sandbox.Config{})
	members := newMembers(t, 2)
	startGateway(t, storeURL, members[1].flags()...).becomes(t, http.StatusOK, "ready\n")
	for _, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			calls := proxiedCalls(t, proxy.run(t, members))
			for i := range 6 {
				for _, call := range calls {
					if err := call.send(t.Context(), 1, fmt.Sprint(proxy.name, call.name, i)); err != nil {
						t.Errorf("%s, call %d: %v", call.name, i, err)
					}
				}
			}
		})
	}
}

// Without any gateway the caller gets an error that says no more than is known.
func TestReverseProxiesWithoutAGatewayAnswer(t *testing.T) {
	for _, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			for _, call := range proxiedCalls(t, proxy.run(t, newMembers(t, 1))) {
				err := call.send(t.Context(), 1, "Lyon")
				switch code := status.Code(err); {
				case call.name != "gRPC" && err == nil,
					call.name == "gRPC" && code != codes.Unavailable && (proxy.name != "Caddy" || code != codes.Unknown):
					t.Errorf("%s: %v", call.name, err)
				}
			}
		})
	}
}

// An update whose gateway ends in the middle is not sent to the other gateway, which would write it a second time. Over gRPC
// the caller gets a code after which clients do not send it again.
func TestReverseProxiesSendAnUpdateOnce(t *testing.T) {
	for _, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			t.Parallel()
			for number, name := range []string{"gRPC", "PATCH", "PUT"} {
				var requests atomic.Int32
				reached := make(chan int, 10)
				members := newMembers(t, 2)
				gateways := make([]*process, len(members))
				for i := range gateways {
					store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						requests.Add(1)
						reached <- i
						<-r.Context().Done()
					}))
					t.Cleanup(store.Close)
					gateways[i] = startGateway(t, store.URL, members[i].flags()...)
					gateways[i].becomes(t, http.StatusOK, "ready\n")
				}
				call := proxiedCalls(t, proxy.run(t, members))[number]
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				ended := make(chan error)
				go func() { ended <- call.send(ctx, 1, "Lyon") }()
				gateways[<-reached].kill()
				err := <-ended
				cancel()
				if got := requests.Load(); got != 1 || err == nil || status.Code(err) == codes.DeadlineExceeded {
					t.Errorf("%s: %d requests, %v", name, got, err)
				}
				if name == "gRPC" && status.Code(err) != codes.Unknown {
					t.Errorf("the code is %s", status.Code(err))
				}
			}
		})
	}
}

// The time for an answer that a proxy's configuration gives holds for both transports, and is longer than the longest call.
func TestReverseProxiesWaitForTheLongestCall(t *testing.T) {
	_, storeURL := startStore(t, sandbox.Config{Latency: 400 * time.Millisecond})
	members := newMembers(t, 1)
	startGateway(t, storeURL, members[0].flags()...).becomes(t, http.StatusOK, "ready\n")
	for _, row := range []struct {
		proxy, shortens string
		times           []string
	}{
		{"nginx", "grpc_read_timeout     75s", []string{"75s", "500ms"}},
		{"HAProxy", "timeout server 75s", []string{"timeout server 75s", "timeout server 500ms"}},
		{"Caddy", "", nil}, // it has no time limit
	} {
		for _, proxy := range reverseProxies() {
			if proxy.name != row.proxy {
				continue
			}
			t.Run(proxy.name, func(t *testing.T) {
				for _, call := range proxiedCalls(t, proxy.run(t, members)) {
					if err := call.send(t.Context(), 1, row.proxy+call.name); err != nil {
						t.Errorf("%s: %v", call.name, err)
					}
				}
				if row.times == nil {
					return
				}
				for _, call := range proxiedCalls(t, proxy.run(t, members, row.times...)) {
					err := call.send(t.Context(), 2, row.proxy+call.name)
					if call.name == "gRPC" && status.Code(err) != codes.Unknown || call.name != "GET" && err == nil {
						t.Errorf("%s, with a time of 500 ms: %v", call.name, err)
					}
				}
			})
		}
	}
	_ = strings.Contains
}
