package fluentcart_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func TestOpenBreakerSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		s.openBreaker(t)
		start := time.Now()
		for range 100 {
			for method, err := range both(t.Context(), s.client) {
				got := failure(t, err)
				if got.Kind != fluentcart.Suspended || got.Method != method || got.Sent || got.RetryAfter != time.Second || got.Status != 0 {
					t.Fatalf("%s: %v, sent: %v, retry after %s", method, got, got.Sent, got.RetryAfter)
				}
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("suspended calls took %s", took)
		}
		advance(period - 2*time.Nanosecond)
		_ = both(t.Context(), s.client)
		if requests, dials := s.arrivals(); len(requests) != 0 || dials != 0 {
			t.Errorf("%d requests, %d dials", len(requests), dials)
		}
	})
}

// callAtOnce sends calls concurrently and returns how many were suspended. A third of them are writes.
func (s *breakerStore) callAtOnce(ctx context.Context, calls int) int {
	var running sync.WaitGroup
	var suspended atomic.Int64
	for i := range calls {
		running.Go(func() {
			call := func() error { return get(ctx, s.client) }
			if i%3 == 0 {
				call = func() error { return put(ctx, s.client, nil) }
			}
			if err, ok := call().(*fluentcart.Error); ok && err.Kind == fluentcart.Suspended { //nolint:errorlint // the error is not wrapped
				suspended.Add(1)
			}
		})
	}
	running.Wait()
	return int(suspended.Load())
}

func TestOneReadProbesWhetherTheStoreIsBack(t *testing.T) {
	const delay = 100 * time.Millisecond
	delayed := func(handler http.HandlerFunc) http.HandlerFunc { // so that all other calls come while the probe is in flight
		return func(w http.ResponseWriter, r *http.Request) {
			advance(delay)
			handler(w, r)
		}
	}
	for _, row := range []struct {
		name  string
		probe http.HandlerFunc
		back  bool
	}{
		{"a store that is back", respondNormally, true},
		{"a store that is back and refuses the read", respond(404, ``), true},
		{"a store that is still down", badGateway, false},
		{"a store that drops the connection", dropConnection, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{})
				s.fillRetryBudget(t, s.client)
				s.openBreaker(t)
				advance(period)
				if s.client.Suspended() || s.client.Healthy() {
					t.Fatalf("suspended: %v, healthy: %v", s.client.Suspended(), s.client.Healthy())
				}
				if got := failure(t, put(t.Context(), s.client, nil)); got.Kind != fluentcart.Suspended || got.Sent {
					t.Errorf("a write: %v", got)
				}
				s.setHandler(delayed(row.probe))
				// A probe that fails is not retried, so its caller gets Suspended too.
				suspended := s.callAtOnce(t.Context(), 100)
				requests, _ := s.arrivals()
				if methods(requests)[http.MethodGet] != 1 || len(requests) != 1 {
					t.Fatalf("the store got %v", methods(requests))
				}
				if want := 99; row.back && suspended != want || !row.back && suspended < want {
					t.Errorf("%d calls suspended, want %d", suspended, want)
				}
				if s.client.Healthy() != row.back || s.client.Suspended() == row.back {
					t.Errorf("healthy: %v, suspended: %v", s.client.Healthy(), s.client.Suspended())
				}
				changes := []bool{true}
				if row.back {
					changes = append(changes, false)
				}
				if !slices.Equal(s.changes, changes) {
					t.Errorf("reported changes %v", s.changes)
				}
				s.setHandler(respondNormally)
				if row.back {
					if errs := both(t.Context(), s.client); errs["GET"] != nil || errs["PUT"] != nil {
						t.Errorf("afterwards: %v", errs)
					}
					return
				}
				advance(time.Until(requests[0].at.Add(delay + period - 2*time.Nanosecond)))
				if s.callAtOnce(t.Context(), 100) != 100 {
					t.Error("open for less than a second after the probe")
				}
				advance(2 * time.Nanosecond)
				if s.callAtOnce(t.Context(), 1) != 1 || get(t.Context(), s.client) != nil || !s.client.Healthy() {
					t.Error("the next probe does not close the breaker")
				}
				if !slices.Equal(s.changes, []bool{true, false}) {
					t.Errorf("reported changes %v", s.changes)
				}
			})
		})
	}
}

func TestProbeWhoseCallerLeavesIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		s.openBreaker(t)
		advance(period)
		s.setHandler(neverRespond)
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if got := failure(t, get(ctx, s.client)); got.Kind != fluentcart.NoAnswer {
				t.Fatal(got)
			}
			cancel()
		}
		if requests, _ := s.arrivals(); len(requests) != 20 {
			t.Errorf("%d probes of 20", len(requests))
		}
		s.setHandler(respondNormally)
		if err := get(t.Context(), s.client); err != nil || !s.client.Healthy() {
			t.Errorf("got %v, healthy: %v", err, s.client.Healthy())
		}
	})
}

// Requests that started before the breaker opened, and end after it, must not change its state.
func TestLateResponsesDoNotChangeTheBreaker(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{"a failure": badGateway, "a success": respondNormally} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{})
				s.setHandler(func(w http.ResponseWriter, r *http.Request) {
					advance(period + 500*time.Millisecond)
					handler(w, r)
				})
				var late sync.WaitGroup
				late.Go(func() { _ = put(t.Context(), s.client, nil) })
				synctest.Wait()
				s.arrivals()
				s.openBreaker(t)
				advance(period) // half open now
				late.Wait()
				if s.client.Suspended() || s.client.Healthy() || !slices.Equal(s.changes, []bool{true}) {
					t.Errorf("suspended: %v, healthy: %v, reported changes %v", s.client.Suspended(), s.client.Healthy(), s.changes)
				}
				s.setHandler(respondNormally)
				if err := get(t.Context(), s.client); err != nil || !s.client.Healthy() {
					t.Errorf("the probe: %v", err)
				}
			})
		})
	}
}

func TestBreakerDuringAnOutageOfTwentySeconds(t *testing.T) {
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
		slow  time.Duration // of a probe
	}{
		{"502 at once", badGateway, 0},
		{"dropped connections", dropConnection, 0},
		{"no response", neverRespond, 300 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{GetTimeout: 300 * time.Millisecond, PutTimeout: 300 * time.Millisecond})
				s.fillRetryBudget(t, s.client)
				s.setHandler(row.store)
				var running sync.WaitGroup
				call := func() {
					running.Go(func() {
						if rand.N(2) == 0 {
							_ = get(t.Context(), s.client)
						} else {
							_ = put(t.Context(), s.client, nil)
						}
					})
					advance(10 * time.Millisecond)
				}
				down := time.Now()
				for time.Since(down) < 20*time.Second {
					call()
				}
				requests, _ := s.arrivals()
				var probes []arrival // the requests that started after the breaker had opened
				for _, r := range requests {
					if r.at.Sub(down) >= time.Second {
						probes = append(probes, r)
					}
				}
				for i, probe := range probes {
					if probe.method != http.MethodGet || i > 0 && probe.at.Sub(probes[i-1].at) < time.Second+row.slow {
						t.Errorf("probe %d: %s, %s after the one before", i, probe.method, probe.at.Sub(probes[max(i-1, 0)].at))
					}
				}
				if len(probes) > 20 || len(probes) < 10 {
					t.Errorf("%d probes", len(probes))
				}
				s.setHandler(respondNormally)
				back := time.Now()
				for !s.client.Healthy() {
					call()
				}
				if took := time.Since(back); took > 1500*time.Millisecond {
					t.Errorf("closed only %s after the store was back", took)
				}
				running.Wait()
				if !slices.Equal(s.changes, []bool{true, false}) {
					t.Errorf("reported changes %v", s.changes)
				}
			})
		})
	}
}
