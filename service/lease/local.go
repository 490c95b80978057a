package lease

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Local is a Locker for one gateway on its own. It forgets with its process: where a gateway is started again while a
// write of the old one may still land, or where there are several, Redis remembers.
type Local struct {
	mu    sync.Mutex
	lines map[int64]*line
}

// line is those who want one customer: the holder, and who waits, in order.
type line struct{ waiting []chan struct{} }

// NewLocal returns a Locker in which nobody holds anything.
func NewLocal() *Local { return &Local{lines: map[int64]*line{}} }

// Acquire waits for the customer's lease until ctx is done, and then returns the context's error.
func (l *Local) Acquire(ctx context.Context, customer int64) (Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	turn, held := l.enter(customer)
	if !held {
		return &localLease{locker: l, customer: customer}, nil
	}
	select {
	case <-turn:
		return &localLease{locker: l, customer: customer}, nil
	case <-ctx.Done():
		l.leave(customer, turn)
		return nil, ctx.Err()
	}
}

// enter takes the lease if nobody holds it, else the last place in the line.
func (l *Local) enter(customer int64) (turn chan struct{}, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue, held := l.lines[customer]
	if !held {
		l.lines[customer] = &line{}
		return nil, false
	}
	turn = make(chan struct{})
	queue.waiting = append(queue.waiting, turn)
	return turn, true
}

// leave gives up a place in the line. If its turn has just come, the next one has it.
func (l *Local) leave(customer int64, turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.lines[customer]
	if place := slices.Index(queue.waiting, turn); place >= 0 {
		queue.waiting = slices.Delete(queue.waiting, place, place+1)
		return
	}
	l.next(customer)
}

// next hands the lease on. The caller holds the lock.
func (l *Local) next(customer int64) {
	queue := l.lines[customer]
	if len(queue.waiting) == 0 {
		delete(l.lines, customer)
		return
	}
	close(queue.waiting[0])
	queue.waiting = queue.waiting[1:]
}

// Taken returns of how many customers the lease is held.
func (l *Local) Held() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// Line returns how many hold or wait for the customer's lease.
func (l *Local) QueueLength(customer int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue, held := l.lines[customer]
	if !held {
		return 0
	}
	return 1 + len(queue.waiting)
}

// localLease is held for as long as its process lives and does not release it.
type localLease struct {
	locker   *Local
	customer int64
}

func (l *localLease) Renew(context.Context) error { return nil }

func (l *localLease) Check() error { return nil }

func (l *localLease) Quarantine(time.Duration) {}

func (l *localLease) Release() {
	l.locker.mu.Lock()
	defer l.locker.mu.Unlock()
	l.locker.next(l.customer)
}
