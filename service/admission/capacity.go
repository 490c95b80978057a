package admission

import "slices"

// Capacity is a limited number of places, which callers share fairly. When it is full, the newest call of the caller with
// the most is evicted for a call of a caller below its fair share. C identifies a call; its zero value is no call. The
// owner of a Capacity guards it with a mutex.
type Capacity[C comparable] struct {
	// Limit is the number of places; 0 is no limit.
	Limit int

	taken   int
	callers map[string]*callsOf[C]
}

// callsOf are the calls of one caller.
type callsOf[C comparable] struct {
	caller    string
	taken     int // places, with those of protected calls
	evictable []C // in order of arrival
}

// Room reports whether a call of the caller may take a place, and which call must leave before, if any. It changes
// nothing.
func (c *Capacity[C]) Room(caller string) (evicted C, ok bool) {
	var none C
	if c.Limit == 0 || c.taken < c.Limit {
		return none, true
	}
	own, sharing := 0, len(c.callers)
	if calls := c.callers[caller]; calls != nil {
		own = calls.taken
	} else {
		sharing++
	}
	share := max(c.Limit/sharing, 1)
	if own >= share {
		return none, false
	}
	most := share
	for _, calls := range c.callers {
		if len(calls.evictable) > 0 && calls.taken > most {
			most, evicted = calls.taken, calls.evictable[len(calls.evictable)-1]
		}
	}
	return evicted, evicted != none
}

// Join takes a place for a call, and returns the calls of its caller.
func (c *Capacity[C]) Join(caller string, call C) *callsOf[C] {
	calls := c.callers[caller]
	if calls == nil {
		if c.callers == nil {
			c.callers = map[string]*callsOf[C]{}
		}
		calls = &callsOf[C]{caller: caller}
		c.callers[caller] = calls
	}
	c.taken++
	calls.taken++
	calls.evictable = append(calls.evictable, call)
	return calls
}

// Protect excludes a call from eviction.
func (c *Capacity[C]) Protect(caller string, call C) {
	if calls := c.callers[caller]; calls != nil {
		calls.remove(call)
	}
}

// Leave frees the place of a call that is not protected. It reports whether the call had one.
func (c *Capacity[C]) Leave(caller string, call C) bool {
	calls := c.callers[caller]
	if calls == nil || !calls.remove(call) {
		return false
	}
	c.free(calls)
	return true
}

// LeaveProtected frees the place of a protected call.
func (c *Capacity[C]) LeaveProtected(caller string) { c.free(c.callers[caller]) }

func (c *Capacity[C]) free(calls *callsOf[C]) {
	c.taken--
	calls.taken--
	if calls.taken == 0 {
		delete(c.callers, calls.caller)
	}
}

func (c *callsOf[C]) remove(call C) bool {
	position := slices.Index(c.evictable, call)
	switch {
	case position < 0:
		return false
	case position == 0: // as usual; the others need not be moved
		var none C
		c.evictable[0] = none
		c.evictable = c.evictable[1:]
	default:
		c.evictable = slices.Delete(c.evictable, position, position+1)
	}
	return true
}
