package httpjson

import (
	"net"
	"net/http"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// checkBrowser returns the rejection of a browser's request, or nil. Any web page can make a browser on this machine
// send a POST. Its owner can also point the page's own name to the address of this machine (DNS rebinding), after which
// the origin looks the same; that is harmless where callers are authenticated. Programs send neither an Origin nor
// Sec-Fetch headers.
func (g *gateway) checkBrowser(r *http.Request) *apierror.Error {
	switch {
	case g.origins.Check(r) != nil:
		return g.otherOrigin
	case g.anyoneCalls && MayBeRebound(r):
		return g.otherName
	}
	return nil
}

// MayBeRebound reports whether a request may be the result of DNS rebinding: a browser sends it, to a name that a name
// server may resolve.
func MayBeRebound(r *http.Request) bool { return isFromBrowser(r.Header) && !isLoopbackName(r.Host) }

func isFromBrowser(header http.Header) bool {
	for name := range header {
		if name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") {
			return true
		}
	}
	return false
}

// isLoopbackName reports whether a Host header, with or without a port, names this machine without a name server.
func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
