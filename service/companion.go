package service

import (
	"context"
	"sync"
	"time"
)

// Two ways of updating must not meet in one customer: an atomic update that comes between the read and the write of another
// update would be lost. So a change of ways takes time. Once the companion is there, atomic updates still take leases, until no
// update of the other kind can be left. Once it is gone, no update of a customer begins by a read before its atomic ones have ended.
//
// Gateways that share a store do not find the companion at the same time. In write mode auto their atomic updates always take
// leases.

const (
	// longestCall is the longest time that a call may take.
	longestCall = time.Minute
	// longestIdleWait is how long a call waits for atomic updates that have to end before it.
	longestIdleWait = time.Second
)

// companion knows whether the store has the companion.
type companion struct {
	merges     bool // without the companion, customers are updated by a read, a merge and a write
	shared     bool // other gateways update the same store
	settleTime time.Duration
	wake       chan time.Duration // asks for a probe after that time
	probed     chan struct{}      // closed after the first probe

	mu          sync.Mutex
	usable      bool
	problem     string // why it is not usable
	generation  int    // counts the changes of usable
	leasedUntil time.Time
	misses      int                     // how often a request found no companion since the latest answer
	silent      bool                    // a request whose answer was lost could not be cancelled
	inFlight    map[int64]*atomicWrites // by customer
}

// atomicWrites are the atomic updates of one customer that have no outcome.
type atomicWrites struct {
	count int
	ended chan struct{} // closed when the last one has ended
}

// notAsked is the problem while the store has answered no probe.
const notAsked = "the store has not been asked for the WordPress companion yet"

func newCompanion(cfg *Config) *companion {
	return &companion{
		merges: cfg.WriteMode == Auto, shared: cfg.Shared, settleTime: cfg.SettleTime,
		wake: make(chan time.Duration, 1), probed: make(chan struct{}), problem: notAsked, inFlight: map[int64]*atomicWrites{},
	}
}

// awaitProbe waits for the first probe.
func (c *companion) awaitProbe(ctx context.Context) error {
	if c.wasProbed() { // also for a call whose deadline has passed, which has to get the error that it deserves first
		return nil
	}
	select {
	case <-c.probed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wasProbed reports whether the first probe has ended.
func (c *companion) wasProbed() bool {
	select {
	case <-c.probed:
		return true
	default:
		return false
	}
}

// set notes whether the companion is usable, and why not. It reports whether anything has changed.
func (c *companion) set(usable bool, problem string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := c.usable != usable || c.problem != problem
	if c.usable != usable {
		c.generation++
		if usable && c.wasProbed() { // before the first probe has ended no update begins
			c.leasedUntil = time.Now().Add(longestCall + c.settleTime)
		}
	}
	c.usable, c.problem = usable, problem
	return changed
}

// missed notes that an update found no usable companion, and asks for a probe: soon, because the plug-in may be back after an upgrade,
// but later each time, because something may let probes pass and updates not.
func (c *companion) missed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	pause := min(firstProbePause<<min(c.misses, 10), probeInterval)
	select {
	case c.wake <- pause:
		c.misses++
	default: // it was asked for
	}
}

// answered notes an answer of the companion to an update or a cancellation.
func (c *companion) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent, c.misses = false, 0
}

// updater returns the atomic way, if the companion is usable.
func (c *companion) updater(s *Service) (updater, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return atomicUpdate{s, c.generation, c.leases()}, c.usable
}

// why returns why the companion is not usable, or an empty text.
func (c *companion) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.problem
}

// isLeased reports whether atomic updates take leases.
func (c *companion) isLeased() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leases()
}

// leases is isLeased under the lock.
func (c *companion) leases() bool {
	return c.merges && (c.shared || time.Now().Before(c.leasedUntil))
}

// setSilent notes that the companion has left a cancellation without an answer. Any answer of it ends that.
func (c *companion) setSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = true
}

// isSilent reports whether the companion has left the latest cancellation without an answer, and answered nothing since.
func (c *companion) isSilent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.silent
}

// begin notes that an atomic update is sent. It returns false if the companion has gone, or come back, since the update began.
func (c *companion) begin(generation int, customer int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return false
	}
	writes := c.inFlight[customer]
	if writes == nil {
		writes = &atomicWrites{ended: make(chan struct{})}
		c.inFlight[customer] = writes
	}
	writes.count++
	return true
}

// end notes that an atomic update has its outcome.
func (c *companion) end(customer int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	writes := c.inFlight[customer]
	if writes.count--; writes.count == 0 {
		close(writes.ended)
		delete(c.inFlight, customer)
	}
}

// awaitIdle waits a little until no atomic update of the customer is in flight, and reports whether that is so.
func (c *companion) awaitIdle(ctx context.Context, customer int64) bool {
	c.mu.Lock()
	writes := c.inFlight[customer]
	c.mu.Unlock()
	if writes == nil {
		return true
	}
	timer := time.NewTimer(longestIdleWait)
	defer timer.Stop()
	select {
	case <-writes.ended:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
