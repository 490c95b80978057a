//go:build !unix

package fluentcart

import "net"

// isStale always reports false, because it cannot look at a socket here without reading from it. A request that meets a
// closed connection fails before its response, and a read is then sent again.
func isStale(net.Conn) bool { return false }
