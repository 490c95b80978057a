package server_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// documentedSpan is a row of the table of spans in docs/tracing.md.
type documentedSpan struct {
	kind       string
	below      []string
	attributes map[string]bool // true once a span has it
	seen       map[string]bool // the spans that it was seen below
}

// documentedSpans reads the tables of docs/tracing.md.
func documentedSpans(t *testing.T) map[string]*documentedSpan {
	t.Helper()
	page, err := os.ReadFile("../../docs/tracing.md")
	if err != nil {
		t.Fatal(err)
	}
	table := func(name string) [][]string {
		_, rest, _ := strings.Cut(string(page), "<!-- "+name+" -->")
		rest, _, ended := strings.Cut(rest, "<!-- /"+name+" -->")
		if !ended {
			t.Fatalf("docs/tracing.md has no table of %s", name)
		}
		var rows [][]string
		for line := range strings.Lines(rest) {
			if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| `") {
				rows = append(rows, cells)
			}
		}
		return rows
	}
	quoted := func(cell string) []string {
		var names []string
		for _, found := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			names = append(names, found[1])
		}
		return names
	}
	spans := map[string]*documentedSpan{}
	for _, row := range table("spans") {
		spans[quoted(row[0])[0]] = &documentedSpan{kind: row[1], below: quoted(row[2]), attributes: map[string]bool{}, seen: map[string]bool{}}
	}
	for _, row := range table("attributes") {
		on := quoted(row[1])
		if row[1] == "all" {
			for name := range spans {
				on = append(on, name)
			}
		}
		for _, name := range on {
			if spans[name] == nil {
				t.Fatalf("%s is an attribute of %s, which is no span", row[0], name)
			}
			spans[name].attributes[quoted(row[0])[0]] = false
		}
	}
	return spans
}

// rowOf returns the row of the table that a span belongs to.
func rowOf(span tracetest.SpanStub) string {
	switch {
	case span.Parent.IsValid() && span.SpanKind == trace.SpanKindInternal && strings.HasSuffix(span.Name, "Customer"):
		return "{method}"
	case span.SpanKind == trace.SpanKindClient:
		return "{http method} {store path}"
	case span.SpanKind == trace.SpanKindServer && strings.HasPrefix(span.Name, "fluentcart."):
		return "fluentcart.customer.v1.CustomerService/{method}"
	case span.SpanKind == trace.SpanKindServer:
		return "{http method} {route}"
	}
	return span.Name
}

// tracedCase is a gateway and the calls that it gets.
type tracedCase struct {
	name    string
	options options
	send    func(context.Context, *testing.T, *gateway)
}

// update updates a customer over gRPC; its error is of no interest.
func update(id int64) func(context.Context, *testing.T, *gateway) {
	return func(ctx context.Context, _ *testing.T, g *gateway) {
		_, _ = g.grpc.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: id, Customer: &customerv1.Customer{City: proto.String("Lyon")}})
	}
}

// both updates a customer over both transports.
func both(id string) func(context.Context, *testing.T, *gateway) {
	return func(ctx context.Context, t *testing.T, g *gateway) {
		t.Helper()
		update(int64(id[0]-'0'))(ctx, t, g)
		g.send(t, http.MethodPatch, "/v1/customers/"+id, `{"city":"Nice"}`, nil)
	}
}

// together makes as many calls at once, each within the time.
func together(calls int, within time.Duration, call func(context.Context, *testing.T, *gateway)) func(context.Context, *testing.T, *gateway) {
	return func(ctx context.Context, t *testing.T, g *gateway) {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		var all sync.WaitGroup
		for range calls {
			all.Go(func() { call(ctx, t, g) })
		}
		all.Wait()
	}
}

// once is a store whose first response to a method is another one.
func once(method string, answer *rawAnswer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var used atomic.Bool
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method && !used.Swap(true) {
				answer.serve(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// atomicOptions are those of a gateway that updates through the companion, whose first answer is another one, if it is not nil.
func atomicOptions(first *rawAnswer) options {
	o := options{companion: true, config: service.Config{WriteMode: service.Atomic}}
	if first != nil {
		o.wrap = once(http.MethodPost, first)
	}
	return o
}

func tracedCases() []tracedCase {
	read := func(ctx context.Context, _ *testing.T, g *gateway) {
		_, _ = g.grpc.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: 1})
	}
	hanging := answering(map[string]*rawAnswer{http.MethodGet: {Hang: true}})
	down := answering(map[string]*rawAnswer{http.MethodGet: {Status: http.StatusInternalServerError, Body: "down"}})
	return []tracedCase{
		{"an ordinary store", options{}, both("1")},
		{"no such customer", options{}, both("9")},
		{"a path that is not served", options{}, func(_ context.Context, t *testing.T, g *gateway) {
			t.Helper()
			g.send(t, http.MethodPost, "/v1/customers/1", `{}`, nil)
		}},
		{"a store that fails", options{wrap: down}, both("1")},
		{"a read that is sent again", options{wrap: once(http.MethodGet, &rawAnswer{Status: http.StatusBadGateway})}, both("1")},
		{"a write in doubt that was applied", options{wrap: once(http.MethodPut, &rawAnswer{CutAfter: true})}, both("1")},
		{"a write in doubt that stays so", options{wrap: once(http.MethodPut, &rawAnswer{Cut: true}), config: service.Config{SettleTime: 20 * time.Millisecond}}, update(1)},
		{"a write in doubt at a limited rate", options{wrap: once(http.MethodPut, &rawAnswer{CutAfter: true}), rate: 1000}, both("1")},
		{"an atomic update", atomicOptions(nil), both("1")},
		{"an atomic update in doubt that was applied", atomicOptions(&rawAnswer{CutAfter: true}), both("1")},
		{"an atomic update in doubt that stays so", func() options {
			o := atomicOptions(nil)
			o.wrap = answering(map[string]*rawAnswer{http.MethodPost: {Cut: true}, http.MethodDelete: {Cut: true}})
			o.config.SettleTime = 20 * time.Millisecond
			return o
		}(), update(1)},
		{"an atomic update in doubt at a limited rate", func() options {
			o := atomicOptions(&rawAnswer{Cut: true})
			o.rate = 1000
			return o
		}(), both("1")},
		{"a low rate", options{rate: 0.5}, together(3, 200*time.Millisecond, read)},
		{"no slot in time", options{wrap: hanging, config: service.Config{MaxInFlight: 1}, getTimeout: time.Second}, together(2, 100*time.Millisecond, read)},
		{"no lease in time", options{wrap: hanging, getTimeout: time.Second}, together(2, 100*time.Millisecond, update(1))},
		{"a full queue", options{wrap: hanging, config: service.Config{MaxInFlight: 1, MaxQueue: 1}, getTimeout: time.Second}, func(ctx context.Context, t *testing.T, g *gateway) {
			t.Helper()
			full, leave := context.WithCancel(ctx)
			var waiting sync.WaitGroup
			for range 2 {
				waiting.Go(func() { read(full, t, g) })
			}
			waitUntil(t, func() bool { return g.service.Load().Admitted == 2 })
			read(ctx, t, g)
			g.send(t, http.MethodGet, "/v1/customers/1", "", nil)
			leave()
			waiting.Wait()
		}},
	}
}

// The spans and their attributes are those of docs/tracing.md, neither more nor less.
func TestSpansAreThoseOfTheDocumentation(t *testing.T) {
	documented := documentedSpans(t)
	for _, row := range tracedCases() {
		t.Run(row.name, func(t *testing.T) {
			row.options.traces = true
			g := start(t, row.options)
			row.send(t.Context(), t, g)
			g.stopNow(t)
			spans := g.spans.ended()
			if len(spans) == 0 {
				t.Fatal("no spans")
			}
			byID := map[trace.SpanID]tracetest.SpanStub{}
			for _, span := range spans {
				byID[span.SpanContext.SpanID()] = span
			}
			for _, span := range spans {
				name := rowOf(span)
				want := documented[name]
				if want == nil {
					t.Errorf("not documented: %s", describe(span))
					continue
				}
				if kind := span.SpanKind.String(); kind != want.kind {
					t.Errorf("%s: its kind is %s", name, kind)
				}
				if span.SpanKind != trace.SpanKindServer {
					above := rowOf(byID[span.Parent.SpanID()])
					if !slices.Contains(want.below, above) {
						t.Errorf("%s is below %s", name, above)
					}
					want.seen[above] = true
				}
				for _, attribute := range span.Attributes {
					if _, ok := want.attributes[string(attribute.Key)]; !ok {
						t.Errorf("%s has %s, which is not documented", name, attribute.Key)
						continue
					}
					want.attributes[string(attribute.Key)] = true
				}
			}
		})
	}
	for name, want := range documented {
		for attribute, seen := range want.attributes {
			if !seen {
				t.Errorf("%s never has %s", name, attribute)
			}
		}
		for _, above := range want.below {
			if !want.seen[above] {
				t.Errorf("%s is never below %s", name, above)
			}
		}
	}
}

// The status of a span follows the semantic conventions: a server span is an error only for what is the server's fault.
func TestOutcomesOfSpansFollowTheConventions(t *testing.T) {
	none := options{}
	down := options{wrap: answering(map[string]*rawAnswer{http.MethodGet: {Status: http.StatusServiceUnavailable, Body: "down"}})}
	for _, row := range []struct {
		name    string
		options options
		send    func(context.Context, *testing.T, *gateway)
		span    string // the beginning of its name
		status  string
		has     map[string]string
	}{
		{"an update", none, update(1), "UpdateCustomer", "Unset", map[string]string{"fluentcart.customer.id": "1", "fluentcart.changed_fields": `["city"]`, "fluentcart.reason": ""}},
		{"a customer that does not exist, over gRPC", none, update(9), "fluentcart.customer.v1.CustomerService/UpdateCustomer", "Unset", map[string]string{"rpc.response.status_code": "NOT_FOUND", "error.type": ""}},
		{"the method of it", none, update(9), "UpdateCustomer", "Unset", map[string]string{"fluentcart.reason": "CUSTOMER_NOT_FOUND", "fluentcart.write_state": "not_sent"}},
		{"the read of it", none, update(9), "GET", "Error", map[string]string{"http.response.status_code": "404", "error.type": "customer_not_found"}},
		{"over JSON", none, sendJSON(http.MethodPut, "/v1/customers/9", nil), "PUT", "Unset", map[string]string{"http.response.status_code": "404", "http.route": "/v1/customers/{customer_id}", "url.path": "/v1/customers/9"}},
		{"a store that is down, over gRPC", down, update(1), "fluentcart.customer.v1.CustomerService/UpdateCustomer", "Error", map[string]string{"rpc.response.status_code": "UNAVAILABLE", "error.type": "UNAVAILABLE"}},
		{"a store that is down, over JSON", down, sendJSON(http.MethodPatch, "/v1/customers/1", nil), "PATCH", "Error", map[string]string{"http.response.status_code": "503", "error.type": "503"}},
		{"a customer that has not changed", none, sendJSON(http.MethodGet, "/v1/customers/1", http.Header{"If-None-Match": {"*"}}), "GET", "Unset", map[string]string{"http.response.status_code": "304"}},
		{"another etag", none, sendJSON(http.MethodPatch, "/v1/customers/1", http.Header{"If-Match": {`"other"`}}), "PATCH", "Unset", map[string]string{"http.response.status_code": "412"}},
		{"HEAD", none, sendJSON(http.MethodHead, "/v1/customers/1", nil), "HEAD", "Unset", map[string]string{"http.request.method": "HEAD"}},
		{"FluentCart's own path", none, sendJSON(http.MethodPost, "/wp-json/fluent-cart/v2/customers/1", nil), "POST", "Unset", map[string]string{"http.route": "/wp-json/fluent-cart/v2/customers/{customer_id}"}},
		{"a path that is not served", none, sendJSON(http.MethodGet, "/zq8x", nil), "GET", "Unset", map[string]string{"http.response.status_code": "404", "http.route": "", "url.path": "", "fluentcart.reason": "NO_SUCH_PATH"}},
		{"a customer that is no number", none, sendJSON(http.MethodGet, "/v1/customers/zq8x", nil), "GET", "Unset", map[string]string{"http.response.status_code": "400", "url.path": "", "fluentcart.reason": "INVALID_FIELD"}},
		{"a method that does not exist", none, sendJSON("ZQ8X", "/v1/customers/1", nil), "HTTP", "Unset", map[string]string{"http.request.method": "_OTHER"}},
		{"PUT as POST", options{client: func(c *fluentcart.Config) { c.PutAsPost = true }}, update(1), "POST", "Unset", map[string]string{"http.request.method": "POST"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.options.traces = true
			g := start(t, row.options)
			row.send(t.Context(), t, g)
			g.stopNow(t)
			spans := named(g.spans.ended(), row.span)
			if len(spans) == 0 {
				t.Fatalf("no span %s in %v", row.span, g.spans.ended())
			}
			span := spans[len(spans)-1] // that of the transport ends last
			if got := span.Status.Code.String(); got != row.status {
				t.Errorf("status %s, want %s: %s", got, row.status, describe(span))
			}
			got := attributesOf(span)
			for key, want := range row.has {
				if got[key] != want {
					t.Errorf("%s is %q, want %q", key, got[key], want)
				}
			}
		})
	}
}

func sendJSON(method, path string, header http.Header) func(context.Context, *testing.T, *gateway) {
	return func(_ context.Context, t *testing.T, g *gateway) {
		t.Helper()
		g.send(t, method, path, `{"city":"Nice"}`, header)
	}
}

// A write goes on when its caller leaves, and belongs to the same trace. Its outcome is logged with the trace.
func TestTraceGoesOnWithoutItsCaller(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	g := start(t, options{traces: true, wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				close(begun)
				<-finish
			}
			next.ServeHTTP(w, r)
		})
	}})
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		update(1)(ctx, t, g)
	}()
	<-begun
	leave()
	<-ended
	g.spans.await("UpdateCustomer") // the client returns before the gateway does
	close(finish)
	g.stopNow(t)
	spans := g.spans.ended()
	put, call := named(spans, "PUT"), named(spans, "UpdateCustomer")
	if len(put) != 1 || len(call) != 1 || put[0].Parent.SpanID() != call[0].SpanContext.SpanID() || !put[0].EndTime.After(call[0].EndTime) {
		t.Errorf("spans %v", spans)
	}
	id := call[0].SpanContext.TraceID().String()
	if line := regexp.MustCompile(`.*whose caller is gone.*`).FindString(g.log.String()); !strings.Contains(line, `"trace_id":"`+id+`"`) {
		t.Errorf("the outcome is logged without its trace: %q", line)
	}
}

// A panic, whose text may hold anything, leaves a span that says so, and no event with the text.
func TestPanicIsNoEventOfASpan(t *testing.T) {
	g := &gateway{log: &lockedBuffer{}, text: &lockedBuffer{}, spans: newSpanRecorder(t)}
	g.serve(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		panic("zq8xsecret")
	}}, time.Minute)
	both("1")(t.Context(), t, g)
	g.stopNow(t)
	g.spans.check(t)
	for _, span := range g.spans.ended() {
		if span.Status.Code.String() != "Error" || attributesOf(span)["error.type"] == "" {
			t.Errorf("no error: %s", describe(span))
		}
	}
}

// The caller's trace is continued on both transports, once the caller is authenticated. Everything else in its headers is not.
func TestTraceOfTheCallerIsContinued(t *testing.T) {
	const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, row := range []struct {
		name, traceparent string
		times             int
		continued         bool
	}{
		{"a traceparent", "00-" + traceID + "-" + spanID + "-01", 1, true},
		{"two of them", "00-" + traceID + "-" + spanID + "-01", 2, false},
		{"an invalid one", "00-" + traceID + "-01", 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := start(t, options{traces: true})
			given := slices.Repeat([]string{row.traceparent}, row.times)
			header := http.Header{"Baggage": {"zq8x=zq8x"}, "Traceparent": given}
			update(1)(metadata.NewOutgoingContext(t.Context(), metadata.MD{"traceparent": given, "baggage": {"zq8x=zq8x"}}), t, g)
			g.send(t, http.MethodPatch, "/v1/customers/1", `{"city":"Nice"}`, header)
			g.stopNow(t)
			servers := slices.DeleteFunc(g.spans.ended(), func(span tracetest.SpanStub) bool { return span.SpanKind != trace.SpanKindServer })
			if len(servers) != 2 {
				t.Fatalf("%d server spans", len(servers))
			}
			for _, span := range servers {
				if got := span.SpanContext.TraceID().String() == traceID && span.Parent.SpanID().String() == spanID; got != row.continued {
					t.Errorf("continued: %v: %s below %s", got, span.SpanContext.TraceID(), span.Parent.SpanID())
				}
			}
			for _, to := range g.toStore.take() {
				if strings.Contains(to.header.Get("Traceparent"), traceID) != row.continued || to.header.Get("Baggage") != "" {
					t.Errorf("the store gets %v", to.header)
				}
			}
			g.spans.check(t)
		})
	}
}

// A caller that is not authenticated can neither name a trace nor make spans.
func TestUnauthenticatedCallersAreNotTraced(t *testing.T) {
	g := start(t, options{traces: true, callers: auth.Bearers{Tokens: func() *auth.Tokens { return &auth.Tokens{} }}})
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	update(1)(metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent), t, g)
	g.send(t, http.MethodPatch, "/v1/customers/1", `{}`, http.Header{"Traceparent": {traceparent}})
	g.stopNow(t)
	if spans := g.spans.ended(); len(spans) > 0 {
		t.Errorf("spans: %v", spans)
	}
	if diff := cmp.Diff(0, strings.Count(g.log.String(), "trace_id")); diff != "" {
		t.Errorf("the log names a trace:\n%s", g.log)
	}
}
