package connlimit

import (
	"net"
	"time"
)

// accept takes in a new connection, which waits if the table is full. The time that it may stay unauthenticated begins.
func (t *table) accept(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, table: t, from: hostOf(conn.RemoteAddr()), done: make(chan struct{})}
	c.weightless.Store(true)
	t.mu.Lock()
	defer t.unlock()
	if t.closed {
		c.state = isClosed
		_ = conn.Close()
		return c
	}
	c.begins()
	c.state = isWaiting
	c.element = t.hostOf(c).waiting.PushBack(c)
	t.waiting++
	return c
}

// leaveWaiting removes the connection from the waiting ones of its host. The caller holds table.mu.
func (c *Conn) leaveWaiting() {
	c.table.hosts[c.from].waiting.Remove(c.element)
	c.table.forget(c.from)
	c.table.waiting--
}

// admit gives waiting connections the free places of the table, and those of evicted connections once the wait is over.
// The caller holds mu.
func (t *table) admit() {
	for t.unauthenticated > MaxUnauthenticated { // a connection has become unauthenticated again
		t.oldest(func(h *host) int { return h.unauthenticated.Len() }, anyConn).evict(TableFull)
	}
	for t.waiting > 0 {
		next := t.nextWaiting()
		if t.unauthenticated == MaxUnauthenticated {
			victim := t.victimOf(next)
			if wait := time.Until(t.evictableFrom(victim, next)); wait > 0 && t.waiting <= maxWaiting {
				t.retryIn(wait)
				return
			}
			victim.evict(TableFull)
		}
		next.leaveWaiting()
		next.becomeUnauthenticated()
		t.admitted = append(t.admitted, next)
		t.signal()
	}
}

// nextWaiting returns the waiting connection that is the next to get a place: the oldest one of the host with the fewest
// unauthenticated connections. The caller holds mu.
func (t *table) nextWaiting() *Conn {
	var next *Conn
	var fewest int
	for _, of := range t.hosts {
		if of.waiting.Len() == 0 {
			continue
		}
		c, _ := of.waiting.Front().Value.(*Conn)
		if n := of.unauthenticated.Len(); next == nil || n < fewest || n == fewest && c.order < next.order {
			next, fewest = c, n
		}
	}
	return next
}

// victimOf returns the connection that is evicted for a waiting one: the oldest one of the host that would have the most.
// The caller holds mu.
func (t *table) victimOf(next *Conn) *Conn {
	own := t.hosts[next.from]
	return t.oldest(func(h *host) int {
		if h == own {
			return h.unauthenticated.Len() + 1
		}
		return h.unauthenticated.Len()
	}, anyConn)
}

// evictableFrom returns when the victim may be evicted for a waiting connection. The caller holds mu.
func (t *table) evictableFrom(victim, next *Conn) time.Time {
	own, other := t.hosts[next.from], t.hosts[victim.from]
	from := latest(earliest(victim.since, next.since), other.moved).Add(maxWait)
	from = earliest(from, next.since.Add(2*maxWait))
	if own.unauthenticated.Len()+1 < other.unauthenticated.Len() {
		from = earliest(from, next.since.Add(maxWaitOfOtherHost))
	}
	return from
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func anyConn(*Conn) bool { return true }

// retryIn makes the table try to admit again. The caller holds mu.
func (t *table) retryIn(wait time.Duration) {
	if t.retry == nil {
		t.retry = time.AfterFunc(wait, func() {
			t.mu.Lock()
			t.unlock()
		})
		return
	}
	t.retry.Reset(wait)
}

// signal wakes Accept. The caller holds mu.
func (t *table) signal() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// nextAdmitted returns a connection for the server, or nil.
func (t *table) nextAdmitted() *Conn {
	t.mu.Lock()
	defer t.unlock()
	for len(t.admitted) > 0 {
		c := t.admitted[0]
		t.admitted = t.admitted[1:]
		if c.state != isClosed { // it was not evicted meanwhile
			if len(t.admitted) > 0 {
				t.signal()
			}
			return c
		}
	}
	return nil
}

// close closes the connections that no server has got, and all that are accepted later.
func (t *table) close() {
	t.mu.Lock()
	defer t.unlock()
	t.closed = true
	unserved := t.admitted
	t.admitted = nil
	for _, of := range t.hosts {
		for element := of.waiting.Front(); element != nil; element = element.Next() {
			c, _ := element.Value.(*Conn)
			unserved = append(unserved, c)
		}
	}
	for _, c := range unserved {
		c.remove()
		_ = c.Conn.Close()
	}
}
