package fluentcart_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
)

// wire records every byte that reaches a store, whether or not an HTTP server makes a request of it.
type wire struct {
	net.Listener
	ended chan struct{} // gets one for each connection that the client has closed, once all of it is read

	mu  sync.Mutex
	got bytes.Buffer
}

func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wiredConn{Conn: conn, wire: w}, nil
}

// received returns what has come so far, over all connections.
func (w *wire) received() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got.String()
}

type wiredConn struct {
	net.Conn
	wire *wire
	once sync.Once
}

func (c *wiredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.mu.Lock()
	c.wire.got.Write(p[:n])
	c.wire.mu.Unlock()
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // with which the server interrupts its own reads
		c.once.Do(func() { c.wire.ended <- struct{}{} })
	}
	return n, err
}

// newWire returns a store that handler plays, and the wire before it.
func newWire(t testing.TB, handler http.HandlerFunc) (*httptest.Server, *wire) {
	t.Helper()
	store := httptest.NewUnstartedServer(handler)
	before := &wire{Listener: store.Listener, ended: make(chan struct{}, 1000)}
	store.Listener = before
	store.Start()
	t.Cleanup(store.Close)
	return store, before
}
