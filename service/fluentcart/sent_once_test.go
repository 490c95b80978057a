package fluentcart_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// vanish closes a connection so that its client is told of a reset.
func vanish(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*wiredConn).Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func TestWriteThatWasBegunIsSentOnce(t *testing.T) {
	var leave context.CancelFunc
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
	}{
		{"reset after the request was read", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			vanish(w)
		}},
		{"reset after half of it", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
			vanish(w)
		}},
		{"reset before its body", func(w http.ResponseWriter, _ *http.Request) { vanish(w) }},
		{"closed after the request was read", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}},
		{"closed within the answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"message":"ok"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"given up on after it was read", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			leave()
			<-r.Context().Done()
		}},
	} {
		for name, reused := range map[string]bool{"on a fresh connection": false, "on one that a read has used": true} {
			t.Run(row.name+", "+name, func(t *testing.T) {
				store, wire := newWire(t, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						works(w, r)
						return
					}
					row.store(w, r)
				})
				transport := fluentcart.NewTransport()
				t.Cleanup(transport.CloseIdleConnections)
				client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, Transport: transport})
				for range 20 { // so that there are retries that it could have
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
				notes := strings.Repeat("x", 1<<20) // so that it is half written for a while
				_, _, err := client.PutCustomer(ctx, fluentcart.Update{Notes: fluentcart.Send(&notes)}, fluentcart.Customer{ID: 1}, nil)
				if got := failure(t, err); got.Kind != fluentcart.NoAnswer || !got.Sent {
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

func TestWriteThatCouldNotLeaveIsSentAgainWithinTheBudget(t *testing.T) {
	for _, row := range []struct {
		name    string
		savedUp bool
		refused int // dials
		dials   int
		written bool
	}{
		{"one dial fails", true, 1, 2, true},
		{"two dials fail", true, 2, 3, true},
		{"all dials fail", true, 100, 3, false},
		{"one dial fails, of a new client", false, 1, 2, true},
		{"two dials fail, of a new client", false, 2, 2, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				if row.savedUp {
					store.saveUp(t, client)
				}
				left := row.refused
				store.dialing = func() error {
					if left--; left >= 0 {
						return syscall.ECONNREFUSED
					}
					return nil
				}
				asked := 0
				err := put(t.Context(), client, func() error {
					asked++
					return nil
				})
				requests, dials := store.arrivals()
				if dials != row.dials {
					t.Errorf("dialled %d times, want %d", dials, row.dials)
				}
				if !row.written {
					if got := failure(t, err); got.Kind != fluentcart.Unreachable || got.Sent || len(requests) != 0 || asked != 0 {
						t.Errorf("%v, sent: %v; %d requests, asked %d times", got, got.Sent, len(requests), asked)
					}
					return
				}
				if err != nil || len(requests) != 1 || asked != 1 {
					t.Errorf("%v; %d requests, asked %d times", err, len(requests), asked)
				}
			})
		})
	}
}

// A server that offers HTTP/2 is spoken to in HTTP/1: over HTTP/2 net/http would send a write again, for as long as it
// has time, when its stream is reset as one that was not looked at, whether or not that is so.
func TestHTTP2IsNotSpoken(t *testing.T) {
	var versions sync.Map
	_, client := newTLSStore(t, true, func(w http.ResponseWriter, r *http.Request) {
		versions.Store(r.Proto, true)
		works(w, r)
	})
	if err := get(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), client, nil); err != nil {
		t.Fatal(err)
	}
	versions.Range(func(version, _ any) bool {
		if version != "HTTP/1.1" {
			t.Errorf("the store is spoken to in %s", version)
		}
		return true
	})
}
