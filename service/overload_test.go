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

// Of many calls at once, as many are admitted as there are slots and places in the queue, and served as fast as the store
// can. The others are rejected at once.
func TestOverloadRejectsAtOnceTheCallsThatExceedTheQueue(t *testing.T) {
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
				t.Errorf("%v got %s after %v, with a retry delay of %v", c, c.reason, c.took(), c.retryAfter)
			}
		}
		if served != slots+queue {
			t.Errorf("%d calls were served, want %d", served, slots+queue)
		}
		if most := h.store.MaxInFlight(); most != slots {
			t.Errorf("%d requests in flight at the store, want %d", most, slots)
		}
		goodput, ideal := float64(served)/ended.Sub(began).Seconds(), slots/(2*latency).Seconds()
		t.Logf("%d of %d calls served, %.1f a second; the store can take %.1f", served, calls, goodput, ideal)
		if math.Abs(goodput/ideal-1) > 0.05 {
			t.Errorf("%.1f calls served a second, want %.1f", goodput, ideal)
		}
	})
}

// A caller with few calls is served as fast as with its fair share of the store, however many calls another caller makes.
func TestCallerWithFewCallsGetsItsFairShare(t *testing.T) {
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
		synctest.Wait() // all slots and the queue are full
		if load := h.service.Load(); load.Admitted != slots+queue {
			t.Fatalf("load %+v, want %d admitted", load, slots+queue)
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
				t.Errorf("%v got %s", c, c.reason)
			}
		}
		share = modest * 2 * latency / (slots / 2) // with half of the slots to itself
		t.Logf("the modest caller was served in %v; with half of the slots to itself it would be %v", last, share)
		if served[true] != modest || served[false] != slots+queue-modest {
			t.Errorf("%d calls of the modest caller and %d of the greedy caller were served", served[true], served[false])
		}
		if last > share+4*latency { // the greedy caller's calls that have a slot, and the modest caller's last call
			t.Errorf("the modest caller was served in %v, want at most %v", last, share+4*latency)
		}
	})
}
