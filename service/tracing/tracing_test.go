package tracing_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

const (
	traceID     = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent = "00-" + traceID + "-00f067aa0ba902b7-01"
)

func TestExtractFollowsTheSpecification(t *testing.T) {
	for _, row := range []struct {
		name                    string
		traceparent, tracestate []string
		trace, state            string
		sampled                 bool
	}{
		{name: "a sampled trace", traceparent: []string{traceparent}, trace: traceID, sampled: true},
		{name: "one that is not sampled", traceparent: []string{"00-" + traceID + "-00f067aa0ba902b7-00"}, trace: traceID},
		{name: "none", tracestate: []string{"a=1"}},
		{name: "an empty one", traceparent: []string{""}},
		{name: "two", traceparent: []string{traceparent, traceparent}},
		{name: "an id of zeros", traceparent: []string{"00-00000000000000000000000000000000-00f067aa0ba902b7-01"}},
		{name: "a span of zeros", traceparent: []string{"00-" + traceID + "-0000000000000000-01"}},
		{name: "capitals", traceparent: []string{strings.ToUpper(traceparent)}},
		{name: "too much for version 00", traceparent: []string{traceparent + "-more"}},
		{name: "more in a later version", traceparent: []string{"01" + traceparent[2:] + "-more"}, trace: traceID, sampled: true},
		{name: "the forbidden version", traceparent: []string{"ff" + traceparent[2:]}},
		{name: "a text", traceparent: []string{"zq8x"}},
		{name: "two in one line", traceparent: []string{traceparent + "," + traceparent}},
		{name: "a state", traceparent: []string{traceparent}, tracestate: []string{"a=1,b=2"}, trace: traceID, state: "a=1,b=2", sampled: true},
		{name: "a state in two headers", traceparent: []string{traceparent}, tracestate: []string{"a=1", "b=2"}, trace: traceID, state: "a=1,b=2", sampled: true},
		{name: "an invalid state", traceparent: []string{traceparent}, tracestate: []string{"a=1,,\r\nX: y"}, trace: traceID, sampled: true},
		{name: "a key given twice", traceparent: []string{traceparent}, tracestate: []string{"a=1,a=2"}, trace: traceID, sampled: true},
		{name: "a state that is too long", traceparent: []string{traceparent}, tracestate: []string{"a=" + strings.Repeat("1", 200), "b=" + strings.Repeat("1", 200), "c=" + strings.Repeat("1", 200)}, trace: traceID, sampled: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := trace.SpanContextFromContext(tracing.Extract(t.Context(), row.traceparent, row.tracestate))
			id := ""
			if got.HasTraceID() {
				id = got.TraceID().String()
			}
			if id != row.trace || got.IsSampled() != row.sampled || got.TraceState().String() != row.state {
				t.Errorf("trace %q, sampled %v, state %q", id, got.IsSampled(), got.TraceState())
			}
		})
	}
}

// The headers are written by hand; they are those of OpenTelemetry's own propagator.
func TestHeaderIsThatOfThePropagator(t *testing.T) {
	for name, state := range map[string][]string{"without a state": nil, "with a state": {"a=1,b=2"}} {
		for _, flags := range []string{"00", "01", "03"} {
			t.Run(name+", flags "+flags, func(t *testing.T) {
				ctx := tracing.Extract(t.Context(), []string{strings.TrimSuffix(traceparent, "01") + flags}, state)
				carrier := propagation.MapCarrier{}
				propagation.TraceContext{}.Inject(ctx, carrier)
				want := "traceparent: " + carrier["traceparent"] + "\r\n"
				if carrier["tracestate"] != "" {
					want += "tracestate: " + carrier["tracestate"] + "\r\n"
				}
				if diff := cmp.Diff(want, string(tracing.AppendHeader(nil, trace.SpanContextFromContext(ctx)))); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
			})
		}
	}
	if got := tracing.AppendHeader(nil, trace.SpanContext{}); got != nil {
		t.Errorf("without a trace: %q", got)
	}
}

// A caller cannot put headers of its own into the request to the store.
func FuzzHeaderHasTwoLinesAtMost(f *testing.F) {
	f.Add(traceparent, "a=1")
	f.Add(traceparent, "a=1\r\nHost: other")
	f.Fuzz(func(t *testing.T, parent, state string) {
		sc := trace.SpanContextFromContext(tracing.Extract(t.Context(), []string{parent}, []string{state}))
		header := string(tracing.AppendHeader(nil, sc))
		if strings.Count(header, "\n") > 2 || strings.Count(header, "\r") != strings.Count(header, "\r\n") {
			t.Errorf("the header is %q", header)
		}
	})
}

// A span whose call has ended still has children: a write goes on without its caller.
func TestChildrenMayOutliveTheirParent(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	ctx, parent := provider.Tracer("test").Start(t.Context(), "parent")
	parent.End()
	_, child := tracing.Start(context.WithoutCancel(ctx), "child")
	tracing.Fail(child, "timeout")
	child.End()
	got := spans.GetSpans()
	if len(got) != 2 || got[1].Name != "child" || got[1].Parent.SpanID() != parent.SpanContext().SpanID() {
		t.Fatalf("got %v", got)
	}
	if attributes := got[1].Attributes; len(attributes) != 1 || attributes[0].Value.AsString() != "timeout" || got[1].Status.Code.String() != "Error" {
		t.Errorf("attributes %v, status %v", attributes, got[1].Status)
	}
}

func TestNothingIsAllocatedWhereNothingIsTraced(t *testing.T) {
	unsampled, _ := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("test").Start(t.Context(), "call")
	for name, ctx := range map[string]context.Context{"traces are off": t.Context(), "the trace is not sampled": unsampled} {
		t.Run(name, func(t *testing.T) {
			buffer := make([]byte, 0, http.DefaultMaxHeaderBytes)
			allocated := testing.AllocsPerRun(100, func() {
				_, span := tracing.StartClient(ctx, "GET")
				buffer = tracing.AppendHeader(buffer[:0], span.SpanContext())
				tracing.Fail(span, "timeout")
				span.End()
			})
			if allocated > 0 {
				t.Errorf("%.0f allocations", allocated)
			}
		})
	}
}
