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

// Under more load than the store can take, no call ends after its deadline, and no request is sent to the store that the
// deadline would cut off: none is sent with less time left than the latency estimate. Calls that cannot meet their deadlines
// are rejected as overloaded before.
func TestNoRequestIsSentThatTheDeadlineWouldCutOff(t *testing.T) {
	seed := testSeed(t)
	synctest.Test(t, func(t *testing.T) {
		h := runOverload(t, seed, nil)
		lowest := leastTimeLeft(h)
		if lowest[http.MethodGet] < 2*latency || lowest[http.MethodPut] < latency {
			t.Errorf("requests were sent with as little time left as %v", lowest)
		}
		reasons := map[string]int{}
		for _, c := range h.calls {
			reasons[c.reason]++
			if c.Outcome == history.Unknown {
				t.Errorf("%v has an unknown outcome: %s", c, c.reason)
			}
		}
		t.Logf("reasons (\"\" is OK): %v; least time left when a request was sent: %v", reasons, lowest)
		if few := len(h.calls) / 60; reasons[""] < few || reasons["OVERLOADED"] < few {
			t.Error("the load does not cover all cases: too few calls succeeded or were rejected")
		}
		if most := len(h.calls) / 100; reasons["DEADLINE_PASSED"] > most {
			t.Errorf("%d calls passed their deadline, want at most %d: they can be rejected as soon as it is clear that they will", reasons["DEADLINE_PASSED"], most)
		}
	})
}

// A read that takes longer than estimated may leave too little time for the write, which is then not sent.
func TestNoWriteIsSentAfterAReadThatTookTooLong(t *testing.T) {
	seed := testSeed(t)
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		h := runOverload(t, seed, func(r *http.Request) *sandbox.Failure {
			if r.Method == http.MethodGet && reads.Add(1)%10 == 0 { // rarely, so that the latency estimate does not expect it
				return &sandbox.Failure{Delay: 20 * latency}
			}
			return nil
		})
		lowest := leastTimeLeft(h)
		if lowest[http.MethodPut] < latency {
			t.Errorf("requests were sent with as little time left as %v", lowest)
		}
		wrote := map[int]bool{}
		for _, r := range h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodPut }) {
			wrote[r.call] = true
		}
		var withoutWrite int
		for _, r := range h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet && !wrote[r.call] }) {
			if r.timeLeft > 0 {
				withoutWrite++
			}
		}
		t.Logf("%d reads without a write; least time left when a request was sent: %v", withoutWrite, lowest)
		if withoutWrite == 0 {
			t.Error("no read left too little time for its write")
		}
	})
}

// runOverload makes more calls than the store can take, with short and long deadlines, and checks that each call ends by
// its deadline.
func runOverload(t *testing.T, seed uint64, fail func(*http.Request) *sandbox.Failure) *harness {
	t.Helper()
	const calls, customers = 3000, 100
	const load = 250 // calls a second; half of them have enough time for a read and a write; the store can take 60
	const shortest, longest = time.Millisecond, 5 * time.Second
	h := newHarness(t, setup{
		store:   sandbox.Config{Workers: slots, Customers: customers, Fail: fail},
		service: service.Config{MaxInFlight: slots},
	})
	if first := h.update(t.Context(), 0, 1, "city"); first.Outcome != history.Written { // it sets the latency estimate
		t.Fatalf("the first call got %s", first.Code)
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
				t.Errorf("%v ended after %v, and its deadline was after %v", c, c.took(), deadline)
			}
		})
	}
	all.Wait()
	h.finish(t)
	h.checkHistory(t)
	return h
}

// leastTimeLeft returns, by method, the least time that any call had left when a request was sent for it.
func leastTimeLeft(h *harness) map[string]time.Duration {
	lowest := map[string]time.Duration{http.MethodGet: math.MaxInt64, http.MethodPut: math.MaxInt64}
	isVerifying := map[int]bool{} // reads that verify a write do not depend on the deadline
	for _, r := range h.transport.requestsWhere(func(sentRequest) bool { return true }) {
		if !isVerifying[r.call] {
			lowest[r.method] = min(lowest[r.method], r.timeLeft)
		}
		isVerifying[r.call] = isVerifying[r.call] || r.method == http.MethodPut
	}
	return lowest
}
