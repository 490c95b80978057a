package server_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rawConn connects to a door, over TLS if there is a configuration for it, for a short exchange.
func rawConn(t testing.TB, address string, over *tls.Config) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // as a rule it has been, by either side
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if over != nil {
		return tls.Client(conn, over)
	}
	return conn
}

// rawJSON sends the bytes of a request, which no client has had a look at, to the JSON door. It reads one answer, and
// then to the end of the connection: what was left of the request must not be taken for another one.
func rawJSON(t testing.TB, conn net.Conn, request string) (*http.Response, []byte) {
	t.Helper()
	defer conn.Close() //nolint:errcheck // it has been read to its end
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	response, err := http.ReadResponse(answers, nil)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(answers, nil)
	}
	if err != nil {
		t.Fatalf("%.200q: no answer: %v", request, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%.200q: %v", request, err)
	}
	_ = conn.(interface{ CloseWrite() error }).CloseWrite() // the gateway may have hung up before
	rest, _ := io.ReadAll(answers)
	if len(rest) > 0 && !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") {
		t.Errorf("behind the answer: %q", rest)
	}
	return response, body
}
