package service_test

import (
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Under more load than the store can take nobody waits longer than it has time, and nothing is sent to the store that
// would be cut off: from the time that a read and a write take of late, neither is begun with less.
func TestNothingIsBegunThatItsDeadlineWouldCutOff(t *testing.T) {
	seed := testSeed(t)
	synctest.Test(t, func(t *testing.T) {
		h := hurry(t, seed, nil)
		lowest := leastTimeLeft(h)
		if lowest[http.MethodGet] < 2*latency || lowest[http.MethodPut] < latency {
			t.Errorf("sent with as little time left as %v", lowest)
		}
		reasons := map[string]int{}
		for _, c := range h.calls {
			reasons[c.reason]++
			if c.Outcome == history.Unknown {
				t.Errorf("%v was told %s", c, c.reason)
			}
		}
		t.Logf("%v (\"\": OK); sent with the least time left: %v", reasons, lowest)
		if few := len(h.calls) / 60; reasons[""] < few || reasons["DEADLINE_PASSED"] < few || reasons["OVERLOADED"] < few {
			t.Error("the load is not what it should be")
		}
	})
}

// A read that takes longer than reads do may leave too little time for the write, which is then not begun.
func TestNoWriteIsBegunAfterAReadThatTookTooLong(t *testing.T) {
	seed := testSeed(t)
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		h := hurry(t, seed, func(r *http.Request) *sandbox.Failure {
			if r.Method == http.MethodGet && reads.Add(1)%4 == 0 {
				return &sandbox.Failure{Delay: time.Duration(reads.Load()%10) * latency}
			}
			return nil
		})
		lowest := leastTimeLeft(h)
		if lowest[http.MethodPut] < latency {
			t.Errorf("sent with as little time left as %v", lowest)
		}
		wrote := map[int]bool{}
		for _, r := range h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodPut }) {
			wrote[r.call] = true
		}
		var gaveUp int
		for _, r := range h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet && !wrote[r.call] }) {
			if r.timeLeft > 0 {
				gaveUp++
			}
		}
		t.Logf("%d reads without a write; sent with the least time left: %v", gaveUp, lowest)
		if gaveUp == 0 {
			t.Error("the reads are not what they should be")
		}
	})
}

// hurry lets many calls come, of which some have no time at all and others have much, and checks that each is told in
// its time.
func hurry(t *testing.T, seed uint64, fail func(*http.Request) *sandbox.Failure) *harness {
	t.Helper()
	const calls, customers = 3000, 100
	const load = 250 // calls a second, half of which have time enough for a read and a write; the store can take 60
	const shortest, longest = time.Millisecond, 5 * time.Second
	h := newHarness(t, setup{
		store:   sandbox.Config{Workers: slots, Customers: customers, Fail: fail},
		service: service.Config{MaxInFlight: slots},
	})
	if first := h.update(t.Context(), 0, 1, "city"); first.Outcome != history.Written { // now the pace is known
		t.Fatalf("the first call was told %s", first.Code)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	var all sync.WaitGroup
	for i := range calls {
		advance(time.Duration(random.ExpFloat64() * float64(time.Second) / load))
		deadline := logUniformBetween(random, shortest, longest)
		customer := firstAddedCustomer + random.Int64N(customers)
		all.Go(func() {
			c := h.update(contextEnding(t, byDeadline, deadline), i+1, customer, []string{"city", "notes", "state"}[i%3])
			if c.took() > deadline {
				t.Errorf("%v was answered after %v of %v", c, c.took(), deadline)
			}
		})
	}
	all.Wait()
	h.finish(t)
	h.checkHistory(t)
	return h
}

// leastTimeLeft is the least that any call had left when a request was sent for it, by method.
func leastTimeLeft(h *harness) map[string]time.Duration {
	lowest := map[string]time.Duration{http.MethodGet: math.MaxInt64, http.MethodPut: math.MaxInt64}
	isLooking := map[int]bool{} // for the outcome of a write, which has no deadline
	for _, r := range h.transport.requestsWhere(func(sentRequest) bool { return true }) {
		if !isLooking[r.call] {
			lowest[r.method] = min(lowest[r.method], r.timeLeft)
		}
		isLooking[r.call] = isLooking[r.call] || r.method == http.MethodPut
	}
	return lowest
}
