package admission_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
)

// call enters the gate and works in a slot for the given time.
func call(ctx context.Context, gate *admission.Gate, name string, work time.Duration) error {
	ctx, pass, err := gate.Enter(ctx, name)
	if err != nil {
		return err
	}
	defer pass.Leave()
	slot, err := pass.Slot(ctx)
	if err != nil {
		return err
	}
	defer slot.Release()
	time.Sleep(work) //nolint:forbidigo // in a bubble of synctest, where time is fake
	return nil
}

func TestNoMoreCallsWorkThanThereAreSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 4, Queue: 100})
		start := time.Now()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				if err := call(t.Context(), gate, "a", time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if diff := cmp.Diff(admission.Load{Admitted: 100, Working: 4, Waiting: 96}, gate.Load()); diff != "" {
			t.Errorf("load (-want +got):\n%s", diff)
		}
		calls.Wait()
		if took := time.Since(start); took != 25*time.Second {
			t.Errorf("100 calls of a second took %s with 4 slots", took)
		}
		if diff := cmp.Diff(admission.Load{}, gate.Load()); diff != "" {
			t.Errorf("load afterwards (-want +got):\n%s", diff)
		}
	})
}

func TestCallBeyondTheCapacityIsRejectedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 2, Queue: 3})
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() {
				if err := call(t.Context(), gate, "a", time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		before := time.Now()
		if err := call(t.Context(), gate, "a", time.Second); !errors.Is(err, admission.ErrOverloaded) || time.Since(before) > 0 {
			t.Errorf("got %v after %s", err, time.Since(before))
		}
		calls.Wait()
		if err := call(t.Context(), gate, "a", time.Second); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A deadline that is nearer than the estimated wait is reported at once, not when it has passed.
func TestCallThatCannotMeetItsDeadlineIsRejectedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		if err := call(t.Context(), gate, "a", time.Second); err != nil { // so that the latency is known
			t.Fatal(err)
		}
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { _ = call(t.Context(), gate, "a", time.Second) })
		}
		synctest.Wait()
		for timeout, want := range map[time.Duration]error{5 * time.Second: admission.ErrOverloaded, 12 * time.Second: nil} {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				before := time.Now()
				err := call(ctx, gate, "a", 0)
				if !errors.Is(err, want) || want != nil && time.Since(before) > 0 {
					t.Errorf("%s: got %v after %s", timeout, err, time.Since(before))
				}
			})
		}
		calls.Wait()
	})
}

// A caller with a hundred calls does not delay a caller with a few.
func TestSlotsGoToTheCallersInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 200})
		start := time.Now()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() { _ = call(t.Context(), gate, "greedy", time.Second) })
		}
		synctest.Wait()
		for range 3 {
			calls.Go(func() {
				if err := call(t.Context(), gate, "modest", time.Second); err != nil {
					t.Error(err)
				}
				if waited := time.Since(start); waited > 8*time.Second {
					t.Errorf("a call of the modest caller took %s", waited)
				}
			})
		}
		calls.Wait()
	})
}

func TestCallerOverItsShareIsEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 9})
		var calls sync.WaitGroup
		var mu sync.Mutex
		rejected := map[string]int{}
		start := func(name string) {
			calls.Go(func() {
				if err := call(t.Context(), gate, name, time.Second); err != nil {
					mu.Lock()
					defer mu.Unlock()
					rejected[name]++
				}
			})
			synctest.Wait()
		}
		for range 10 {
			start("greedy")
		}
		for range 6 {
			start("modest")
		}
		calls.Wait()
		// The capacity of ten is five for each of two callers, so the modest caller's sixth call is rejected.
		if diff := cmp.Diff(map[string]int{"greedy": 5, "modest": 1}, rejected); diff != "" {
			t.Errorf("rejected (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(admission.Load{}, gate.Load()); diff != "" {
			t.Errorf("load afterwards (-want +got):\n%s", diff)
		}
	})
}

func TestUrgentWaiterIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		start := time.Now()
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { _ = call(t.Context(), gate, "a", time.Second) })
		}
		synctest.Wait()
		slot, err := gate.Urgent(t.Context())
		if err != nil || time.Since(start) > time.Second {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		slot.Release()
		calls.Wait()
	})
}

func TestPatientWaiterIsServedAsOneMoreCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		start := time.Now()
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { _ = call(t.Context(), gate, "a", time.Second) })
		}
		synctest.Wait()
		for i := range 2 {
			slot, err := gate.Patient(t.Context())
			if waited := time.Since(start); err != nil || waited != time.Duration(i+1)*2*time.Second {
				t.Errorf("slot %d: got %v after %s", i, err, waited)
			}
			slot.Release()
		}
		calls.Wait()
	})
}

// A call may get a slot at the moment its context ends. The slot must then go to the next waiter.
func TestNoSlotIsLost(t *testing.T) {
	gate := admission.New(admission.Config{Slots: 1, Queue: 100})
	for range 1000 {
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { _ = call(ctx, gate, "a", 0) })
		}
		calls.Go(cancel)
		calls.Go(func() {
			if slot, err := gate.Urgent(ctx); err == nil {
				slot.Release()
			}
		})
		calls.Wait()
		if diff := cmp.Diff(admission.Load{}, gate.Load()); diff != "" {
			t.Fatalf("load (-want +got):\n%s", diff)
		}
	}
}

// A call that was admitted in time may become late, because the store has become slower. It is rejected as soon as that is
// clear, not at its deadline.
func TestWaiterThatBecomesLateIsRejectedBeforeItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		if err := call(t.Context(), gate, "a", 100*time.Millisecond); err != nil { // so that the latency is known
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		var mu sync.Mutex
		outcomes := map[string]int{}
		var calls sync.WaitGroup
		for range 40 { // 4 s of work
			calls.Go(func() {
				err := call(ctx, gate, "a", time.Second)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					outcomes["served"]++
				case errors.Is(err, admission.ErrLate) && time.Since(start) <= 8*time.Second:
					outcomes["rejected early"]++
				default:
					outcomes[err.Error()]++
				}
			})
		}
		calls.Wait()
		if diff := cmp.Diff(map[string]int{"served": 10, "rejected early": 30}, outcomes); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}
