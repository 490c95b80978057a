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

// wire records every byte that reaches a store, whether or not the HTTP server parses it as a request.
type wire struct {
	net.Listener
	ended chan struct{} // gets one value for each connection that the client has closed, after all its bytes were read

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

// received returns all bytes so far, of all connections.
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
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // the server interrupts its own reads with a deadline
		c.once.Do(func() { c.wire.ended <- struct{}{} })
	}
	return n, err
}

// newWire returns a store that handler serves, and the wire in front of it.
func newWire(t testing.TB, handler http.HandlerFunc) (*httptest.Server, *wire) {
	t.Helper()
	store := httptest.NewUnstartedServer(handler)
	front := &wire{Listener: store.Listener, ended: make(chan struct{}, 1000)}
	store.Listener = front
	store.Start()
	t.Cleanup(store.Close)
	return store, front
}
