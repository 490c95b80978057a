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

// proxiedCall is an update through a proxy.
type proxiedCall struct {
	name string
	send func(ctx context.Context, customer int64, city string) error
}

// proxiedCalls are updates in all forms that a proxy may treat differently.
func proxiedCalls(t testing.TB, at proxyAddress) []proxiedCall {
	t.Helper()
	client := customerv1.NewCustomerServiceClient(at.connect(t))
	update := func(http2 bool, method, path string) func(context.Context, int64, string) error {
		overJSON := at.overJSON(t, http2)
		return func(ctx context.Context, customer int64, city string) error {
			return overJSON.send(ctx, method, fmt.Sprintf(path, customer), fmt.Sprintf(`{"city":%q}`, city), &customerv1.UpdateCustomerResponse{})
		}
	}
	return []proxiedCall{
		{"gRPC", func(ctx context.Context, customer int64, city string) error {
			_, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: &city}})
			return err
		}},
		{"PATCH over HTTP/1.1", update(false, http.MethodPatch, "/v1/customers/%d")},
		{"PATCH over HTTP/2", update(true, http.MethodPatch, "/v1/customers/%d")},
		{"PUT over HTTP/1.1", update(false, http.MethodPut, "/wp-json/fluent-cart/v2/customers/%d")},
		{"PUT over HTTP/2", update(true, http.MethodPut, "/v1/customers/%d")},
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
	soon := map[string][]string{"Caddy": {"lb_try_duration 5s", "lb_try_duration 200ms"}}
	for _, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			for _, call := range proxiedCalls(t, proxy.run(t, newMembers(t, 1), soon[proxy.name]...)) {
				err := call.send(t.Context(), 1, "Lyon")
				want := codes.Unavailable
				if proxy.name == "Caddy" {
					want = codes.Unknown
				}
				if err == nil || call.name == "gRPC" && status.Code(err) != want {
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
			for number := range proxiedCalls(t, proxyAddress{}) {
				checkSentOnce(t, proxy, number)
			}
		})
	}
}

// checkSentOnce sends a call on a connection that has been used before, and kills its gateway while the call waits for the store.
func checkSentOnce(t *testing.T, proxy reverseProxy, number int) {
	t.Helper()
	store := sandbox.New(sandbox.Config{})
	t.Cleanup(store.Close)
	var requests atomic.Int32
	reached := make(chan int, 10)
	members := newMembers(t, 2)
	gateways := make([]*process, len(members))
	for i := range gateways {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/2") {
				store.ServeHTTP(w, r)
				return
			}
			requests.Add(1)
			reached <- i
			<-r.Context().Done()
		}))
		t.Cleanup(server.Close)
		gateways[i] = startGateway(t, server.URL, members[i].flags()...)
		gateways[i].becomes(t, http.StatusOK, "ready\n")
	}
	call := proxiedCalls(t, proxy.run(t, members))[number]
	for i := range 4 {
		if err := call.send(t.Context(), 1, fmt.Sprint("City ", i)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- call.send(ctx, 2, "Lyon") }()
	gateways[<-reached].kill()
	err := <-ended
	if got := requests.Load(); got != 1 || err == nil || status.Code(err) == codes.DeadlineExceeded {
		t.Errorf("%s: the store got %d requests, and the caller %v", call.name, got, err)
	}
	if call.name == "gRPC" && status.Code(err) != codes.Unknown && !proxy.portForGRPC {
		t.Errorf("%s: the code is %s", call.name, status.Code(err))
	}
}

// The time for an answer that a proxy's configuration gives holds for both transports, and is longer than the longest call.
func TestReverseProxiesWaitForTheLongestCall(t *testing.T) {
	_, storeURL := startStore(t, sandbox.Config{Latency: 150 * time.Millisecond, Customers: 30})
	members := newMembers(t, 1)
	startGateway(t, storeURL, members[0].flags()...).becomes(t, http.StatusOK, "ready\n")
	shorter := map[string][]string{ // Caddy has no time limit
		"nginx":   {"75s", "200ms"},
		"HAProxy": {"timeout server 75s", "timeout server 200ms", "timeout server 10m", "timeout server 200ms"},
	}
	for i, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			t.Parallel()
			customer := ids(30)[10*i:]
			for i, call := range proxiedCalls(t, proxy.run(t, members)) {
				if err := call.send(t.Context(), customer[i], "Lyon"); err != nil {
					t.Errorf("%s: %v", call.name, err)
				}
			}
			changes := shorter[proxy.name]
			if changes == nil {
				return
			}
			for i, call := range proxiedCalls(t, proxy.run(t, members, changes...)) {
				if err := call.send(t.Context(), customer[5+i], "Lyon"); err == nil {
					t.Errorf("%s is not cut after 200 ms", call.name)
				}
			}
		})
	}
}
