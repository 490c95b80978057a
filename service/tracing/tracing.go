// Package tracing starts the spans of a call, and carries the context of its trace from the caller to the store.
//
// A span is started below the span of the context, by the provider of that span. Where no trace is recorded, nothing is started
// and nothing is allocated, so that the steps of a call need not know whether traces are on.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the name of the instrumentation scope of all spans.
const Scope = "github.com/fluentcart-gateway/fluentcart-gateway"

// The gateway's own attributes. The others are those of the semantic conventions.
const (
	CustomerID    = attribute.Key("fluentcart.customer.id")
	Reason        = attribute.Key("fluentcart.reason")
	WriteState    = attribute.Key("fluentcart.write_state")
	ChangedFields = attribute.Key("fluentcart.changed_fields")
	Outcome       = attribute.Key("fluentcart.outcome")
)

// Start starts a span of a step below the span of ctx, and returns it with its context.
func Start(ctx context.Context, name string) (context.Context, trace.Span) {
	return start(ctx, name, trace.SpanKindInternal)
}

// StartClient starts the span of a request to another server.
func StartClient(ctx context.Context, name string) (context.Context, trace.Span) {
	return start(ctx, name, trace.SpanKindClient)
}

// start asks whether the trace is sampled, and not whether the span of ctx still records: a write goes on after the call that it
// belongs to has ended. A trace that is not sampled keeps the span of ctx, which records nothing.
func start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.SpanContext().IsSampled() {
		return ctx, parent
	}
	return parent.TracerProvider().Tracer(Scope).Start(ctx, name, trace.WithSpanKind(kind))
}

// Fail marks a span as failed. The kind of the failure is a fixed word: the text of an error may hold data of the call.
func Fail(span trace.Span, kind string) {
	if span.IsRecording() {
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		span.SetStatus(codes.Error, "")
	}
}
