package interceptor

import (
	"context"
	"log/slog"

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

// LogHandler adds the request id and the caller's name, if there is one, to each record that is logged under the context
// of a call: also by the service, and also after the call has ended.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if c := callOf(ctx); c != nil {
		record = record.Clone()
		record.AddAttrs(slog.String("request_id", c.id))
		if c.caller != nil && c.caller.Name != "" {
			record.AddAttrs(slog.String("caller", c.caller.Name))
		}
	}
	return h.Handler.Handle(ctx, record)
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attributes)}
}

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
