//go:build !unix

package fluentcart

import "net"

// isStale always reports false: only Unix can look at a socket without reading it. A request that meets a closed connection fails before its response, and a read is
// then sent again.
func isStale(net.Conn) bool { return false }
