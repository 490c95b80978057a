package interceptor

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// Entrance is where the requests of one transport become calls: it authenticates the caller and sheds load, both before
// anything of the request's message is read.
type Entrance struct {
	callers    auth.Authenticator
	shed       func(ctx context.Context, method string, caller *auth.Caller) *apierror.Error
	metrics    *callMetrics
	rejections *RejectionLog
	tracer     trace.Tracer    // nil traces nothing
	tooLong    *apierror.Error // metadata
}

// NewEntrance returns the entrance of one transport. shed returns the rejection of a call that cannot be served in time,
// or nil; it may be nil itself.
func NewEntrance(cfg Config) *Entrance {
	e := &Entrance{callers: cfg.Callers, shed: cfg.Shed, metrics: cfg.Metrics.of(cfg.Transport), rejections: cfg.Rejections, tracer: cfg.Tracer}
	e.tooLong = apierror.Invalid(apierror.Violation{Field: "metadata", Description: fmt.Sprintf("must be at most %d bytes", connlimit.MaxHeader)})
	if e.shed == nil {
		e.shed = func(context.Context, string, *auth.Caller) *apierror.Error { return nil }
	}
	return e
}

// Authenticate returns the context of the caller's call, or the rejection of a caller, which the transport must log. peer is
// the address that the request came from.
func (e *Entrance) Authenticate(ctx context.Context, id, peer string, presented auth.Presented) (context.Context, *apierror.Error) {
	caller, err := e.callers.Authenticate(presented)
	if err != nil {
		return ctx, rejectCaller(err)
	}
	return auth.NewContext(withCall(ctx, &call{id: id, peer: peer, caller: caller}), caller), nil
}

// Shed returns the rejection of a call that cannot be served in time, which it has counted and logged, or nil. It costs
// little: the same rejection is returned again, with a status that is built.
func (e *Entrance) Shed(ctx context.Context, method string) *apierror.Error {
	c := callOf(ctx)
	rejection := e.shed(ctx, method, c.caller)
	if rejection == nil {
		return nil
	}
	e.metrics.ended(ctx, method, rejection, c.authenticatedName(), 0, nil)
	e.rejections.Overload(ctx, rejection)
	if conn := connlimit.Of(ctx); conn != nil {
		if caller := (*connectionCaller)(c.caller); conn.Begin(caller) == connlimit.Admitted { // a rejected caller may stay connected
			conn.End(caller, c.caller.Store == nil)
		}
		conn.Rejected()
	}
	return rejection
}

// Tap lets in the calls of the gRPC server. gRPC calls it before a byte of the message is read, and with a lock on the
// connection held, so it must be fast.
func (e *Entrance) Tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	tooLong := sizeOf(info.Header) > connlimit.MaxHeader
	if !tooLong && !needsCaller(info.FullMethodName) {
		return ctx, nil
	}
	id := RequestID(info.Header.Get(RequestIDKey))
	presented, from := presentedIn(ctx, info.Header)
	rejection := e.tooLong
	if !tooLong {
		ctx, rejection = e.Authenticate(ctx, id, from, presented)
	}
	if rejection != nil {
		e.rejections.Request(ctx, id, rejection, slog.String("code", codeName(rejection.GRPCStatus().Code())), PeerAttr(from))
		return ctx, rejection
	}
	if e.tracer != nil {
		ctx = tracing.Extract(ctx, info.Header.Get(tracing.TraceparentKey), info.Header.Get(tracing.TracestateKey))
	}
	if rejection := e.Shed(ctx, info.FullMethodName); rejection != nil {
		e.traceShed(ctx, info.FullMethodName, rejection)
		return ctx, rejection
	}
	ctx, callOf(ctx).cancel = context.WithCancel(ctx)
	return metadata.NewIncomingContext(ctx, nil), nil // the caller's metadata can reach neither the store nor a log by mistake
}

// traceShed makes the span of a call that was shed before it reached the interceptors.
func (e *Entrance) traceShed(ctx context.Context, method string, rejection *apierror.Error) {
	if e.tracer == nil {
		return
	}
	_, span := startServerSpan(ctx, e.tracer, method)
	SetRejection(span, rejection)
	endServerSpan(span, rejection)
}

// presentedIn returns the credentials and the origin of a gRPC call, and the address that it came from.
func presentedIn(ctx context.Context, md metadata.MD) (presented auth.Presented, from string) {
	presented.Authorization = md.Get(authorizationKey)
	origin, ok := peer.FromContext(ctx)
	if !ok {
		return presented, ""
	}
	if origin.Addr != nil {
		// A gRPC client keeps its connection, so the port distinguishes it from other clients of its host. The
		// HTTP/JSON gateway leaves the port out.
		from = origin.Addr.String()
		presented.From = origin.Addr.Network() + " " + from
	}
	if secured, ok := origin.AuthInfo.(credentials.TLSInfo); ok {
		presented.TLS = &secured.State
	}
	return presented, from
}

// sizeOf returns the size of metadata as HTTP/2 counts it (RFC 9113, 6.5.2).
func sizeOf(md metadata.MD) int {
	size := 0
	for name, values := range md {
		for _, value := range values {
			size += len(name) + len(value) + 32
		}
	}
	return size
}
