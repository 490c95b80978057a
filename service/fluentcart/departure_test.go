package fluentcart_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

var errForbidden = errors.New("the lease has expired")

func forbidden() error { return errForbidden }

// Not even the headers of a write leave before begin has agreed: a store may begin to work as soon as it has them.
func TestWriteThatIsForbiddenSendsNothing(t *testing.T) {
	for name, reused := range map[string]bool{"on a fresh connection": false, "on one that a read has used": true} {
		t.Run(name, func(t *testing.T) {
			store, wire := newWire(t, works)
			client := newClientOf(t, fluentcart.Config{BaseURL: store.URL})
			if reused {
				if err := get(t.Context(), client); err != nil {
					t.Fatal(err)
				}
			}
			got := failure(t, put(t.Context(), client, forbidden))
			if got.Kind != fluentcart.NotBegun || got.Sent || !errors.Is(got, errForbidden) {
				t.Errorf("got %v, sent: %v", got, got.Sent)
			}
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

// net/http hands a request to one goroutine and watches its context in another: what is forbidden must not depend on
// which of them is faster.
func TestWriteThatIsForbiddenNeverSlipsOut(t *testing.T) {
	for name, reused := range map[string]bool{"on fresh connections": false, "on ones that a read has used": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				for range 500 {
					if reused {
						if err := get(t.Context(), client); err != nil {
							t.Fatal(err)
						}
					}
					if got := failure(t, put(t.Context(), client, forbidden)); got.Kind != fluentcart.NotBegun || got.Sent {
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

func TestBeginIsAskedOnceAndBeforeTheFirstByte(t *testing.T) {
	for name, reused := range map[string]bool{"on a fresh connection": false, "on one that a read has used": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				if reused {
					if err := get(t.Context(), client); err != nil {
						t.Fatal(err)
					}
				}
				store.arrivals()
				asked := 0
				err := put(t.Context(), client, func() error {
					synctest.Wait() // what has left has arrived
					if requests, _ := store.arrivals(); len(requests) != 0 {
						t.Errorf("%v came before", requests)
					}
					asked++
					return nil
				})
				if requests, dials := store.arrivals(); err != nil || len(requests) != 1 || asked != 1 || dials != 0 {
					t.Errorf("%v; %d writes, asked %d times, dialled %d times afterwards", err, len(requests), asked, dials)
				}
			})
		})
	}
}

// A dial goes on when its caller has left. The connection that comes of it must not carry the write.
func TestWriteWhoseCallerLeftWhileDiallingIsNeverSent(t *testing.T) {
	for name, row := range map[string]struct {
		putTimeout time.Duration
		caller     func(context.Context) (context.Context, context.CancelFunc)
		want       error
	}{
		"cancelled": {time.Minute, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
		"its deadline passed": {time.Minute, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded},
		"the client's own time is up": {time.Second, context.WithCancel, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{PutTimeout: row.putTimeout})
				store.saveUp(t, client)
				dialled := make(chan struct{})
				store.dialing = func() error {
					<-dialled
					return nil
				}
				ctx, cancel := row.caller(t.Context())
				defer cancel()
				start := time.Now()
				got := failure(t, put(ctx, client, func() error {
					t.Error("begin was asked")
					return nil
				}))
				if took := time.Since(start); got.Kind != fluentcart.NoAnswer || got.Sent || !errors.Is(got, row.want) || took != time.Second {
					t.Errorf("%v, sent: %v, after %s", got, got.Sent, took)
				}
				close(dialled)
				synctest.Wait()
				if requests, dials := store.arrivals(); len(requests) != 0 || dials != 1 {
					t.Errorf("%d requests, dialled %d times", len(requests), dials)
				}
				if err := get(t.Context(), client); err != nil {
					t.Error(err)
				}
				if _, dials := store.arrivals(); dials != 0 {
					t.Error("the connection was not kept for others")
				}
			})
		})
	}
}

// Whatever the moment at which a caller leaves: a write that is told as not sent never reached the store.
func TestWriteThatIsToldAsNotSentNeverArrives(t *testing.T) {
	const writes, callers = 800, 4
	for _, row := range []struct {
		name         string
		tls, reused  bool
		http2        bool
		longestDelay time.Duration
	}{
		{"on fresh connections", false, false, false, 300 * time.Microsecond},
		{"on kept connections", false, true, false, 150 * time.Microsecond},
		{"on kept connections over TLS", true, true, true, 150 * time.Microsecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			var arrived [writes + 1]atomic.Int64
			handler := func(w http.ResponseWriter, r *http.Request) {
				id, _ := strconv.Atoi(path.Base(r.URL.Path))
				arrived[id].Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = fmt.Fprintf(w, `{"message":"ok","data":{"id":%d,"email":"ann@example.com"}}`, id)
			}
			var store *httptest.Server
			var client *fluentcart.Client
			if row.tls {
				store, client = newTLSStore(t, row.http2, handler)
			} else {
				store = httptest.NewServer(http.HandlerFunc(handler))
				t.Cleanup(store.Close)
				transport := fluentcart.NewTransport()
				t.Cleanup(transport.CloseIdleConnections)
				transport.DisableKeepAlives = !row.reused
				client = newClientOf(t, fluentcart.Config{BaseURL: store.URL, Transport: transport})
			}
			var notSent [writes + 1]atomic.Bool
			var running sync.WaitGroup
			for caller := range callers {
				running.Go(func() {
					for id := caller + 1; id <= writes; id += callers {
						ctx, cancel := context.WithCancel(t.Context())
						switch rand.N(8) {
						case 0:
							cancel()
						case 1: // stays
						default:
							time.AfterFunc(rand.N(row.longestDelay), cancel)
						}
						_, _, err := client.PutCustomer(ctx, fluentcart.Update{}, fluentcart.Customer{ID: int64(id)}, nil)
						cancel()
						if err != nil {
							notSent[id].Store(!failure(t, err).Sent)
						}
					}
				})
			}
			running.Wait()
			store.Close() // when it has answered all that reached it
			sent, unsent := 0, 0
			for id := 1; id <= writes; id++ {
				n := arrived[id].Load()
				if notSent[id].Load() {
					unsent++
					if n > 0 {
						t.Errorf("write %d is told as not sent, and arrived", id)
					}
				} else if n > 0 {
					sent++
				}
				if n > 1 {
					t.Errorf("write %d arrived %d times", id, n)
				}
			}
			if sent == 0 || unsent == 0 {
				t.Errorf("%d arrived, %d were not sent: nothing was tested", sent, unsent)
			}
		})
	}
}
