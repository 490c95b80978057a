package fluentcart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"
	"unicode"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// canned is a connection to a store that sends the same bytes to every request, and closes the connection.
type canned struct {
	net.Conn // for its addresses only

	response io.Reader
}

func (canned) Write(p []byte) (int, error)  { return len(p), nil }
func (c canned) Read(p []byte) (int, error) { return c.response.Read(p) }
func (canned) SetDeadline(time.Time) error  { return nil }
func (canned) Close() error                 { return nil }

// newCannedClient returns a client of a store that sends these bytes to every request.
func newCannedClient(t testing.TB, response []byte) *fluentcart.Client {
	transport := fluentcart.NewTransport()
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return canned{response: bytes.NewReader(response)}, nil
	}
	return newClientOf(t, fluentcart.Config{BaseURL: "http://localhost", Transport: transport})
}

// FuzzDecode gives the client any status and body. The client must return the customer that it was asked for, or an Error
// whose text is fit for a log.
func FuzzDecode(f *testing.F) {
	for _, recorded := range recordings(f) {
		f.Add(recorded.Response.Status, []byte(recorded.Response.JSON))
	}
	files, err := filepath.Glob("testdata/failures/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no failures: %v", err)
	}
	for _, file := range files {
		status, _, body := rawResponse(f, filepath.Base(file))
		f.Add(status, body)
	}
	f.Add(200, []byte(`{"customer":{`+annsColumns+`},"message":"ok","data":{`+annsColumns+`}}`))
	f.Add(500, []byte(`{"code":"42\u0000"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 999 {
			status = 200 // others are not the status of a final response
		}
		client := newCannedClient(t, append(fmt.Appendf(nil, "HTTP/1.1 %d Status\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", status, len(body)), body...))
		got, getErr := client.GetCustomer(t.Context(), 1)
		check(t, got, getErr)
		put, putErr := client.PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
		check(t, put, putErr)
	})
}

// FuzzExchange gives the client any bytes in place of an HTTP response. The client must return within its bounds, and what
// it returns is the customer that it was asked for or an Error.
func FuzzExchange(f *testing.F) {
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 500 No\r\n\r\n{\"code\":423}",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "<html>", "",
		"HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(annsColumns)+15) + "\r\n\r\n{\"customer\":{" + annsColumns + "}}",
	} {
		f.Add([]byte(response))
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		client := newCannedClient(t, response)
		got, err := client.GetCustomer(t.Context(), 1)
		check(t, got, err)
		put, err := client.PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
		check(t, put, err)
		var failed *fluentcart.Error
		if errors.As(err, &failed) && !failed.Sent && failed.Kind != fluentcart.Suspended {
			t.Errorf("the write left, and is reported as not sent: %v", err)
		}
	})
}

func check(t *testing.T, customer *fluentcart.Customer, err error) {
	t.Helper()
	if err == nil {
		if customer.ID != 1 || customer.Email == "" {
			t.Errorf("got %+v", customer)
		}
		return
	}
	var failed *fluentcart.Error
	if !errors.As(err, &failed) || failed.Kind == 0 || customer != nil {
		t.Fatalf("got %+v, %v", customer, err)
	}
	for _, r := range failed.Error() {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			t.Errorf("%q is in %q", r, failed.Error())
		}
	}
}
