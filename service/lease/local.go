package lease

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Local is a Locker within one process. Its leases end with the process: if several gateways serve one store, or if a
// gateway is restarted while a write of the old process may still be applied, use Redis.
type Local struct {
	mu     sync.Mutex
	queues map[int64]*queue // by customer; a customer without a holder has none
}

// queue holds the waiters for one held lease, in the order of their arrival. A waiter's channel is closed when the lease
// is handed to it.
type queue struct{ waiters []chan struct{} }

// NewLocal returns a Locker without any held lease.
func NewLocal() *Local { return &Local{queues: map[int64]*queue{}} }

// Acquire waits for the customer's lease until ctx is done, and then returns the context's error.
func (l *Local) Acquire(ctx context.Context, customer int64) (Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	granted, held := l.enter(customer)
	if !held {
		return &localLease{locker: l, customer: customer}, nil
	}
	select {
	case <-granted:
		return &localLease{locker: l, customer: customer}, nil
	case <-ctx.Done():
		l.leave(customer, granted)
		return nil, ctx.Err()
	}
}

// enter takes the lease if it is free. Otherwise it appends a waiter to the queue.
func (l *Local) enter(customer int64) (granted chan struct{}, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q, held := l.queues[customer]
	if !held {
		l.queues[customer] = &queue{}
		return nil, false
	}
	granted = make(chan struct{})
	q.waiters = append(q.waiters, granted)
	return granted, true
}

// leave removes a waiter from the queue. If the lease has just been handed to it, the next waiter gets the lease.
func (l *Local) leave(customer int64, granted chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queues[customer]
	if position := slices.Index(q.waiters, granted); position >= 0 {
		q.waiters = slices.Delete(q.waiters, position, position+1)
		return
	}
	l.handOver(customer)
}

// handOver gives the lease to the first waiter, or frees it. l.mu must be held.
func (l *Local) handOver(customer int64) {
	q := l.queues[customer]
	if len(q.waiters) == 0 {
		delete(l.queues, customer)
		return
	}
	close(q.waiters[0])
	q.waiters = q.waiters[1:]
}

// Held returns the number of customers whose lease is held.
func (l *Local) Held() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queues)
}

// QueueLength returns how many calls hold the customer's lease or wait for it.
func (l *Local) QueueLength(customer int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	q, held := l.queues[customer]
	if !held {
		return 0
	}
	return 1 + len(q.waiters)
}

// localLease has no term: it is held until it is released, or until the process ends.
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
	l.locker.handOver(l.customer)
}
