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

// While a store is down it is asked once a second, and callers are refused at once; when it is back they are served.
func TestOutage(t *testing.T) {
	seed := testSeed(t)
	synctest.Test(t, func(t *testing.T) {
		const (
			callers        = 50
			customers      = callers / 2 // in pairs, so that one may find the other's write without an outcome
			before, outage = 2 * time.Second, 20 * time.Second
			recovery       = time.Second // the store is left alone for so long before it is asked
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
		const perCaller = 10000 // the numbers of one caller's calls
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
			t.Fatalf("left alone from %v, and it went down at %v", opened, down)
		}
		probes := h.transport.requestsWhere(func(r sentRequest) bool { return r.refused && r.at.After(opened[0]) })
		probing := map[int]bool{}
		last := opened[0]
		for _, p := range probes {
			probing[p.call] = true
			if gap := p.at.Sub(last); gap < time.Second {
				t.Errorf("asked again after %v", gap)
			}
			last = p.at
		}
		if most, least := int(outage/time.Second), int(outage/time.Second)-2; len(probes) > most || len(probes) < least {
			t.Errorf("asked %d times in %v", len(probes), outage)
		}
		var refused, served, asked int
		var slowest time.Duration
		for _, c := range h.calls {
			switch {
			case !c.Begin.Before(opened[0]) && c.Begin.Before(back) && !probing[c.ID]:
				refused++
				slowest = max(slowest, c.took())
				if c.code != codes.Unavailable || c.retryAfter <= 0 || c.took() > 10*time.Millisecond {
					t.Errorf("%v was told %s after %v, to come back in %v", c, c.reason, c.took(), c.retryAfter)
				}
			case !c.Begin.Before(back.Add(recovery)):
				asked++
				if c.Outcome == history.Written {
					served++
				}
			}
		}
		t.Logf("left alone %v after it went down; asked %d times in %v; %d refused, the slowest in %v; then %d of %d served",
			opened[0].Sub(down), len(probes), outage, refused, slowest, served, asked)
		if refused < 1000 || asked < 100 || served*100 < asked*95 {
			t.Errorf("%d refused; %d of %d served", refused, served, asked)
		}
	})
}
