// Package admission decides which calls may work on the store now, which wait, and which are rejected.
//
// A PHP store has a handful of workers, and becomes slower if it gets more requests at once (F24): 64 requests a second
// with 4 in flight, 58 with 64. A Gate therefore has one slot for each worker, and a call works on the store only while
// it has a slot. Waiting calls get slots fairly by caller. A call that cannot get a slot before its deadline is rejected
// at once, so that its caller can still use the time.
package admission

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrOverloaded means that a call is rejected: the queue is full, its deadline is nearer than the estimated wait, or it
// was evicted from the queue.
var ErrOverloaded = errors.New("admission: overloaded")

// Config configures a Gate.
type Config struct {
	// Slots is how many calls may work at once; at least 1.
	Slots int
	// Queue is how many more calls may be admitted, for whatever they wait.
	Queue int
}

// Gate admits calls, and gives slots to admitted calls. It is safe for concurrent use.
type Gate struct {
	capacity int // of admitted calls
	slots    int

	mu       sync.Mutex
	admitted int
	free     int // slots
	callers  map[string]*caller
	ring     []*caller       // callers with calls that wait for a slot; the first is served next
	urgent   caller          // served before the ring
	patient  caller          // served as one more caller of the ring
	latency  LatencyEstimate // of the work in a slot
}

// caller shares the capacity and the slots fairly with the other callers.
type caller struct {
	admitted  int
	waiters   []chan struct{} // for a slot, in order of arrival; closed when a slot is handed over
	evictable []*Pass         // calls that have not had a slot yet, in order of arrival
}

// New returns a Gate with all slots free.
func New(cfg Config) *Gate {
	return &Gate{capacity: cfg.Slots + cfg.Queue, slots: cfg.Slots, free: cfg.Slots, callers: map[string]*caller{}}
}

// Pass is an admitted call.
type Pass struct {
	gate   *Gate
	caller *caller
	name   string
	evict  context.CancelCauseFunc // nil once the call has ended or was evicted
}

// Enter admits a call of the named caller, or returns ErrOverloaded. The returned context ends with the cause
// ErrOverloaded if the call is evicted in favour of a caller that has less than its fair share. Only a call that has not
// had a slot yet is evicted. Leave must be called at the end.
func (g *Gate) Enter(ctx context.Context, name string) (context.Context, *Pass, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.callers[name]
	if own == nil {
		own = &caller{}
	}
	if deadline, ok := ctx.Deadline(); ok && g.estimatedWait(own) > max(time.Until(deadline), 0) {
		return nil, nil, ErrOverloaded
	}
	if g.admitted >= g.capacity && !g.evictFor(own) {
		return nil, nil, ErrOverloaded
	}
	ctx, evict := context.WithCancelCause(ctx)
	p := &Pass{gate: g, caller: own, name: name, evict: evict}
	g.callers[name] = own
	g.admitted++
	own.admitted++
	own.evictable = append(own.evictable, p)
	return ctx, p, nil
}

// estimatedWait returns how long a new call of the caller will probably wait for a slot. g.mu must be held.
func (g *Gate) estimatedWait(own *caller) time.Duration {
	if len(g.ring) == 0 {
		return 0
	}
	position := len(own.waiters) + 1
	ahead := position + len(g.urgent.waiters)
	for _, other := range g.ring {
		if other != own {
			ahead += min(len(other.waiters), position) // slots go to the callers in turn
		}
	}
	return g.latency.Mean() * time.Duration(ahead) / time.Duration(g.slots)
}

// evictFor evicts the newest call of the caller with the most calls, if that caller is over its fair share and own is
// under it. It reports whether it has evicted a call. g.mu must be held.
func (g *Gate) evictFor(own *caller) bool {
	sharing := len(g.callers)
	if own.admitted == 0 {
		sharing++
	}
	share := max(g.capacity/sharing, 1)
	if own.admitted >= share {
		return false
	}
	var most *caller
	for _, other := range g.callers {
		if len(other.evictable) > 0 && other.admitted > share && (most == nil || other.admitted > most.admitted) {
			most = other
		}
	}
	if most == nil {
		return false
	}
	g.leave(most.evictable[len(most.evictable)-1], ErrOverloaded)
	return true
}

// Leave ends the call. It does not release the call's slot, which may be in use for longer.
func (p *Pass) Leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.gate.leave(p, context.Canceled)
}

// leave has an effect only once for each call: on Leave or on eviction. g.mu must be held.
func (g *Gate) leave(p *Pass, cause error) {
	if p.evict == nil {
		return
	}
	p.evict(cause)
	p.evict = nil
	p.protect()
	g.admitted--
	p.caller.admitted--
	if p.caller.admitted == 0 {
		delete(g.callers, p.name)
	}
}

// RetryAfter returns when a rejected caller may try again: after the time that the admitted calls will probably take, and
// after at least a second.
func (g *Gate) RetryAfter() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.latency.Mean()*time.Duration(g.admitted)/time.Duration(g.slots), time.Second).Round(time.Millisecond)
}

// Load is the use of a Gate: admitted calls, slots that are taken, and calls that wait for a slot.
type Load struct{ Admitted, Working, Waiting int }

// Load returns the current use.
func (g *Gate) Load() Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	load := Load{Admitted: g.admitted, Working: g.slots - g.free, Waiting: len(g.urgent.waiters)}
	for _, c := range g.ring {
		load.Waiting += len(c.waiters)
	}
	return load
}
