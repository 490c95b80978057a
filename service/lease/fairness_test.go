package lease_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// queueingLocker is what Local and Redis have in common.
type queueingLocker interface {
	lease.Locker
	QueueLength(customer int64) int
	Held() int
}

// overBothLockers runs a test with each kind of locker, with the given limits.
func overBothLockers(t *testing.T, limits lease.Limits, test func(t *testing.T, waiters *waiters)) {
	t.Helper()
	t.Run("in one process", func(t *testing.T) { test(t, &waiters{locker: lease.NewLocal(limits)}) })
	t.Run("through Redis", func(t *testing.T) {
		server := redistest.Start(t)
		locker := newRedisOf(t, lease.RedisConfig{URL: server.URL, Term: term, SettleTime: settleTime, Limits: limits})
		take(t, locker, 9).Release() // the server grants leases
		waitFor(t, func() bool { return locker.Held() == 0 })
		test(t, &waiters{locker: locker})
	})
}

// waiters are calls that wait for leases, and the order of what becomes of them.
type waiters struct {
	locker queueingLocker
	all    sync.WaitGroup

	mu      sync.Mutex
	granted []string // callers
	evicted []string
	other   []error
}

// wait lets a call wait for a customer's lease, and release it at once. It returns when the call waits.
func (w *waiters) wait(t *testing.T, customer int64, caller string) {
	t.Helper()
	before := w.locker.QueueLength(customer) + len(w.ended())
	w.all.Go(func() {
		held, err := w.locker.Acquire(t.Context(), customer, caller)
		w.mu.Lock()
		switch {
		case err == nil:
			w.granted = append(w.granted, caller)
		case errors.Is(err, admission.ErrEvicted):
			w.evicted = append(w.evicted, caller)
		default:
			w.other = append(w.other, err)
		}
		w.mu.Unlock()
		if err == nil {
			held.Release()
		}
	})
	waitFor(t, func() bool { return w.locker.QueueLength(customer)+len(w.ended()) > before })
}

// ended returns the calls that do not wait any more.
func (w *waiters) ended() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ended := append(append([]string{}, w.granted...), w.evicted...)
	for _, err := range w.other {
		ended = append(ended, err.Error())
	}
	return ended
}

// A caller with many calls delays a caller with a few by at most as many as that one has.
func TestLeaseIsGrantedToTheCallersInTurn(t *testing.T) {
	overBothLockers(t, lease.Limits{}, func(t *testing.T, w *waiters) {
		first := take(t, w.locker, 1)
		for _, caller := range []string{"greedy", "greedy", "greedy", "greedy", "modest", "third", "modest"} {
			w.wait(t, 1, caller)
		}
		for caller, want := range map[string]int{
			"fourth": 1 + 3,         // the holder, and one call of each caller
			"modest": 1 + 2 + 3 + 1, // the holder, its own, and of the others as many as are served in three rounds
		} {
			if ahead, err := w.locker.Admits(t.Context(), 1, caller); ahead != want || err != nil {
				t.Errorf("%d calls are ahead of the next one of the %s caller, %v, want %d", ahead, caller, err, want)
			}
		}
		first.Release()
		w.all.Wait()
		want := strings.Fields("greedy modest third greedy modest greedy greedy")
		if diff := cmp.Diff(want, w.granted); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		waitFor(t, func() bool { return w.locker.Held() == 0 })
	})
}

// A customer's queue, and the waiters for all customers, are shared fairly between callers. The place of an evicted waiter
// is free for another call.
func TestWaitersForLeasesAreSharedFairly(t *testing.T) {
	for _, row := range []struct {
		name   string
		limits lease.Limits
		// The customers that the greedy caller floods. The modest caller waits for customer 3.
		flooded []int64
	}{
		{"the queue of one customer is full", lease.Limits{All: 100, Customer: 6}, []int64{3}},
		{"the queues of all customers are full", lease.Limits{All: 6, Customer: 5}, []int64{1, 2, 3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			overBothLockers(t, row.limits, func(t *testing.T, w *waiters) {
				var held []lease.Lease
				for _, customer := range []int64{1, 2, 3} {
					held = append(held, take(t, w.locker, customer))
				}
				const places = 6
				for i := range places {
					w.wait(t, row.flooded[i%len(row.flooded)], "greedy")
				}
				overloaded := func(customer int64, caller string) {
					t.Helper()
					if _, err := w.locker.Admits(t.Context(), customer, caller); err == nil {
						t.Errorf("a further call of the %s caller is admitted", caller)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if _, err := w.locker.Acquire(ctx, customer, caller); !errors.Is(err, admission.ErrOverloaded) {
						t.Errorf("a further call of the %s caller got %v", caller, err)
					}
				}
				overloaded(3, "greedy")
				for i := range places / 2 {
					if _, err := w.locker.Admits(t.Context(), 3, "modest"); err != nil {
						t.Errorf("call %d of the modest caller is not admitted", i)
					}
					w.wait(t, 3, "modest")
				}
				overloaded(3, "modest")
				overloaded(3, "greedy")
				waitFor(t, func() bool { return len(w.ended()) == places/2 })
				for _, l := range held {
					l.Release()
				}
				w.all.Wait()
				counts := func(callers []string) map[string]int {
					counts := map[string]int{}
					for _, caller := range callers {
						counts[caller]++
					}
					return counts
				}
				if diff := cmp.Diff(map[string]int{"greedy": 3}, counts(w.evicted)); diff != "" {
					t.Errorf("evicted (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(map[string]int{"greedy": 3, "modest": 3}, counts(w.granted)); diff != "" || len(w.other) > 0 {
					t.Errorf("granted (-want +got):\n%s%v", diff, w.other)
				}
				waitFor(t, func() bool { return w.locker.Held() == 0 })
				for _, customer := range []int64{1, 2, 3} { // nothing is left that counts
					take(t, w.locker, customer).Release()
				}
			})
		})
	}
}

// A waiter may be evicted, or its context may end, at the moment when it gets the lease. Neither a lease nor a place is lost
// then.
func TestNoLeaseAndNoPlaceIsLost(t *testing.T) {
	locker := lease.NewLocal(lease.Limits{All: 3, Customer: 2})
	for range 1000 {
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for i := range 12 {
			calls.Go(func() {
				if held, err := locker.Acquire(ctx, int64(i%2), []string{"a", "a", "a", "b", "c"}[i%5]); err == nil {
					held.Release()
				}
			})
		}
		calls.Go(cancel)
		calls.Wait()
		if locker.Held() != 0 {
			t.Fatal("a lease is held, and no call has it")
		}
	}
	held := take(t, locker, 1)
	defer held.Release()
	if _, err := locker.Admits(t.Context(), 1, "d"); err != nil {
		t.Error("all places are taken, and no call waits")
	}
}

// Callers with one call each get places from a caller that has taken all of them, and are served before its second call.
func TestManyCallersOfOneCallEachAreServedBesideAFlood(t *testing.T) {
	const places = 8
	overBothLockers(t, lease.Limits{All: 100, Customer: places}, func(t *testing.T, w *waiters) {
		first := take(t, w.locker, 1)
		for range places {
			w.wait(t, 1, "greedy")
		}
		modest := strings.Fields("a b c d e f g")
		for _, caller := range modest {
			w.wait(t, 1, caller)
		}
		waitFor(t, func() bool { return len(w.ended()) == len(modest) })
		first.Release()
		w.all.Wait()
		if diff := cmp.Diff(append([]string{"greedy"}, modest...), w.granted); diff != "" || len(w.other) > 0 {
			t.Errorf("granted (-want +got):\n%s%v", diff, w.other)
		}
	})
}
