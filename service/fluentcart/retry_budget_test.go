package fluentcart_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// However many requests fail, retries add to the load at most a fifth of the reads, one a second, and the saved-up budget.
func TestRetriesStayWithinTheirBudget(t *testing.T) {
	const calls, pause = 2000, 10 * time.Millisecond
	var number atomic.Int64
	for _, row := range []struct {
		name   string
		writes bool // between the reads
		fails  func(*http.Request) bool
		atMost int // calls that may fail
	}{
		{"a tenth of the reads fails", false, func(*http.Request) bool { return number.Add(1)%10 == 0 }, 0},
		{"three tenths of the reads fail", false, func(*http.Request) bool { n := number.Add(1) % 10; return n == 1 || n == 4 || n == 7 }, calls / 5},
		// The writes in between keep the breaker closed, so that only the budget bounds the retries.
		{"all reads fail, and writes do not", true, func(r *http.Request) bool { return r.Method == http.MethodGet }, calls / 2},
		{"everything fails", false, func(*http.Request) bool { return true }, calls},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				number.Store(0)
				store.setHandler(func(w http.ResponseWriter, r *http.Request) {
					if row.fails(r) {
						respond(502, `<html>`)(w, r)
						return
					}
					respondNormally(w, r)
				})
				start := time.Now()
				var failed, suspended atomic.Int64
				var running sync.WaitGroup
				for i := range calls {
					running.Go(func() {
						call := get
						if row.writes && i%2 == 1 {
							call = func(ctx context.Context, client *fluentcart.Client) error { return put(ctx, client, nil) }
						}
						if err := call(t.Context(), client); err != nil {
							failed.Add(1)
							if failure(t, err).Kind == fluentcart.Suspended {
								suspended.Add(1)
							}
						}
					})
					advance(pause)
				}
				running.Wait()
				requests, _ := store.arrivals()
				reads := calls
				if row.writes {
					reads /= 2
				}
				budget := 0.2*float64(reads) + time.Since(start).Seconds()
				if bound := calls + budget + 10; float64(len(requests)) > bound {
					t.Errorf("%d calls made %d requests, want at most %.0f", calls, len(requests), bound)
				}
				if failed.Load() > int64(row.atMost) {
					t.Errorf("%d calls failed, want at most %d", failed.Load(), row.atMost)
				}
				if row.writes && (suspended.Load() > 0 || float64(len(requests)) < calls+0.9*budget) {
					t.Errorf("%d requests and %d calls suspended: the budget was not the bound", len(requests), suspended.Load())
				}
			})
		})
	}
}

func TestBudgetStartsWithOneRetryAndRefillsWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{})
		sent := func() int {
			t.Helper()
			store.setHandler(inSequence(respond(502, ``), respondNormally))
			_ = get(t.Context(), client)
			requests, _ := store.arrivals()
			return len(requests)
		}
		if got := [3]int{sent(), sent(), sent()}; got != [3]int{2, 1, 1} {
			t.Errorf("sent %v times, want one retry", got)
		}
		advance(time.Second)
		if got := sent(); got != 2 {
			t.Errorf("a second later: sent %d times, want a retry", got)
		}
		advance(time.Hour)
		got := 0
		for got < 100 && sent() == 2 {
			got++
		}
		if got < 10 || got > 13 { // ten are saved up, and each call earns a fifth of one
			t.Errorf("an hour later: %d retries", got)
		}
	})
}
