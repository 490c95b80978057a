package fluentcart_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/sandboxtest"
)

// both makes a GET and a PUT, and returns their errors by method.
func both(ctx context.Context, client *fluentcart.Client) map[string]error {
	_, getErr := client.GetCustomer(ctx, 1)
	_, _, putErr := client.PutCustomer(ctx, fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
	return map[string]error{"GET": getErr, "PUT": putErr}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		reached := false
		client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "elsewhere") {
				reached = true
			}
			http.Redirect(w, r, "/elsewhere", status)
		})
		for method, err := range both(t.Context(), client) {
			if got := failure(t, err); got.Kind != fluentcart.Redirected || got.Status != status || reached {
				t.Errorf("%s answered %d: %v, followed: %v", method, status, got, reached)
			}
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	const huge = 8 << 20
	for name, handler := range map[string]http.HandlerFunc{
		"a long answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", huge))
		},
		"a small answer that unpacks to a long one": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			_, _ = io.WriteString(packed, strings.Repeat("x", huge))
			_ = packed.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for method, err := range both(t.Context(), newClient(t, handler)) {
				if got := failure(t, err); got.Kind != fluentcart.BadAnswer || !strings.Contains(got.Error(), "over 1048576 bytes") {
					t.Errorf("%s: %v", method, got)
				}
			}
		})
	}
}

func TestIncompleteAnswersAreNone(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"a connection that is cut before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a connection that is cut within the answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"message":"ok","data":{`+annsColumns)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for method, err := range both(t.Context(), newClient(t, handler)) {
				if got := failure(t, err); got.Kind != fluentcart.NoAnswer || !got.Sent {
					t.Errorf("%s: %v, sent: %v", method, got, got.Sent)
				}
			}
		})
	}
}

// silent never answers. It reads the body, since a server notices that its client has gone only after that.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestContextsErrorWins(t *testing.T) {
	client := newClient(t, silent)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for method, err := range both(cancelled, client) {
		if got := failure(t, err); got.Kind != fluentcart.NoAnswer || got.Sent || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled before: %v, sent: %v", method, got, got.Sent)
		}
	}
	for _, method := range []string{"GET", "PUT"} {
		passing, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := both(passing, client)[method]
		if !errors.Is(err, context.DeadlineExceeded) || failure(t, err).Kind != fluentcart.NoAnswer {
			t.Errorf("%s, deadline passed: %v", method, err)
		}
	}
}

func TestClientsOwnTimeouts(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(silent))
	t.Cleanup(store.Close)
	client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, GetTimeout: 20 * time.Millisecond, PutTimeout: 20 * time.Millisecond})
	for method, err := range both(t.Context(), client) {
		got := failure(t, err)
		if got.Kind != fluentcart.NoAnswer || !got.Sent || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, sent: %v", method, got, got.Sent)
		}
	}
}

func TestStoresThatAreNotReached(t *testing.T) {
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of each handshake that fails
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = stranger.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, row := range []struct {
		name, url string
		kind      fluentcart.Kind
	}{
		{"nobody listens", sandboxtest.Down(t), fluentcart.Unreachable},
		{"a certificate that nobody vouches for", stranger.URL, fluentcart.NotTrusted},
		{"TLS 1.1", old.URL, fluentcart.NotTrusted},
		{"plain HTTP where TLS should be", strings.Replace(plain.URL, "http:", "https:", 1), fluentcart.NotTrusted},
	} {
		t.Run(row.name, func(t *testing.T) {
			for method, err := range both(t.Context(), newClientOf(t, fluentcart.Config{BaseURL: row.url})) {
				got := failure(t, err)
				if got.Kind != row.kind || got.Sent || got.Status != 0 {
					t.Errorf("%s: %v, sent: %v", method, got, got.Sent)
				}
				if strings.Contains(got.Error(), "customers/1") {
					t.Errorf("%s: the address is told: %v", method, got)
				}
			}
		})
	}
}

// A transport that looked at the environment would send the shop's credentials to the proxy.
func TestNoProxyFromTheEnvironment(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://proxy.example:3128")
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	looking := fluentcart.NewTransport()
	looking.Proxy = func(r *http.Request) (*url.URL, error) { return httpproxy.FromEnvironment().ProxyFunc()(r.URL) }
	for _, row := range []struct {
		name, store string
		transport   *http.Transport
		dialled     string
	}{
		{"a store without TLS", "http://store.example", fluentcart.NewTransport(), "store.example:80"},
		{"a store with TLS", "https://store.example", fluentcart.NewTransport(), "store.example:443"},
		{"a transport that looks at the environment, without TLS", "http://store.example", looking, "proxy.example:3128"},
		{"a transport that looks at the environment, with TLS", "https://store.example", looking, "proxy.example:3128"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var dialled []string
			row.transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				return nil, net.ErrClosed
			}
			err := put(t.Context(), newClientOf(t, fluentcart.Config{BaseURL: row.store, Transport: row.transport}), nil)
			if err == nil || !slices.Contains(dialled, row.dialled) || len(slices.Compact(dialled)) != 1 {
				t.Errorf("dialled %q, want %s: %v", dialled, row.dialled, err)
			}
		})
	}
}
