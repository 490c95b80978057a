package interceptor

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// call is what is known of a call, while it goes on and afterwards. Who calls is found out on the way.
type call struct {
	id  string
	who atomic.Pointer[auth.Caller]
}

type callContext struct{}

func withCall(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callContext{}, &call{id: id})
}

// callOf returns the call of a context, or nil.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callContext{}).(*call)
	return c
}

// provedName is the name of a caller who has proved it, and empty for all others.
func (c *call) provedName() string {
	if who := c.who.Load(); who != nil && who.Authenticated {
		return who.Name
	}
	return ""
}

// LogHandler adds the request id, and the name of the caller where it has one, to what is logged under the context of a
// call, also by the service behind, and also after the call has ended.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle adds what is known, and passes on.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if c := callOf(ctx); c != nil {
		record = record.Clone()
		record.AddAttrs(slog.String("request_id", c.id))
		if who := c.who.Load(); who != nil && who.Name != "" {
			record.AddAttrs(slog.String("caller", who.Name))
		}
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs keeps them coming.
func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attributes)}
}

// WithGroup keeps them coming.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
