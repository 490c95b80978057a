package server_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// wire records every byte that reaches a store.
type wire struct {
	net.Listener

	mu  sync.Mutex
	got bytes.Buffer
}

func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wiredConn{conn, w}, nil
}

// take returns what has come since the last take, over all connections.
func (w *wire) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.got.String()
	w.got.Reset()
	return taken
}

type wiredConn struct {
	net.Conn
	wire *wire
}

func (c *wiredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.wire.got.Write(p[:n])
	return n, err
}

// forgetful is a store that forgets each write before the next read, so that the same call is the same requests each time.
type forgetful struct {
	mu    sync.Mutex
	store *sandbox.Store
}

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if f.store == nil || r.Method == http.MethodGet {
		f.store = sandbox.New(sandbox.Config{})
	}
	store := f.store
	f.mu.Unlock()
	store.ServeHTTP(w, r)
}

// startWired runs a gateway in front of a store that it knows as http://store.example, whatever its port.
func startWired(t testing.TB, behind http.Handler, opts options) (*gateway, *wire) {
	t.Helper()
	store := httptest.NewUnstartedServer(behind)
	before := &wire{Listener: store.Listener}
	store.Listener = before
	store.Start()
	t.Cleanup(store.Close)
	opts.storeURL = store.URL
	opts.client = func(config *fluentcart.Config) {
		config.BaseURL, config.UserAgent = "http://store.example", "fluentcart-gateway/test"
		config.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, before.Addr().String())
		}
		own := config.Credentials
		config.Credentials = func(ctx context.Context) fluentcart.Credentials { // as the command does
			if who := auth.FromContext(ctx); who != nil && who.Store != nil {
				return fluentcart.Credentials{Username: who.Store.Username, Password: who.Store.Password}
			}
			return own(ctx)
		}
	}
	return start(t, opts), before
}
