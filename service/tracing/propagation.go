package tracing

import (
	"context"
	"encoding/hex"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// The names of the headers of W3C Trace Context, as gRPC's metadata spells them.
const (
	TraceparentKey = "traceparent"
	TracestateKey  = "tracestate"
)

// maxTracestate is how many bytes of a tracestate are passed on: as many as the specification asks for. The store's web server
// bounds its headers.
const maxTracestate = 512

// Extract returns a context with the trace that a caller's headers name. Without a traceparent, with several, and with one that is
// invalid the call begins a trace of its own, as W3C Trace Context asks for.
func Extract(ctx context.Context, traceparent, tracestate []string) context.Context {
	if len(traceparent) != 1 {
		return ctx
	}
	given := headers{traceparent: traceparent[0], tracestate: strings.Join(tracestate, ",")}
	if len(given.tracestate) > maxTracestate {
		given.tracestate = ""
	}
	return propagation.TraceContext{}.Extract(ctx, given)
}

// headers are the two headers, as a propagation.TextMapCarrier.
type headers struct{ traceparent, tracestate string }

// Get returns a header.
func (h headers) Get(key string) string {
	switch key {
	case TraceparentKey:
		return h.traceparent
	case TracestateKey:
		return h.tracestate
	}
	return ""
}

// Set is not used.
func (h headers) Set(string, string) {}

// Keys is not used.
func (h headers) Keys() []string { return nil }

// AppendHeader appends the headers of a request that belongs to a trace, in HTTP/1.1, and nothing where nothing is traced. A trace
// that is not sampled is passed on too: the flag in its traceparent says so.
func AppendHeader(out []byte, of trace.SpanContext) []byte {
	if !of.IsValid() {
		return out
	}
	traceID, spanID := of.TraceID(), of.SpanID()
	flags := [1]byte{byte(of.TraceFlags() & (trace.FlagsSampled | trace.FlagsRandom))}
	out = append(out, TraceparentKey+": 00-"...)
	out = hex.AppendEncode(out, traceID[:])
	out = hex.AppendEncode(append(out, '-'), spanID[:])
	out = hex.AppendEncode(append(out, '-'), flags[:])
	out = append(out, "\r\n"...)
	if state := of.TraceState(); state.Len() > 0 {
		out = append(out, TracestateKey+": "...)
		out = append(out, state.String()...)
		out = append(out, "\r\n"...)
	}
	return out
}
