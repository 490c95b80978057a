package interceptor

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// call is the record of a call, during it and afterwards.
type call struct {
	id     string
	peer   string             // the address that the request came from
	caller *auth.Caller       // nil for a call that needs none, such as a health check
	cancel context.CancelFunc // ends the stream of a gRPC call
	record telemetry.Call
}

type callContext struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callContext{}, c)
}

// callOf returns the call of a context, or nil.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callContext{}).(*call)
	return c
}

// authenticatedName returns the name of a caller that the gateway has authenticated, and otherwise an empty name.
func (c *call) authenticatedName() string {
	if c.caller != nil && c.caller.Authenticated {
		return c.caller.Name
	}
	return ""
}

// LogHandler adds the request id, the caller's name, if there is one, and the ids of the trace, if it is sampled, to each
// record that is logged under the context of a call: also by the service, and also after the call has ended.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	c, span := callOf(ctx), trace.SpanContextFromContext(ctx)
	if c != nil || span.IsSampled() {
		record = record.Clone()
	}
	if c != nil {
		record.AddAttrs(slog.String("request_id", c.id))
		if c.caller != nil && c.caller.Name != "" {
			record.AddAttrs(slog.String("caller", c.caller.Name))
		}
	}
	if span.IsSampled() { // no other trace can be found
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attributes)}
}

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
