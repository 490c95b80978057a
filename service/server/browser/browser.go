// Package browser recognizes requests that a browser sends, for servers that authenticate no caller.
package browser

import (
	"net"
	"net/http"
	"strings"
)

// MayBeRebound reports whether a request may be the result of DNS rebinding: a browser sends it, to a name that a name
// server may resolve. Programs send neither an Origin nor Sec-Fetch headers.
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
