package client

import (
	"context"
	"errors"
	"net"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Token returns credentials that send the token with each call, for gateways with --caller-auth=token. Spaces and line
// breaks around the token are dropped, so that it can be a file's content. The token never leaves the machine without TLS:
// over plain text, calls fail unless the gateway's address is loopback or a Unix socket.
func Token(token string) credentials.PerRPCCredentials { return bearer(strings.TrimSpace(token)) }

type bearer string

// GetRequestMetadata returns the header of one call.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
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
