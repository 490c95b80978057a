package admission

import (
	"context"
	"slices"
	"time"
)

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

// Take takes a free right. It reports whether there was one.
func (q *Queue) Take() bool {
	if q.free == 0 {
		return false
	}
	q.free--
	return true
}

// Room returns which waiter must be evicted before a call of the caller may wait, if any. It returns an ErrOverloaded or an
// ErrLate if the call may not wait. It changes nothing.
func (q *Queue) Room(ctx context.Context, caller string) (evicted *Waiter, err error) {
	if !q.inTime(ctx, caller) {
		return nil, ErrLate
	}
	evicted, ok := q.waiting.Room(caller)
	if !ok {
		return nil, ErrOverloaded
	}
	return evicted, nil
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
	if len(q.ring) > 0 && now.Sub(q.shed) >= shedInterval {
		q.shed = now
		q.rejectLate(now)
	}
	q.HandOver()
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
