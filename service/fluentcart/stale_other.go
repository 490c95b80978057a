//go:build !unix

package fluentcart

import "net"

// isStale cannot look at a socket here. A request that meets a closed connection fails before its response, and a read is
// then sent again.
func isStale(net.Conn) bool { return false }
