package fluentcart

import (
	"context"
	"slices"
	"time"
)

const (
	// idleTimeout is how long an unused connection is kept. It is shorter than the keep-alive of usual servers (Apache
	// and LiteSpeed: 5 s, nginx: 75 s), so the client drops a connection before the store does.
	idleTimeout = 4 * time.Second
	// maxIdle bounds the kept connections. A store has a handful of PHP workers (F24), so it never needs more.
	maxIdle = 64
)

// take returns an idle connection, or opens one. The caller gives it back with keep, or closes it. fresh asks for a new
// connection. A connection that was verified with other roots than the current ones is not used any more.
func (t *Transport) take(ctx context.Context, deadline time.Time, fresh bool) (*conn, error) {
	for !fresh {
		c := t.pop()
		if c == nil {
			break
		}
		if c.roots == t.currentRoots() && !isStale(c.raw) && c.drained() {
			return c, nil
		}
		c.close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return t.dial(ctx)
}

// pop takes the idle connection that was used last, or nil.
func (t *Transport) pop() *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) == 0 {
		return nil
	}
	last := len(t.idle) - 1
	c := t.idle[last]
	t.idle[last] = nil
	t.idle = t.idle[:last]
	c.timer.Stop()
	return c
}

// keep makes the connection available for the next request.
func (c *conn) keep() {
	c.reused = true
	c.recording = false
	clear(c.recorded)
	if cap(c.request)+cap(c.recorded) > maxHeader {
		c.request, c.recorded = nil, nil
	}
	_ = c.SetDeadline(time.Time{}) // the deadline of this request would make isStale fail; a closed connection is found by take
	if !c.from.push(c) {
		c.close()
	}
}

// push adds a connection to the idle ones, and reports whether there was room.
func (t *Transport) push(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) >= maxIdle {
		return false
	}
	t.idle = append(t.idle, c)
	if c.timer == nil {
		c.timer = time.AfterFunc(idleTimeout, c.drop)
	} else {
		c.timer.Reset(idleTimeout)
	}
	return true
}

// drop closes the connection if it is idle.
func (c *conn) drop() {
	t := c.from
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.idle, c); i >= 0 {
		t.idle = slices.Delete(t.idle, i, i+1)
		c.close()
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() {
	for c := t.pop(); c != nil; c = t.pop() {
		c.close()
	}
}
