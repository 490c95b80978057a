package admission

import (
	"context"
	"time"
)

// Slot is the right to occupy one of the store's workers. Release must be called once.
type Slot struct {
	gate  *Gate
	since time.Time
}

// Slot waits for a slot until ctx, which is the context from Enter, is done. It then returns the context's cause:
// ErrEvicted if the call was evicted. It returns ErrLate if the call cannot meet its deadline any more.
func (p *Pass) Slot(ctx context.Context) (*Slot, error) {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.take(ctx, func() *Waiter { return g.slots.Join(ctx, p.caller) }); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // the call was evicted while it got the slot
		g.slots.HandOver()
		return nil, context.Cause(ctx)
	}
	if !p.protected {
		g.admitted.Protect(p.caller, p)
		p.protected = true
	}
	return &Slot{gate: g, since: time.Now()}, nil
}

// Urgent waits for a slot before all others, until ctx is done; then it returns the context's cause. It is for verifying
// a write: the write's caller is waiting for the outcome, and so is every call that waits for the same customer's lease.
func (g *Gate) Urgent(ctx context.Context) (*Slot, error) {
	return g.slotFor(ctx, g.slots.JoinUrgent)
}

// writesWithoutCaller is the caller of Patient. No caller has this name: names have no spaces.
const writesWithoutCaller = "writes without a caller"

// Patient waits for a slot as one more caller, until ctx is done; then it returns the context's cause. It is for
// verifying a write whose caller has left.
func (g *Gate) Patient(ctx context.Context) (*Slot, error) {
	return g.slotFor(ctx, func() *Waiter { return g.slots.Join(ctx, writesWithoutCaller) })
}

func (g *Gate) slotFor(ctx context.Context, join func() *Waiter) (*Slot, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.take(ctx, join); err != nil {
		return nil, err
	}
	return &Slot{gate: g, since: time.Now()}, nil
}

// take takes a free slot, or joins the queue and waits. g.mu must be held; it is not held while the call waits.
func (g *Gate) take(ctx context.Context, join func() *Waiter) error {
	if g.slots.Take() {
		return nil
	}
	w := join()
	g.mu.Unlock()
	select {
	case <-w.Ended():
		g.mu.Lock()
		return w.Err()
	case <-ctx.Done():
		g.mu.Lock()
		w.Leave()
		return context.Cause(ctx)
	}
}

// Release gives the slot to the next waiter.
func (s *Slot) Release() {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	s.gate.slots.Release(s.since)
}
