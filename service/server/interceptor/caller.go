package interceptor

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// callerAuth lets in who may call. It takes the credentials out of the metadata: nobody behind it has use for them but
// the store's client, which gets those of a user of the store from the caller.
func callerAuth(callers auth.Authenticator) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if !guarded(info.FullMethod) {
			return handler(ctx, request)
		}
		who, err := callers.Authenticate(presentedIn(ctx))
		if err != nil {
			return nil, RejectCaller(err)
		}
		callOf(ctx).who.Store(who)
		ctx = withMetadata(ctx, RequestIDKey)
		return handler(auth.NewContext(ctx, who), request)
	}
}

// callerAuthOfStreams is callerAuth for reflection, which has no other interceptors.
func callerAuthOfStreams(callers auth.Authenticator) grpc.StreamServerInterceptor {
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if guarded(info.FullMethod) {
			if _, err := callers.Authenticate(presentedIn(stream.Context())); err != nil {
				return RejectCaller(err)
			}
		}
		return handler(service, stream)
	}
}

// guarded reports whether a method is for known callers only. Health checks are not: who makes them (a kubelet, a load
// balancer) has no credentials, and they tell nothing but whether the gateway serves.
func guarded(method string) bool {
	return !strings.HasPrefix(method, "/"+healthv1.Health_ServiceDesc.ServiceName+"/")
}

// presentedIn is what a call of either door comes with.
func presentedIn(ctx context.Context) auth.Presented {
	presented := auth.Presented{Authorization: metadata.ValueFromIncomingContext(ctx, authorizationKey)}
	if from, ok := peer.FromContext(ctx); ok {
		if from.Addr != nil {
			// A gRPC client keeps its connection, so its port tells it from others of its host. fromHost leaves the port out.
			presented.From = from.Addr.Network() + " " + from.Addr.String()
		}
		if secured, ok := from.AuthInfo.(credentials.TLSInfo); ok {
			presented.TLS = &secured.State
		}
	}
	return presented
}

// RejectCaller returns the error for a caller that may not call.
func RejectCaller(err error) *apierror.Error {
	reason := apierror.CallerUnauthenticated
	if refused, ok := err.(*auth.RefusedError); ok && refused.Authenticated { //nolint:errorlint // an Authenticator returns no other, and wraps none
		reason = apierror.CallerForbidden
	}
	return apierror.New(reason, apierror.NotSent, err.Error()+"; nothing was written").CausedBy(err)
}
