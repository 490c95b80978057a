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

func TestNothingReachesAStoreThatIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		s.breakDown(t)
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
			t.Errorf("it took %s", took)
		}
		pass(period - 2*time.Nanosecond)
		_ = both(t.Context(), s.client)
		if requests, dials := s.arrivals(); len(requests) != 0 || dials != 0 {
			t.Errorf("%d requests, dialled %d times", len(requests), dials)
		}
	})
}

// crowd makes calls all at once and returns how many of them were suspended. A third of them are writes.
func (s *breakerStore) crowd(ctx context.Context, calls int) int {
	var running sync.WaitGroup
	var suspended atomic.Int64
	for i := range calls {
		running.Go(func() {
			call := func() error { return get(ctx, s.client) }
			if i%3 == 0 {
				call = func() error { return put(ctx, s.client, nil) }
			}
			if err, ok := call().(*fluentcart.Error); ok && err.Kind == fluentcart.Suspended { //nolint:errorlint // it is not wrapped
				suspended.Add(1)
			}
		})
	}
	running.Wait()
	return int(suspended.Load())
}

func TestOneReadLooksWhetherTheStoreIsBack(t *testing.T) {
	const answers = 100 * time.Millisecond
	slow := func(handler http.HandlerFunc) http.HandlerFunc { // so that all the others find the probe on its way
		return func(w http.ResponseWriter, r *http.Request) {
			pass(answers)
			handler(w, r)
		}
	}
	for _, row := range []struct {
		name  string
		probe http.HandlerFunc
		back  bool
	}{
		{"and it is", works, true},
		{"and it says no, so it is", answering(404, ``), true},
		{"and it is not", bad, false},
		{"and dies over it", cut, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{})
				s.saveUp(t, s.client)
				s.breakDown(t)
				pass(period)
				if s.client.Suspended() || s.client.Healthy() {
					t.Fatalf("suspended: %v, proven: %v", s.client.Suspended(), s.client.Healthy())
				}
				if got := failure(t, put(t.Context(), s.client, nil)); got.Kind != fluentcart.Suspended || got.Sent {
					t.Errorf("a write: %v", got)
				}
				s.play(slow(row.probe))
				// The probe that fails is not sent again either, so that its caller is told Suspended too.
				suspended := s.crowd(t.Context(), 100)
				requests, _ := s.arrivals()
				if methods(requests)[http.MethodGet] != 1 || len(requests) != 1 {
					t.Fatalf("the store got %v", methods(requests))
				}
				if want := 99; row.back && suspended != want || !row.back && suspended < want {
					t.Errorf("%d calls suspended, want %d", suspended, want)
				}
				if s.client.Healthy() != row.back || s.client.Suspended() == row.back {
					t.Errorf("proven: %v, suspended: %v", s.client.Healthy(), s.client.Suspended())
				}
				told := []bool{true}
				if row.back {
					told = append(told, false)
				}
				if !slices.Equal(s.told, told) {
					t.Errorf("told %v", s.told)
				}
				s.play(works)
				if row.back {
					if errs := both(t.Context(), s.client); errs["GET"] != nil || errs["PUT"] != nil {
						t.Errorf("afterwards: %v", errs)
					}
					return
				}
				pass(time.Until(requests[0].at.Add(answers + period - 2*time.Nanosecond)))
				if s.crowd(t.Context(), 100) != 100 {
					t.Error("open for less than a second after the probe")
				}
				pass(2 * time.Nanosecond)
				if s.crowd(t.Context(), 1) != 1 || get(t.Context(), s.client) != nil || !s.client.Healthy() {
					t.Error("the next probe does not bring it back")
				}
				if !slices.Equal(s.told, []bool{true, false}) {
					t.Errorf("told %v", s.told)
				}
			})
		})
	}
}

func TestProbeWhoseCallerLeavesMakesRoomForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		s.breakDown(t)
		pass(period)
		s.play(silent)
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
		s.play(works)
		if err := get(t.Context(), s.client); err != nil || !s.client.Healthy() {
			t.Errorf("got %v, proven: %v", err, s.client.Healthy())
		}
	})
}

// What began before the breaker opened ends after it: it must not move it.
func TestLateAnswersDoNotMoveTheBreaker(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{"a failure": bad, "a success": works} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{})
				s.play(func(w http.ResponseWriter, r *http.Request) {
					pass(period + 500*time.Millisecond)
					handler(w, r)
				})
				var late sync.WaitGroup
				late.Go(func() { _ = put(t.Context(), s.client, nil) })
				synctest.Wait()
				s.arrivals()
				s.breakDown(t)
				pass(period) // half open now
				late.Wait()
				if s.client.Suspended() || s.client.Healthy() || !slices.Equal(s.told, []bool{true}) {
					t.Errorf("suspended: %v, proven: %v, told %v", s.client.Suspended(), s.client.Healthy(), s.told)
				}
				s.play(works)
				if err := get(t.Context(), s.client); err != nil || !s.client.Healthy() {
					t.Errorf("the probe: %v", err)
				}
			})
		})
	}
}

func TestOutageOfTwentySeconds(t *testing.T) {
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
		slow  time.Duration // of a probe
	}{
		{"that fails at once", bad, 0},
		{"that cuts connections", cut, 0},
		{"that does not answer", silent, 300 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{GetTimeout: 300 * time.Millisecond, PutTimeout: 300 * time.Millisecond})
				s.saveUp(t, s.client)
				s.play(row.store)
				var running sync.WaitGroup
				call := func() {
					running.Go(func() {
						if rand.N(2) == 0 {
							_ = get(t.Context(), s.client)
						} else {
							_ = put(t.Context(), s.client, nil)
						}
					})
					pass(10 * time.Millisecond)
				}
				down := time.Now()
				for time.Since(down) < 20*time.Second {
					call()
				}
				requests, _ := s.arrivals()
				var probes []arrival // those that come after what was on its way when it opened
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
				s.play(works)
				back := time.Now()
				for !s.client.Healthy() {
					call()
				}
				if took := time.Since(back); took > 1500*time.Millisecond {
					t.Errorf("back after %s only", took)
				}
				running.Wait()
				if !slices.Equal(s.told, []bool{true, false}) {
					t.Errorf("told %v", s.told)
				}
			})
		})
	}
}
