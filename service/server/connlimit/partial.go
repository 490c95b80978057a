package connlimit

import (
	"sync"

	"golang.org/x/net/http2"
)

// What a caller has open to send and not yet ended is held for it: over gRPC up to 100 messages a connection. A caller
// who was let in may have many connections, so these are bounded for each caller, and not for each connection alone.

const (
	// maxPartial is how many bytes the partial messages of one caller may hold at one door before some of it waits
	// in the line: 100 messages of 64 KiB, or 1,024 calls of which nothing has come yet. What does not come to its end
	// makes room after RequestTimeout.
	maxPartial = 8 << 20
	// minPartial is what a connection may hold even then: a call of an ordinary size, and another that begins. A caller
	// beside a flood of its own does not wait, nor one on the same host where callers have no names. With a caller's
	// share of connections it comes to 32 MiB more.
	minPartial = 4 * streamWeight
)

// hold adds to what the partial messages of a connection hold, or takes away from it.
func (c *Conn) hold(bytes int) {
	if bytes == 0 {
		return
	}
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	c.held += bytes
	if c.share == nil {
		return
	}
	c.share.held += bytes
	if c.held == 0 && c.share.exempt == c {
		c.share.exempt = nil
	}
	if bytes < 0 {
		c.table.capacity.Broadcast()
	}
}

// awaitCapacity returns when more may be read of a connection. One of those that wait is read even when there is no room, or
// none of their messages would ever end.
func (c *Conn) awaitCapacity() {
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	for c.state == isAuthenticated && c.share.held >= maxPartial && c.held >= minPartial {
		if c.share.exempt == nil {
			c.share.exempt = c
		}
		if c.share.exempt == c {
			return
		}
		c.table.capacity.Wait()
	}
}

// partialRequests are the calls of one gRPC connection whose messages have not ended, and what each of them holds. One
// goroutine tells what comes, and another what is answered.
type partialRequests struct {
	mu   sync.Mutex
	held map[uint32]int
}

// came takes a frame of the caller's, and returns how much more is held.
func (u *partialRequests) received(f frame) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	before, known := u.held[f.stream]
	switch {
	case f.kind == http2.FrameRSTStream || f.ends():
		delete(u.held, f.stream)
		return -before
	case f.kind == http2.FrameHeaders && !known:
		u.held[f.stream] = streamWeight
		return streamWeight
	case f.kind == http2.FrameData && known:
		u.held[f.stream] += footprint(f.length)
		return footprint(f.length)
	}
	return 0
}

// answered takes a frame of the gateway's, and returns how much more is held: what a caller sends of a call that has
// been answered is thrown away.
func (u *partialRequests) responded(f frame) int {
	if f.kind != http2.FrameRSTStream && !f.ends() {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.held[f.stream]
	delete(u.held, f.stream)
	return -before
}

// kept is about what a piece of a message takes up: grpc-go keeps those of more than 1 KiB in buffers of a few sizes.
func footprint(length int) int {
	switch {
	case length <= 1<<10:
		return length + 128
	case length <= 4<<10:
		return 4 << 10
	default:
		return 16 << 10
	}
}
