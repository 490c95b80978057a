package fluentcart_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// resetConnection closes a connection with a TCP reset.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*wiredConn).Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func TestStartedWriteIsSentOnce(t *testing.T) {
	var leave context.CancelFunc
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
	}{
		{"reset after the request was read", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			resetConnection(w)
		}},
		{"reset after half of the body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
			resetConnection(w)
		}},
		{"reset before the body was read", func(w http.ResponseWriter, _ *http.Request) { resetConnection(w) }},
		{"closed after the request was read", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}},
		{"closed within the response", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"message":"ok"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"abandoned by the caller after it was read", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			leave()
			<-r.Context().Done()
		}},
	} {
		for name, reused := range map[string]bool{"on a fresh connection": false, "on a connection that a read has used": true} {
			t.Run(row.name+", "+name, func(t *testing.T) {
				store, wire := newWire(t, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						respondNormally(w, r)
						return
					}
					row.store(w, r)
				})
				transport := fluentcart.NewTransport()
				t.Cleanup(transport.CloseIdleConnections)
				client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, Transport: transport})
				for range 20 { // fills the retry budget, so that the budget does not prevent a retry
					if err := get(t.Context(), client); err != nil {
						t.Fatal(err)
					}
				}
				if !reused {
					transport.CloseIdleConnections()
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				leave = cancel
				notes := strings.Repeat("x", 1<<20) // large, so that writing the request takes a while
				_, err := client.PutCustomer(ctx, fluentcart.Update{Notes: fluentcart.Send(&notes)}, fluentcart.Customer{ID: 1}, nil)
				if got := failure(t, givenUp(ctx, err)); got.Kind != fluentcart.NoAnswer || !got.Sent {
					t.Errorf("got %v, sent: %v", got, got.Sent)
				}
				store.Close()
				if writes := strings.Count(wire.received(), "PUT "); writes != 1 {
					t.Errorf("sent %d times", writes)
				}
			})
		}
	}
}

func TestWriteIsRetriedWithinTheBudgetIfNoConnectionOpens(t *testing.T) {
	for _, row := range []struct {
		name         string
		budgetIsFull bool
		refused      int // dials
		dials        int
		written      bool
	}{
		{"one dial fails", true, 1, 2, true},
		{"two dials fail", true, 2, 3, true},
		{"all dials fail", true, 100, 3, false},
		{"one dial of a new client fails", false, 1, 2, true},
		{"two dials of a new client fail", false, 2, 2, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				if row.budgetIsFull {
					store.fillRetryBudget(t, client)
				}
				left := row.refused
				store.dialing = func(context.Context) error {
					if left--; left >= 0 {
						return syscall.ECONNREFUSED
					}
					return nil
				}
				calls := 0
				err := put(t.Context(), client, func() error {
					calls++
					return nil
				})
				requests, dials := store.arrivals()
				if dials != row.dials {
					t.Errorf("%d dials, want %d", dials, row.dials)
				}
				if !row.written {
					if got := failure(t, err); got.Kind != fluentcart.Unreachable || got.Sent || len(requests) != 0 || calls != 0 {
						t.Errorf("%v, sent: %v; %d requests, mayStart was called %d times", got, got.Sent, len(requests), calls)
					}
					return
				}
				if err != nil || len(requests) != 1 || calls != 1 {
					t.Errorf("%v; %d requests, mayStart was called %d times", err, len(requests), calls)
				}
			})
		})
	}
}
