package lease_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

func TestLocalGrantsInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locker := lease.NewLocal(lease.Limits{})
		first, err := locker.Acquire(t.Context(), 1, "a")
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []int
		var waiting sync.WaitGroup
		for i := range 10 {
			waiting.Go(func() {
				held, err := locker.Acquire(t.Context(), 1, "a")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				held.Release()
			})
			synctest.Wait()
		}
		if got := locker.QueueLength(1); got != 11 {
			t.Errorf("queue length %d, want 11", got)
		}
		first.Release()
		waiting.Wait()
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if got := locker.QueueLength(1); got != 0 {
			t.Errorf("queue length %d, want 0", got)
		}
	})
}

func TestLocalLeasesOfDifferentCustomersAreIndependent(t *testing.T) {
	locker := lease.NewLocal(lease.Limits{})
	for customer := range int64(3) {
		if _, err := locker.Acquire(t.Context(), customer, "a"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLocalRemovesWaitersWhoseContextEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locker := lease.NewLocal(lease.Limits{})
		first, err := locker.Acquire(t.Context(), 1, "a")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			impatient, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := locker.Acquire(impatient, 1, "a"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		first.Release()
		if _, err := locker.Acquire(t.Context(), 1, "a"); err != nil {
			t.Error(err)
		}
	})
}

// A waiter may be granted the lease at the moment its context ends. It must then pass the lease on.
func TestLocalLosesNoLease(t *testing.T) {
	locker := lease.NewLocal(lease.Limits{})
	for range 1000 {
		held, err := locker.Acquire(t.Context(), 1, "a")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var both sync.WaitGroup
		both.Go(func() {
			if second, err := locker.Acquire(ctx, 1, "a"); err == nil {
				second.Release()
			}
		})
		both.Go(cancel)
		both.Go(held.Release)
		both.Wait()
		if locker.QueueLength(1) != 0 {
			t.Fatal("the lease is held, and no one has it")
		}
	}
}
