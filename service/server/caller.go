package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"google.golang.org/grpc/peer"
)

// Caller names who calls, for a fair share of the queue. Callers are not authenticated: a gRPC client is known by its
// connection, which it keeps, and the clients of the JSON door, which open new ones at will, by their host.
func Caller(ctx context.Context) string {
	from, ok := peer.FromContext(ctx)
	if !ok || from.Addr == nil {
		return ""
	}
	return from.Addr.Network() + " " + from.Addr.String()
}

// fromHost gives a request of the JSON door the peer that a gRPC call has.
func fromHost(r *http.Request) *http.Request {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r
	}
	host := &net.IPAddr{IP: address.Addr().AsSlice(), Zone: address.Addr().Zone()}
	return r.WithContext(peer.NewContext(r.Context(), &peer.Peer{Addr: host}))
}
