package fluentcart_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// The deadline of a request ends with it: a connection is used again after the deadline of its earlier request has passed.
func TestConnectionOutlivesTheDeadlineOfItsRequest(t *testing.T) {
	var log connectionLog
	store := httptest.NewServer(&log)
	t.Cleanup(store.Close)
	client := newClientOf(t, fluentcart.Config{BaseURL: store.URL})
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := get(short, client); err != nil {
		t.Fatal(err)
	}
	<-short.Done()
	if err := get(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if got := log.take(); len(got) != 2 || got[0].From != got[1].From {
		t.Errorf("the requests came over %v", got)
	}
}

// rawStore answers each request with the same bytes, over TLS or not, and counts its connections. It keeps a connection
// open after its response.
type rawStore struct {
	url   string
	roots *x509.CertPool

	mu          sync.Mutex
	connections int
}

func newRawStore(t testing.TB, secured bool, response string) *rawStore {
	t.Helper()
	certified := httptest.NewUnstartedServer(http.NotFoundHandler())
	certified.StartTLS() // for its certificate only
	t.Cleanup(certified.Close)
	store := &rawStore{roots: x509.NewCertPool()}
	store.roots.AddCert(certified.Certificate())
	scheme, over := "http://", (*tls.Config)(nil)
	if secured {
		scheme, over = "https://", &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12, DynamicRecordSizingDisabled: true}
	}
	store.url = scheme + serveRaw(t, over, func(conn net.Conn) {
		store.mu.Lock()
		store.connections++
		store.mu.Unlock()
		answerAlways(conn, response)
	})
	return store
}

// serveRaw accepts connections until the test ends, passes each to serve and closes it after that, and returns the address.
func serveRaw(t testing.TB, over *tls.Config, serve func(net.Conn)) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if over != nil {
		listener = tls.NewListener(listener, over)
	}
	var serving sync.WaitGroup
	t.Cleanup(serving.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close() //nolint:errcheck // the client has closed it, or sees its end
				serve(conn)
			})
		}
	})
	return address
}

func answerAlways(conn net.Conn, response string) {
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		if _, err := io.WriteString(conn, response); err != nil { // one write, so that all of it arrives together
			return
		}
	}
}

func (s *rawStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

func (s *rawStore) client(t testing.TB) *fluentcart.Client {
	t.Helper()
	transport := fluentcart.NewTransport()
	transport.Roots = func() *x509.CertPool { return s.roots }
	t.Cleanup(transport.CloseIdleConnections)
	return newClientOf(t, fluentcart.Config{BaseURL: s.url, Transport: transport})
}

// httpResponse returns a response of 4,096 bytes, as many as a bufio.Reader buffers: what follows it in one TLS record is
// left in the buffer of TLS.
func httpResponse(city string) string {
	body := fmt.Sprintf(`{"customer":{%s}}`, strings.Replace(annsColumns, "Paris", city, 1))
	rest := fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	start := "HTTP/1.1 200 OK\r\nX-Padding: "
	return start + strings.Repeat("x", 4096-len(start)-len(rest)) + rest
}

// Bytes behind a response would be read as the response to the next request, which may be about another customer.
func TestConnectionWithBytesBehindTheResponseIsNotUsedAgain(t *testing.T) {
	for _, row := range []struct {
		name    string
		secured bool
		behind  string
		want    int // connections for two reads
	}{
		{"nothing, without TLS", false, "", 1},
		{"nothing, over TLS", true, "", 1},
		{"another response, without TLS", false, httpResponse("Nice"), 2},
		{"another response, over TLS", true, httpResponse("Nice"), 2},
		{"a line break, without TLS", false, "\r\n", 2},
		{"a line break, over TLS", true, "\r\n", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := newRawStore(t, row.secured, httpResponse("Lyon")+row.behind)
			client := store.client(t)
			for range 2 {
				read, err := client.GetCustomer(t.Context(), 1)
				if err != nil {
					t.Fatal(err)
				}
				if *read.City != "Lyon" {
					t.Errorf("read %s", *read.City)
				}
			}
			if got := store.count(); got != row.want {
				t.Errorf("%d connections, want %d", got, row.want)
			}
		})
	}
}

func TestUnusualResponses(t *testing.T) {
	for _, row := range []struct {
		name, response string
		kind           fluentcart.Kind // 0 for a customer
	}{
		{"five informational responses in front", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 5) + httpResponse("Lyon"), 0},
		{"six informational responses in front", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 6) + httpResponse("Lyon"), fluentcart.NoAnswer},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" + httpResponse("Lyon"), fluentcart.NoAnswer},
		{"a status below 100", "HTTP/1.1 099 Odd\r\n\r\n" + httpResponse("Lyon"), fluentcart.NoAnswer},
		{"status 0", "HTTP/1.1 000 Odd\r\n\r\n" + httpResponse("Lyon"), fluentcart.NoAnswer},
		{"an empty body that is labelled as compressed", "HTTP/1.1 500 Internal Server Error\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", fluentcart.Broken},
		{"an encoding in capitals that is not gzip's format", "HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nContent-Length: 2\r\n\r\n{}", fluentcart.BadAnswer},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := newRawStore(t, false, row.response).client(t).GetCustomer(t.Context(), 1)
			if row.kind == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := failure(t, err); got.Kind != row.kind || !got.Sent {
				t.Errorf("%v, sent: %v", got, got.Sent)
			}
		})
	}
}

// A connection is not used any more once the roots that its certificate was verified with are replaced.
func TestReplacedRootsReachAnOpenConnection(t *testing.T) {
	store := newRawStore(t, true, httpResponse("Lyon"))
	roots := store.roots
	transport := fluentcart.NewTransport()
	transport.Roots = func() *x509.CertPool { return roots }
	t.Cleanup(transport.CloseIdleConnections)
	client := newClientOf(t, fluentcart.Config{BaseURL: store.url, Transport: transport})
	if err := get(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	if failed := failure(t, get(t.Context(), client)); failed.Kind != fluentcart.NotTrusted {
		t.Errorf("after the store's root was removed: %v", failed)
	}
}
