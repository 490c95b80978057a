package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// spanRecorder keeps the spans of a gateway. A nil one is a gateway without traces.
type spanRecorder struct {
	exporter *tracetest.InMemoryExporter
	provider *sdktrace.TracerProvider
	names    endedNames
}

func newSpanRecorder(t testing.TB) *spanRecorder {
	t.Helper()
	r := &spanRecorder{exporter: tracetest.NewInMemoryExporter(), names: make(endedNames, 1000)}
	r.provider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.exporter), sdktrace.WithSpanProcessor(r.names))
	t.Cleanup(func() { _ = r.provider.Shutdown(context.WithoutCancel(t.Context())) })
	return r
}

func (r *spanRecorder) tracer() trace.Tracer {
	if r == nil {
		return nil
	}
	return r.provider.Tracer(tracing.Scope)
}

// ended returns the spans that have ended.
func (r *spanRecorder) ended() tracetest.SpanStubs { return r.exporter.GetSpans() }

// await returns once a span with the name has ended.
func (r *spanRecorder) await(name string) {
	for ended := range r.names {
		if ended == name {
			return
		}
	}
}

// endedNames are the names of the spans that have ended, as a span processor.
type endedNames chan string

func (endedNames) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (n endedNames) OnEnd(span sdktrace.ReadOnlySpan) {
	select {
	case n <- span.Name():
	default: // nobody waits for so many
	}
}

func (endedNames) Shutdown(context.Context) error { return nil }

func (endedNames) ForceFlush(context.Context) error { return nil }

// check looks for canaries in all that a collector gets of the spans.
func (r *spanRecorder) check(t testing.TB) {
	t.Helper()
	spans := r.ended()
	if len(spans) == 0 {
		t.Error("no spans")
	}
	for _, span := range spans {
		described := describe(span)
		for _, leak := range leaks(described) {
			t.Errorf("a span has %s in %.500s", leak, described)
		}
		if len(span.Events) > 0 || span.Status.Description != "" {
			t.Errorf("a span has events or a text, which may hold anything: %s", described)
		}
	}
}

// describe returns all of a span as a text.
func describe(span tracetest.SpanStub) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s %v %v %s %s", span.SpanKind, span.Name, span.Status, span.Events, span.SpanContext.TraceState(), span.Resource)
	for _, a := range span.Attributes {
		content, err := json.Marshal(a.Value.AsInterface())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&out, " %s=%s", a.Key, content)
	}
	return out.String()
}

// attributesOf returns the attributes of a span as texts, by key.
func attributesOf(span tracetest.SpanStub) map[string]string {
	attributes := map[string]string{}
	for _, a := range span.Attributes {
		attributes[string(a.Key)] = a.Value.String()
	}
	return attributes
}

// named returns the spans of a name, or whose name begins with it and a space.
func named(spans tracetest.SpanStubs, name string) tracetest.SpanStubs {
	var found tracetest.SpanStubs
	for _, span := range spans {
		if span.Name == name || strings.HasPrefix(span.Name, name+" ") {
			found = append(found, span)
		}
	}
	return found
}
