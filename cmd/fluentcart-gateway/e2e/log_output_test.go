package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// The gateway writes nothing but its log. A library writes no line of its own, as net/http would about a store that sends
// bytes unasked.
func TestLibrariesWriteNothing(t *testing.T) {
	backend := sandbox.New(sandbox.Config{})
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answered := httptest.NewRecorder()
		backend.ServeHTTP(answered, r)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close() //nolint:errcheck // the gateway has closed it
		answer := answered.Result()
		answer.ContentLength = int64(answered.Body.Len())
		_ = answer.Write(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\ncanary@example.com")
		_, _ = io.Copy(io.Discard, conn) // until the gateway closes the connection
	}))
	t.Cleanup(store.Close)
	gateway := startGateway(t, store.URL, "--log-level=debug")
	for _, city := range []string{"Lyon", "Nice"} {
		if _, err := gateway.customers.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
			CustomerId: 1, Customer: &customerv1.Customer{City: proto.String(city)}, ValidateOnly: true, // a read, which may be retried
		}); err != nil {
			t.Error(err)
		}
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", gateway.grpcAddr) // not gRPC
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /canary HTTP/1.1\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
	if code := gateway.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	written := gateway.log.String()
	for line := range strings.Lines(written) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a line of the log: %s", line)
		}
	}
	if strings.Contains(written, "canary") || !strings.Contains(written, `"request":"customer_id:1 customer:{city:[4 B]} validate_only:true"`) {
		t.Errorf("written:\n%s", written)
	}
}
