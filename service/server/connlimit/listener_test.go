package connlimit

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pipeListener is a listener whose connections are made in process.
type pipeListener struct {
	net.Listener

	coming chan net.Conn
	closed chan struct{}
}

func (p pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.coming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipeListener) Close() error {
	close(p.closed)
	return nil
}

// testListener is a bounded listener of a test.
type testListener struct {
	t       testing.TB
	coming  chan net.Conn
	bounded net.Listener

	mu      sync.Mutex
	evicted map[Reason]int // how many
}

func newTestListener(t testing.TB) *testListener {
	coming := make(chan net.Conn, 1)
	l := &testListener{t: t, coming: coming, evicted: map[Reason]int{}}
	l.bounded = NewListener(pipeListener{coming: coming, closed: make(chan struct{})}, func(reason Reason, _ net.Addr) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.evicted[reason]++
	})
	t.Cleanup(func() { _ = l.bounded.Close() })
	return l
}

// checkEvictions compares how many connections were evicted for each reason.
func (l *testListener) checkEvictions(want map[Reason]int) {
	l.t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(want, l.evicted); diff != "" {
		l.t.Errorf("evictions (-want +got):\n%s", diff)
	}
}

// connect returns both ends of a new connection.
func (l *testListener) connect() (near, far net.Conn) { return l.connectFrom("192.0.2.1") }

func (l *testListener) connectFrom(ip string) (near, far net.Conn) {
	l.t.Helper()
	far, accepted := net.Pipe()
	l.coming <- addressedConn{accepted, &net.TCPAddr{IP: net.ParseIP(ip), Port: 49152}}
	near, err := l.bounded.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// addressedConn is a connection with a remote address.
type addressedConn struct {
	net.Conn

	from net.Addr
}

func (a addressedConn) RemoteAddr() net.Addr { return a.from }

// send makes the near end of a connection read that many bytes.
func send(near, far net.Conn, bytes int) {
	go func() { _, _ = far.Write(make([]byte, bytes)) }()
	_, _ = io.CopyN(io.Discard, near, int64(bytes))
}

// isOpen reports whether the far end of a connection can still be read.
func isOpen(far net.Conn) bool {
	_ = far.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := far.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}
