package interceptor

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// callerAuth rejects a call that has not passed an Entrance: it would have no caller.
func callerAuth() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if needsCaller(info.FullMethod) && callOf(ctx).caller == nil {
			return nil, rejectCaller(errNotAuthenticated)
		}
		return handler(ctx, request)
	}
}

// streamCallerAuth is callerAuth for streams.
func streamCallerAuth() grpc.StreamServerInterceptor {
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if c := callOf(stream.Context()); needsCaller(info.FullMethod) && (c == nil || c.caller == nil) {
			return rejectCaller(errNotAuthenticated)
		}
		return handler(service, stream)
	}
}

var errNotAuthenticated = errors.New("the call was not authenticated")

// needsCaller reports whether a method is for authenticated callers only. Health checks are not: their senders (a
// kubelet, a load balancer) have no credentials, and learn only whether the gateway serves.
func needsCaller(method string) bool {
	return !strings.HasPrefix(method, "/"+healthv1.Health_ServiceDesc.ServiceName+"/")
}

// rejectCaller returns the error for a caller that auth.Authenticator rejects.
func rejectCaller(err error) *apierror.Error {
	reason := apierror.CallerUnauthenticated
	if refused, ok := err.(*auth.RefusedError); ok && refused.Authenticated { //nolint:errorlint // an Authenticator returns no other error, and wraps none
		reason = apierror.CallerForbidden
	}
	return apierror.New(reason, apierror.NotSent, err.Error()+"; nothing was written").CausedBy(err)
}
