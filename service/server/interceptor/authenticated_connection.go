package interceptor

import (
	"context"

	"google.golang.org/grpc"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// connectionCaller is a caller, or nil, as connlimit sees it.
type connectionCaller auth.Caller

// ConnectionShare returns the caller's own share if its name is verified, and the share of its host otherwise.
func (c *connectionCaller) ConnectionShare() (name string, limited bool) {
	switch {
	case c == nil:
		return "", false
	case c.Authenticated, c.Store != nil && c.Store.Verified():
		return c.Name, true
	default:
		return "", c.Store != nil
	}
}

// authenticatedConnection makes the connection of a call an authenticated one, and rejects the call if there are too
// many.
func authenticatedConnection() grpc.UnaryServerInterceptor {
	atCapacity := apierror.New(apierror.TooManyConnections, apierror.NotSent, "too many callers are connected, or this caller has too many connections; nothing was written; try again later, or on a connection that is open")
	closed := apierror.New(apierror.ConnectionClosed, apierror.NotSent, "the connection was closed before the call was admitted; nothing was written")
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		conn := connlimit.Of(ctx)
		if conn == nil || !needsCaller(info.FullMethod) { // a health check authenticates no caller
			return handler(ctx, request)
		}
		caller := auth.FromContext(ctx)
		switch conn.Begin((*connectionCaller)(caller)) {
		case connlimit.AtCapacity:
			return nil, atCapacity
		case connlimit.Closed: // the caller could not get the outcome
			return nil, closed
		case connlimit.Admitted:
		}
		confirmed := caller == nil || caller.Store == nil
		defer func() { conn.End((*connectionCaller)(caller), confirmed) }()
		response, err := handler(ctx, request)
		if err != nil && apierror.InfoOfError(err).GetReason() == string(apierror.Overloaded) {
			conn.Rejected()
		}
		// Only the store can verify its accounts, and a failure may mean that it does not know the account.
		confirmed = confirmed || err == nil || caller.Store.Verified()
		return response, err
	}
}
