package lease

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
)

// Local is a Locker within one process. Its leases end with the process: if several gateways serve one store, or if a
// gateway is restarted while a write of the old process may still be applied, use Redis.
type Local struct {
	limits Limits

	mu      sync.Mutex
	queues  map[int64]*admission.Queue // by customer, while its lease is held; the queue's one right is the lease
	waiting admission.Capacity[*admission.Waiter]
	grants  [grantCounters]uint64
}

// grantCounters is the number of counters of grants. Customers share the counters, so that memory does not grow with their
// number. A grant to another customer with the same counter counts as one to this customer, which is safe: the early read
// is then made again.
const grantCounters = 1024

// NewLocal returns a Locker without any held lease.
func NewLocal(limits Limits) *Local {
	return &Local{
		limits: limits, queues: map[int64]*admission.Queue{},
		waiting: admission.Capacity[*admission.Waiter]{Limit: limits.All},
	}
}

// Acquire waits for the customer's lease until ctx is done, and then returns the context's error. It returns an
// admission.ErrOverloaded if the call may not wait, or no longer.
func (l *Local) Acquire(ctx context.Context, customer int64, caller string) (Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queues[customer]
	if q == nil {
		q = admission.NewQueue(1, l.limits.Customer)
		l.queues[customer] = q
	}
	if !q.Take() {
		if err := l.wait(ctx, q, customer, caller); err != nil {
			return nil, err
		}
	}
	counter := l.counter(customer)
	*counter++
	return &localLease{locker: l, customer: customer, previous: *counter - 1, since: time.Now()}, nil
}

// wait waits in the queue. l.mu must be held; it is not held during the wait.
func (l *Local) wait(ctx context.Context, q *admission.Queue, customer int64, caller string) error {
	evicted, err := l.room(ctx, q, caller)
	if err != nil {
		return err
	}
	if evicted != nil {
		evicted.Reject(admission.ErrEvicted)
		l.waiting.Leave(evicted.Caller(), evicted)
	}
	w := q.Join(ctx, caller)
	l.waiting.Join(caller, w)
	l.mu.Unlock()
	select {
	case <-w.Ended():
		l.mu.Lock()
		l.waiting.Leave(caller, w)
		return w.Err()
	case <-ctx.Done():
		l.mu.Lock()
		l.waiting.Leave(caller, w)
		w.Leave()
		l.dropIfFree(customer, q)
		return ctx.Err()
	}
}

// room returns which waiter must be evicted before a call may wait, if any, or an admission.ErrOverloaded.
func (l *Local) room(ctx context.Context, q *admission.Queue, caller string) (evicted *admission.Waiter, err error) {
	evicted, err = q.Room(ctx, caller)
	if err != nil || evicted != nil { // the evicted waiter leaves one of the places for all customers, too
		return evicted, err
	}
	evicted, ok := l.waiting.Room(caller)
	if !ok {
		return nil, admission.ErrOverloaded
	}
	return evicted, nil
}

// Admits returns how many calls come before one that may wait for the customer's lease, or take it, and an
// admission.ErrOverloaded if it may not.
func (l *Local) Admits(ctx context.Context, customer int64, caller string) (ahead int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queues[customer]
	if q == nil {
		return 0, nil
	}
	_, err = l.room(ctx, q, caller)
	return 1 + q.Ahead(caller), err
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

// dropIfFree removes a queue whose lease is free, unless another queue has replaced it since. l.mu must be held.
func (l *Local) dropIfFree(customer int64, q *admission.Queue) {
	if q.Idle() && l.queues[customer] == q {
		delete(l.queues, customer)
	}
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
	q := l.queues[customer]
	if q == nil {
		return 0
	}
	return 1 + q.Waiting()
}

// localLease has no term: it is held until it is released, or until the process ends.
type localLease struct {
	locker   *Local
	customer int64
	previous uint64 // grants before this one
	since    time.Time
	inDoubt  bool // a write was in doubt
}

func (l *localLease) Renew(context.Context) error { return nil }

func (l *localLease) Check() error { return nil }

func (l *localLease) Follows(grant Grant) bool { return localGrant(l.previous) == grant }

func (l *localLease) Quarantine(time.Duration) { l.inDoubt = true }

// Release gives the lease to the next waiter. The time for which a lease in quarantine was held does not count in the
// queue's estimate, because the next one will be much shorter.
func (l *localLease) Release() {
	l.locker.mu.Lock()
	defer l.locker.mu.Unlock()
	q := l.locker.queues[l.customer]
	if l.inDoubt {
		q.HandOver()
	} else {
		q.Release(l.since)
	}
	l.locker.dropIfFree(l.customer, q)
}
