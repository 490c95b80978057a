//go:build unix

package fluentcart

import (
	"net"
	"syscall"
)

// isStale reports whether an idle connection must not be used any more: the store has closed it, or has sent bytes that
// nobody asked for. It reads nothing. A race remains: the store may close the connection right after the check.
func isStale(connection net.Conn) bool {
	socket, ok := connection.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	stale := true
	err = raw.Read(func(fd uintptr) bool {
		var next [1]byte
		_, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		stale = err != syscall.EAGAIN
		return true
	})
	return stale || err != nil
}
