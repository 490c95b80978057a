package fluentcart_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func TestRequestsStayWithinTheRate(t *testing.T) {
	const rate, lasting = 10, 30 * time.Second
	for _, row := range []struct {
		name    string
		callers int
		fails   int64 // every how many reads one fails; 0 is none
	}{
		{"one caller", 1, 0},
		{"five callers", 5, 0},
		{"one caller whose reads are retried", 1, 3},
		{"five callers whose reads are retried", 5, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{Rate: rate})
				var reads atomic.Int64
				store.setHandler(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet && row.fails > 0 && reads.Add(1)%row.fails == 0 {
						badGateway(w, r)
						return
					}
					respondNormally(w, r)
				})
				start := time.Now()
				var pairs atomic.Int64
				var running sync.WaitGroup
				for range row.callers {
					running.Go(func() {
						for time.Since(start) < lasting {
							if err := client.Wait(t.Context(), 2); err != nil {
								t.Error(err)
							}
							pairs.Add(1)
							_ = both(t.Context(), client)
						}
					})
				}
				running.Wait()
				requests, _ := store.arrivals()
				for i, first := range requests {
					for j, last := range requests[i:] {
						if allowed := rate + rate*last.at.Sub(first.at).Seconds() + 1e-6; float64(j+1) > allowed {
							t.Fatalf("%d requests within %s", j+1, last.at.Sub(first.at))
						}
					}
				}
				if n := float64(len(requests)); n < 0.95*rate*lasting.Seconds() {
					t.Errorf("only %.0f requests", n)
				}
				if again := len(requests) - 2*int(pairs.Load()); again < 0 || (row.fails > 0) != (again > 0) {
					t.Errorf("%d requests of %d pairs", len(requests), pairs.Load())
				}
			})
		})
	}
}

func TestWaitBeyondTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := newMemoryStore(t, fluentcart.Config{Rate: 10})
		for range 5 { // uses up the burst
			if err := client.Wait(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 199*time.Millisecond)
			if err := client.Wait(ctx, 2); err == nil || time.Since(start) != 0 {
				t.Errorf("got %v after %s", err, time.Since(start))
			}
			cancel()
		}
		// Rejected waits, and one whose caller leaves, take nothing from the rate.
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := client.Wait(ctx, 2); !errors.Is(err, context.Canceled) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		ctx, cancel = context.WithTimeout(t.Context(), 151*time.Millisecond)
		defer cancel()
		if err := client.Wait(ctx, 2); err != nil || time.Since(start) != 200*time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
	})
}

// If the rate allows a retry only after the deadline, the call fails at once.
func TestRetryBeyondTheRateIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{Rate: 0.5})
		store.fillRetryBudget(t, client)
		store.setHandler(badGateway)
		if err := client.Wait(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // the rate allows a request every two seconds
		defer cancel()
		start := time.Now()
		got := failure(t, get(ctx, client))
		requests, _ := store.arrivals()
		if took := time.Since(start); got.Kind != fluentcart.Broken || len(requests) != 1 || took >= 50*time.Millisecond {
			t.Errorf("%v after %s and %d requests", got, took, len(requests))
		}
	})
}

func TestZeroRateSetsNoBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := newMemoryStore(t, fluentcart.Config{})
		start := time.Now()
		for range 1000 {
			if err := client.Wait(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestLowRateLetsAReadAndItsWriteStartTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := newMemoryStore(t, fluentcart.Config{Rate: 0.1})
		start := time.Now()
		for range 3 {
			if err := client.Wait(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 40*time.Second {
			t.Errorf("three pairs took %s", took)
		}
	})
}
