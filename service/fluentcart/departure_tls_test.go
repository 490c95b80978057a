package fluentcart_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// newTLSStore returns a store over TLS, which offers HTTP/2 if asked to, and a client of it.
func newTLSStore(t testing.TB, http2 bool, handler http.HandlerFunc) (*httptest.Server, *fluentcart.Client) {
	t.Helper()
	store := httptest.NewUnstartedServer(handler)
	store.EnableHTTP2 = http2
	store.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of each handshake whose client has left
	store.StartTLS()
	t.Cleanup(store.Close)
	transport := fluentcart.NewTransport()
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(store.Certificate())
	t.Cleanup(transport.CloseIdleConnections)
	return store, newClientOf(t, fluentcart.Config{BaseURL: store.URL, Transport: transport})
}

// Nor is HTTP/2 spoken where it is offered: net/http would send a write again that the server has had.
func TestWriteThatIsForbiddenSendsNothingOverTLS(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("a store that offers HTTP/%d", version), func(t *testing.T) {
			var writes atomic.Int64
			var mu sync.Mutex
			conns := map[string]bool{}
			reading, finish := make(chan struct{}), make(chan struct{})
			store, client := newTLSStore(t, version == 2, func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 1 {
					t.Errorf("the store is spoken to in %s", r.Proto)
				}
				mu.Lock()
				conns[r.RemoteAddr] = true
				first := len(conns) == 1 && r.Method == http.MethodGet
				mu.Unlock()
				if r.Method == http.MethodPut {
					writes.Add(1)
				} else if first {
					select {
					case reading <- struct{}{}:
						<-finish
					case <-finish:
					}
				}
				works(w, r)
			})
			read := make(chan error)
			go func() { read <- get(t.Context(), client) }()
			<-reading
			for range 10 {
				got := failure(t, put(t.Context(), client, forbidden))
				if got.Kind != fluentcart.NotBegun || got.Sent || !errors.Is(got, errForbidden) {
					t.Errorf("got %v, sent: %v", got, got.Sent)
				}
			}
			close(finish)
			if err := <-read; err != nil {
				t.Errorf("the read beside it: %v", err)
			}
			if err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
			store.Close()
			if writes.Load() != 0 {
				t.Errorf("the store got %d writes", writes.Load())
			}
		})
	}
}

// There is a connection at once.
func TestWriteWhoseCallerHasLeftBeforeIsNotSentOverTLS(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("a store that offers HTTP/%d", version), func(t *testing.T) {
			var writes atomic.Int64
			store, client := newTLSStore(t, version == 2, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					writes.Add(1)
				}
				works(w, r)
			})
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for range 50 {
				got := failure(t, put(ctx, client, nil))
				if got.Kind != fluentcart.NoAnswer || got.Sent || !errors.Is(got, context.Canceled) {
					t.Fatalf("got %v, sent: %v", got, got.Sent)
				}
			}
			if err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
			store.Close()
			if writes.Load() != 0 {
				t.Errorf("the store got %d writes", writes.Load())
			}
		})
	}
}
