package e2e

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

func hexOf(id []byte) string { return hex.EncodeToString(id) }

const (
	gRPCTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	jsonTrace = "0af7651916cd43dd8448eb211c80319c"
	callSpan  = "00f067aa0ba902b7" // the caller's
)

// A call of each transport, with the trace of its caller, is one trace in the collector: from the transport to the store,
// which gets the trace too, and in the log and the metrics.
func TestCollectorGetsTheTraceOfACall(t *testing.T) {
	collector := startCollector(t, "127.0.0.1:0")
	backend := sandbox.New(sandbox.Config{})
	var mu sync.Mutex
	var toStore []string
	storeURL := serveRecorded(t, backend, func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		toStore = append(toStore, r.Method+" "+r.Header.Get("Traceparent")+" "+r.Header.Get("Tracestate"))
	})
	binary, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), binary)
	command.Env = append(command.Environ(), "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test", "OTEL_EXPORTER_OTLP_HEADERS=x-team=shop", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_SAMPLER=always_off")
	p := startProcess(t, command, storeURL, []string{"--otlp-endpoint=http://" + collector.address, "--trace-ratio=0"}) // the callers' flags decide
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+gRPCTrace+"-"+callSpan+"-01", "tracestate", "shop=1")
	if _, err := p.customers.UpdateCustomer(ctx, cityOf(1)); err != nil {
		t.Fatal(err)
	}
	p.patch(t, 2, http.Header{"Traceparent": {"00-" + jsonTrace + "-" + callSpan + "-01"}})
	if _, err := p.customers.UpdateCustomer(t.Context(), cityOf(4)); err != nil { // begins a trace of its own, which is not sampled
		t.Fatal(err)
	}
	metrics := p.openMetrics(t)
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.log)
	}

	steps := []string{"lease", "slot", "GET /wp-json/fluent-cart/v2/customers/{customer_id}", "PUT /wp-json/fluent-cart/v2/customers/{customer_id}"}
	for trace, server := range map[string]string{gRPCTrace: "fluentcart.customer.v1.CustomerService/UpdateCustomer", jsonTrace: "PATCH /v1/customers/{customer_id}"} {
		want := []string{server, server + " → UpdateCustomer"}
		for _, step := range steps {
			want = append(want, server+" → UpdateCustomer → "+step)
		}
		spans := collector.trace(trace)
		if diff := cmp.Diff(want, tree(spans)); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
			continue
		}
		if parent := hexOf(spans[0].GetParentSpanId()); parent != callSpan {
			t.Errorf("the parent is %s", parent)
		}
		for _, span := range spans[4:] { // GET and PUT
			method, _, _ := strings.Cut(span.GetName(), " ")
			header := fmt.Sprintf("%s 00-%s-%s-01 %s", method, trace, hexOf(span.GetSpanId()), span.GetTraceState())
			if !slices.Contains(toStore, header) {
				t.Errorf("the store did not get %q, but %q", header, toStore)
			}
		}
		if !strings.Contains(p.log.String(), `"trace_id":"`+trace+`"`) {
			t.Errorf("the log lacks the trace %s:\n%s", trace, p.log)
		}
		if !strings.Contains(metrics, `# {trace_id="`+trace+`"}`) {
			t.Errorf("the metrics have no exemplar of the trace %s:\n%s", trace, metrics)
		}
	}
	if got := collector.count(); got != 12 {
		t.Errorf("%d spans, those of the third call among them", got)
	}
	if len(toStore) != 6 || !strings.HasSuffix(toStore[4], "-00 ") || !strings.HasSuffix(toStore[5], "-00 ") {
		t.Errorf("the store does not learn that the third call is not sampled: %q", toStore)
	}
	if got := collector.headers.Get("x-team"); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("headers of OTEL_EXPORTER_OTLP_HEADERS: %q", got)
	}
	for key, want := range map[string]string{"service.name": "fluentcart-gateway", "deployment.environment.name": "test"} {
		if collector.resource[key] != want {
			t.Errorf("the resource is %v", collector.resource)
		}
	}
	if collector.resource["service.version"] == "" || collector.resource["service.instance.id"] == "" {
		t.Errorf("the resource is %v", collector.resource)
	}
}

// patch updates a customer over JSON.
func (p *process) patch(t testing.TB, customer int64, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, fmt.Sprintf("%s/v1/customers/%d", p.jsonURL, customer), strings.NewReader(`{"city":"Lyon"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	response, err := p.overJSON.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if content, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s, %v", response.Status, content, err)
	}
}

// openMetrics returns the metrics in the format that has exemplars.
func (p *process) openMetrics(t testing.TB) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.adminURL+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Without a collector nothing is traced: the store gets no header, whatever callers send.
func TestWithoutACollectorNothingIsTraced(t *testing.T) {
	backend := sandbox.New(sandbox.Config{})
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" || r.Header.Get("Tracestate") != "" {
			t.Errorf("the store gets %v", r.Header)
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(store.Close)
	p := startGateway(t, store.URL)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+gRPCTrace+"-"+callSpan+"-01", "tracestate", "shop=1")
	if _, err := p.customers.UpdateCustomer(ctx, cityOf(1)); err != nil {
		t.Error(err)
	}
	p.patch(t, 2, http.Header{"Traceparent": {"00-" + jsonTrace + "-" + callSpan + "-01"}})
	p.stop()
	if strings.Contains(p.log.String(), "trace_id") {
		t.Errorf("the log has a trace:\n%s", p.log)
	}
}

// A collector that fails costs spans, and nothing else: no call, no time when the gateway stops, and one line of the log.
func TestCollectorThatFailsHarmsNothing(t *testing.T) {
	for name, row := range map[string]struct {
		prepare func(*collector)
		drops   bool
		line    string // of the log, the only one about it
	}{
		"one that refuses":          {func(c *collector) { c.refuse = codes.PermissionDenied }, false, `"msg":"spans are not exported, and are lost","error":"traces export: rpc error: code = PermissionDenied`},
		"one that hangs":            {func(c *collector) { c.hang = make(chan struct{}) }, true, `"msg":"the collector did not take the last spans in time","spans":`},
		"one that is not reachable": {func(c *collector) { c.server.Stop() }, true, `"msg":"the collector did not take the last spans in time","spans":`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := startCollector(t, "127.0.0.1:0")
			row.prepare(collector)
			_, storeURL := startStore(t, sandbox.Config{})
			p := startGateway(t, storeURL, "--otlp-endpoint=http://"+collector.address, "--max-in-flight=50")
			var calls sync.WaitGroup
			for worker := range 50 {
				calls.Go(func() {
					for range 15 {
						if _, err := p.customers.GetCustomer(t.Context(), getCustomer(int64(worker%4+1))); err != nil {
							t.Error(err)
						}
					}
				})
			}
			calls.Wait() // 750 calls have 3,000 spans
			if metrics := p.openMetrics(t); row.drops && !regexp.MustCompile(`trace_spans_total\{outcome="dropped"\} [1-9]`).MatchString(metrics) {
				t.Errorf("no spans are dropped, so that all 3,000 wait:\n%s", metrics)
			}
			begin := time.Now()
			if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-p.ended
			most := time.Second
			if hasRaceDetector() {
				most += time.Second // its runtime waits so long at the end of a process
			}
			if took := time.Since(begin); took > most {
				t.Errorf("it stopped after %s", took)
			}
			var about []string
			for line := range strings.Lines(p.log.String()) {
				if strings.Contains(line, "spans") {
					about = append(about, line)
				}
			}
			if len(about) == 2 && strings.Contains(about[1], "the collector did not take the last spans in time") {
				about = about[:1] // on a busy machine it does not even refuse them in time
			}
			if len(about) != 1 || !strings.Contains(about[0], row.line) {
				t.Errorf("lines about it: %q", about)
			}
		})
	}
}

// With https:// the collector's certificate is verified, with the CA that the standard variable names.
func TestCollectorWithTLS(t *testing.T) {
	authority := authtest.NewAuthority(t)
	certificate := authority.Server(t)
	collector := startCollector(t, "127.0.0.1:0", grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	_, port, _ := net.SplitHostPort(collector.address)
	_, storeURL := startStore(t, sandbox.Config{})
	binary, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		environment []string
		spans       int
		logged      string
	}{
		"a CA that is not trusted":        {nil, 0, "the last spans in time"},
		"the CA of the standard variable": {[]string{"OTEL_EXPORTER_OTLP_CERTIFICATE=" + writeFile(t, "ca", string(authority.PEM()))}, 4, ""},
		"and with plaintext asked for":    {[]string{"OTEL_EXPORTER_OTLP_INSECURE=true"}, 0, "the last spans in time"},
	} {
		t.Run(name, func(t *testing.T) {
			before := collector.count()
			command := exec.CommandContext(context.WithoutCancel(t.Context()), binary)
			command.Env = append(command.Environ(), row.environment...)
			p := startProcess(t, command, storeURL, []string{"--otlp-endpoint=https://localhost:" + port})
			if _, err := p.customers.GetCustomer(t.Context(), getCustomer(1)); err != nil {
				t.Fatal(err)
			}
			p.stop()
			if got := collector.count() - before; got != row.spans {
				t.Errorf("%d spans arrived:\n%s", got, p.log)
			}
			if !strings.Contains(p.log.String(), row.logged) {
				t.Errorf("the log lacks %q:\n%s", row.logged, p.log)
			}
		})
	}
}

// A collector that comes later gets the spans that are still waiting for it.
func TestCollectorMayComeLater(t *testing.T) {
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	_, storeURL := startStore(t, sandbox.Config{})
	p := startGateway(t, storeURL, "--otlp-endpoint=http://"+address)
	if _, err := p.customers.UpdateCustomer(t.Context(), cityOf(1)); err != nil {
		t.Fatal(err)
	}
	collector := startCollector(t, address)
	if !waitFor(t, 20*time.Second, func() bool { return collector.count() == 6 }) {
		t.Errorf("%d spans arrived:\n%s", collector.count(), p.log)
	}
}

func getCustomer(id int64) *customerv1.GetCustomerRequest {
	return &customerv1.GetCustomerRequest{CustomerId: id}
}
