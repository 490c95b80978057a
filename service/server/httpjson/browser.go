package httpjson

import (
	"net"
	"net/http"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// checkBrowser returns why a request that a browser sends is refused. A web page anywhere can make a browser on this
// machine send a POST, and its owner can give the page's own name the address of this machine (DNS rebinding), after
// which the origin looks the same; that helps nobody where callers must prove who they are. Programs send neither an
// Origin nor Sec-Fetch headers.
func (d *jsonDoor) checkBrowser(r *http.Request) *apierror.Error {
	switch {
	case d.origins.Check(r) != nil:
		return d.foreignOrigin
	case d.open && BrowserByOtherName(r):
		return d.foreignName
	}
	return nil
}

// BrowserByOtherName reports whether a browser sends a request, and calls this machine by a name that a name server may
// answer for.
func BrowserByOtherName(r *http.Request) bool {
	return fromBrowser(r.Header) && !namesThisMachine(r.Host)
}

func fromBrowser(header http.Header) bool {
	for name := range header {
		if name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") {
			return true
		}
	}
	return false
}

// namesThisMachine reports whether a Host header, with or without a port, is one that no name server can answer for.
func namesThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
