package interceptor

import (
	"context"

	"google.golang.org/grpc"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// sharing is a caller, or nil, as the bounds on connections see it.
type sharing auth.Caller

// ConnectionShare is a caller's own if its name is known to be true, and its host's otherwise.
func (s *sharing) ConnectionShare() (name string, limited bool) {
	switch {
	case s == nil:
		return "", false
	case s.Authenticated, s.Store != nil && s.Store.Verified():
		return s.Name, true
	default:
		return "", s.Store != nil
	}
}

// authenticatedConnection notes that a call was let in, and refuses it where there are too many callers.
func authenticatedConnection() grpc.UnaryServerInterceptor {
	crowded := apierror.New(apierror.TooManyConnections, apierror.NotSent, "too many callers are connected, or this one has too many connections; come again later, or through a connection that is open")
	gone := apierror.New(apierror.ConnectionClosed, apierror.NotSent, "the connection was closed before the call could be let in; nothing was written")
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		c := connlimit.Of(ctx)
		if c == nil || !guarded(info.FullMethod) { // health checks are for everybody, and so prove nothing
			return handler(ctx, request)
		}
		who := auth.FromContext(ctx)
		switch c.Begin((*sharing)(who)) {
		case connlimit.AtCapacity:
			return nil, crowded
		case connlimit.Closed: // an outcome could reach nobody
			return nil, gone
		case connlimit.Admitted:
		}
		certain := who == nil || who.Store == nil
		defer func() { c.End((*sharing)(who), certain) }()
		response, err := handler(ctx, request)
		// Who has an account only the store can say, and a failure may be its no.
		certain = certain || err == nil || who.Store.Verified()
		return response, err
	}
}
