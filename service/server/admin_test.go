package server_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// startAdmin runs an admin server until the test ends, or stop is called.
func startAdmin(t *testing.T, cfg server.AdminConfig) (addr string, stop func()) {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	if cfg.NotReady == nil {
		cfg.NotReady = func() []string { return nil }
	}
	cfg.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
	listener := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- server.NewAdmin(cfg).Run(ctx, listener)
		close(ended)
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

// ask sends a request as it is written, and returns the status line and the body.
func ask(t *testing.T, addr, request string) (status, body string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the response is read
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body) // a rejected request whose body is not read ends with a reset
	if !response.Close {
		t.Errorf("%q: the connection is kept", request)
	}
	return response.Status, string(content)
}

func TestAdminServerServesItsPathsOnly(t *testing.T) {
	plain, _ := startAdmin(t, server.AdminConfig{})
	failingLease, _ := startAdmin(t, server.AdminConfig{NotReady: func() []string { return []string{"one thing", "another thing"} }})
	profiled, _ := startAdmin(t, server.AdminConfig{Profiles: true})
	const end = " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, row := range []struct {
		name, addr, request string
		status, body        string // the beginning of each
	}{
		{"alive", plain, "GET /livez" + end, "200", "ok\n"},
		{"alive whatever is behind the servers", failingLease, "GET /livez" + end, "200", "ok\n"},
		{"ready", plain, "GET /readyz" + end, "200", "ready\n"},
		{"ready, without a body", plain, "HEAD /readyz" + end, "200", ""},
		{"not ready, with the reasons", failingLease, "GET /readyz" + end, "503", "one thing\nanother thing\n"},
		{"metrics", plain, "GET /metrics" + end, "200", "metrics"},
		{"no profiles unless they are enabled", plain, "GET /debug/pprof/" + end, "404", ""},
		{"profiles", profiled, "GET /debug/pprof/" + end, "200", "<html>"},
		{"one profile", profiled, "GET /debug/pprof/goroutine?debug=1" + end, "200", "goroutine profile"},
		{"no other path", plain, "GET /" + end, "404", ""},
		{"no other method", plain, "POST /livez" + end, "405", ""},
		{"no method that changes a profile", profiled, "POST /debug/pprof/symbol" + end, "405", ""},
		{"no body", plain, "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx", "413", "requests here have no body"},
		{"no body of unknown length", plain, "GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413", ""},
		{"no large headers", plain, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", "431", ""},
		{"no page of another origin", profiled, "GET /debug/pprof/heap HTTP/1.1\r\nHost: rebound.example.com\r\nSec-Fetch-Site: same-origin\r\n\r\n", "403", ""},
		{"a browser on this machine", profiled, "GET /debug/pprof/ HTTP/1.1\r\nHost: localhost:9091\r\nSec-Fetch-Site: none\r\n\r\n", "200", "<html>"},
		{"a program that fetches as Node does", profiled, "GET /debug/pprof/ HTTP/1.1\r\nHost: gateway.internal:9091\r\nSec-Fetch-Mode: cors\r\n\r\n", "200", "<html>"},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, body := ask(t, row.addr, row.request)
			if row.status == "" { // anything but HTTP/2
				if strings.HasPrefix(status, "2") {
					t.Errorf("got %s", status)
				}
				return
			}
			if !strings.HasPrefix(status, row.status) || !strings.HasPrefix(body, row.body) || row.body == "" && strings.HasPrefix(status, "2") && body != "" {
				t.Errorf("got %s, %q", status, body)
			}
		})
	}
}

// Idle connections make others wait. Their number is bounded, and with it their memory.
func TestAdminServerBoundsItsConnections(t *testing.T) {
	addr, _ := startAdmin(t, server.AdminConfig{})
	idle := make([]net.Conn, 64)
	for i := range idle {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		idle[i] = conn
		t.Cleanup(func() { _ = conn.Close() })
	}
	answered := make(chan string, 1)
	go func() {
		status, _ := ask(t, addr, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answered <- status
	}()
	_ = idle[0].Close() // its place becomes free
	if status := <-answered; !strings.HasPrefix(status, "200") {
		t.Errorf("got %s", status)
	}
}

// A long profile does not keep the gateway from stopping.
func TestAdminServerStopsWhileAProfileIsTaken(t *testing.T) {
	addr, stop := startAdmin(t, server.AdminConfig{Profiles: true})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it is cut off
	if _, err := io.WriteString(conn, "GET /debug/pprof/trace?seconds=600 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil { // it has begun
		t.Fatal(err)
	}
	stop()
}

// The time in which a request must arrive does not limit the duration of a profile.
func TestAdminServerTakesAProfileForLongerThanItsRequestMayTakeToArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		admin := server.NewAdmin(server.AdminConfig{Metrics: http.NotFoundHandler(), Profiles: true, Logger: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- admin.Run(ctx, listener) }()
		conn, err := listener.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		response := firstResponse(t, conn, "GET /debug/pprof/heap?seconds=30 HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if response.StatusCode != http.StatusOK {
			t.Errorf("the response is %s", response.Status)
		}
		_ = conn.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
