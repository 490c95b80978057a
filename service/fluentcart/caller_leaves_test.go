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
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// A dial may end after its caller has left. The connection that it opens must not carry the write.
func TestWriteWhoseCallerLeftDuringDialIsNeverSent(t *testing.T) {
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
		"the client's own timeout ends": {time.Second, context.WithCancel, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{PutTimeout: row.putTimeout})
				store.fillRetryBudget(t, client)
				dialled := make(chan struct{})
				store.dialing = func(ctx context.Context) error {
					select {
					case <-dialled:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				ctx, cancel := row.caller(t.Context())
				defer cancel()
				start := time.Now()
				got := failure(t, put(ctx, client, func() error {
					t.Error("mayStart was called")
					return nil
				}))
				if took := time.Since(start); got.Kind != fluentcart.NoAnswer || got.Sent || !errors.Is(got, row.want) || took != time.Second {
					t.Errorf("%v, sent: %v, after %s", got, got.Sent, took)
				}
				close(dialled)
				synctest.Wait()
				if requests, dials := store.arrivals(); len(requests) != 0 || dials != 1 {
					t.Errorf("%d requests, %d dials", len(requests), dials)
				}
				if err := get(t.Context(), client); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The connection is open already, so the write could leave at once.
func TestCancelledWriteIsNotSentOverAnOpenTLSConnection(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("a store that offers HTTP/%d", version), func(t *testing.T) {
			var writes atomic.Int64
			store, client := newTLSStore(t, version == 2, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					writes.Add(1)
				}
				respondNormally(w, r)
			})
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for range 50 {
				got := failure(t, put(ctx, client, nil))
				if got.Kind != fluentcart.NoAnswer || got.Sent || !errors.Is(got, context.Canceled) {
					t.Fatalf("got %v, sent: %v", got, got.Sent)
				}
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

// A caller may leave at any moment. A write that is reported as not sent has never reached the store.
func TestWriteReportedAsNotSentNeverArrives(t *testing.T) {
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
				store = httptest.NewUnstartedServer(http.HandlerFunc(handler))
				store.Config.SetKeepAlivesEnabled(row.reused)
				store.Start()
				t.Cleanup(store.Close)
				client = newClientOf(t, fluentcart.Config{BaseURL: store.URL})
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
						case 1: // the caller stays
						default:
							time.AfterFunc(rand.N(row.longestDelay), cancel)
						}
						_, err := client.PutCustomer(ctx, fluentcart.Update{}, fluentcart.Customer{ID: int64(id)}, nil)
						err = givenUp(t.Context(), err)
						cancel()
						if err != nil {
							notSent[id].Store(!failure(t, err).Sent)
						}
					}
				})
			}
			running.Wait()
			store.Close() // waits until every request that arrived has its response
			sent, unsent := 0, 0
			for id := 1; id <= writes; id++ {
				n := arrived[id].Load()
				if notSent[id].Load() {
					unsent++
					if n > 0 {
						t.Errorf("write %d is reported as not sent, and arrived", id)
					}
				} else if n > 0 {
					sent++
				}
				if n > 1 {
					t.Errorf("write %d arrived %d times", id, n)
				}
			}
			if sent == 0 || unsent == 0 {
				t.Errorf("%d arrived, %d were not sent: the test needs some of both", sent, unsent)
			}
		})
	}
}
