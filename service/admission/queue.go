package admission

import (
	"context"
	"iter"
	"slices"
	"time"
)

// shedInterval is how often a Queue looks for waiters that cannot meet their deadlines any more. That takes a few
// microseconds if hundreds wait.
const shedInterval = 100 * time.Millisecond

// Queue hands out a number of equal rights: slots, or the one lease of a customer. Callers get them in turn, and the calls
// of one caller in order of arrival. A call that cannot meet its deadline any more is rejected while it waits. The owner
// of a Queue guards it with a mutex.
type Queue struct {
	rights  int
	free    int
	waiting Capacity[*Waiter]
	ring    []*callsOf[*Waiter] // callers with waiters; the first is served next
	urgent  []*Waiter           // served before the ring
	held    LatencyEstimate     // for how long a right is held
	shed    time.Time           // when the latest search for late waiters was
}

// NewQueue returns a Queue with all its rights free. At most limit calls may wait; 0 is no limit.
func NewQueue(rights, limit int) *Queue {
	return &Queue{rights: rights, free: rights, waiting: Capacity[*Waiter]{Limit: limit}}
}

// Waiter is a call that waits in a Queue.
type Waiter struct {
	queue    *Queue
	caller   string
	deadline time.Time     // zero if it has none
	ended    chan struct{} // closed when the wait is over
	err      error         // why the call was rejected; nil if it was given the right
}

// Caller returns the caller of the call.
func (w *Waiter) Caller() string { return w.caller }

// Ended is closed when the call was given the right, or was rejected. Err says which.
func (w *Waiter) Ended() <-chan struct{} { return w.ended }

// Err returns why the call was rejected, which is an ErrOverloaded, or nil if it was given the right. It must be called
// after Ended is closed.
func (w *Waiter) Err() error { return w.err }

// Take takes a free right. It reports whether there was one.
func (q *Queue) Take() bool {
	if q.free == 0 {
		return false
	}
	q.free--
	return true
}

// Room reports whether a call of the caller may wait, and which waiter must be evicted before, if any. It returns false
// too if the caller's call could not meet its deadline. It changes nothing.
func (q *Queue) Room(ctx context.Context, caller string) (evicted *Waiter, ok bool) {
	if !q.inTime(ctx, caller) {
		return nil, false
	}
	return q.waiting.Room(caller)
}

// inTime reports whether a new call of the caller would probably meet its deadline. Without waiters it is not known.
func (q *Queue) inTime(ctx context.Context, caller string) bool {
	deadline, ok := ctx.Deadline()
	if !ok || len(q.ring) == 0 {
		return true
	}
	return q.estimate(q.Ahead(caller)+1) <= max(time.Until(deadline), 0)
}

// estimate returns how long a call probably takes that must wait until so many rights are given back: its wait, and its
// own work.
func (q *Queue) estimate(releases int) time.Duration {
	mean := q.held.Mean()
	return mean*time.Duration(releases)/time.Duration(q.rights) + mean
}

// Ahead returns how many waiters are served before a new one of the caller.
func (q *Queue) Ahead(caller string) int {
	var own int
	if calls := q.waiting.callers[caller]; calls != nil {
		own = len(calls.evictable)
	}
	ahead := own + len(q.urgent)
	for _, calls := range q.ring {
		if calls.caller != caller {
			ahead += min(len(calls.evictable), own+1) // rights go to the callers in turn
		}
	}
	return ahead
}

// Join appends a waiter.
func (q *Queue) Join(ctx context.Context, caller string) *Waiter {
	w := &Waiter{queue: q, caller: caller, ended: make(chan struct{})}
	w.deadline, _ = ctx.Deadline()
	calls := q.waiting.Join(caller, w)
	if len(calls.evictable) == 1 {
		q.ring = append(q.ring, calls)
	}
	return w
}

// JoinUrgent appends a waiter that is served before all others, and never rejected.
func (q *Queue) JoinUrgent() *Waiter {
	w := &Waiter{queue: q, ended: make(chan struct{})}
	q.urgent = append(q.urgent, w)
	return w
}

// Reject ends a wait with an error. It has no effect on one that is over.
func (w *Waiter) Reject(err error) {
	if w.queue.remove(w) {
		w.err = err
		close(w.ended)
	}
}

// Leave ends the wait of a call that gives up. If the call was given the right at the same moment, the next waiter gets
// it.
func (w *Waiter) Leave() {
	if !w.queue.remove(w) && w.err == nil {
		w.queue.HandOver()
	}
}

func (q *Queue) remove(w *Waiter) bool {
	if position := slices.Index(q.urgent, w); position >= 0 {
		q.urgent = slices.Delete(q.urgent, position, position+1)
		return true
	}
	calls := q.waiting.callers[w.caller]
	if !q.waiting.Leave(w.caller, w) {
		return false
	}
	if len(calls.evictable) == 0 {
		q.ring = slices.DeleteFunc(q.ring, func(other *callsOf[*Waiter]) bool { return other == calls })
	}
	return true
}

// Release gives back a right that was taken or handed over at the given time.
func (q *Queue) Release(since time.Time) {
	now := time.Now()
	q.held.Add(now.Sub(since))
	if now.Sub(q.shed) >= shedInterval {
		q.shed = now
		q.rejectLate(now)
	}
	q.HandOver()
}

// rejectLate rejects the waiters that cannot meet their deadlines any more, because others came in between or the store
// became slower.
func (q *Queue) rejectLate(now time.Time) {
	var late []*Waiter
	ahead := 0
	for w := range q.inOrder() {
		if !w.deadline.IsZero() && w.deadline.Sub(now) < q.estimate(ahead) {
			late = append(late, w)
		} else {
			ahead++
		}
	}
	for _, w := range late {
		w.Reject(ErrLate)
	}
}

// inOrder yields the waiters in the order in which they are served if no other comes.
func (q *Queue) inOrder() iter.Seq[*Waiter] {
	return func(yield func(*Waiter) bool) {
		for _, w := range q.urgent {
			if !yield(w) {
				return
			}
		}
		for round, more := 0, true; more; round++ {
			more = false
			for _, calls := range q.ring {
				if round >= len(calls.evictable) {
					continue
				}
				more = true
				if !yield(calls.evictable[round]) {
					return
				}
			}
		}
	}
}

// HandOver gives a right to the next waiter, or frees it. It is for a right whose time says nothing about others; Release
// is for all others.
func (q *Queue) HandOver() {
	w := q.next()
	if w == nil {
		q.free++
		return
	}
	close(w.ended)
}

// next removes and returns the next waiter, or nil.
func (q *Queue) next() *Waiter {
	if len(q.urgent) > 0 {
		w := q.urgent[0]
		q.urgent = q.urgent[1:]
		return w
	}
	if len(q.ring) == 0 {
		return nil
	}
	calls := q.ring[0]
	q.ring = q.ring[1:]
	w := calls.evictable[0]
	q.waiting.Leave(calls.caller, w)
	if len(calls.evictable) > 0 {
		q.ring = append(q.ring, calls)
	}
	return w
}

// Idle reports whether all rights are free.
func (q *Queue) Idle() bool { return q.free == q.rights }

// Waiting returns the number of waiters.
func (q *Queue) Waiting() int { return len(q.urgent) + q.waiting.taken }
