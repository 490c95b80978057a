// Package browser recognizes requests that a browser sends, for servers that authenticate no caller.
package browser

import (
	"net"
	"net/http"
	"strings"
)

// MayBeRebound reports whether a request may be the result of DNS rebinding: a browser sends it, to a name that a name
// server may resolve.
func MayBeRebound(r *http.Request) bool { return isFromBrowser(r.Header) && !isLoopbackName(r.Host) }

// isFromBrowser reports whether a browser sends the request. Browsers send an Origin with each request that can change
// something, and Sec-Fetch-Site with each request over https or to localhost. Sec-Fetch-Mode says nothing: Node's fetch,
// which has no origin, sends it too (https://github.com/nodejs/undici/issues/1305).
func isFromBrowser(header http.Header) bool {
	return len(header.Values("Origin")) > 0 || len(header.Values("Sec-Fetch-Site")) > 0
}

// isLoopbackName reports whether a Host header, with or without a port, names this machine without a name server.
func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
