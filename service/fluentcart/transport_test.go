package fluentcart_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/sandboxtest"
)

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
			if got := stated(t, err); got.Kind != fluentcart.Redirected || got.Status != status || reached {
				t.Errorf("%s with response %d: %v, followed: %v", method, status, got, reached)
			}
		}
	}
}

func TestResponsesAreBounded(t *testing.T) {
	const huge = 8 << 20
	for name, handler := range map[string]http.HandlerFunc{
		"a long response": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", huge))
		},
		"a small response that decompresses to a long one": func(w http.ResponseWriter, _ *http.Request) {
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

func TestIncompleteResponsesAreNoAnswer(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"a connection that is closed before the response": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a connection that is closed within the response": func(w http.ResponseWriter, _ *http.Request) {
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

func TestErrorOfTheContextIsReported(t *testing.T) {
	client := newClient(t, neverRespond)
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

func TestTimeoutsOfTheClientEndACall(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(neverRespond))
	t.Cleanup(store.Close)
	client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, GetTimeout: 20 * time.Millisecond, PutTimeout: 20 * time.Millisecond})
	for method, err := range both(t.Context(), client) {
		got := failure(t, err)
		if got.Kind != fluentcart.NoAnswer || !got.Sent || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, sent: %v", method, got, got.Sent)
		}
	}
}

func TestUnreachableStoresAreClassified(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // the server logs each handshake that fails
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = untrusted.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, row := range []struct {
		name, url string
		kind      fluentcart.Kind
	}{
		{"a connection that is closed during the handshake", answerOnce(t, ""), fluentcart.Unreachable},
		{"an empty hello of the store", answerOnce(t, "\x16\x03\x03\x00\x04\x02\x00\x00\x00"), fluentcart.NotTrusted},
		{"an alert of the store", answerOnce(t, "\x15\x03\x03\x00\x02\x02\x28"), fluentcart.NotTrusted},
		{"a refused connection", sandboxtest.Down(t), fluentcart.Unreachable},
		{"a certificate that is not trusted", untrusted.URL, fluentcart.NotTrusted},
		{"TLS 1.1", old.URL, fluentcart.NotTrusted},
		{"plain HTTP instead of TLS", strings.Replace(plain.URL, "http:", "https:", 1), fluentcart.NotTrusted},
	} {
		t.Run(row.name, func(t *testing.T) {
			for method, err := range both(t.Context(), newClientOf(t, fluentcart.Config{BaseURL: row.url})) {
				got := failure(t, err)
				if got.Kind != row.kind || got.Sent || got.Status != 0 {
					t.Errorf("%s: %v, sent: %v", method, got, got.Sent)
				}
				if strings.Contains(got.Error(), "customers/1") {
					t.Errorf("%s: the error holds the address: %v", method, got)
				}
			}
		})
	}
}

// answerOnce returns the address of a store that reads the beginning of a TLS handshake, answers with the given bytes, and
// closes the connection.
func answerOnce(t testing.TB, answer string) string {
	t.Helper()
	return "https://" + serveRaw(t, nil, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4<<10)) // a hello is shorter
		_, _ = io.WriteString(conn, answer)
	})
}

// A transport that used the environment's proxy would send the shop's credentials to it.
func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://proxy.example:3128")
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	for _, row := range []struct{ name, store, dialled string }{
		{"a store without TLS", "http://store.example", "store.example:80"},
		{"a store with TLS", "https://store.example", "store.example:443"},
		{"a store on a port", "http://store.example:8080", "store.example:8080"},
		{"an IPv6 address", "https://[2001:db8::1]", "[2001:db8::1]:443"},
		{"a name with an umlaut", "https://lädchen.example", "xn--ldchen-bua.example:443"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var dialled []string
			transport := fluentcart.NewTransport()
			transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				return nil, net.ErrClosed
			}
			err := put(t.Context(), newClientOf(t, fluentcart.Config{BaseURL: row.store, Transport: transport}), nil)
			if err == nil || !slices.Contains(dialled, row.dialled) || len(slices.Compact(dialled)) != 1 {
				t.Errorf("dialled %q, want %s: %v", dialled, row.dialled, err)
			}
		})
	}
}

func TestOnlyTheGivenRootsAreTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(respondNormally))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the server logs each handshake that fails
	server.StartTLS()
	t.Cleanup(server.Close)
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	roots := x509.NewCertPool()
	transport := fluentcart.NewTransport()
	transport.Roots = func() *x509.CertPool { return roots }
	t.Cleanup(transport.CloseIdleConnections)
	client := newClientOf(t, fluentcart.Config{BaseURL: server.URL, Transport: transport})

	if failed := failure(t, get(t.Context(), client)); failed.Kind != fluentcart.NotTrusted || failed.Sent {
		t.Errorf("with other roots: %v", failed)
	}
	roots = known
	if err := get(t.Context(), client); err != nil {
		t.Errorf("after the roots were replaced: %v", err)
	}
}

// The client uses HTTP/1 with a server that offers HTTP/2.
func TestHTTP2IsNeverUsed(t *testing.T) {
	var versions sync.Map
	_, client := newTLSStore(t, true, func(w http.ResponseWriter, r *http.Request) {
		versions.Store(r.Proto, true)
		respondNormally(w, r)
	})
	if err := get(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), client, nil); err != nil {
		t.Fatal(err)
	}
	versions.Range(func(version, _ any) bool {
		if version != "HTTP/1.1" {
			t.Errorf("the store got a request over %s", version)
		}
		return true
	})
}
