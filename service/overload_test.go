package service_test

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

const (
	slots = 4
	queue = 256
)

// Of many calls at once as many are let in as there is room, and served as fast as the store can; the others are
// refused at once.
func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 2000
		h := newHarness(t, setup{
			store:   sandbox.Config{Workers: slots, Customers: calls},
			service: service.Config{MaxInFlight: slots, MaxQueue: queue},
		})
		began := time.Now()
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() { h.update(t.Context(), i, firstAddedCustomer+int64(i), "city") })
		}
		all.Wait()
		h.finish(t)
		h.checkHistory(t)

		var served int
		var ended time.Time
		for _, c := range h.calls {
			switch {
			case c.Outcome == history.Written:
				served++
				if c.End.After(ended) {
					ended = c.End
				}
			case c.code != codes.ResourceExhausted, c.reason != "OVERLOADED", c.retryAfter < time.Second, c.took() != 0:
				t.Errorf("%v was told %s after %v, to come back in %v", c, c.reason, c.took(), c.retryAfter)
			}
		}
		if served != slots+queue {
			t.Errorf("%d were served, want %d", served, slots+queue)
		}
		if most := h.store.MaxInFlight(); most != slots {
			t.Errorf("%d in flight at the store, want %d", most, slots)
		}
		goodput, ideal := float64(served)/ended.Sub(began).Seconds(), slots/(2*latency).Seconds()
		t.Logf("%d of %d served, %.1f a second; the store can take %.1f", served, calls, goodput, ideal)
		if math.Abs(goodput/ideal-1) > 0.05 {
			t.Errorf("%.1f a second, want %.1f", goodput, ideal)
		}
	})
}

// A caller with few calls is served as if it had its share of the store, whatever another one sends.
func TestModestCallerGetsItsShare(t *testing.T) {
	const greedy, modest = 500, 20
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{
			store:   sandbox.Config{Workers: slots, Customers: greedy + modest},
			service: service.Config{MaxInFlight: slots, MaxQueue: queue},
		})
		began := time.Now()
		var all sync.WaitGroup
		call := func(name string, i int) {
			ctx := auth.NewContext(t.Context(), &auth.Caller{Share: name, May: auth.Permissions{Status: true}})
			all.Go(func() { h.update(ctx, i, firstAddedCustomer+int64(i), "city") })
		}
		for i := range greedy {
			call("greedy", i)
		}
		synctest.Wait() // all the room is taken
		if load := h.service.Load(); load.Admitted != slots+queue {
			t.Fatalf("load %+v", load)
		}
		for i := range modest {
			call("modest", greedy+i)
		}
		all.Wait()
		h.finish(t)
		h.checkHistory(t)

		var last, share time.Duration
		served := map[bool]int{}
		for _, c := range h.calls {
			isModest := c.ID >= greedy
			switch {
			case c.Outcome == history.Written:
				served[isModest]++
				if isModest {
					last = max(last, c.End.Sub(began))
				}
			case isModest || c.reason != "OVERLOADED":
				t.Errorf("%v was told %s", c, c.reason)
			}
		}
		share = modest * 2 * latency / (slots / 2) // with half of the slots to itself
		t.Logf("the modest caller was served in %v; with half of the store to itself in %v", last, share)
		if served[true] != modest || served[false] != slots+queue-modest {
			t.Errorf("%d of the modest caller's calls were served, and %d of the greedy one's", served[true], served[false])
		}
		if last > share+4*latency { // the greedy one's calls that are at work, and the last turn
			t.Errorf("the modest caller was served in %v", last)
		}
	})
}
