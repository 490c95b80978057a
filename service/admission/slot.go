package admission

import (
	"context"
	"slices"
	"time"
)

// Slot is the right to occupy one of the store's workers. Release must be called once.
type Slot struct {
	gate  *Gate
	since time.Time
}

// Slot waits for a slot until ctx, which is the context from Enter, is done. It then returns the context's cause:
// ErrOverloaded if the call was evicted.
func (p *Pass) Slot(ctx context.Context) (*Slot, error) {
	if err := p.gate.take(ctx, p.caller); err != nil {
		return nil, err
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if ctx.Err() != nil { // the call was evicted while it got the slot
		p.gate.handOver()
		return nil, context.Cause(ctx)
	}
	p.protect()
	return &Slot{gate: p.gate, since: time.Now()}, nil
}

// protect excludes the call from eviction. gate.mu must be held.
func (p *Pass) protect() {
	p.caller.evictable = slices.DeleteFunc(p.caller.evictable, func(other *Pass) bool { return other == p })
}

// Urgent waits for a slot before all others, until ctx is done; then it returns the context's cause. It is for verifying
// a write: the write's caller is waiting for the outcome, and so is every call that waits for the same customer's lease.
func (g *Gate) Urgent(ctx context.Context) (*Slot, error) {
	return g.slotFor(ctx, &g.urgent)
}

// Patient waits for a slot as one more caller, until ctx is done; then it returns the context's cause. It is for
// verifying a write whose caller has left.
func (g *Gate) Patient(ctx context.Context) (*Slot, error) {
	return g.slotFor(ctx, &g.patient)
}

func (g *Gate) slotFor(ctx context.Context, c *caller) (*Slot, error) {
	if err := g.take(ctx, c); err != nil {
		return nil, err
	}
	return &Slot{gate: g, since: time.Now()}, nil
}

// Release gives the slot to the next waiter.
func (s *Slot) Release() {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	s.gate.latency.Add(time.Since(s.since))
	s.gate.handOver()
}

func (g *Gate) take(ctx context.Context, c *caller) error {
	granted := g.request(c)
	if granted == nil {
		return nil
	}
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		g.stopWaiting(c, granted)
		return context.Cause(ctx)
	}
}

// request takes a free slot and returns nil, or appends a waiter and returns its channel.
func (g *Gate) request(c *caller) (granted chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return nil
	}
	granted = make(chan struct{})
	c.waiters = append(c.waiters, granted)
	if len(c.waiters) == 1 && c != &g.urgent {
		g.ring = append(g.ring, c)
	}
	return granted
}

// stopWaiting removes a waiter. If a slot has just been handed to it, the next waiter gets the slot.
func (g *Gate) stopWaiting(c *caller, granted chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	position := slices.Index(c.waiters, granted)
	if position < 0 {
		g.handOver()
		return
	}
	c.waiters = slices.Delete(c.waiters, position, position+1)
	if len(c.waiters) == 0 {
		g.ring = slices.DeleteFunc(g.ring, func(other *caller) bool { return other == c })
	}
}

// handOver gives a slot to an urgent waiter, else to the callers of the ring in turn, else frees it. g.mu must be held.
func (g *Gate) handOver() {
	next := &g.urgent
	if len(next.waiters) == 0 {
		if len(g.ring) == 0 {
			g.free++
			return
		}
		next, g.ring = g.ring[0], g.ring[1:]
		if len(next.waiters) > 1 {
			g.ring = append(g.ring, next)
		}
	}
	close(next.waiters[0])
	next.waiters = next.waiters[1:]
}
