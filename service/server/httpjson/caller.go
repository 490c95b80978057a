package httpjson

import (
	"net"
	"net/http"
	"net/netip"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// presentedBy is the interceptors' way for a request that is no call yet.
func presentedBy(r *http.Request) auth.Presented {
	return auth.Presented{Authorization: r.Header.Values("Authorization"), TLS: r.TLS}
}

// fromHost gives a request of the JSON door the peer that a gRPC call has.
func fromHost(r *http.Request) *http.Request {
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

// knownHeader leaves of the header of a request what is read behind the JSON door. The rest ends here, before anything can
// act upon it: grpc-gateway would answer in another form to a TE.
func knownHeader(header http.Header) http.Header {
	known := http.Header{}
	for _, name := range []string{"Authorization", "Grpc-Timeout", interceptor.RequestIDHeader} {
		if values := header[name]; len(values) > 0 {
			known[name] = values
		}
	}
	return known
}
