package server

import (
	"fmt"
	"net"
	"time"

	"golang.org/x/net/http2"
)

// HTTP/2 has frames that cost their sender next to nothing and that ask for no work, but make the other side do some.
// grpc-go ends a flood of PINGs by itself, and x/net one of headers that exceed their bound. It queues at most 10,000
// answers to the rest and then reads no more until they are written: for a sender who reads them that is no bound.

const (
	frameHeader = 9 // bytes in front of each frame
	// maxChatter is how many frames that are no work a connection may send at once, and chatterRate how many more each
	// second. A connection's beginning takes four. At 2 µs each, 1,000 a second are 0.2 % of a processor.
	maxChatter  = 4096
	chatterRate = 1000
	// chatterPerCall is what a call adds to that: an answer of 70 KiB is five frames, for each of which some clients
	// (Envoy, C++) send two WINDOW_UPDATEs, and each message can provoke a PING that measures the line.
	chatterPerCall = 16
	// maxResets is how many calls a connection may give up at once, and resetRate how many more each second: grpc-go
	// sends and takes back all of 2,048 calls that are cancelled together, twice; the rate is a proxy's whose callers
	// all run out of time. Each costs some 15 µs: a goroutine that finds nobody.
	maxResets = 4096
	resetRate = 500
	// freeResets of them, more than twice what is in flight on a connection, are taken at once. Those beyond are taken
	// after a pause each, so that a flood that comes back whenever it was ended costs a few percent of a processor.
	freeResets = 256
	resetPause = 500 * time.Microsecond
	// tinyData is a piece of a message that costs more to keep than it holds.
	tinyData = 512
	// streamWeight is about what a call that waits for its message holds: its goroutine and its headers.
	streamWeight = 8 << 10
)

// meteredConn ends a gRPC connection that sends too much of what is no work. It stands above TLS.
type meteredConn struct {
	net.Conn

	below *connection
	meter *frameMeter
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	flooded := c.meter.pass(p[:n])
	c.below.weigh(c.meter.weight)
	if flooded != nil {
		_ = c.below.Close() // not c, which would say goodbye in TLS to somebody who may not listen
		return 0, flooded
	}
	if c.meter.pause > 0 {
		<-time.After(c.meter.pause) // of one read, some 100 frames: less than 100 ms
	}
	return n, err
}

// frameMeter counts the frames of one connection as they pass. It keeps nothing of them, and one goroutine reads.
type frameMeter struct {
	skip   int // bytes until the next frame's header
	header [frameHeader]byte
	have   int // of the header

	chatter, resets, free bucket

	// Of what passed last: what its frames hold beyond their bytes, and for how long to read no more.
	weight int
	pause  time.Duration
}

func newFrameMeter() *frameMeter {
	now := time.Now()
	return &frameMeter{
		skip:    len(http2.ClientPreface),
		chatter: bucket{left: maxChatter, most: maxChatter, rate: chatterRate, filled: now},
		resets:  bucket{left: maxResets, most: maxResets, rate: resetRate, filled: now},
		free:    bucket{left: freeResets, most: freeResets, rate: resetRate, filled: now},
	}
}

// pass takes what was read. It returns an error once there is too much of what is no work.
func (m *frameMeter) pass(read []byte) error {
	m.weight, m.pause = 0, 0
	for len(read) > 0 {
		if m.skip > 0 {
			n := min(m.skip, len(read))
			m.skip -= n
			read = read[n:]
			continue
		}
		n := copy(m.header[m.have:], read)
		m.have += n
		read = read[n:]
		if m.have < frameHeader {
			break
		}
		m.have = 0
		m.skip = int(m.header[0])<<16 | int(m.header[1])<<8 | int(m.header[2])
		if !m.count(http2.FrameType(m.header[3]), http2.Flags(m.header[4]), m.skip) {
			return fmt.Errorf("too many %s frames that are no work", http2.FrameType(m.header[3]))
		}
	}
	return nil
}

// count takes one frame, if it may come.
func (m *frameMeter) count(kind http2.FrameType, flags http2.Flags, length int) bool {
	switch kind {
	case http2.FrameHeaders:
		m.chatter.add(chatterPerCall)
		m.weight += streamWeight
		return true
	case http2.FrameData:
		if length >= tinyData || flags.Has(http2.FlagDataEndStream) {
			return true
		}
		m.weight += tinyData
		return m.chatter.take()
	case http2.FrameRSTStream:
		if !m.free.take() {
			m.pause += resetPause
		}
		return m.resets.take()
	default: // CONTINUATION, PING, PRIORITY, SETTINGS, WINDOW_UPDATE, and what is unknown
		return m.chatter.take()
	}
}

// bucket holds tokens, which come back with time. It looks at the clock only when it is empty.
type bucket struct {
	left, most int
	rate       int // a second
	filled     time.Time
}

func (b *bucket) add(n int) { b.left = min(b.left+n, b.most) }

func (b *bucket) take() bool {
	if b.left == 0 {
		now := time.Now()
		b.left = int(min(now.Sub(b.filled).Seconds()*float64(b.rate), float64(b.most)))
		if b.left == 0 {
			return false
		}
		b.filled = now
	}
	b.left--
	return true
}
