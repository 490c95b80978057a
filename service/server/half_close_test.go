package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// endings are bytes that stand, when they arrive alone, for the end of what a client sends.
var endings = map[byte]error{'F': io.EOF, 'R': syscall.ECONNRESET}

// endingConn is the gateway's side of a connection in memory, which cannot be closed by halves.
type endingConn struct {
	net.Conn

	ended error
}

func (c *endingConn) Read(p []byte) (int, error) {
	if c.ended != nil {
		return 0, c.ended
	}
	n, err := c.Conn.Read(p)
	if n == 1 && endings[p[0]] != nil {
		c.ended = endings[p[0]]
		return 0, c.ended
	}
	return n, err
}

// The outcome of a call whose client closes its side of the connection before it has the response.
func TestClientThatClosesItsSideOfTheConnection(t *testing.T) {
	const request = "PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
	own := certificate(t, "gateway")
	for _, row := range []struct {
		name, request string
		tls           bool
		after         time.Duration
		end           string
		cancelled     bool
	}{
		{"at once gets its answer", request, false, 0, "F", false},
		{"at once over HTTP/1.0 gets its answer", strings.Replace(request, "1.1", "1.0", 1), false, 0, "F", false},
		{"at once after chunks gets its answer", strings.Replace(request, "Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 1), false, 0, "F", false},
		{"at once over TLS gets its answer", request, true, 0, "", false},
		{"over a slow line gets its answer", request, false, 500 * time.Millisecond, "F", false},
		{"later has given up", request, false, 2 * time.Second, "F", true},
		{"later over TLS has given up", request, true, 2 * time.Second, "", true},
		{"by a reset is gone", request, false, 0, "R", true},
		{"by a reset over TLS is gone", request, true, 0, "R", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := server.Config{
					DefaultTimeout: time.Minute, DrainTimeout: time.Second,
					Customers: scripted{update: func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
						select {
						case <-time.After(20 * time.Second):
							return &customerv1.UpdateCustomerResponse{}, nil
						case <-ctx.Done():
							return nil, ctx.Err()
						}
					}},
				}
				if row.tls {
					cfg.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
				}
				b := serveInMemory(t, cfg)
				defer b.stop()
				near, far := net.Pipe()
				defer near.Close() //nolint:errcheck // the gateway may have closed it
				b.json.coming <- &endingConn{Conn: far}
				conn := near
				if row.tls {
					conn = tls.Client(near, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
				}
				if _, err := io.WriteString(conn, row.request); err != nil {
					t.Fatal(err)
				}
				<-time.After(row.after)
				begin := time.Now()
				var err error
				if row.end == "" {
					err = conn.(*tls.Conn).CloseWrite()
				} else {
					_, err = io.WriteString(near, row.end)
				}
				if err != nil {
					t.Fatal(err)
				}
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				switch took := time.Since(begin); {
				case row.cancelled && (took != 0 || err == nil && response.StatusCode == http.StatusOK):
					t.Errorf("after %s: %v, %v", took, response, err)
				case !row.cancelled && (err != nil || response.StatusCode != http.StatusOK):
					t.Errorf("after %s: %v, %v", took, response, err)
				}
			})
		})
	}
}

// A half-closed connection is cut off like any other when the drain time is over.
func TestHalfClosingClientDoesNotDelayTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serveInMemory(t, server.Config{
			DefaultTimeout: time.Minute, DrainTimeout: time.Second,
			Customers: scripted{update: func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}},
		})
		near, far := net.Pipe()
		defer near.Close() //nolint:errcheck // the gateway has closed it
		b.json.coming <- &endingConn{Conn: far}
		for _, sent := range []string{"PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "F"} {
			if _, err := io.WriteString(near, sent); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		begin := time.Now()
		b.stop()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("the stop takes %s", took)
		}
	})
}
