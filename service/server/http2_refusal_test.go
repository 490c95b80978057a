package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// callAtWrongPort makes a call over gRPC to a server of HTTP/1.1. The call waits for a connection, as grpcurl does.
func callAtWrongPort(t *testing.T, address string) *status.Status {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the call has ended
	_, err = customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{}, grpc.WaitForReady(true))
	return status.Convert(err)
}

// callFields are the headers of a call with a body of some type.
func callFields(contentType string) []hpack.HeaderField {
	return []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: customerv1.CustomerService_UpdateCustomer_FullMethodName},
		{Name: ":authority", Value: "gateway.example"},
		{Name: "content-type", Value: contentType},
	}
}

func TestGRPCAtTheJSONPortIsAnsweredWithTheRightPort(t *testing.T) {
	g := start(t, options{})
	_, port, _ := net.SplitHostPort(g.conn.Target())
	want := "this is the port of the HTTP/JSON gateway, which speaks HTTP/1.1; gRPC is served on port " + port + " (--grpc-addr)"
	for range 2 {
		s := callAtWrongPort(t, strings.TrimPrefix(g.url, "http://"))
		if s.Code() != codes.FailedPrecondition || s.Message() != want || !strings.Contains(fmt.Sprint(s.Details()), "not_sent") {
			t.Errorf("code %s, details %v: %s", s.Code(), s.Details(), s.Message())
		}
	}
	g.stopNow(t)
	if got := strings.Count(g.log.String(), `"error":"the client speaks HTTP/2 to the HTTP/JSON gateway"`); got < 2 || !strings.Contains(g.log.String(), string(apierror.NoSuchPath)) {
		t.Errorf("%d lines in the log:\n%s", got, g.log)
	}
}

func TestGRPCAtTheAdminPortIsAnswered(t *testing.T) {
	addr, _ := startAdmin(t, server.AdminConfig{})
	if s := callAtWrongPort(t, addr); s.Code() != codes.FailedPrecondition || !strings.Contains(s.Message(), "this is the port of the admin server") {
		t.Errorf("code %s: %s", s.Code(), s.Message())
	}
}

// A client without ALPN can speak HTTP/2 over TLS too.
func TestHTTP2OverTLSIsAnswered(t *testing.T) {
	own := certificate(t, "gateway")
	g := start(t, options{tls: &tls.Config{Certificates: []tls.Certificate{own}}})
	conn := rawConn(t, strings.TrimPrefix(g.url, "http://"), &tls.Config{InsecureSkipVerify: true})
	fields, err := rawGRPC(t, conn, callFields("application/grpc"), &customerv1.UpdateCustomerRequest{})
	if err != nil || !strings.Contains(fmt.Sprint(fields), "this%20is%20the%20port") {
		t.Errorf("%v: %v", err, fields)
	}
}

// A client that is no gRPC client is asked to use HTTP/1.1.
func TestHTTP2WithoutGRPCIsAskedToUseHTTP1(t *testing.T) {
	g := start(t, options{})
	conn := rawConn(t, strings.TrimPrefix(g.url, "http://"), nil)
	_, err := rawGRPC(t, conn, callFields("application/json"), &customerv1.UpdateCustomerRequest{})
	if err == nil || !strings.Contains(err.Error(), "HTTP_1_1_REQUIRED") {
		t.Errorf("%v", err)
	}
}

// A client that speaks HTTP/2 and says nothing, or too much, does not keep its connection.
func TestHTTP2ClientCannotHoldTheConnection(t *testing.T) {
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	ping := "\x00\x00\x08\x06\x00\x00\x00\x00\x00" + "12345678"
	for _, row := range []struct {
		name, sent string
		within     time.Duration
	}{
		{"that sends nothing after the preface", http2.ClientPreface, 2 * time.Second},
		{"that sends a part of the preface", http2.ClientPreface[:len(http2.ClientPreface)-3], 2 * time.Second},
		{"that sends SETTINGS only", http2.ClientPreface + settings, 2 * time.Second},
		{"that sends a part of a frame", http2.ClientPreface + settings[:4], 2 * time.Second},
		{"that sends something else after the preface", strings.Replace(http2.ClientPreface, "SM", "XX", 1), 0},
		{"that pings without end", http2.ClientPreface + settings + strings.Repeat(ping, 100), 0},
		{"that sends a frame that is too large", http2.ClientPreface + "\xff\xff\xff\x00\x00\x00\x00\x00\x01", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serveInMemory(t, server.Config{Customers: scripted{}, DefaultTimeout: time.Minute, DrainTimeout: time.Second})
				defer b.stop()
				near, far := net.Pipe()
				defer near.Close() //nolint:errcheck // the gateway has closed it
				b.json.coming <- far
				begin := time.Now()
				go func() { _, _ = io.WriteString(near, row.sent) }() // it fails when the gateway has heard enough
				answer, err := io.ReadAll(near)
				if took := time.Since(begin); err != nil || took > row.within {
					t.Errorf("after %s: %v, %q", took, err, answer)
				}
				if got := strings.Count(string(answer), "12345678"); got > 32 {
					t.Errorf("%d pings were answered", got)
				}
			})
		})
	}
}
