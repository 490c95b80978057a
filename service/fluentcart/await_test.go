package fluentcart_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// A caller may leave at any moment of the response. The response is read to its end all the same.
func TestResponseIsReadToItsEndAfterTheCallerHasLeft(t *testing.T) {
	response := fmt.Sprintf(`{"message":"ok","data":{%s}}`, annsColumns)
	for _, row := range []struct {
		name   string
		before int // bytes of the body that arrive before the caller leaves; -1 is not even the header
	}{
		{"before the header", -1},
		{"after the header", 0},
		{"within the body", len(response) / 2},
		{"before the last byte", len(response) - 1},
	} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS: %v", row.name, secured), func(t *testing.T) {
				arrived, left := make(chan struct{}), make(chan struct{})
				handler := func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Length", strconv.Itoa(len(response)))
					if row.before >= 0 {
						_, _ = io.WriteString(w, response[:row.before])
						_ = http.NewResponseController(w).Flush()
					}
					close(arrived)
					<-left
					_, _ = io.WriteString(w, response[max(row.before, 0):])
				}
				client := newClient(t, handler)
				if secured {
					_, client = newTLSStore(t, false, handler)
				}
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-arrived
					cancel()
				}()
				_, err := client.PutCustomer(ctx, fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
				gone := failure(t, err)
				if gone.Kind != fluentcart.CallerLeft || !gone.Sent || !errors.Is(gone, context.Canceled) {
					t.Fatalf("got %v, sent: %v", gone, gone.Sent)
				}
				close(left)
				customer, err := gone.Await(t.Context())
				if err != nil || customer.Email != "ann@example.com" {
					t.Errorf("got %+v, %v", customer, err)
				}
			})
		}
	}
}
