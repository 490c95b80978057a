package httpjson

import (
	"net"
	"net/http"
	"net/netip"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// withPeer gives a request the peer that a gRPC call has. Its address has no port: HTTP clients open many connections,
// so that only the host identifies them.
func withPeer(r *http.Request) *http.Request {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r
	}
	from := &peer.Peer{Addr: &net.IPAddr{IP: address.Addr().AsSlice(), Zone: address.Addr().Zone()}}
	if r.TLS != nil {
		from.AuthInfo = credentials.TLSInfo{State: *r.TLS}
	}
	return r.WithContext(peer.NewContext(r.Context(), from))
}
