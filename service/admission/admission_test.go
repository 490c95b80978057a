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

// visit is one call that works for as long as it is told to.
func visit(ctx context.Context, gate *admission.Gate, name string, work time.Duration) error {
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

func TestNeverMoreAtWorkThanThereAreSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 4, Queue: 100})
		start := time.Now()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				if err := visit(t.Context(), gate, "a", time.Second); err != nil {
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

func TestWhoFindsNoRoomIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 2, Queue: 3})
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() {
				if err := visit(t.Context(), gate, "a", time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		before := time.Now()
		if err := visit(t.Context(), gate, "a", time.Second); !errors.Is(err, admission.ErrOverloaded) || time.Since(before) > 0 {
			t.Errorf("got %v after %s", err, time.Since(before))
		}
		calls.Wait()
		if err := visit(t.Context(), gate, "a", time.Second); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A deadline that the queue cannot make is told at once, not when it has passed.
func TestWhoWouldWaitInVainIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		if err := visit(t.Context(), gate, "a", time.Second); err != nil { // so that the pace is known
			t.Fatal(err)
		}
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { _ = visit(t.Context(), gate, "a", time.Second) })
		}
		synctest.Wait()
		for timeout, want := range map[time.Duration]error{5 * time.Second: admission.ErrOverloaded, 12 * time.Second: nil} {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				before := time.Now()
				err := visit(ctx, gate, "a", 0)
				if !errors.Is(err, want) || want != nil && time.Since(before) > 0 {
					t.Errorf("%s: got %v after %s", timeout, err, time.Since(before))
				}
			})
		}
		calls.Wait()
	})
}

// A caller with a hundred calls does not keep one with a few from its turn.
func TestCallersAreServedInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 200})
		start := time.Now()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() { _ = visit(t.Context(), gate, "greedy", time.Second) })
		}
		synctest.Wait()
		for range 3 {
			calls.Go(func() {
				if err := visit(t.Context(), gate, "modest", time.Second); err != nil {
					t.Error(err)
				}
				if waited := time.Since(start); waited > 8*time.Second {
					t.Errorf("a call of the modest one took %s", waited)
				}
			})
		}
		calls.Wait()
	})
}

func TestWhoHasMoreThanItsShareMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 9})
		var calls sync.WaitGroup
		var mu sync.Mutex
		refused := map[string]int{}
		call := func(name string) {
			calls.Go(func() {
				if err := visit(t.Context(), gate, name, time.Second); err != nil {
					mu.Lock()
					defer mu.Unlock()
					refused[name]++
				}
			})
			synctest.Wait()
		}
		for range 10 {
			call("greedy")
		}
		for range 6 {
			call("modest")
		}
		calls.Wait()
		// Ten places for two are five for each; the sixth call of the modest one is too much.
		if diff := cmp.Diff(map[string]int{"greedy": 5, "modest": 1}, refused); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(admission.Load{}, gate.Load()); diff != "" {
			t.Errorf("load afterwards (-want +got):\n%s", diff)
		}
	})
}

func TestTheUrgentGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		start := time.Now()
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { _ = visit(t.Context(), gate, "a", time.Second) })
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

func TestThePatientTakeTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(admission.Config{Slots: 1, Queue: 100})
		start := time.Now()
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { _ = visit(t.Context(), gate, "a", time.Second) })
		}
		synctest.Wait()
		for i := range 2 {
			slot, err := gate.Patient(t.Context())
			if waited := time.Since(start); err != nil || waited != time.Duration(i+1)*2*time.Second {
				t.Errorf("turn %d: got %v after %s", i, err, waited)
			}
			slot.Release()
		}
		calls.Wait()
	})
}

// A slot whose turn comes in the moment in which its caller gives up goes to the next.
func TestNoSlotIsLost(t *testing.T) {
	gate := admission.New(admission.Config{Slots: 1, Queue: 100})
	for range 1000 {
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { _ = visit(ctx, gate, "a", 0) })
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

func TestPaceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pace admission.LatencyEstimate
		if got := pace.Mean(); got != 0 {
			t.Errorf("knows %s of nothing", got)
		}
		for range 50 {
			pace.Add(time.Second)
		}
		if got := pace.Mean(); got != time.Second {
			t.Errorf("the mean of seconds is %s", got)
		}
		for range 50 {
			pace.Add(2 * time.Second)
		}
		if got := pace.Mean(); got < 1900*time.Millisecond {
			t.Errorf("the mean of 2 seconds of late is %s", got)
		}
		pace.Add(time.Hour)
		if got := pace.Mean(); got > 4*time.Second {
			t.Errorf("a single hour makes it %s", got)
		}
		<-time.After(time.Minute)
		if got := pace.Mean(); got > time.Millisecond {
			t.Errorf("after a minute it is %s", got)
		}
	})
}
