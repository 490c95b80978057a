package service_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// lateBy is how long after the timeout of the PUT the store applies the late write.
const lateBy = 3 * time.Second

// round is one late write of a customer's city, and a second caller that updates the notes of the same customer.
type round struct {
	number   int
	patience time.Duration // how long the first caller waits; 0 is without limit
	cancels  bool          // the first caller cancels its call; otherwise its deadline passes
	begin    time.Duration // when the second caller calls
	deadline time.Duration // of the second call
}

func randomRound(seed uint64, number int) round {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	r := round{number: number, begin: uniformBetween(random, time.Millisecond, 8*time.Second)}
	if number%3 > 0 { // not gone before the write has begun
		r.patience, r.cancels = uniformBetween(random, latency+time.Millisecond, 8*time.Second), number%3 == 1
	}
	r.deadline = logUniformBetween(random, 50*time.Millisecond, 40*time.Second)
	return r
}

// run runs the round with a service and a sandbox store of its own.
func (r round) run(t *testing.T, leases lease.Locker) (h *harness, first, second result) {
	t.Helper()
	h = newHarness(t, setup{
		store: sandbox.Config{Fail: failFirstWrite(sandbox.Failure{
			Work: sandbox.Late, LateBy: timeout + lateBy - latency, Delivery: sandbox.Silent,
		})},
		service: service.Config{SettleTime: 30 * time.Second, Leases: leases},
	})
	var callers sync.WaitGroup
	callers.Go(func() {
		ctx := t.Context()
		if r.patience > 0 {
			ctx = contextEnding(t, r.cancels, r.patience)
		}
		first = h.update(ctx, 1, 1, "city")
	})
	callers.Go(func() {
		advance(r.begin)
		second = h.update(contextEnding(t, byDeadline, r.deadline), 2, 1, "notes")
	})
	callers.Wait()
	h.finish(t)
	return h, first, second
}

// A write may be applied after the gateway has stopped waiting for its response (F22). It has the values that were read
// before it, so it would revert the changes of later updates (F23). No other update gets the lease until it is applied.
func TestWriteAppliedLateNeverRevertsAnotherUpdate(t *testing.T) {
	seed := testSeed(t)
	var served, rejected, reported int
	for number := range rounds {
		synctest.Test(t, func(t *testing.T) {
			r := randomRound(seed, number)
			h, first, second := r.run(t, lease.NewLocal(lease.Limits{}))
			h.checkHistory(t)

			const applied = latency + timeout + lateBy
			const verified = applied + 1100*time.Millisecond // the longest pause between two reads that verify the write, and one read
			switch isGone := first.took() == r.patience; {
			case first.Outcome == history.Written:
				reported++
				if first.took() < applied || first.took() > verified {
					t.Errorf("the write was applied after %v, and the first call ended after %v", applied, first.took())
				}
			case first.state != "unknown" || !isGone || r.patience > verified:
				t.Errorf("the first call got %s, %s after %v", first.Code, first.state, first.took())
			case r.cancels && first.code != codes.Unknown, !r.cancels && first.code != codes.DeadlineExceeded:
				t.Errorf("the first call, which ended early, got %s", first.Code)
			}

			want := 2
			if second.Outcome != history.Written {
				want = 1
				rejected++
				if second.state != "not_sent" || second.took() > r.deadline {
					t.Errorf("the second call got %s, %s after %v of %v", second.Code, second.state, second.took(), r.deadline)
				}
				// The second call needs a read and a write, where the latency estimate of the write is up to a second, and
				// the same again for the update before it.
				if r.begin+r.deadline > verified+2*timeout && r.deadline > 2*timeout+4*latency {
					t.Errorf("the second call had enough time, and got %s", second.reason)
				}
			} else {
				served++
			}
			if got := h.writesOf(1); len(got) != want {
				t.Errorf("%d writes, want %d", len(got), want)
			}
			if t.Failed() {
				t.Fatalf("TEST_SEED=%d: %+v", seed, r)
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("of %d second calls %d were served and %d rejected; %d first calls got the verified outcome", rounds, served, rejected, reported)
	if served < rounds/5 || rejected == 0 || reported < rounds/5 {
		t.Error("the rounds do not cover all cases: too few second calls were served or rejected, or too few first calls got the verified outcome")
	}
}

// The same rounds revert updates if there is no quarantine. This proves that the test above can fail.
func TestWriteAppliedLateRevertsAnotherUpdateWithoutQuarantine(t *testing.T) {
	seed := testSeed(t)
	var reverted, unexplained, bothOK int
	for number := range rounds {
		synctest.Test(t, func(t *testing.T) {
			h, first, second := randomRound(seed, number).run(t, withoutQuarantine{lease.NewLocal(lease.Limits{})})
			calls := h.history()
			if len(history.Reverts(calls, h.store.Writes())) == 0 {
				return
			}
			reverted++
			if history.Linearizable(calls, h.initial, 0) != nil {
				unexplained++
			}
			if first.Outcome == history.Written && second.Outcome == history.Written {
				bothOK++
			}
		})
	}
	t.Logf("%d of %d rounds reverted, %d of them with OK for both callers; the responses alone show %d", reverted, rounds, bothOK, unexplained)
	if reverted == 0 {
		t.Error("no update was reverted")
	}
}
