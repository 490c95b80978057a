package service_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// While the store is unreachable, the breaker is open: one call a second probes the store, and all others are rejected at
// once. When the store is back, calls are served again.
func TestBreakerRejectsCallsDuringAnOutageAndProbesOnceASecond(t *testing.T) {
	seed := testSeed(t)
	synctest.Test(t, func(t *testing.T) {
		const (
			callers        = 50
			customers      = callers / 2 // two callers for each customer, so that one may meet the in-flight write of the other
			before, outage = 2 * time.Second, 20 * time.Second
			recovery       = time.Second // the time between two probes
			after          = 3 * time.Second
		)
		var mu sync.Mutex
		var opened []time.Time
		h := newHarness(t, setup{
			store: sandbox.Config{Workers: 4, Customers: customers},
			breakerChanged: func(open bool) {
				mu.Lock()
				defer mu.Unlock()
				if open {
					opened = append(opened, time.Now())
				}
			},
		})
		began := time.Now()
		down, back := began.Add(before), began.Add(before+outage)
		const perCaller = 10000 // the call numbers that each caller has
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(caller)))
				for n := 0; time.Since(began) < before+outage+recovery+after; n++ {
					h.update(contextEnding(t, byDeadline, 5*time.Second), caller*perCaller+n, firstAddedCustomer+int64(caller%customers), []string{"city", "notes"}[n%2])
					advance(uniformBetween(random, 20*time.Millisecond, 150*time.Millisecond))
				}
			})
		}
		advance(before)
		h.transport.disconnect()
		advance(outage)
		h.transport.reconnect()
		all.Wait()
		h.finish(t)
		h.checkHistory(t)

		if len(opened) != 1 || opened[0].Before(down) {
			t.Fatalf("the breaker opened at %v, want once, after the outage began at %v", opened, down)
		}
		probes := h.transport.requestsWhere(func(r sentRequest) bool { return r.refused && r.at.After(opened[0]) })
		probing := map[int]bool{}
		last := opened[0]
		for _, p := range probes {
			probing[p.call] = true
			if gap := p.at.Sub(last); gap < time.Second {
				t.Errorf("the next probe came after %v, want at least 1 s", gap)
			}
			last = p.at
		}
		if most, least := int(outage/time.Second), int(outage/time.Second)-2; len(probes) > most || len(probes) < least {
			t.Errorf("%d probes in %v", len(probes), outage)
		}
		var rejected, served, called int
		var slowest time.Duration
		for _, c := range h.calls {
			switch {
			case !c.Begin.Before(opened[0]) && c.Begin.Before(back) && !probing[c.ID]:
				rejected++
				slowest = max(slowest, c.took())
				if c.code != codes.Unavailable || c.retryAfter <= 0 || c.took() > 10*time.Millisecond {
					t.Errorf("%v got %s after %v, with a retry delay of %v", c, c.reason, c.took(), c.retryAfter)
				}
			case !c.Begin.Before(back.Add(recovery)):
				called++
				if c.Outcome == history.Written {
					served++
				}
			}
		}
		t.Logf("the breaker opened %v after the outage began; %d probes in %v; %d calls rejected, the slowest in %v; then %d of %d served",
			opened[0].Sub(down), len(probes), outage, rejected, slowest, served, called)
		if rejected < 1000 || called < 100 || served*100 < called*95 {
			t.Errorf("%d calls rejected, want at least 1000; then %d of %d served, want at least 95 %% of at least 100", rejected, served, called)
		}
	})
}
