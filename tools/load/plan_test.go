package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sendTo makes calls that take that long, and returns their results.
func sendTo(ctx context.Context, p plan, took time.Duration) *results {
	r := newResults(nil)
	p.send(ctx, func(ctx context.Context, _ int) (outcome, string) {
		if waitUntil(ctx, time.Now().Add(took)) {
			return outcome{Code: "OK"}, ""
		}
		return outcome{Code: "CANCELLED"}, ctx.Err().Error()
	}, r)
	return r
}

func TestClosedLoopSendsOneCallAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := sendTo(t.Context(), plan{calls: 10, parallel: 2}, time.Second)
		if len(r.all) != 10 || r.took != 5*time.Second {
			t.Errorf("%d calls in %s", len(r.all), r.took)
		}
		for _, one := range r.all {
			if one.took != time.Second || one.late != 0 {
				t.Errorf("call %d took %s, late by %s", one.number, one.took, one.late)
			}
		}
	})
}

// If the calls take longer than the workers can bear, the latency of the open loop is that from when a call was due. That of
// the calls alone would be a second for each of them.
func TestOpenLoopMeasuresFromWhenACallWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := sendTo(t.Context(), plan{calls: 10, parallel: 1, rate: 2}, time.Second)
		if len(r.all) != 10 || r.took != 10*time.Second || r.due != 10 {
			t.Fatalf("%d calls in %s, %d were due", len(r.all), r.took, r.due)
		}
		for i, one := range r.all {
			late := time.Duration(i) * time.Second / 2
			if one.number != i+1 || one.late != late || one.took != late+time.Second {
				t.Errorf("call %d took %s, late by %s", one.number, one.took, one.late)
			}
		}
	})
}

func TestOpenLoopDoesNotWaitForCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := sendTo(t.Context(), plan{calls: 100, parallel: 100, rate: 10}, 3*time.Second)
		if len(r.all) != 100 || r.took != 9900*time.Millisecond+3*time.Second {
			t.Errorf("%d calls in %s", len(r.all), r.took)
		}
		for _, one := range r.all {
			if one.took != 3*time.Second || one.late != 0 {
				t.Errorf("call %d took %s, late by %s", one.number, one.took, one.late)
			}
		}
	})
}

func TestDurationEndsTheRunAndWaitsForItsCalls(t *testing.T) {
	for name, row := range map[string]struct {
		plan       plan
		calls, due int
		took       time.Duration
	}{
		"closed loop":                      {plan{calls: maxCalls, parallel: 3, duration: 10 * time.Second}, 9, 0, 12 * time.Second},
		"open loop":                        {plan{calls: maxCalls, parallel: 100, rate: 5, duration: 10 * time.Second}, 50, 50, 9800*time.Millisecond + 4*time.Second},
		"open loop with too few workers":   {plan{calls: maxCalls, parallel: 1, rate: 5, duration: 10 * time.Second}, 3, 50, 12 * time.Second},
		"open loop that ends by its calls": {plan{calls: 10, parallel: 100, rate: 5, duration: 10 * time.Second}, 10, 10, 1800*time.Millisecond + 4*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := sendTo(t.Context(), row.plan, 4*time.Second)
				if len(r.all) != row.calls || r.took != row.took || r.due != row.due {
					t.Errorf("%d calls in %s, %d were due", len(r.all), r.took, r.due)
				}
				for _, one := range r.all {
					if !one.outcome.isOK() {
						t.Errorf("call %d: %v", one.number, one.outcome)
					}
				}
			})
		})
	}
}

func TestInterruptedRunKeepsItsResults(t *testing.T) {
	for name, row := range map[string]struct {
		takes      time.Duration // each call
		ended, cut int
		took       time.Duration
	}{
		"calls that end by themselves": {2 * time.Second, 8, 0, 4 * time.Second},
		"calls that do not end":        {time.Hour, 0, 4, 3*time.Second + grace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				r := sendTo(ctx, plan{calls: 100, parallel: 4}, row.takes)
				ended, cut := 0, 0
				for _, one := range r.all {
					switch {
					case one.outcome.isOK():
						ended++
					case one.outcome == outcome{Code: cutOff}:
						cut++
					}
				}
				if ended != row.ended || cut != row.cut || len(r.all) != ended+cut || r.took != row.took {
					t.Errorf("%d ended and %d cut off of %d, in %s", ended, cut, len(r.all), r.took)
				}
			})
		})
	}
}

func TestCallsThatAnInterruptedRunDidNotSendAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		r := sendTo(ctx, plan{calls: 100, parallel: 2, rate: 10}, time.Hour)
		if len(r.all) != 2 || r.due != 30 || r.took != 3*time.Second+grace {
			t.Errorf("%d calls of %d that were due, in %s", len(r.all), r.due, r.took)
		}
	})
}

func TestNoMoreCallsAtOnceThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		count := func(change int) {
			mu.Lock()
			defer mu.Unlock()
			now += change
			most = max(most, now)
		}
		plan{calls: 50, parallel: 7, rate: 1000}.send(t.Context(), func(ctx context.Context, _ int) (outcome, string) {
			count(1)
			defer count(-1)
			waitUntil(ctx, time.Now().Add(time.Second))
			return outcome{Code: "OK"}, ""
		}, newResults(nil))
		if most != 7 {
			t.Errorf("%d at once", most)
		}
	})
}
