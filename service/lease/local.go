package lease

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Local is a Locker within one process. Its leases end with the process: if several gateways serve one store, or if a
// gateway is restarted while a write of the old process may still be applied, use Redis.
type Local struct {
	mu     sync.Mutex
	queues map[int64]*queue // by customer; a customer without a holder has none
	grants [grantCounters]uint64
}

// grantCounters is the number of counters of grants. Customers share them, so that they take no memory for each
// customer: a grant to another customer with the same counter is mistaken for one to this customer, which is safe.
const grantCounters = 1024

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
		return l.grant(customer), nil
	}
	select {
	case <-granted:
		return l.grant(customer), nil
	case <-ctx.Done():
		l.leave(customer, granted)
		return nil, ctx.Err()
	}
}

// grant counts a grant and returns the lease.
func (l *Local) grant(customer int64) *localLease {
	l.mu.Lock()
	defer l.mu.Unlock()
	counter := l.counter(customer)
	*counter++
	return &localLease{locker: l, customer: customer, previous: *counter - 1}
}

// counter returns the customer's counter of grants. l.mu must be held.
func (l *Local) counter(customer int64) *uint64 { return &l.grants[uint64(customer)%grantCounters] } //nolint:gosec // any counter is fine for any customer

// LastGrant identifies the latest grant of the customer's lease, or returns Held.
func (l *Local) LastGrant(_ context.Context, customer int64) (Grant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, held := l.queues[customer]; held {
		return Held, nil
	}
	return localGrant(*l.counter(customer)), nil
}

func localGrant(number uint64) Grant { return Grant(strconv.FormatUint(number, 10)) }

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
	previous uint64 // grants before this one
}

func (l *localLease) Renew(context.Context) error { return nil }

func (l *localLease) Check() error { return nil }

func (l *localLease) Follows(grant Grant) bool { return localGrant(l.previous) == grant }

func (l *localLease) Quarantine(time.Duration) {}

func (l *localLease) Release() {
	l.locker.mu.Lock()
	defer l.locker.mu.Unlock()
	l.locker.handOver(l.customer)
}
