package connlimit

import (
	"encoding/binary"
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
	// maxControlFrames is how many frames that are no work a connection may send at once, and controlFrameRate how many more each
	// second. A connection's beginning takes four. At 2 µs each, 1,000 a second are 0.2 % of a processor.
	maxControlFrames = 4096
	controlFrameRate = 1000
	// controlFramesPerCall is what a call adds to that: an answer of 70 KiB is five frames, for each of which some clients
	// (Envoy, C++) send two WINDOW_UPDATEs, and each message can provoke a PING that measures the line.
	controlFramesPerCall = 16
	// maxResets is how many calls a connection may give up at once, and resetRate how many more each second: grpc-go
	// sends and takes back all of 2,048 calls that are cancelled together, twice; the rate is a proxy's whose callers
	// all run out of time. Each costs some 15 µs: a goroutine that finds nobody.
	maxResets = 4096
	resetRate = 500
	// freeResets of them, more than twice what is in flight on a connection, are taken at once. Those beyond are taken
	// after a pause each, so that a flood that comes back whenever it was ended costs a few percent of a processor.
	freeResets = 256
	resetPause = 500 * time.Microsecond
	// smallData is a piece of a message that costs more to keep than it holds.
	smallData = 512
	// streamWeight is about what a call that waits for its message holds: its goroutine and its headers.
	streamWeight = 8 << 10
)

// meteredConn ends a gRPC connection that sends too much of what is no work, and tells what its partial messages
// hold. It stands above TLS.
type meteredConn struct {
	net.Conn

	below     *Conn
	meter     *frameMeter
	responses frameReader
	partial   *partialRequests
}

func newMeteredConn(conn net.Conn, below *Conn) *meteredConn {
	partial := &partialRequests{held: map[uint32]int{}}
	return &meteredConn{Conn: conn, below: below, meter: newFrameMeter(partial), partial: partial}
}

func (c *meteredConn) Read(p []byte) (int, error) {
	c.below.awaitCapacity()
	n, err := c.Conn.Read(p)
	flooded := c.meter.pass(p[:n])
	c.below.weigh(c.meter.weight)
	c.below.hold(c.meter.held)
	if flooded != nil {
		_ = c.below.Close() // not c, which would say goodbye in TLS to somebody who may not listen
		return 0, flooded
	}
	if c.meter.pause > 0 {
		<-time.After(c.meter.pause) // of one read, some 100 frames: less than 100 ms
	}
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		var f frame
		var complete bool
		if f, rest, complete = c.responses.next(rest); complete {
			c.below.hold(c.partial.responded(f))
		}
	}
	return c.Conn.Write(p)
}

// frame is the header of one.
type frame struct {
	kind   http2.FrameType
	flags  http2.Flags
	length int
	stream uint32
}

// ends reports whether its sender will send no more on the stream.
func (f frame) ends() bool {
	return (f.kind == http2.FrameHeaders || f.kind == http2.FrameData) && f.flags.Has(http2.FlagDataEndStream) // the same bit in both
}

// frameReader finds the headers of frames in what goes one way on a connection, in whatever pieces. It keeps nothing else.
type frameReader struct {
	skip   int // bytes until the next frame's header
	header [frameHeader]byte
	have   int // of the header
}

// next returns the next frame, whose header is complete, and what stands behind that.
func (r *frameReader) next(bytes []byte) (f frame, rest []byte, complete bool) {
	skipped := min(r.skip, len(bytes))
	r.skip -= skipped
	n := copy(r.header[r.have:], bytes[skipped:])
	r.have += n
	rest = bytes[skipped+n:]
	if r.have < frameHeader {
		return frame{}, rest, false
	}
	r.have = 0
	r.skip = int(r.header[0])<<16 | int(r.header[1])<<8 | int(r.header[2])
	return frame{
		kind: http2.FrameType(r.header[3]), flags: http2.Flags(r.header[4]), length: r.skip,
		stream: binary.BigEndian.Uint32(r.header[5:]) & (1<<31 - 1),
	}, rest, true
}

// frameMeter counts the frames of one connection as they pass. It keeps nothing of them, and one goroutine reads.
type frameMeter struct {
	frames  frameReader
	partial *partialRequests

	control, resets, free bucket
	open                  int // streams that have not been reset

	// Of what passed last: what its frames hold beyond their bytes, how much more partial messages hold, and for how
	// long to read no more.
	weight, held int
	pause        time.Duration
}

func newFrameMeter(partial *partialRequests) *frameMeter {
	now := time.Now()
	return &frameMeter{
		frames:  frameReader{skip: len(http2.ClientPreface)},
		partial: partial,
		control: bucket{left: maxControlFrames, most: maxControlFrames, rate: controlFrameRate, filled: now},
		resets:  bucket{left: maxResets, most: maxResets, rate: resetRate, filled: now},
		free:    bucket{left: freeResets, most: freeResets, rate: resetRate, filled: now},
	}
}

// pass takes what was read. It returns an error once there is too much of what is no work.
func (m *frameMeter) pass(read []byte) error {
	m.weight, m.held, m.pause = 0, 0, 0
	for len(read) > 0 {
		var f frame
		var complete bool
		if f, read, complete = m.frames.next(read); !complete {
			continue
		}
		if !m.count(f) {
			return fmt.Errorf("too many %s frames that are no work", f.kind)
		}
		m.held += m.partial.received(f)
	}
	return nil
}

// count takes one frame, if it may come.
func (m *frameMeter) count(f frame) bool {
	switch f.kind {
	case http2.FrameHeaders:
		m.control.add(controlFramesPerCall)
		m.weight += streamWeight
		m.open++
		return true
	case http2.FrameData:
		if f.length >= smallData || f.ends() {
			return true
		}
		m.weight += smallData
		return m.control.take()
	case http2.FrameRSTStream:
		if m.open > 0 { // who gives up a call gives back what it weighed, and no more
			m.open--
			m.weight -= streamWeight
		}
		if !m.free.take() {
			m.pause += resetPause
		}
		return m.resets.take()
	default: // CONTINUATION, PING, PRIORITY, SETTINGS, WINDOW_UPDATE, and what is unknown
		return m.control.take()
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
