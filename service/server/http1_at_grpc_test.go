package server_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// A client of HTTP/1.1 at the gRPC port gets a response that it can read, and the log says so.
func TestHTTP1AtTheGRPCPortIsAnsweredWithTheRightPort(t *testing.T) {
	g := start(t, options{})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(g.url, "http://"))
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: localhost:9090\r\n\r\n",
		"PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost:9090\r\nContent-Length: 2\r\n\r\n{}",
		"PUT /wp-json/fluent-cart/v2/customers/1 HTTP/1.0\r\n\r\n",
	} {
		response, body := rawJSON(t, rawConn(t, g.conn.Target(), nil), request)
		if want := "this is the port of the gRPC server; HTTP/JSON is served on port " + port + " (--http-addr)\n"; response.StatusCode != http.StatusBadRequest || string(body) != want {
			t.Errorf("%q: %s, %s", request, response.Status, body)
		}
	}
	g.stopNow(t)
	if got := strings.Count(g.log.String(), `"error":"the client speaks HTTP/1.1 to the gRPC server"`); got != 3 {
		t.Errorf("%d lines in the log, want 3:\n%s", got, g.log)
	}
}

// TLS and other bytes get SETTINGS and the end of the connection, as ever: a TLS client then says that this is no TLS.
func TestOtherProtocolsAtTheGRPCPortEndTheConnection(t *testing.T) {
	g := start(t, options{})
	for _, sent := range []string{"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03" + strings.Repeat("x", 30), "SSH-2.0-OpenSSH_9.9\r\n12345678", strings.Repeat("P", 24)} {
		conn := rawConn(t, g.conn.Target(), nil)
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		first, err := http2.NewFramer(nil, conn).ReadFrame()
		if _, ok := first.(*http2.SettingsFrame); !ok {
			t.Errorf("%q: %v, %v", sent, first, err)
		}
		_, _ = io.Copy(io.Discard, conn) // its end may be a reset, because not all was read
	}
}
