// Package admission decides which calls may work on the store now, which wait, and which are refused.
//
// A PHP store has a handful of workers, and gets slower when it is asked for more at once (F24): 64 requests a second
// at 4 in flight, 58 at 64. So there are as many slots as workers, and whoever works has one. Who waits for one is
// served fairly, and who would wait in vain is refused at once, while it still can do something else with its time.
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrOverloaded says that a call is refused because too many others wait, or because its time would be up before its
// turn comes.
var ErrOverloaded = errors.New("admission: overloaded")

// Config is what a Gate needs to know.
type Config struct {
	// Slots is how many may work at once.
	Slots int
	// Queue is how many may wait besides, for whatever.
	Queue int
}

// Gate lets calls in, and gives slots to those inside. It is safe for concurrent use.
type Gate struct {
	room  int
	slots int

	mu      sync.Mutex
	inside  int
	free    int
	callers map[string]*caller
	ring    []*caller       // those with calls that wait for a slot; the first is the next to be served
	urgent  caller          // those who are served before all others
	patient caller          // those who are served as one more caller
	pace    LatencyEstimate // of what is done in a slot
}

// caller is whose calls share what there is with the others'.
type caller struct {
	inside  int
	waiting []chan struct{} // for a slot, in the order of arrival
	passes  []*Pass         // of those who have not worked yet, in the order of arrival
}

// New returns a Gate with all slots free.
func New(cfg Config) *Gate {
	return &Gate{room: cfg.Slots + cfg.Queue, slots: cfg.Slots, free: cfg.Slots, callers: map[string]*caller{}}
}

// Pass is a call that was let in.
type Pass struct {
	gate   *Gate
	caller *caller
	name   string
	evict  context.CancelCauseFunc
}

// Enter lets a call of a caller in, or returns ErrOverloaded. The context that it returns ends with the cause
// ErrOverloaded if the call has to make room for another caller, who has less than its share; that happens only to
// calls that have not worked yet. Leave must be called at the end.
func (g *Gate) Enter(ctx context.Context, name string) (context.Context, *Pass, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.callers[name]
	if own == nil {
		own = &caller{}
	}
	if deadline, ok := ctx.Deadline(); ok && g.wait(own) > max(time.Until(deadline), 0) {
		return nil, nil, ErrOverloaded
	}
	if g.inside >= g.room && !g.makeRoom(own) {
		return nil, nil, ErrOverloaded
	}
	ctx, evict := context.WithCancelCause(ctx)
	p := &Pass{gate: g, caller: own, name: name, evict: evict}
	g.callers[name] = own
	g.inside++
	own.inside++
	own.passes = append(own.passes, p)
	return ctx, p, nil
}

// wait estimates how long a new call of a caller will wait for a slot. The caller holds the lock.
func (g *Gate) wait(own *caller) time.Duration {
	if len(g.ring) == 0 {
		return 0
	}
	place := len(own.waiting) + 1
	ahead := place + len(g.urgent.waiting)
	for _, other := range g.ring {
		if other != own {
			ahead += min(len(other.waiting), place) // they are served in turns
		}
	}
	return g.pace.Mean() * time.Duration(ahead) / time.Duration(g.slots)
}

// makeRoom ends the newest call of the caller who has most, if that is more than its share and the new one's is less.
// The caller holds the lock.
func (g *Gate) makeRoom(own *caller) bool {
	sharing := len(g.callers)
	if own.inside == 0 {
		sharing++
	}
	share := max(g.room/sharing, 1)
	if own.inside >= share {
		return false
	}
	var most *caller
	for _, other := range g.callers {
		if len(other.passes) > 0 && other.inside > share && (most == nil || other.inside > most.inside) {
			most = other
		}
	}
	if most == nil {
		return false
	}
	g.leave(most.passes[len(most.passes)-1], ErrOverloaded)
	return true
}

// Slot waits for a slot until ctx, which is the one from Enter, is done; then it returns the cause.
func (p *Pass) Slot(ctx context.Context) (*Slot, error) {
	if err := p.gate.take(ctx, p.caller); err != nil {
		return nil, err
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if ctx.Err() != nil { // it had to make room in the very moment
		p.gate.give()
		return nil, context.Cause(ctx)
	}
	p.working()
	return &Slot{gate: p.gate, since: time.Now()}, nil
}

// working takes the call from those that may be ended for another. The caller holds the lock.
func (p *Pass) working() {
	p.caller.passes = slices.DeleteFunc(p.caller.passes, func(other *Pass) bool { return other == p })
}

// Leave ends the call. A slot that it has is kept: it is released on its own.
func (p *Pass) Leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.gate.leave(p, context.Canceled)
}

// leave is done once for each call, whoever ends it. The caller holds the lock.
func (g *Gate) leave(p *Pass, cause error) {
	if p.evict == nil {
		return
	}
	p.evict(cause)
	p.evict = nil
	p.working()
	g.inside--
	p.caller.inside--
	if p.caller.inside == 0 {
		delete(g.callers, p.name)
	}
}

// Urgent waits for a slot before all others, until ctx is done: for those who find out the outcome of a write, for
// whom a caller, and everybody who wants the same customer, already waits.
func (g *Gate) Urgent(ctx context.Context) (*Slot, error) {
	if err := g.take(ctx, &g.urgent); err != nil {
		return nil, err
	}
	return &Slot{gate: g, since: time.Now()}, nil
}

// Patient waits for a slot as one more caller would, until ctx is done: for those whom nobody waits for.
func (g *Gate) Patient(ctx context.Context) (*Slot, error) {
	if err := g.take(ctx, &g.patient); err != nil {
		return nil, err
	}
	return &Slot{gate: g, since: time.Now()}, nil
}

// Slot is the right to work on the store.
type Slot struct {
	gate  *Gate
	since time.Time
}

// Release gives the slot to the next who waits.
func (s *Slot) Release() {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	s.gate.pace.Add(time.Since(s.since))
	s.gate.give()
}

func (g *Gate) take(ctx context.Context, c *caller) error {
	turn := g.ask(c)
	if turn == nil {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.stopWaiting(c, turn)
		return context.Cause(ctx)
	}
}

// ask takes a free slot, or else a place among those who wait.
func (g *Gate) ask(c *caller) (turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return nil
	}
	turn = make(chan struct{})
	c.waiting = append(c.waiting, turn)
	if len(c.waiting) == 1 && c != &g.urgent {
		g.ring = append(g.ring, c)
	}
	return turn
}

// stopWaiting gives up a place. If its turn has just come, the next one has it.
func (g *Gate) stopWaiting(c *caller, turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	place := slices.Index(c.waiting, turn)
	if place < 0 {
		g.give()
		return
	}
	c.waiting = slices.Delete(c.waiting, place, place+1)
	if len(c.waiting) == 0 {
		g.ring = slices.DeleteFunc(g.ring, func(other *caller) bool { return other == c })
	}
}

// give hands a slot on: to those in a hurry, else to one call of each caller in turn. The caller holds the lock.
func (g *Gate) give() {
	next := &g.urgent
	if len(next.waiting) == 0 {
		if len(g.ring) == 0 {
			g.free++
			return
		}
		next, g.ring = g.ring[0], g.ring[1:]
		if len(next.waiting) > 1 {
			g.ring = append(g.ring, next)
		}
	}
	close(next.waiting[0])
	next.waiting = next.waiting[1:]
}

// RetryAfter is when a call that was refused may come back: when those who wait now will have been served, and not
// before a second.
func (g *Gate) RetryAfter() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.pace.Mean()*time.Duration(g.inside)/time.Duration(g.slots), time.Second).Round(time.Millisecond)
}

// Load is how much of a Gate is in use.
type Load struct{ Admitted, Working, Waiting int }

// Load returns how many calls are inside, how many slots are taken, and how many calls wait for one.
func (g *Gate) Load() Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	load := Load{Admitted: g.inside, Working: g.slots - g.free, Waiting: len(g.urgent.waiting)}
	for _, c := range g.ring {
		load.Waiting += len(c.waiting)
	}
	return load
}
