package admission

import (
	"context"
	"iter"
	"time"
)

// shedInterval is how often a Queue looks for waiters that cannot meet their deadlines any more. That takes a few
// microseconds if hundreds wait.
const shedInterval = 100 * time.Millisecond

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
