package connlimit

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// The bounds on frames. Control frames cost their sender next to nothing and request no call, but cost the receiver
// work. grpc-go itself ends a flood of PINGs, and x/net one of headers beyond their bound. For the other control frames
// grpc-go queues at most 10,000 responses and then reads no more until they are written, which does not bound a sender
// that reads them.
const (
	// maxControlFrames is how many control frames a connection may send at once, and controlFrameRate how many more each
	// second. The start of a connection takes four. At 2 µs each, 1,000 per second are 0.2 % of a processor.
	maxControlFrames = 4096
	controlFrameRate = 1000
	// controlFramesPerCall is what a call adds to the budget: a response of 70 KiB is five frames, for each of which some
	// clients (Envoy, C++) send two WINDOW_UPDATEs, and each message can cause a PING that measures the line.
	controlFramesPerCall = 16
	// maxResets is how many calls a connection may reset at once, and resetRate how many more each second. grpc-go sends
	// and resets all of 2,048 calls that are cancelled together, twice; the rate is that of a proxy whose callers all
	// time out. Each reset costs some 15 µs, for a goroutine that finds its call gone.
	maxResets = 4096
	resetRate = 500
	// freeResets, more than twice the calls in flight on a connection, are read at once. Each further reset delays the
	// next read by resetPause, so that a flood that reconnects after each close costs a few percent of a processor.
	freeResets = 256
	resetPause = 500 * time.Microsecond
	// smallData is the length of DATA frames that cost more to keep than they hold.
	smallData = 512
	// streamWeight approximates the memory of a call that waits for its message: its goroutine and its headers.
	streamWeight = 8 << 10
	// usualHeader is how many bytes of headers streamWeight allows for. Each further byte can be a header of its own, of
	// some 80 bytes in memory, and MaxHeaderList lets 230 KiB of them through: headerWeight approximates that.
	usualHeader  = 1 << 10
	headerWeight = 8
)

// meteredConn closes a gRPC connection that sends too many control frames, and accounts for its partially received
// requests. It wraps the connection above TLS.
type meteredConn struct {
	net.Conn

	below   *Conn
	meter   *frameMeter
	partial *partialRequests

	greeting greeting

	writing   sync.Mutex
	responses frameReader
}

func newMeteredConn(conn net.Conn, below *Conn, hello greeting) *meteredConn {
	partial := &partialRequests{held: map[uint32]int{}}
	c := &meteredConn{Conn: conn, below: below, meter: newFrameMeter(partial), partial: partial, greeting: hello}
	below.askBefore(c.goAway)
	return c
}

func (c *meteredConn) Read(p []byte) (int, error) {
	c.below.awaitCapacity()
	n, err := c.Conn.Read(p)
	if n > 0 && !c.greeting.heard {
		if wrong := c.hear(p[:n]); wrong != nil {
			return 0, wrong
		}
	}
	flooded := c.meter.pass(p[:n])
	c.below.weigh(c.meter.weight)
	c.below.hold(c.meter.held)
	if flooded != nil {
		c.below.evictNow(Flood) // closing c would first send a TLS alert, to a client that may not read it
		return 0, flooded
	}
	if c.meter.pause > 0 {
		<-time.After(c.meter.pause) // a read of 4 KiB holds up to 315 resets: less than 160 ms
	}
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for rest := p; len(rest) > 0; {
		var f frame
		var complete bool
		if f, rest, complete = c.responses.next(rest); complete {
			c.below.hold(c.partial.responded(f))
		}
	}
	if !c.greeting.open {
		c.greeting.heldBack = append(c.greeting.heldBack, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// goAway sends GOAWAY, which says that no call on the connection was or will be made: clients make their next calls, and
// those that are on their way, on another connection. grpc-go sends GOAWAY only to all connections, or by its own timers.
func (c *meteredConn) goAway() {
	var frame bytes.Buffer
	_ = http2.NewFramer(&frame, nil).WriteGoAway(0, http2.ErrCodeNo, []byte("no call was made in time")) // a buffer takes everything
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.greet() == nil && c.responses.betweenFrames() {
		_, _ = c.Conn.Write(frame.Bytes()) // it fails for a client that is gone
	}
}

// frameMeter counts the frames that one goroutine reads from a connection.
type frameMeter struct {
	frames  frameReader
	partial *partialRequests

	control, resets, free bucket
	open                  int // streams that were not reset

	// About the bytes of the last pass: the weight of their frames beyond the bytes themselves, the change of what
	// partially received requests hold, and how long to pause before the next read.
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

// pass counts the frames in bytes that were read. It returns an error once there are too many of a kind.
func (m *frameMeter) pass(read []byte) error {
	m.weight, m.held, m.pause = 0, 0, 0
	for len(read) > 0 {
		var f frame
		var complete bool
		if f, read, complete = m.frames.next(read); !complete {
			continue
		}
		if !m.count(f) {
			return fmt.Errorf("too many %s frames without calls", f.kind)
		}
		m.held += m.partial.received(f)
	}
	return nil
}

// count counts one frame, and reports whether the connection may send it.
func (m *frameMeter) count(f frame) bool {
	switch f.kind {
	case http2.FrameHeaders:
		m.control.add(controlFramesPerCall)
		m.weight += streamWeight + headerFootprint(f)
		m.open++
		return true
	case http2.FrameData:
		if f.length >= smallData || f.ends() {
			return true
		}
		m.weight += smallData
		return m.control.take()
	case http2.FrameRSTStream:
		if m.open > 0 { // a reset gives back the weight of its stream, and no more
			m.open--
			m.weight -= streamWeight
		}
		if !m.free.take() {
			m.pause += resetPause
		}
		return m.resets.take()
	case http2.FrameContinuation:
		m.weight += headerFootprint(f)
		return m.control.take()
	default: // PING, PRIORITY, SETTINGS, WINDOW_UPDATE, and unknown frames
		return m.control.take()
	}
}

// bucket holds tokens that are refilled with time. It reads the clock only when it is empty, so that most frames cost no
// look at the clock. It is then refilled for all the time since the last refill, so a burst after a long time can take
// nearly twice most.
type bucket struct {
	left, most int
	rate       int // tokens per second
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
