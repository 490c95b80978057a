// Package admission decides which calls may work on the store now, which wait, and which are rejected.
//
// A PHP store has a handful of workers, and becomes slower if it gets more requests at once (F24): 64 requests a second
// with 4 in flight, 58 with 64. A Gate therefore has one slot for each worker, and a call works on the store only while
// it has a slot. Waiting calls get slots fairly by caller. A call that cannot get a slot before its deadline is rejected
// at once, so that its caller can still use the time.
//
// Callers share slots and leases in the same two ways: a Capacity shares the places of the calls that wait, and a Queue
// the order in which they are served.
package admission

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrOverloaded means that a call is rejected: the queue is full, its deadline is nearer than the estimated wait, or it
// was evicted from the queue.
var ErrOverloaded = errors.New("admission: overloaded")

// The kinds of ErrOverloaded. Any other one means that the queue is full.
var (
	// ErrEvicted means that the call was evicted in favour of a caller below its fair share.
	ErrEvicted = fmt.Errorf("%w: evicted", ErrOverloaded)
	// ErrLate means that the call would probably not meet its deadline, or cannot meet it any more.
	ErrLate = fmt.Errorf("%w: the deadline is nearer than the estimated wait", ErrOverloaded)
)

// Config configures a Gate.
type Config struct {
	// Slots is how many calls may work at once; at least 1.
	Slots int
	// Queue is how many more calls may be admitted, for whatever they wait.
	Queue int
}

// Gate admits calls, and gives slots to admitted calls. It is safe for concurrent use.
type Gate struct {
	mu       sync.Mutex
	admitted Capacity[*Pass]
	slots    *Queue
}

// New returns a Gate with all slots free.
func New(cfg Config) *Gate {
	return &Gate{admitted: Capacity[*Pass]{Limit: cfg.Slots + cfg.Queue}, slots: NewQueue(cfg.Slots, 0)}
}

// Pass is an admitted call.
type Pass struct {
	gate      *Gate
	caller    string
	protected bool                    // from eviction: it has had a slot
	end       context.CancelCauseFunc // nil once the call has ended or was evicted
}

// Enter admits a call of the caller, or returns ErrOverloaded or ErrLate. The returned context ends with the cause ErrEvicted if the
// call is evicted in favour of a caller that has less than its fair share. Only a call that has not had a slot yet is
// evicted. Leave must be called at the end.
func (g *Gate) Enter(ctx context.Context, caller string) (context.Context, *Pass, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.slots.inTime(ctx, caller) {
		return nil, nil, ErrLate
	}
	evicted, ok := g.admitted.Room(caller)
	if !ok {
		return nil, nil, ErrOverloaded
	}
	if evicted != nil {
		evicted.leave(ErrEvicted)
	}
	ctx, end := context.WithCancelCause(ctx)
	p := &Pass{gate: g, caller: caller, end: end}
	g.admitted.Join(caller, p)
	return ctx, p, nil
}

// Rejects returns the error with which Enter would reject a call of the caller now, or nil. It is for transports, which
// reject before they read a request; a call that passes may still be rejected by Enter.
func (g *Gate) Rejects(ctx context.Context, caller string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.slots.inTime(ctx, caller) {
		return ErrLate
	}
	if _, ok := g.admitted.Room(caller); !ok {
		return ErrOverloaded
	}
	return nil
}

// Leave ends the call. It does not release the call's slot, which may be in use for longer.
func (p *Pass) Leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.leave(context.Canceled)
}

// leave has an effect only once for each call: on Leave or on eviction. gate.mu must be held.
func (p *Pass) leave(cause error) {
	if p.end == nil {
		return
	}
	p.end(cause)
	p.end = nil
	if p.protected {
		p.gate.admitted.LeaveProtected(p.caller)
	} else {
		p.gate.admitted.Leave(p.caller, p)
	}
}

// RetryAfter returns when a rejected caller may try again: after the time that the admitted calls will probably take, and
// after at least a second.
func (g *Gate) RetryAfter() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.slots.estimate(g.admitted.taken), time.Second).Round(time.Millisecond)
}

// Load is the use of a Gate: admitted calls, slots that are taken, and calls that wait for a slot.
type Load struct{ Admitted, Working, Waiting int }

// Load returns the current use.
func (g *Gate) Load() Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Load{Admitted: g.admitted.taken, Working: g.slots.rights - g.slots.free, Waiting: g.slots.Waiting()}
}
