// Package sandboxtest helps tests that need a store other than the sandbox.
package sandboxtest

import (
	"fmt"
	"syscall"
	"testing"
)

// Down returns the address of a store that is down until the test ends. Its port is bound, so that no other process can
// listen there, but does not listen, so that connections are refused.
func Down(t testing.TB) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address, ok := bound.(*syscall.SockaddrInet4)
	if !ok {
		t.Fatalf("bound to %T", bound)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", address.Port)
}
