package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// The clients announce a request and never send it: the rejection does not wait for it.
func TestOverloadIsRejectedBeforeTheRequestIsRead(t *testing.T) {
	g := startFull(t)
	t.Run("gRPC", func(t *testing.T) {
		stream, err := g.conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, customerv1.CustomerService_UpdateCustomer_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		err = stream.RecvMsg(&customerv1.UpdateCustomerResponse{})
		if got := errorOutcome(t, status.Convert(err)); got.Reason != "OVERLOADED" || got.RetryAfter != "1" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		conn := rawConn(t, strings.TrimPrefix(g.url, "http://"), nil)
		response := firstResponse(t, conn, "PUT /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
		_ = response.Body.Close()
		if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "1" {
			t.Errorf("got %s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
		}
	})
	t.Run("another path", func(t *testing.T) {
		if response, _ := g.send(t, http.MethodPut, "/v1/orders/1", `{}`, nil); response.StatusCode != http.StatusNotFound {
			t.Errorf("got %s", response.Status)
		}
	})
}

// Rejections because of overload are counted as calls, each of them. The log has the first of a transport, and then one line
// a second with the number of those in between. The connection stays open.
func TestOverloadIsCountedAndSampledInTheLog(t *testing.T) {
	const calls = 50
	g := startFull(t)
	start := time.Now()
	for range calls {
		_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
		if got := errorOutcome(t, status.Convert(err)); got.Reason != "OVERLOADED" {
			t.Fatalf("got %v", err)
		}
		if response, body := g.send(t, http.MethodPut, "/v1/customers/1", `{"city":"Lyon"}`, nil); response.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("%s: %s", response.Status, body)
		}
	}
	most := 1 + int(time.Since(start).Seconds())
	values, _ := gathered(t, g.metrics)
	for _, transport := range []string{"grpc", "http"} {
		key := "calls_total caller=one code=RESOURCE_EXHAUSTED reason=OVERLOADED transport=" + transport
		if values[key] != calls {
			t.Errorf("%s: %v calls are counted, want %d", transport, values[key], calls)
		}
		lines, logged := 0, 0
		for line := range strings.Lines(g.log.String()) {
			var entry struct {
				Msg, Transport, Reason string
				MoreBefore             int `json:"more_before"`
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			if entry.Transport == transport && entry.Reason == "OVERLOADED" {
				lines++
				logged += 1 + entry.MoreBefore
			}
		}
		if lines == 0 || lines > most || logged > calls {
			t.Errorf("%s: %d lines about %d rejections, want 1 to %d lines", transport, lines, logged, most)
		}
	}
}
