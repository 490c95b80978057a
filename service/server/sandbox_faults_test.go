package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/faults"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// Every row of docs/sandbox.md holds, over both transports and in both write modes, in time that synctest makes pass.
func TestSandboxFaultsHaveTheDocumentedOutcomes(t *testing.T) {
	for mode, calls := range map[service.WriteMode][]documentedCall{service.Merge: documentedCalls(t), service.Atomic: documentedAtomicCalls(t)} {
		for _, call := range calls {
			for _, transport := range []string{"gRPC", "HTTP"} {
				t.Run(strings.TrimSpace(fmt.Sprintf("%s %s %s/%s/%s", call.fault, call.path, call.body, transport, mode)), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						call.run(t, transport, mode)
					})
				})
			}
		}
	}
}

// The gateway takes a row that is older than what it has seen for one from a cache. A reset makes none, though the time of
// a change has whole seconds and many tests reset within one.
func TestUpdatesGoOnAfterResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBySandbox(t, service.Merge)
		defer b.stop()
		for i := range 5 {
			call := documentedCall{path: "1", body: `{"city":"Lyon"}`}
			if got := call.send(t, b.memoryGateway, "gRPC"); got.Code != "OK" || len(got.ChangedFields) != 1 {
				t.Errorf("after %d resets: %s %q, %s", i, got.Code, got.ChangedFields, got.message)
			}
			b.post(t, "/sandbox/reset", "")
		}
	})
}

// A fault that is not documented could not be found, and one that does not exist could not be set.
func TestDocumentationHasEverySandboxFault(t *testing.T) {
	var documented, known []string
	for _, call := range documentedCalls(t) {
		if call.fault != "" {
			documented = append(documented, faultIn(t, call.fault).Fault)
		}
	}
	for _, fault := range knownFaults(t) {
		known = append(known, fault.Fault)
	}
	slices.Sort(documented)
	slices.Sort(known)
	if diff := cmp.Diff(known, slices.Compact(documented)); diff != "" {
		t.Errorf("documented faults (-known +documented):\n%s", diff)
	}
}

// namedFault is a fault, and the requests that it is for.
type namedFault struct{ Fault, On string }

// isOnReads reports whether a fault is for reads only.
func isOnReads(t *testing.T, set string) bool {
	t.Helper()
	fault := faultIn(t, set)
	for _, known := range knownFaults(t) {
		if known.Fault == fault.Fault {
			fault.On = or(fault.On, known.On)
		}
	}
	return fault.On == "read"
}

// faultIn reads what sets a fault.
func faultIn(t *testing.T, set string) (fault namedFault) {
	t.Helper()
	if err := json.Unmarshal([]byte(set), &fault); err != nil {
		t.Fatal(err)
	}
	return fault
}

// knownFaults returns the faults that the switch knows, with their defaults.
func knownFaults(t *testing.T) []namedFault {
	t.Helper()
	w := httptest.NewRecorder()
	faults.New().Handler(sandbox.New(sandbox.Config{})).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sandbox/faults", nil))
	var shown struct{ Known []namedFault }
	if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
		t.Fatal(err)
	}
	return shown.Known
}

func (c documentedCall) run(t *testing.T, transport string, mode service.WriteMode) {
	b := startBySandbox(t, mode)
	defer b.stop()
	if c.fault != "" {
		b.post(t, "/sandbox/faults", c.fault)
	}
	before := b.store.Rows()
	got := c.send(t, b.memoryGateway, transport)
	want := c.want
	if transport == "gRPC" {
		want.HTTP = "0"
	}
	isStored := func() bool { return len(rowChanges(t, before, b.store.Rows())) > 0 }
	stored := map[bool]string{true: "yes", false: "no"}[isStored()]
	<-time.After(2 * time.Minute)
	if stored == "no" && isStored() {
		stored = "later"
	}
	if diff := cmp.Diff(want, documentedOutcome{got.Code, strconv.Itoa(got.HTTP), got.Reason, got.WriteState, stored}); diff != "" {
		t.Errorf("outcome (-documented +got):\n%s\nmessage: %s", diff, got.message)
	}
}

// sandboxedGateway is a gateway and a sandbox store with its switch, in memory.
type sandboxedGateway struct {
	*memoryGateway

	store    *sandbox.Store
	toStore  *fluentcart.Transport
	listener *memoryListener
	server   *http.Server
	unwatch  func()
}

// startBySandbox starts a gateway with the defaults of the flags, except for the write mode. With that of Atomic the store has
// the companion.
func startBySandbox(t *testing.T, mode service.WriteMode) *sandboxedGateway {
	t.Helper()
	injected := faults.New()
	store := sandbox.New(sandbox.Config{Fail: injected.Fail, Companion: mode == service.Atomic})
	b := &sandboxedGateway{store: store, toStore: fluentcart.NewTransport(), listener: newMemoryListener(), server: &http.Server{Handler: injected.Handler(store)}}
	go func() { _ = b.server.Serve(b.listener) }()
	b.toStore.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return b.listener.dial(ctx) }
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: "http://127.0.0.1:8081", Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword), Transport: b.toStore,
		GetTimeout: flagDefault(t, "get-timeout"), PutTimeout: flagDefault(t, "put-timeout"),
	})
	if err != nil {
		t.Fatal(err)
	}
	customers, err := service.New(service.Config{Store: client, WriteMode: mode, MaxInFlight: 4, MaxQueue: 256, SettleTime: flagDefault(t, "write-settle-time")})
	if err != nil {
		t.Fatal(err)
	}
	watched, unwatch := context.WithCancel(context.WithoutCancel(t.Context()))
	b.unwatch = unwatch
	go customers.Watch(watched)
	b.memoryGateway = serveInMemory(t, server.Config{
		Customers: customers, Shed: customers.Shed, Callers: auth.Anyone{}, Finish: customers.Close,
		DefaultTimeout: flagDefault(t, "default-timeout"), DrainTimeout: flagDefault(t, "drain-timeout"),
	})
	return b
}

// stop ends what was started, so that the synctest bubble can end.
func (b *sandboxedGateway) stop() {
	b.memoryGateway.stop()
	b.unwatch()
	_ = b.server.Close()
	b.store.Close()
	b.toStore.CloseIdleConnections()
}

// post sends a request to a path of the sandbox's own.
func (b *sandboxedGateway) post(t *testing.T, path, body string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8081"+path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.server.Handler.ServeHTTP(w, request)
	if w.Code/100 != 2 {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
}

func (c documentedCall) send(t *testing.T, gateway *memoryGateway, transport string) outcome {
	t.Helper()
	if transport == "gRPC" {
		return c.overGRPC(t, gateway)
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return gateway.json.dial(ctx) },
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://127.0.0.1:8080/v1/customers/"+c.path, bytes.NewReader([]byte(c.body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.deadline > 0 {
		request.Header.Set("Grpc-Timeout", fmt.Sprintf("%dS", int(c.deadline.Seconds())))
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return jsonOutcome(t, response, content)
}

func (c documentedCall) overGRPC(t *testing.T, gateway *memoryGateway) outcome {
	t.Helper()
	id, query, _ := strings.Cut(c.path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	request := &customerv1.UpdateCustomerRequest{Customer: &customerv1.Customer{}, Etag: values.Get("etag")}
	if request.CustomerId, err = strconv.ParseInt(id, 10, 64); err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal([]byte(c.body), request.GetCustomer()); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if c.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.deadline)
		defer cancel()
	}
	response, err := customerv1.NewCustomerServiceClient(gateway.conn).UpdateCustomer(ctx, request)
	return grpcOutcome(t, response, err)
}
