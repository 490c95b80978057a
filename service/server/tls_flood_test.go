package server_test

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// Connections with incomplete TLS handshakes, or without anything after them, do not add up: the oldest are closed, memory
// stays bounded, and new clients are served.
func TestSlowHandshakesAreBounded(t *testing.T) {
	own, caller := certificate(t, "gateway"), certificate(t, "caller")
	client := &tls.Config{RootCAs: trusting(own), Certificates: []tls.Certificate{caller}, MinVersion: tls.VersionTLS12}
	for _, row := range []struct {
		name  string
		conns int
		open  func(net.Conn) error
	}{
		{"half a greeting", 1000, func(conn net.Conn) error {
			_, err := conn.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
			return err
		}},
		{"a handshake and nothing more", 400, func(conn net.Conn) error {
			offered := client.Clone()
			offered.ServerName, offered.NextProtos = "127.0.0.1", []string{"h2", "http/1.1"}
			return tls.Client(conn, offered).HandshakeContext(t.Context())
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := startTLS(t, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12})
			before := inUse()
			for _, address := range []string{g.conn.Target(), strings.TrimPrefix(g.url, "http://")} {
				conns := make([]net.Conn, row.conns)
				var all sync.WaitGroup
				parallel := make(chan struct{}, 16)
				for i := range conns {
					parallel <- struct{}{}
					all.Go(func() {
						defer func() { <-parallel }()
						conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
						if err != nil {
							t.Error(err)
							return
						}
						_ = row.open(conn) // an evicted connection gets an error
						conns[i] = conn
					})
				}
				all.Wait()
				if open := countOpen(conns); open > connlimit.MaxUnauthenticated || open == 0 {
					t.Errorf("%d of %d connections are open, want at most %d", open, row.conns, connlimit.MaxUnauthenticated)
				}
				if message, _, err := callTLS(t, g, client); err != nil || message != "caller" {
					t.Errorf("a new client of the gRPC server: %q, %v", message, err)
				}
				transport := &http.Transport{TLSClientConfig: client.Clone(), DisableKeepAlives: true}
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, strings.Replace(g.url, "http:", "https:", 1)+"/v1/customers/1", strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Errorf("a new client of the HTTP/JSON gateway: %v", err)
				} else {
					_ = response.Body.Close()
				}
				grown := int(inUse()-before) >> 20
				t.Logf("%d MiB more, of both sides", grown)
				if grown > 32 {
					t.Errorf("%d MiB more, want at most 32", grown)
				}
				for _, conn := range conns {
					_ = conn.Close()
				}
			}
		})
	}
}

// countOpen counts the connections that the other side has not closed within four seconds: a second longer than those of
// a flood wait for a place.
func countOpen(conns []net.Conn) int {
	open := make(chan bool)
	for _, conn := range conns {
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(4 * time.Second))
			buffer := make([]byte, 4096)
			_, err := conn.Read(buffer)
			for err == nil {
				_, err = conn.Read(buffer)
			}
			open <- errors.Is(err, os.ErrDeadlineExceeded)
		}()
	}
	count := 0
	for range conns {
		if <-open {
			count++
		}
	}
	return count
}

// inUse is the memory that the process uses for its heap and its stacks.
func inUse() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse + stats.StackInuse)
}
