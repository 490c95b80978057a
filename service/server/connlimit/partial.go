package connlimit

import (
	"sync"

	"golang.org/x/net/http2"
)

// The bounds on partially received requests. Their data is held in memory until they are complete: over gRPC up to 100
// messages per connection. An authenticated caller may have many connections, so the bound is one for each caller.
const (
	// maxPartial is how many bytes one caller's partially received requests may hold at one transport. Beyond that, the
	// gateway stops reading the caller's connections. It is enough for 100 messages of 64 KiB, or for 1,024 calls that
	// have sent no data yet and count as streamWeight (8 KiB) each. A request that is never completed is ended after
	// RequestTimeout, which frees its bytes.
	maxPartial = 8 << 20
	// minPartial is what each connection may hold even beyond maxPartial: one call of ordinary size, and the beginning of
	// another. A caller's flood on some connections therefore does not stop its other connections, nor, where callers have
	// no names, those of other callers on the same host. The 1,024 connections of one caller together get 32 MiB more this
	// way. Where callers have no names, the share of a host is not limited, and its 4,096 connections get 128 MiB more.
	minPartial = 4 * streamWeight
)

// hold changes the number of bytes that the partially received requests of a connection hold.
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

// awaitCapacity returns when more may be read from a connection. One of the waiting connections is read even without
// capacity: otherwise none of their requests would ever be completed.
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

// partialRequests are the partially received requests of one gRPC connection, and the bytes that each of them holds. One
// goroutine reports what is received, and another what is responded.
type partialRequests struct {
	mu   sync.Mutex
	held map[uint32]int // by stream
}

// received accounts for a frame of the client, and returns the change of the bytes held.
func (p *partialRequests) received(f frame) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, known := p.held[f.stream]
	switch {
	case f.kind == http2.FrameHeaders && !known: // also without a message: its headers may continue
		p.held[f.stream] = streamWeight + headerFootprint(f)
		return p.held[f.stream]
	case f.kind == http2.FrameContinuation && known:
		p.held[f.stream] += headerFootprint(f)
		return headerFootprint(f)
	case f.kind == http2.FrameRSTStream || f.ends():
		delete(p.held, f.stream)
		return -before
	case f.kind == http2.FrameData && known:
		p.held[f.stream] += footprint(f.length)
		return footprint(f.length)
	}
	return 0
}

// responded accounts for a frame of the gateway, and returns the change of the bytes held. Data of a call that has its
// response is discarded.
func (p *partialRequests) responded(f frame) int {
	if f.kind != http2.FrameRSTStream && !f.ends() {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.held[f.stream]
	delete(p.held, f.stream)
	return -before
}

// footprint estimates the memory that a DATA frame takes: grpc-go keeps data of more than 1 KiB in buffers of a few sizes.
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

// headerFootprint estimates the memory that the headers in a frame take beyond streamWeight.
func headerFootprint(f frame) int {
	if f.kind == http2.FrameHeaders {
		return headerWeight * max(f.length-usualHeader, 0)
	}
	return headerWeight * f.length
}
