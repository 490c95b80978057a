package fluentcart_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// locked is a store that knows one password, and counts who comes.
type locked struct {
	password      string
	let, refused  atomic.Int32
	refusedMethod atomic.Value
}

func (l *locked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, password, _ := r.BasicAuth(); password != l.password {
		l.refused.Add(1)
		l.refusedMethod.Store(r.Method)
		answering(http.StatusUnauthorized, `{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that."}`)(w, r)
		return
	}
	l.let.Add(1)
	works(w, r)
}

// rotating are credentials that are read anew when the store has refused them.
type rotating struct{ inUse, onDisk string }

func (r *rotating) config() fluentcart.Config {
	return fluentcart.Config{
		Credentials: func(context.Context) fluentcart.Credentials {
			return fluentcart.Credentials{Username: "gateway", Password: secret.New(r.inUse)}
		},
		Renew: func() { r.inUse = r.onDisk },
	}
}

func TestPasswordThatWasReplacedIsUsedAfterARefusal(t *testing.T) {
	for method, call := range map[string]func(*fluentcart.Client) error{
		http.MethodGet: func(c *fluentcart.Client) error { return get(t.Context(), c) },
		http.MethodPut: func(c *fluentcart.Client) error { return put(t.Context(), c, nil) },
	} {
		t.Run(method, func(t *testing.T) {
			store := &locked{password: "new"}
			password := &rotating{inUse: "old", onDisk: "new"}
			server := httptest.NewServer(store)
			t.Cleanup(server.Close)
			cfg := password.config()
			cfg.BaseURL = server.URL
			if err := call(newClientOf(t, cfg)); err != nil {
				t.Fatal(err)
			}
			if store.refused.Load() != 1 || store.let.Load() != 1 || store.refusedMethod.Load() != method {
				t.Errorf("the store refused %d and let in %d, want 1 and 1", store.refused.Load(), store.let.Load())
			}
		})
	}
}

func TestPasswordThatStaysWrongIsTriedOnce(t *testing.T) {
	for name, password := range map[string]*rotating{
		"the same as before": {inUse: "old", onDisk: "old"},
		"another wrong one":  {inUse: "old", onDisk: "older"},
	} {
		t.Run(name, func(t *testing.T) {
			store := &locked{password: "new"}
			server := httptest.NewServer(store)
			t.Cleanup(server.Close)
			cfg, tries := password.config(), int32(1)
			if password.inUse != password.onDisk {
				tries = 2
			}
			cfg.BaseURL = server.URL
			if failed := failure(t, get(t.Context(), newClientOf(t, cfg))); failed.Kind != fluentcart.Unauthenticated {
				t.Errorf("got %v", failed)
			}
			if got := store.refused.Load(); got != tries {
				t.Errorf("%d requests, want %d", got, tries)
			}
		})
	}
}

func TestGivenRootsAreTheOnlyOnes(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(works))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of each handshake that fails
	server.StartTLS()
	t.Cleanup(server.Close)
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	roots := x509.NewCertPool()
	transport := fluentcart.NewTransport()
	fluentcart.Trusting(transport, func() *x509.CertPool { return roots })
	t.Cleanup(transport.CloseIdleConnections)
	client := newClientOf(t, fluentcart.Config{BaseURL: server.URL, Transport: transport})

	if failed := failure(t, get(t.Context(), client)); failed.Kind != fluentcart.NotTrusted || failed.Sent {
		t.Errorf("with other roots: %v", failed)
	}
	roots = known
	if err := get(t.Context(), client); err != nil {
		t.Errorf("when the roots had been replaced: %v", err)
	}
}
