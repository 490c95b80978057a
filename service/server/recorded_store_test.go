package server_test

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// recordingListener records every byte that reaches a store.
type recordingListener struct {
	net.Listener

	mu  sync.Mutex
	got bytes.Buffer
}

func (w *recordingListener) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordingConn{conn, w}, nil
}

// uniqueParameter is the query parameter that differs in each read.
var uniqueParameter = regexp.MustCompile(`&_fcg=[A-Z2-7]{26}-[0-9]+ `)

// take returns the bytes since the last take, over all connections, without the unique parameters.
func (w *recordingListener) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := uniqueParameter.ReplaceAllString(w.got.String(), " ")
	w.got.Reset()
	return taken
}

type recordingConn struct {
	net.Conn
	wire *recordingListener
}

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.wire.got.Write(p[:n])
	return n, err
}

// forgetfulStore is a store that forgets each write before the next read, so that equal calls lead to equal requests. Its reads
// do not show the time of the last change, which would go backwards.
type forgetfulStore struct {
	mu    sync.Mutex
	store *sandbox.Store
}

func (f *forgetfulStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if f.store == nil || r.Method == http.MethodGet {
		f.store = sandbox.New(sandbox.Config{})
	}
	store := f.store
	f.mu.Unlock()
	if r.Method != http.MethodGet {
		store.ServeHTTP(w, r)
		return
	}
	response := httptest.NewRecorder()
	store.ServeHTTP(response, r)
	maps.Copy(w.Header(), response.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(response.Code)
	_, _ = w.Write(bytes.Replace(response.Body.Bytes(), []byte(`"updated_at"`), []byte(`"-"`), 1))
}

// startRecorded runs a gateway in front of a store that it knows as http://store.example, on any port.
func startRecorded(t testing.TB, behind http.Handler, opts options) (*gateway, *recordingListener) {
	t.Helper()
	store := httptest.NewUnstartedServer(behind)
	before := &recordingListener{Listener: store.Listener}
	store.Listener = before
	store.Start()
	t.Cleanup(store.Close)
	opts.storeURL = store.URL
	opts.client = func(config *fluentcart.Config) {
		config.BaseURL, config.UserAgent = "http://store.example", "fluentcart-gateway/test"
		config.Transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, before.Addr().String())
		}
		own := config.Credentials
		config.Credentials = func(ctx context.Context) fluentcart.Credentials { // as the command does
			if caller := auth.FromContext(ctx); caller != nil && caller.Store != nil {
				return fluentcart.Credentials{Username: caller.Store.Username, Password: caller.Store.Password}
			}
			return own(ctx)
		}
	}
	return start(t, opts), before
}
