package fluentcart_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

var errLeaseExpired = errors.New("the lease has expired")

func refuseStart() error { return errLeaseExpired }

// Not even the headers of a write leave before mayStart has returned: a store may begin to work when it has them.
func TestRefusedStartSendsNothing(t *testing.T) {
	for name, reused := range map[string]bool{"on a fresh connection": false, "on a connection that a read has used": true} {
		t.Run(name, func(t *testing.T) {
			store, wire := newWire(t, respondNormally)
			transport := fluentcart.NewTransport()
			client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, Transport: transport})
			if reused {
				if err := get(t.Context(), client); err != nil {
					t.Fatal(err)
				}
			}
			got := failure(t, put(t.Context(), client, refuseStart))
			if got.Kind != fluentcart.NotBegun || got.Sent || !errors.Is(got, errLeaseExpired) {
				t.Errorf("got %v, sent: %v", got, got.Sent)
			}
			transport.CloseIdleConnections()
			<-wire.ended
			received := wire.received()
			if reads := strings.Count(received, "GET "); len(received) > 0 != reused || strings.Contains(received, "PUT") || reused && reads != 1 {
				t.Errorf("the store got %q", received)
			}
			if err := put(t.Context(), client, nil); err != nil {
				t.Errorf("the next write: %v", err)
			}
		})
	}
}

func TestRefusedStartSendsNothingOverTLS(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("a store that offers HTTP/%d", version), func(t *testing.T) {
			var writes atomic.Int64
			var mu sync.Mutex
			conns := map[string]bool{}
			reading, finish := make(chan struct{}), make(chan struct{})
			store, client := newTLSStore(t, version == 2, func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 1 {
					t.Errorf("the store got a request over %s", r.Proto)
				}
				mu.Lock()
				conns[r.RemoteAddr] = true
				first := len(conns) == 1 && r.Method == http.MethodGet
				mu.Unlock()
				if r.Method == http.MethodPut {
					writes.Add(1)
				} else if first {
					select {
					case reading <- struct{}{}:
						<-finish
					case <-finish:
					}
				}
				respondNormally(w, r)
			})
			read := make(chan error)
			go func() { read <- get(t.Context(), client) }()
			<-reading
			for range 10 {
				got := failure(t, put(t.Context(), client, refuseStart))
				if got.Kind != fluentcart.NotBegun || got.Sent || !errors.Is(got, errLeaseExpired) {
					t.Errorf("got %v, sent: %v", got, got.Sent)
				}
			}
			close(finish)
			if err := <-read; err != nil {
				t.Errorf("the concurrent read: %v", err)
			}
			if err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
			store.Close()
			if writes.Load() != 0 {
				t.Errorf("the store got %d writes", writes.Load())
			}
		})
	}
}

// A refused start leaves the connection usable.
func TestRefusedStartsLeaveTheConnectionsUsable(t *testing.T) {
	for name, reused := range map[string]bool{"on fresh connections": false, "on connections that a read has used": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				for range 500 {
					if reused {
						if err := get(t.Context(), client); err != nil {
							t.Fatal(err)
						}
					}
					if got := failure(t, put(t.Context(), client, refuseStart)); got.Kind != fluentcart.NotBegun || got.Sent {
						t.Fatalf("got %v, sent: %v", got, got.Sent)
					}
				}
				synctest.Wait()
				if requests, _ := store.arrivals(); methods(requests)[http.MethodPut] != 0 {
					t.Errorf("the store got %v", methods(requests))
				}
			})
		})
	}
}

func TestMayStartIsCalledOnceBeforeTheFirstByte(t *testing.T) {
	for name, reused := range map[string]bool{"on a fresh connection": false, "on a connection that a read has used": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				if reused {
					if err := get(t.Context(), client); err != nil {
						t.Fatal(err)
					}
				}
				store.arrivals()
				calls := 0
				err := put(t.Context(), client, func() error {
					synctest.Wait() // every byte that has left has arrived
					if requests, _ := store.arrivals(); len(requests) != 0 {
						t.Errorf("%v arrived before mayStart returned", requests)
					}
					calls++
					return nil
				})
				if requests, dials := store.arrivals(); err != nil || len(requests) != 1 || calls != 1 || dials != 0 {
					t.Errorf("%v; %d writes, mayStart was called %d times, %d dials afterwards", err, len(requests), calls, dials)
				}
			})
		})
	}
}
