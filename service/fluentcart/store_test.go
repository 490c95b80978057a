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
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// newClient returns a client of a store that handler serves under a path prefix.
func newClient(t testing.TB, handler http.HandlerFunc) *fluentcart.Client {
	t.Helper()
	store := httptest.NewServer(handler)
	t.Cleanup(store.Close)
	return newClientOf(t, fluentcart.Config{BaseURL: store.URL + "/shop/"})
}

func newClientOf(t testing.TB, cfg fluentcart.Config) *fluentcart.Client {
	t.Helper()
	cfg.UserAgent = "tests/1"
	if cfg.Credentials == nil {
		cfg.Credentials = fluentcart.As("gateway", "pass word")
	}
	if cfg.GetTimeout == 0 {
		cfg.GetTimeout = time.Minute
	}
	if cfg.PutTimeout == 0 {
		cfg.PutTimeout = time.Minute
	}
	if cfg.Transport == nil {
		transport := fluentcart.NewTransport()
		t.Cleanup(transport.CloseIdleConnections)
		cfg.Transport = transport
	}
	client, err := fluentcart.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newTLSStore returns a store over TLS, with or without HTTP/2, and a client of it.
func newTLSStore(t testing.TB, http2 bool, handler http.HandlerFunc) (*httptest.Server, *fluentcart.Client) {
	t.Helper()
	store := httptest.NewUnstartedServer(handler)
	store.EnableHTTP2 = http2
	store.Config.ErrorLog = log.New(io.Discard, "", 0) // the server logs each handshake whose client has left
	store.StartTLS()
	t.Cleanup(store.Close)
	transport := fluentcart.NewTransport()
	roots := x509.NewCertPool()
	roots.AddCert(store.Certificate())
	transport.Roots = func() *x509.CertPool { return roots }
	t.Cleanup(transport.CloseIdleConnections)
	return store, newClientOf(t, fluentcart.Config{BaseURL: store.URL, Transport: transport})
}

const annsColumns = `"id":1,"user_id":null,"email":"ann@example.com","first_name":"Ann","last_name":"Lee","city":"Paris","state":"IDF","country":"FR","postcode":"75001","status":"active","notes":"","aov":"8300.00"`

// respondNormally is a store without faults.
func respondNormally(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = fmt.Fprintf(w, `{"customer":{%s}}`, annsColumns)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = fmt.Fprintf(w, `{"message":"ok","data":{%s}}`, annsColumns)
}

// respond returns a store that always sends the same response.
func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// badGateway is a store whose PHP is down.
var badGateway = respond(502, `<html>`)

// respondRetryAfter returns a store that sends a Retry-After header and no body.
func respondRetryAfter(status int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(status)
	}
}

// inSequence passes each request to the next handler, and all further requests to the last one.
func inSequence(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[min(next, len(handlers)-1)]
		next++
		mu.Unlock()
		handler(w, r)
	}
}

// dropConnection is a store that fails while it handles a request.
func dropConnection(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// neverRespond is a store that sends no response. It reads the body: a server notices that its client has left only then.
func neverRespond(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func get(ctx context.Context, client *fluentcart.Client) error {
	_, err := client.GetCustomer(ctx, 1)
	return err
}

// put sends a PUT. If ctx ends before the response, it gives the response up.
func put(ctx context.Context, client *fluentcart.Client, mayStart func() error) error {
	_, err := client.PutCustomer(ctx, fluentcart.Update{}, fluentcart.Customer{ID: 1}, mayStart)
	return givenUp(ctx, err)
}

// givenUp gives up the response to a PUT whose caller has left, and returns the error of a PUT.
func givenUp(ctx context.Context, err error) error {
	if failed, ok := errors.AsType[*fluentcart.Error](err); ok && failed.Kind == fluentcart.CallerLeft {
		_, err = failed.Await(ctx)
	}
	return err
}

// both sends a GET and a PUT, and returns their errors by method.
func both(ctx context.Context, client *fluentcart.Client) map[string]error {
	return map[string]error{"GET": get(ctx, client), "PUT": put(ctx, client, nil)}
}

// failure returns the Error of a call that must fail.
func failure(t testing.TB, err error) *fluentcart.Error {
	t.Helper()
	var failed *fluentcart.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an Error", err)
	}
	return failed
}
