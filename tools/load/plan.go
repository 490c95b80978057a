package main

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// plan is how many calls are sent, and when.
type plan struct {
	calls    int
	parallel int
	rate     float64       // calls a second; 0 is a closed loop
	duration time.Duration // 0 is no limit
}

// grace is how long the calls in flight have to end after a run was interrupted.
const grace = 5 * time.Second

// send makes the calls 1 to calls, fewer if the duration or ctx ends before, and returns when all that have begun have ended.
// In the closed loop, a call is due when it begins. In the open loop, it is due at a time that does not depend on how fast
// the other calls end; it begins later if no worker is free then.
func (p plan) send(ctx context.Context, call func(ctx context.Context, number int) (outcome, string), into *results) {
	sending, stop := context.WithCancel(ctx)
	defer stop()
	if p.duration > 0 {
		defer time.AfterFunc(p.duration, stop).Stop()
	}
	calling, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	start := time.Now()
	into.begin(start)
	var interrupted atomic.Int64 // after how long, in nanoseconds; 0 is not
	defer context.AfterFunc(ctx, func() {
		interrupted.Store(int64(time.Since(start)))
		time.AfterFunc(grace, abandon)
	})()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(p.parallel, p.calls) {
		workers.Go(func() {
			for {
				number := int(next.Add(1))
				if number > p.calls {
					return
				}
				due := p.due(start, number)
				if p.duration > 0 && due.Sub(start) >= p.duration || !waitUntil(sending, due) {
					return
				}
				begun := time.Now()
				if p.rate == 0 {
					due = begun
				}
				o, message := call(calling, number)
				if calling.Err() != nil && !o.isOK() {
					o = outcome{Code: cutOff}
				}
				into.add(result{number: number, outcome: o, took: time.Since(due), late: begun.Sub(due)}, message)
			}
		})
	}
	workers.Wait()
	sent := time.Since(start)
	if after := time.Duration(interrupted.Load()); after > 0 {
		sent = after
	}
	into.end(time.Now(), p.dueBy(sent))
}

// due is when the call begins in the open loop.
func (p plan) due(start time.Time, number int) time.Time {
	if p.rate == 0 {
		return start
	}
	return start.Add(time.Duration(float64(number-1) / p.rate * float64(time.Second)))
}

// dueBy is how many calls of the open loop were due before that time.
func (p plan) dueBy(after time.Duration) int {
	if p.duration > 0 {
		after = min(after, p.duration)
	}
	return min(p.calls, int(math.Ceil(after.Seconds()*p.rate)))
}

// waitUntil returns false if ctx is done.
func waitUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
