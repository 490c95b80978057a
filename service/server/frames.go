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
	// maxResets is how many calls a connection may give up at once, and resetRate how many more each second. It has at
	// most 100 in flight (a client with 2,048 keeps the others to itself), and may give all of them up, twice; the rate
	// is a proxy's whose callers all run out of time after 200 ms. Each costs about 15 µs: a goroutine that finds nobody.
	maxResets = 256
	resetRate = 500
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
	weight, flooded := c.meter.pass(p[:n])
	c.below.weigh(weight)
	if flooded != nil {
		_ = c.below.Close() // not c, which would say goodbye in TLS to somebody who may not listen
		return 0, flooded
	}
	return n, err
}

// frameMeter counts the frames of one connection as they pass. It keeps nothing of them, and one goroutine reads.
type frameMeter struct {
	skip   int // bytes until the next frame's header
	header [frameHeader]byte
	have   int // of the header

	chatter, resets bucket
}

func newFrameMeter() *frameMeter {
	now := time.Now()
	return &frameMeter{
		skip:    len(http2.ClientPreface),
		chatter: bucket{left: maxChatter, most: maxChatter, rate: chatterRate, filled: now},
		resets:  bucket{left: maxResets, most: maxResets, rate: resetRate, filled: now},
	}
}

// pass takes what was read. It returns what the frames in it hold beyond their bytes, and an error once there are too
// many.
func (m *frameMeter) pass(read []byte) (weight int, flooded error) {
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
		more, ok := m.count(http2.FrameType(m.header[3]), http2.Flags(m.header[4]), m.skip)
		weight += more
		if !ok {
			return weight, fmt.Errorf("too many %s frames that are no work", http2.FrameType(m.header[3]))
		}
	}
	return weight, nil
}

// count takes one frame.
func (m *frameMeter) count(kind http2.FrameType, flags http2.Flags, length int) (weight int, ok bool) {
	switch kind {
	case http2.FrameHeaders:
		m.chatter.add(chatterPerCall)
		return streamWeight, true
	case http2.FrameData:
		if length >= tinyData || flags.Has(http2.FlagDataEndStream) {
			return 0, true
		}
		return tinyData, m.chatter.take()
	case http2.FrameRSTStream:
		return 0, m.resets.take()
	default: // CONTINUATION, PING, PRIORITY, SETTINGS, WINDOW_UPDATE, and what is unknown
		return 0, m.chatter.take()
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
