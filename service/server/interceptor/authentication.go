package interceptor

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// callerAuth authenticates the caller. It removes the credentials from the metadata: only the store's client needs any,
// and it gets those of a store account from the caller.
func callerAuth(callers auth.Authenticator) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if !needsCaller(info.FullMethod) {
			return handler(ctx, request)
		}
		caller, err := callers.Authenticate(presentedIn(ctx))
		if err != nil {
			return nil, RejectCaller(err)
		}
		callOf(ctx).caller.Store(caller)
		ctx = withMetadata(ctx, RequestIDKey)
		return handler(auth.NewContext(ctx, caller), request)
	}
}

// streamCallerAuth authenticates the caller of a stream.
func streamCallerAuth(callers auth.Authenticator) grpc.StreamServerInterceptor {
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if needsCaller(info.FullMethod) {
			if _, err := callers.Authenticate(presentedIn(stream.Context())); err != nil {
				return RejectCaller(err)
			}
		}
		return handler(service, stream)
	}
}

// AuthenticateEarly rejects callers that callerAuth would reject before a byte of their message is read. gRPC calls it
// with a lock on the connection held, so it must be fast.
func AuthenticateEarly(callers auth.Authenticator, rejections *RejectionLog) tap.ServerInHandle {
	return func(ctx context.Context, info *tap.Info) (context.Context, error) {
		if !needsCaller(info.FullMethodName) {
			return ctx, nil
		}
		_, err := callers.Authenticate(presentedIn(ctx))
		if err == nil {
			return ctx, nil
		}
		rejection := RejectCaller(err)
		attributes := []slog.Attr{slog.String("code", rejection.GRPCStatus().Code().String())}
		if from, ok := peer.FromContext(ctx); ok {
			attributes = append(attributes, HostAttr(from.Addr.String()))
		}
		rejections.Request(ctx, requestIDOf(ctx), rejection, attributes...)
		return ctx, rejection
	}
}

// needsCaller reports whether a method is for authenticated callers only. Health checks are not: their senders (a
// kubelet, a load balancer) have no credentials, and learn only whether the gateway serves.
func needsCaller(method string) bool {
	return !strings.HasPrefix(method, "/"+healthv1.Health_ServiceDesc.ServiceName+"/")
}

// presentedIn returns the credentials and the origin of a call.
func presentedIn(ctx context.Context) auth.Presented {
	presented := auth.Presented{Authorization: metadata.ValueFromIncomingContext(ctx, authorizationKey)}
	if from, ok := peer.FromContext(ctx); ok {
		if from.Addr != nil {
			// A gRPC client keeps its connection, so the port distinguishes it from other clients of its host. The
			// HTTP/JSON gateway leaves the port out.
			presented.From = from.Addr.Network() + " " + from.Addr.String()
		}
		if secured, ok := from.AuthInfo.(credentials.TLSInfo); ok {
			presented.TLS = &secured.State
		}
	}
	return presented
}

// RejectCaller returns the error for a caller that auth.Authenticator rejects.
func RejectCaller(err error) *apierror.Error {
	reason := apierror.CallerUnauthenticated
	if refused, ok := err.(*auth.RefusedError); ok && refused.Authenticated { //nolint:errorlint // an Authenticator returns no other error, and wraps none
		reason = apierror.CallerForbidden
	}
	return apierror.New(reason, apierror.NotSent, err.Error()+"; nothing was written").CausedBy(err)
}
