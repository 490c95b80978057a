package client

import (
	"context"
	"errors"
	"net"
	"strings"

	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
)

// Token returns credentials that send the token with each call, for gateways with --caller-auth=token. Spaces and line
// breaks around the token are dropped, so that it can be a file's content. The token never leaves the machine without TLS:
// over plain text, calls fail unless the gateway's address is loopback or a Unix socket.
func Token(token string) credentials.PerRPCCredentials { return bearer(strings.TrimSpace(token)) }

type bearer string

// GetRequestMetadata returns the header of one call. Health checks get none: the gateway answers them to everyone, and gRPC
// would repeat a health check that fails for want of a token until the call that waits for it has passed its deadline.
func (b bearer) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	if len(uri) > 0 && strings.HasSuffix(uri[0], "/"+healthv1.Health_ServiceDesc.ServiceName) {
		return nil, nil
	}
	if b == "" {
		return nil, errors.New("the token is empty")
	}
	if !isEncrypted(ctx) && !isLocal(ctx) {
		return nil, errors.New("the token is not sent without TLS: use grpc.WithTransportCredentials with TLS")
	}
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity returns false: GetRequestMetadata allows plain text to the same machine.
func (bearer) RequireTransportSecurity() bool { return false }

// String keeps the token out of logs.
func (bearer) String() string { return "(a token)" }

// GoString keeps the token out of logs.
func (bearer) GoString() string { return "(a token)" }

func isEncrypted(ctx context.Context) bool {
	request, ok := credentials.RequestInfoFromContext(ctx)
	return ok && request.AuthInfo != nil && credentials.CheckSecurityLevel(request.AuthInfo, credentials.PrivacyAndIntegrity) == nil
}

func isLocal(ctx context.Context) bool {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	switch address := from.Addr.(type) {
	case *net.TCPAddr:
		return address.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
